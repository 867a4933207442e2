"""Making, merging and finishing the states of aggregates: the SQL for each kind of `tbpy.clickhouse.states`.

A state is handled as its parts: one SQL for each field of a struct, or one for a bare value. So `avgMerge(s)` is the
quotient of two plain sums.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.basic import sum_sql, wide_total, wrapped
from tbpy.clickhouse.aggregates.call import AggregateCall, Elements
from tbpy.clickhouse.aggregates.comparing import needs_key, sort_value
from tbpy.clickhouse.aggregates.quantile_states import (
    make_digest,
    make_ordered,
    make_sample,
    merge_digest,
    merge_ordered,
    merge_sample,
)
from tbpy.clickhouse.aggregates.registry import Aggregate, adapt_arguments, argument_type, find_aggregate
from tbpy.clickhouse.aggregates.statistics import variance_sql
from tbpy.clickhouse.aggregates.uniques import distinct_key
from tbpy.clickhouse.casting.wide import is_wide
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.hash_order import hash_order
from tbpy.clickhouse.states import StateLayout
from tbpy.clickhouse.storage import default_sql, duckdb_type

Parts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """`make` gets the call over rows, `merge` the call over states and the parts of its state, `finish` the parts, the
    function's name and the type of its result. It is None where the function runs over what the first part lists."""

    make: Callable[[AggregateCall, Aggregate], Parts]
    merge: Callable[[AggregateCall, str, Parts], Parts]
    finish: Callable[[str, t.Type, Parts], str] | None


def state_parts(layout: StateLayout, state: str) -> Parts:
    """The parts of a stored state."""
    if layout.parts[0][0] == "":
        return (state,)
    return tuple(f"{state}['{name}']" for name, _ in layout.parts)


def state_value(layout: StateLayout, parts: Parts) -> str:
    """A state of its parts, in its storage type."""
    casts = [f"CAST({sql} AS {type_})" for sql, (_, type_) in zip(parts, layout.parts, strict=True)]
    if layout.parts[0][0] == "":
        return casts[0]
    return "{" + ", ".join(f"'{name}': {sql}" for sql, (name, _) in zip(casts, layout.parts, strict=True)) + "}"


# --- one value ---


def _make_value(call: AggregateCall, row: Aggregate) -> Parts:
    adapt_arguments(row, call)
    return (row.build(replace(call, nullable=True)).sql,)


def _make_sum(call: AggregateCall, row: Aggregate) -> Parts:
    adapt_arguments(row, call)
    row.build(replace(call, nullable=True))  # refuses what sum refuses
    type_ = t.plain(call.type())
    return (sum_sql(call, call.sql(), type_, sum_result(type_)),)


def sum_result(type_: t.Type) -> t.Type:
    from tbpy.clickhouse.states import sum_storage_type

    return sum_storage_type(type_)


_MERGES = {
    "min": "min",
    "max": "max",
    "groupBitAnd": "bit_and",
    "groupBitOr": "bit_or",
    "groupBitXor": "bit_xor",
}


def _merge_value(call: AggregateCall, function: str, parts: Parts) -> Parts:
    state = call.args[0].type
    assert isinstance(state, t.AggregateFunction)
    inner = t.plain(state.arguments[0])
    if function == "anyLast":
        return (call.pick("last", parts[0], where=[f"{parts[0]} IS NOT NULL"]),)
    if function == "any":
        return (call.pick("any_value", parts[0]),)
    if function == "sumWithOverflow":
        return (wrapped(call.apply("sum", parts[0]), inner),)
    if function in ("min", "max") and (isinstance(inner, t.Enum) or needs_key(inner)):
        key = sort_value(Typed(parts[0], inner))  # states are compared otherwise: NULL is the least
        return (call.apply(f"arg_{function}", parts[0], key),)
    if isinstance(inner, t.Float) and function == "max":
        numbers = call.apply("max", parts[0], where=[f"NOT isnan({parts[0]})"])
        return (f"coalesce({numbers}, {call.apply('max', parts[0])})",)
    return (call.apply(_MERGES[function], parts[0]),)


