"""sumMap, minMap, maxMap: per key, over arrays of keys and values, or over maps."""

from __future__ import annotations

from collections.abc import Callable

from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.basic import sum_type, wrapped
from tbpy.clickhouse.aggregates.call import AggregateCall
from tbpy.clickhouse.aggregates.groups import by_key, field
from tbpy.clickhouse.aggregates.registry import aggregate, find_aggregate
from tbpy.clickhouse.compiler.failures import bad_arguments
from tbpy.clickhouse.compiler.parts import parts
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.storage import default_sql, duckdb_type

Result = Callable[[AggregateCall, t.Type], t.Type]


def _register(names: tuple[str, ...], function: str, result: Result, filtered: bool = False) -> None:
    @aggregate(*names, args=(1, None), nulls="keep", parameters=1 if filtered else 0)
    def build(call: AggregateCall) -> Typed:
        if len(call.args) == 1 and isinstance(t.plain(call.type()), t.Map):
            return _over_maps(call, function)
        return _over_arrays(call, function, result, filtered)


def _over_maps(call: AggregateCall, function: str) -> Typed:
    from tbpy.clickhouse.aggregates.combinators import build_combined

    row = find_aggregate(function)
    assert row is not None
    return build_combined(row, ("Map",), call)


def _arrays(call: AggregateCall) -> tuple[Typed, ...]:
    """Keys and values as arrays; a tuple of them may stand for the arguments."""
    args = call.args
    if len(args) == 1 and isinstance(args[0].type, t.Tuple):
        args = tuple(parts(args[0]))
    if len(args) < 2 or not all(isinstance(arg.type, t.Array) for arg in args):
        call.wrong_type()
    return args


def _over_arrays(call: AggregateCall, function: str, result: Result, filtered: bool) -> Typed:
    keys, *values = _arrays(call)
    items = [arg.type.item for arg in (keys, *values) if isinstance(arg.type, t.Array)]
    types = [result(call, t.not_nullable(item)) for item in items[1:]]
    place, item = call.context.fresh("i"), call.context.fresh("e")
    fields = "".join(f", 'v{index}': {arg.sql}[{place}]" for index, arg in enumerate(values))
    row = f"list_transform(range(1, len({keys.sql}) + 1), lambda {place}: {{'k': {keys.sql}[{place}]{fields}}})"
    entries = f"flatten({call.collect(row)})"
    if function == "sum" and all(t.is_nullable(type_) for type_ in items[1:]):
        some = " OR ".join(f"{item}['v{index}'] IS NOT NULL" for index in range(len(values)))
        entries = f"list_filter({entries}, lambda {item}: {some})"
    if filtered:
        entries = f"list_filter({entries}, lambda {item}: {item}['k'] IN ({_kept(call)}))"

    def total(run: str) -> str:
        sums = [_value(call, run, index, function, type_) for index, type_ in enumerate(types)]
        first = f"'p': {run}[1]['k'] IS NOT NULL, " if t.is_nullable(items[0]) else ""  # NULL comes first
        return f"{{{first}'k': {run}[1]['k'], " + ", ".join(f"'v{i}': {sql}" for i, sql in enumerate(sums)) + "}"

    def finish(groups: str) -> str:
        columns = ["k", *(f"v{index}" for index in range(len(types)))]
        parts = (f"'{i + 1}': {field(call.context, groups, name)}" for i, name in enumerate(columns))
        return "{" + ", ".join(parts) + "}"

    key_type = t.without_low_cardinality(items[0])
    type_ = t.Tuple(tuple(t.Array(item) for item in (key_type, *types)))
    groups = by_key(call.context, entries, total)
    if function == "sum" and not any(map(t.is_nullable, items[1:])):  # a key whose sums are all zero goes
        rest = " OR ".join(f"{item}['v{index}'] != 0" for index in range(len(values)))
        groups = f"list_filter({groups}, lambda {item}: {rest})"
    sql = call.let(f"list_sort({groups})", finish)
    return call.typed(f"CAST({sql} AS {duckdb_type(type_)})", type_)


def _value(call: AggregateCall, run: str, index: int, function: str, type_: t.Type) -> str:
    value = f"list_{function}({field(call.context, run, f'v{index}')})"
    exact = wrapped(value, type_) if function == "sum" else f"CAST({value} AS {duckdb_type(type_)})"
    return f"coalesce({exact}, {default_sql(type_)})"


def _kept(call: AggregateCall) -> str:
    keys = call.parameter(0)
    if not isinstance(keys, list | tuple) or not keys:
        raise bad_arguments(f"Parameter of {call.name} must be an array of keys", call.node)
    from tbpy.clickhouse.compiler.literals import constant

    return ", ".join(constant(key).sql for key in keys)


def _same(call: AggregateCall, type_: t.Type) -> t.Type:
    return type_


def _total(call: AggregateCall, type_: t.Type) -> t.Type:
    """As `sum`, but a Decimal keeps its digits."""
    return type_ if isinstance(type_, t.Decimal) else sum_type(call, type_)


_register(("sumMap", "sumMappedArrays"), "sum", _total)
_register(("minMap", "minMappedArrays"), "min", _same)
_register(("maxMap", "maxMappedArrays"), "max", _same)
_register(("sumMapFiltered",), "sum", _total, filtered=True)
_register(("sumMapWithOverflow",), "sum", _same)
