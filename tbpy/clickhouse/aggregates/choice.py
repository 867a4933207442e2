"""Aggregates that pick one of the values: any, anyLast, argMin, argMax and their kin."""

from __future__ import annotations

from dataclasses import replace

from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.call import AggregateCall
from tbpy.clickhouse.aggregates.comparing import sort_value
from tbpy.clickhouse.aggregates.registry import aggregate
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.documents import holds_json


def _pick(call: AggregateCall, skipping: str, keeping: str) -> Typed:
    """One value: `skipping` is DuckDB's aggregate that leaves out NULL, `keeping` the one for RESPECT NULLS."""
    type_ = call.type()
    if call.node.nulls == "respect" or not t.is_nullable(type_):
        value = call.pick(keeping, call.sql(), nulls=t.is_nullable(type_))
    elif skipping == "any_value":
        value = call.pick(skipping, call.sql())
    else:
        value = call.pick(keeping, call.sql(), where=[f"{call.sql()} IS NOT NULL"])
    return call.typed(call.or_default(value, type_), call.kept_type())


@aggregate("any", "any_value", "first_value", nulls="keep", insensitive=("any_value", "first_value"), order="picked")
def any_(call: AggregateCall) -> Typed:
    return _pick(call, "any_value", "first")


@aggregate("anyLast", "last_value", nulls="keep", insensitive=("last_value",), order="picked")
def any_last(call: AggregateCall) -> Typed:
    return _pick(call, "last", "last")


@aggregate(
    "any_respect_nulls",
    "anyRespectNulls",
    "anyValueRespectNulls",
    "any_value_respect_nulls",
    "firstValueRespectNulls",
    "first_value_respect_nulls",
    nulls="keep",
    insensitive=("any_value_respect_nulls", "first_value_respect_nulls"),
    order="picked",
)
def any_respect_nulls(call: AggregateCall) -> Typed:
    if call.node.nulls == "ignore":
        return _pick(call, "any_value", "first")
    return call.typed(call.or_default(call.pick("first", call.sql(), nulls=True), call.type()), call.type())


@aggregate(
    "anyLast_respect_nulls",
    "anyLastRespectNulls",
    "lastValueRespectNulls",
    "last_value_respect_nulls",
    nulls="keep",
    insensitive=("last_value_respect_nulls",),
    order="picked",
)
def any_last_respect_nulls(call: AggregateCall) -> Typed:
    if call.node.nulls == "ignore":
        return _pick(call, "last", "last")
    return call.typed(call.or_default(call.pick("last", call.sql(), nulls=True), call.type()), call.type())


@aggregate("anyHeavy", order="listed")
def any_heavy(call: AggregateCall) -> Typed:
    """The majority vote of Misra and Gries: a counter that other values lower, and a new candidate at zero."""
    values, state, item = call.collect(), call.context.fresh("s"), call.context.fresh("e")
    steps = f"list_transform({values}, lambda {item}: {{'c': 1, 'v': {item}}})"
    same = f"{state}['v'] = {item}['v']"
    up = f"{{'c': {state}['c'] + 1, 'v': {state}['v']}}"
    down = f"{{'c': {state}['c'] - 1, 'v': {state}['v']}}"
    fresh = f"{{'c': 1, 'v': {item}['v']}}"
    step = f"CASE WHEN {same} THEN {up} WHEN {state}['c'] = 0 THEN {fresh} ELSE {down} END"
    result = f"(CASE WHEN len({steps}) > 0 THEN list_reduce({steps}, lambda {state}, {item}: {step}) END)['v']"
    return call.typed(call.or_default(result, call.type()), call.type())


@aggregate("singleValueOrNull")
def single_value_or_null(call: AggregateCall) -> Typed:
    same = f"{call.apply('count', call.sql(), distinct=True)} = 1"
    value = call.apply("first", call.sql(), distinct=False)
    type_ = t.nullable(call.type())
    return call.typed(f"(CASE WHEN {same} THEN {value} END)", type_)


# --- by the extreme of another value ---


def _check_key(call: AggregateCall, key: Typed) -> None:
    if t.varies(key.type):
        call.wrong_type()
    if holds_json(key.type):
        call.unsupported(f"type {key.type}")


def _by_extreme(function: str) -> None:
    name = "argMin" if function == "arg_min" else "argMax"
    alias = "min_by" if function == "arg_min" else "max_by"

    @aggregate(name, alias, args=2, insensitive=(alias,), order="picked")
    def build(call: AggregateCall) -> Typed:
        *values, key = call.args
        _check_key(call, key)
        value = call.apply(function, values[0].sql, sort_value(key, function[-3:]), distinct=False)
        if function == "arg_max" and isinstance(key.type, t.Float):
            numbers = call.apply(function, values[0].sql, key.sql, where=[f"NOT isnan({key.sql})"], distinct=False)
            value = f"coalesce({numbers}, {value})"
        return call.typed(call.or_default(value, values[0].type), values[0].type)


_by_extreme("arg_min")
_by_extreme("arg_max")


def _pair_of_extreme(function: str) -> None:
    @aggregate("argAndMin" if function == "arg_min" else "argAndMax", args=2)
    def build(call: AggregateCall) -> Typed:
        value, key = call.args
        _check_key(call, key)
        extreme = "min" if function == "arg_min" else "max"
        first = call.or_default(
            call.apply(function, value.sql, sort_value(key, function[-3:]), distinct=False), value.type
        )
        keyed = replace(call, args=(key,))
        second = call.or_default(keyed.apply(extreme, key.sql, distinct=False), key.type)
        return call.typed(call.when_rows(f"{{'1': {first}, '2': {second}}}"), t.Tuple((value.type, key.type)))


_pair_of_extreme("arg_min")
_pair_of_extreme("arg_max")


@aggregate("nothing", args=(0, None), nulls="keep")
def nothing(call: AggregateCall) -> Typed:
    return call.typed("CAST(NULL AS INTEGER)", t.Nullable(t.NOTHING))