def _merge_sum(call: AggregateCall, function: str, parts: Parts) -> Parts:
    state = call.args[0].type
    assert isinstance(state, t.AggregateFunction)
    type_ = sum_result(state.arguments[0])
    if is_wide(type_):
        return (wide_total(call, parts[0], type_),)
    return (
        wrapped(call.apply("sum", parts[0]), type_) if not isinstance(type_, t.Float) else call.apply("sum", parts[0]),
    )


def _finish_value(function: str, type_: t.Type, parts: Parts) -> str:
    if t.is_nullable(type_):
        return parts[0]
    if function == "groupBitAnd" and isinstance(type_, t.Int):
        return f"coalesce({parts[0]}, CAST({-1 if type_.signed else type_.maximum} AS {duckdb_type(type_)}))"
    return f"coalesce({parts[0]}, {default_sql(type_)})"


def _make_count(call: AggregateCall, row: Aggregate) -> Parts:
    adapt_arguments(row, call)
    return (row.build(call).sql,)


def _merge_count(call: AggregateCall, function: str, parts: Parts) -> Parts:
    return (f"CAST(coalesce({call.apply('sum', parts[0])}, 0) AS UBIGINT)",)


def _finish_count(function: str, type_: t.Type, parts: Parts) -> str:
    return f"coalesce({parts[0]}, CAST(0 AS UBIGINT))"


# --- a value and its key ---


def _make_pair(call: AggregateCall, row: Aggregate) -> Parts:
    adapt_arguments(row, call)
    if len(call.args) != 2:
        call.unsupported("states of more than two arguments")
    value, key = call.args
    function = "arg_min" if row.name == "argMin" else "arg_max"
    order = sort_value(key, function[-3:])
    return call.apply(function, value.sql, order), call.apply(function, key.sql, order)


def _merge_pair(call: AggregateCall, function: str, parts: Parts) -> Parts:
    state = call.args[0].type
    assert isinstance(state, t.AggregateFunction)
    value, key = parts
    order = sort_value(Typed(key, state.arguments[1]))
    name = "arg_min" if function == "argMin" else "arg_max"
    return call.apply(name, value, order), call.apply(name, key, order)


# --- averages and moments ---


def _make_average(call: AggregateCall, row: Aggregate) -> Parts:
    adapt_arguments(row, call)
    row.build(call)  # refuses what avg refuses
    type_ = t.plain(call.type())
    if t.is_temporal(type_) or is_wide(type_):
        call.unsupported(f"the state of {type_}")
    argument = f"CAST({call.sql()} AS UTINYINT)" if isinstance(type_, t.Bool) else call.sql()
    return f"coalesce({call.apply('sum', argument)}, 0)", call.apply("count", call.sql())


def _merge_average(call: AggregateCall, function: str, parts: Parts) -> Parts:
    total, count = parts
    return call.apply("sum", total), call.apply("sum", count)


def _finish_average(function: str, type_: t.Type, parts: Parts) -> str:
    total, count = parts
    value = f"CAST({total} AS DOUBLE) / nullif(CAST({count} AS DOUBLE), 0)"
    return _or_nan(value, type_)


def _or_nan(value: str, type_: t.Type) -> str:
    return f"({value})" if t.is_nullable(type_) else f"coalesce({value}, CAST('nan' AS DOUBLE))"


def _make_moments(call: AggregateCall, row: Aggregate) -> Parts:
    adapt_arguments(row, call)
    row.build(replace(call))  # refuses what the function refuses
    argument = f"CAST({call.sql()} AS UTINYINT)" if isinstance(call.type(), t.Bool) else call.sql()
    value = f"CAST({argument} AS DOUBLE)"
    return call.rows(), call.apply("sum", value), call.apply("sum", f"{value} * {value}")


def _merge_moments(call: AggregateCall, function: str, parts: Parts) -> Parts:
    return tuple(call.apply("sum", part) for part in parts)


def _finish_moments(function: str, type_: t.Type, parts: Parts) -> str:
    n, s1, s2 = parts
    value = variance_sql(n, s1, s2, sample=function.endswith("Samp"))
    return _or_nan(f"sqrt({value})" if function.startswith("stddev") else f"({value})", type_)


# --- sets ---


