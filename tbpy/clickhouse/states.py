"""How states of aggregates (`AggregateFunction(f, T, ...)`) are stored: plain DuckDB values that a column can declare.

| functions | state |
| --- | --- |
| count | how many |
| sum, sumKahan, sumWithOverflow | the sum, NULL of no rows |
| min, max, any, anyLast, groupBit* | the value, NULL of no rows |
| argMin, argMax | STRUCT(value, key) |
| avg | STRUCT(sum, count) |
| stddev*, var* | STRUCT(n, s1, s2): sums of powers |
| uniq*, groupBitmap, countDistinct | LIST of the different values |
| groupUniqArray | LIST of the different values in ClickHouse's order |
| others with -Distinct of one argument | LIST of the different values, in the order of ClickHouse's hash tables |
| quantile, quantiles | STRUCT(values, step): every value in order, or every 2nd, 4th, ... of many |
| quantileTDigest, quantilesTDigest | STRUCT(means, counts): the centroids of the digest |
| quantileExact*, quantilesExact* | LIST of the values in order, without NaN |
| all others | LIST of the arguments of all rows |

NULL is the state of no rows, for every function. `fIf` has the state of `f`; its type keeps the condition's type. Which
SQL makes, merges and finishes a state is in `tbpy.clickhouse.aggregates.state_forms`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregate_names import canonical_aggregate
from tbpy.clickhouse.storage import duckdb_type

#: The quantiles of one argument that are computed from all values.
EXACT_QUANTILES = ("Exact", "ExactLow", "ExactHigh", "ExactExclusive", "ExactInclusive")

#: The kind of state of each function that has one of its own; `rows` is the kind of all others.
KINDS = {
    "count": "count",
    "sum": "sum",
    "sumKahan": "float",
    "sumWithOverflow": "value",
    "min": "value",
    "max": "value",
    "any": "value",
    "anyLast": "value",
    "groupBitAnd": "value",
    "groupBitOr": "value",
    "groupBitXor": "value",
    "argMin": "pair",
    "argMax": "pair",
    "avg": "average",
    "stddevPop": "moments",
    "stddevSamp": "moments",
    "varPop": "moments",
    "varSamp": "moments",
    "uniq": "set",
    "uniqExact": "set",
    "uniqHLL12": "set",
    "uniqCombined": "set",
    "uniqCombined64": "set",
    "groupUniqArray": "array",
    "groupBitmap": "set",
    "countDistinct": "set",
    **{f"{name}{kind}": "ordered" for name in ("quantile", "quantiles") for kind in EXACT_QUANTILES},
    "quantile": "sample",
    "quantiles": "sample",
    "quantileTDigest": "digest",
    "quantilesTDigest": "digest",
}


@dataclass(frozen=True, slots=True)
class StateLayout:
    """The stored form of a state: its kind and its parts. One part without a name is the bare value."""

    kind: str
    parts: tuple[tuple[str, str], ...]

    @property
    def storage(self) -> str:
        if self.parts[0][0] == "":
            return self.parts[0][1]
        return "STRUCT(" + ", ".join(f'"{name}" {type_}' for name, type_ in self.parts) + ")"


def state_storage(type_: t.AggregateFunction) -> str:
    """The DuckDB type of a column of states."""
    return state_layout(type_.function, type_.arguments).storage


def base_function(function: str, arguments: Sequence[t.Type]) -> tuple[str, tuple[t.Type, ...]]:
    """The function without -If, and the arguments without its condition."""
    name, types = function, tuple(arguments)
    if name not in KINDS and name.endswith("If"):
        name, types = name.removesuffix("If"), types[:-1]
    return canonical_aggregate(name), types


def state_layout(function: str, arguments: Sequence[t.Type]) -> StateLayout:
    name, types = base_function(function, arguments)
    kind = KINDS.get(name, "distinct" if name.endswith("Distinct") and len(types) == 1 else "rows")
    if kind == "moments" and t.plain(types[0]) == t.FLOAT32:
        kind = "rows"  # computed in single precision, which sums in double would not give
    if kind == "rows":
        return StateLayout("rows", (("", f"{row_storage(tuple(arguments))}[]"),))
    return StateLayout(kind, _parts(kind, types))


def _parts(kind: str, types: tuple[t.Type, ...]) -> tuple[tuple[str, str], ...]:
    if kind == "count":
        return (("", "UBIGINT"),)
    first = duckdb_type(types[0])
    match kind:
        case "sum":
            return (("", duckdb_type(sum_storage_type(types[0]))),)
        case "float":
            return (("", "DOUBLE"),)
        case "pair":
            return (("value", first), ("key", duckdb_type(types[1])))
        case "average":
            return (("sum", _average_sum(types[0])), ("count", "UBIGINT"))
        case "moments":
            return (("n", "DOUBLE"), ("s1", "DOUBLE"), ("s2", "DOUBLE"))
        case "set" | "array" | "distinct":
            return (("", f"{row_storage(types)}[]"),)
        case "ordered":
            return (("", f"{first}[]"),)
        case "digest":
            return (("", 'STRUCT("means" FLOAT[], "counts" FLOAT[])'),)
        case "sample":
            return (("values", f"{first}[]"), ("step", "BIGINT"))
    return (("", first),)


def row_storage(types: tuple[t.Type, ...]) -> str:
    """The DuckDB type of the arguments of one row: bare, or a struct "1", "2", ..."""
    if len(types) == 1:
        return duckdb_type(types[0])
    if not types:
        return "BOOLEAN"
    return "STRUCT(" + ", ".join(f'"{index + 1}" {duckdb_type(type_)}' for index, type_ in enumerate(types)) + ")"


def sum_storage_type(type_: t.Type) -> t.Type:
    """What a sum of this type is kept as; the same as the result of `sum`."""
    match t.plain(type_):
        case t.Int(bits, signed):
            return t.Int(max(bits, 64), signed)
        case t.Bool():
            return t.UINT64
        case t.Decimal(precision, scale):
            return t.Decimal(38 if precision <= 38 else 76, scale)
        case t.Nothing():
            return t.NOTHING
    return t.FLOAT64


def _average_sum(type_: t.Type) -> str:
    match t.plain(type_):
        case t.Int(bits) if bits <= 64:
            return "HUGEINT"
        case t.Decimal(precision, scale) if precision <= 38:
            return f"DECIMAL(38, {scale})"
        case t.Bool():
            return "HUGEINT"
    return "DOUBLE"
