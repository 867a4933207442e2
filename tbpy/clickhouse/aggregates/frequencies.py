"""Aggregates that count how often values come: topK and its kin, entropy.

ClickHouse estimates the most frequent values; the exact counts are within its promise and equal it while the different
values fit into its counters. Equal counts stand in the order that its partial sort leaves them in.
"""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.call import AggregateCall
from tbpy.clickhouse.aggregates.groups import field
from tbpy.clickhouse.aggregates.registry import aggregate
from tbpy.clickhouse.aggregates.uniques import distinct_key
from tbpy.clickhouse.compiler.failures import bad_arguments, failure
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.storage import duckdb_type


def _ranked(call: AggregateCall, most: int, weight: str | None) -> str:
    """The most frequent values as structs c (the count) and v."""
    item = call.context.fresh("e")
    rows = call.collect(call.sql() if weight is None else f"{{'v': {call.sql()}, 'w': {weight}}}")
    name = call.context.udf("tb_most_frequent")

    def rank(values: str) -> str:
        value = item if weight is None else f"{item}['v']"
        texts = f"list_transform({values}, lambda {item}: CAST({value} AS VARCHAR))"
        weights = "NULL"
        if weight is not None:
            weights = f"list_transform({values}, lambda {item}: CAST({item}['w'] AS HUGEINT))"
        found = f"{values}[{item}['place']]" + ("" if weight is None else "['v']")
        best = f"{name}({texts}, {weights}, {most})"
        return f"list_transform({best}, lambda {item}: {{'c': {item}['count'], 'v': {found}}})"

    return call.let(rows, rank)


def _most(call: AggregateCall) -> int:
    most = call.parameter(0, 10)
    if isinstance(most, str):
        raise failure("Cannot convert String to unsigned long", 70, "CANNOT_CONVERT_TYPE", call.node)
    if isinstance(most, int) and 0 < most <= 65536:
        return most
    text = f"Parameter of aggregate function {call.name} must be from 1 to 65536"
    raise failure(text, 69, "ARGUMENT_OUT_OF_BOUND", call.node)


def _weight(call: AggregateCall) -> str:
    if not t.is_integer(call.type(1)):
        call.wrong_type()
    return call.sql(1)


def _values(call: AggregateCall, weight: str | None) -> Typed:
    ranked = _ranked(call, _most(call), weight)
    if call.parameter(2) == "counts":
        return _with_counts(call, ranked)
    if call.parameter(2) is not None:
        raise bad_arguments(f"Unknown mode of {call.name}", call.node)
    type_ = t.Array(call.type())
    return call.typed(f"CAST({field(call.context, ranked, 'v')} AS {duckdb_type(type_)})", type_)


def _with_counts(call: AggregateCall, ranked: str) -> Typed:
    item = call.context.fresh("e")
    type_ = t.Array(t.Tuple((call.type(), t.UINT64, t.UINT64), ("item", "count", "error")))
    entry = f"{{'item': {item}['v'], 'count': {item}['c'], 'error': 0}}"
    return call.typed(f"CAST(list_transform({ranked}, lambda {item}: {entry}) AS {duckdb_type(type_)})", type_)


@aggregate("topK", parameters=3, note="exact, where ClickHouse may estimate")
def top_k(call: AggregateCall) -> Typed:
    return _values(call, None)


@aggregate("topKWeighted", args=2, parameters=3, note="exact, where ClickHouse may estimate")
def top_k_weighted(call: AggregateCall) -> Typed:
    return _values(call, _weight(call))


@aggregate("approx_top_k", "approx_top_count", parameters=2, insensitive=True)
def approx_top_k(call: AggregateCall) -> Typed:
    return _with_counts(call, _ranked(call, _most(call), None))


@aggregate("approx_top_sum", args=2, parameters=2, insensitive=True)
def approx_top_sum(call: AggregateCall) -> Typed:
    return _with_counts(call, _ranked(call, _most(call), _weight(call)))


@aggregate("entropy", args=(1, None))
def entropy(call: AggregateCall) -> Typed:
    value = f"CASE WHEN {call.rows()} > 0 THEN {call.apply('entropy', distinct_key(call))} END"
    return call.typed(f"({value})" if call.nullable else f"coalesce({value}, 0e0)", t.FLOAT64)
