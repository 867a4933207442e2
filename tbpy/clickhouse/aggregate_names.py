"""The name under which ClickHouse keeps an aggregate function in a type: aliases and other cases give way to it.

`AggregateFunction(medianIf, Int32, UInt8)` is `AggregateFunction(quantileIf, Int32, UInt8)`. Source: `alias_to` and
`case_insensitive` of ClickHouse's `system.functions`.
"""

from __future__ import annotations

from functools import cache

_ALIASES = {
    "bit_and": "groupBitAnd",
    "bit_or": "groupBitOr",
    "bit_xor": "groupBitXor",
    "covar_pop": "covarPop",
    "covar_samp": "covarSamp",
    "std": "stddevPop",
    "stddev": "stddevSamp",
    "stddev_pop": "stddevPop",
    "stddev_samp": "stddevSamp",
    "var_pop": "varPop",
    "var_samp": "varSamp",
    "any_value": "any",
    "first_value": "any",
    "last_value": "anyLast",
    "max_by": "argMax",
    "min_by": "argMin",
    "array_agg": "groupArray",
    "group_concat": "groupConcat",
    "string_agg": "groupConcat",
    "approx_top_count": "approx_top_k",
    "lttb": "largestTriangleThreeBuckets",
    **{name: name for name in ("avg", "count", "max", "min", "sum")},
}
_COMBINATORS = ("OrDefault", "OrNull", "Distinct", "ForEach", "Array", "State", "Merge", "Map", "If")


@cache
def canonical_aggregate(name: str) -> str:
    """The function's own name, combinators kept; a name that is not known stays as it is."""
    if name.startswith("median"):
        return f"quantile{name.removeprefix('median')}"
    known = _ALIASES.get(name.lower())
    if known is not None:
        return known
    for combinator in _COMBINATORS:
        base = name.removesuffix(combinator)
        if base and base != name:
            return canonical_aggregate(base) + combinator
    return name