def _make_set(call: AggregateCall, row: Aggregate) -> Parts:
    adapt_arguments(row, call)
    call.where += tuple(f"{arg.sql} IS NOT NULL" for arg in call.original if t.is_nullable(arg.type))
    if call.context.few_rows:
        # DISTINCT takes a hash table of its own, which is made in a millisecond, however few rows there are.
        return (f"list_distinct({call.apply('list', distinct_key(call), distinct=False)})",)
    return (call.apply("list", distinct_key(call), distinct=True),)


def _merge_set(call: AggregateCall, function: str, parts: Parts) -> Parts:
    """A set that is alone has no value twice."""
    sets = call.apply("list", parts[0], where=[f"{parts[0]} IS NOT NULL"])
    return (f"(CASE WHEN len({sets}) = 1 THEN ({sets})[1] ELSE list_distinct(flatten({sets})) END)",)


def _finish_set(function: str, type_: t.Type, parts: Parts) -> str:
    return f"CAST(coalesce(len({parts[0]}), 0) AS {duckdb_type(type_)})"


def _make_array(call: AggregateCall, row: Aggregate) -> Parts:
    adapt_arguments(row, call)
    return (row.build(replace(call)).sql,)


def _merge_array(call: AggregateCall, function: str, parts: Parts) -> Parts:
    """The states one after the other, as one array whose different values count again."""
    state, row = call.args[0].type, find_aggregate(function)
    assert isinstance(state, t.AggregateFunction) and row is not None
    joined = Elements(merge_rows(call, function, parts)[0], call.context.fresh("e"))
    item = t.not_nullable(t.without_low_cardinality(state.arguments[0]))
    return (row.build(replace(call.over(joined, [item]), original=())).sql,)


def _finish_array(function: str, type_: t.Type, parts: Parts) -> str:
    return f"coalesce({parts[0]}, CAST([] AS {duckdb_type(type_)}))"


# --- different values ---

_DISTINCT_DEGREE = 4


def _make_distinct(call: AggregateCall, row: Aggregate) -> Parts:
    present = [f"{call.sql()} IS NOT NULL"] if t.is_nullable(call.type()) else []
    return (hashed(call, call.collect(where=present), call.type()),)


def hashed(call: AggregateCall, values: str, type_: t.Type) -> str:
    """The different values of a list as the table of -Distinct has them; of other types as they come."""
    ordered = hash_order(call.context, values, t.plain(type_), _DISTINCT_DEGREE, stored_dates=True)
    return f"list_distinct({values})" if ordered is None else ordered


# --- whole rows ---


def make_rows(call: AggregateCall) -> Parts:
    call.args = tuple(replace(arg, type=argument_type(arg.type)) for arg in call.args)
    return (call.collect_rows().sql,)


def merge_rows(call: AggregateCall, function: str, parts: Parts) -> Parts:
    return (f"flatten({call.apply('list', parts[0], where=[f'{parts[0]} IS NOT NULL'])})",)


# What the first part of a state lists, where it is not rows (see `Elements`).
_ELEMENTS = {"ordered": "ordered", "sample": "ordered", "digest": "digest"}


def rows_of(call: AggregateCall, layout: StateLayout, rows: str) -> Elements:
    """The rows that a state lists as its first part, as elements to aggregate over."""
    empty = f"CAST([] AS {layout.parts[0][1]})"
    return Elements(f"coalesce({rows}, {empty})", call.context.fresh("e"), _ELEMENTS.get(layout.kind, ""))


FORMS = {
    "count": Form(_make_count, _merge_count, _finish_count),
    "sum": Form(_make_sum, _merge_sum, _finish_value),
    "float": Form(_make_value, _merge_sum, _finish_value),
    "value": Form(_make_value, _merge_value, _finish_value),
    "pair": Form(_make_pair, _merge_pair, _finish_value),
    "average": Form(_make_average, _merge_average, _finish_average),
    "moments": Form(_make_moments, _merge_moments, _finish_moments),
    "set": Form(_make_set, _merge_set, _finish_set),
    "array": Form(_make_array, _merge_array, _finish_array),
    "distinct": Form(_make_distinct, merge_rows, None),
    "ordered": Form(make_ordered, merge_ordered, None),
    "sample": Form(make_sample, merge_sample, None),
    "digest": Form(make_digest, merge_digest, None),
}
