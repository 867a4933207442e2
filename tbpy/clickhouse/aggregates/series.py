"""Aggregates over values in the order of rows or of a time: differences, intervals, decaying averages."""

from __future__ import annotations

import math
from dataclasses import replace

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.basic import wrapped
from tbpy.clickhouse.aggregates.call import AggregateCall
from tbpy.clickhouse.aggregates.registry import aggregate
from tbpy.clickhouse.compiler.failures import bad_arguments
from tbpy.clickhouse.compiler.literals import float_sql
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.compiler.windows import window_parts
from tbpy.clickhouse.storage import default_sql, duckdb_type

# --- differences ---


def _delta_sum(call: AggregateCall) -> Typed:
    """The sum of the rises from each value to the next, in the value's own type."""
    type_, argument = call.type(), call.sql()
    if isinstance(type_, t.Bool):
        type_, argument = t.UINT8, f"CAST({argument} AS UTINYINT)"
    if not isinstance(type_, t.Int | t.Float) or (isinstance(type_, t.Int) and type_.bits > 64):
        call.wrong_type()
    wide = "HUGEINT" if isinstance(type_, t.Int) else duckdb_type(type_)
    added, next_ = call.context.fresh("a"), call.context.fresh("b")
    place = call.context.fresh("i")

    def rises(values: str) -> str:
        step = f"greatest({values}[{place}] - {values}[{place} - 1], 0)"
        steps = f"list_transform(range(2, len({values}) + 1), lambda {place}: CAST({step} AS {wide}))"
        return f"list_reduce({steps}, lambda {added}, {next_}: {added} + {next_}, CAST(0 AS {wide}))"

    total = call.let(call.collect(f"CAST({argument} AS {wide})"), rises)
    return call.typed(wrapped(total, type_), type_)


@aggregate("deltaSum", never_null=True, order="listed")
def delta_sum(call: AggregateCall) -> Typed:
    return _delta_sum(call)


@aggregate("deltaSumTimestamp", args=2, never_null=True)
def delta_sum_timestamp(call: AggregateCall) -> Typed:
    if not isinstance(call.type(1), t.Int | t.Float | t.Date | t.DateTime | t.DateTime64):
        call.wrong_type()
    return _delta_sum(call)


@aggregate("boundingRatio", args=2)
def bounding_ratio(call: AggregateCall) -> Typed:
    """The slope between the leftmost and the rightmost point."""
    if not all(t.is_number(arg.type) for arg in call.args):
        call.wrong_type()
    x, y = (f"CAST({arg.sql} AS DOUBLE)" for arg in call.args)
    rise = f"({call.apply('arg_max', y, x)} - {call.apply('arg_min', y, x)})"
    run = f"({call.apply('max', x)} - {call.apply('min', x)})"
    return call.typed(call.or_nan(f"({rise} / {run})"), t.FLOAT64)


# --- intervals ---


def _measured(call: AggregateCall, position: int) -> str:
    """A bound of an interval as a number: whole seconds of a time, days of a date."""
    match call.type(position):
        case t.Int(bits) if bits <= 64:
            return f"CAST({call.sql(position)} AS HUGEINT)"
        case t.Float():
            return call.sql(position)
        case t.Date() | t.Date32():
            return f"CAST(date_diff('day', DATE '1970-01-01', {call.sql(position)}) AS HUGEINT)"
        case t.DateTime():
            return f"CAST(epoch({call.sql(position)}) AS HUGEINT)"
    call.wrong_type()


def _same_types(call: AggregateCall) -> None:
    if call.type(0) != call.type(1):
        call.wrong_type()


@aggregate("intervalLengthSum", args=2, never_null=True)
def interval_length_sum(call: AggregateCall) -> Typed:
    """The length of the union of all intervals."""
    _same_types(call)
    low, high = _measured(call, 0), _measured(call, 1)
    type_: t.Type = t.FLOAT64 if isinstance(call.type(), t.Float) else t.UINT64
    number = "DOUBLE" if isinstance(call.type(), t.Float) else "HUGEINT"
    item = f"{{'s': least({low}, {high}), 'e': greatest({low}, {high}), 't': CAST(0 AS {number})}}"
    state, entry = call.context.fresh("s"), call.context.fresh("e")
    wider = f"{{'s': {state}['s'], 'e': greatest({state}['e'], {entry}['e']), 't': {state}['t']}}"
    closed = f"{state}['t'] + ({state}['e'] - {state}['s'])"
    apart = f"{{'s': {entry}['s'], 'e': {entry}['e'], 't': {closed}}}"
    step = f"CASE WHEN {entry}['s'] <= {state}['e'] THEN {wider} ELSE {apart} END"

    def union(rows: str) -> str:
        folded = f"list_reduce({rows}, lambda {state}, {entry}: {step})"
        total = f"list_transform([{folded}], lambda {state}: {closed})[1]"
        return f"CASE WHEN len({rows}) > 0 THEN {total} END"

    total = call.let(f"list_sort({call.collect(item)})", union)
    return call.typed(call.or_default(f"CAST({total} AS {duckdb_type(type_)})", type_), type_)


def _intersections(call: AggregateCall, field: str) -> str:
    """Sweep over starts and ends in order: m is the most intervals open at once, q where that came first."""
    _same_types(call)
    low, high = call.sql(0), call.sql(1)
    if not isinstance(call.type(), t.Int | t.Float):
        call.wrong_type()
    ends = ", ".join(f"{{'p': {at}, 'd': {d}, 'c': 0, 'm': 0, 'q': {at}}}" for at, d in ((low, 1), (high, -1)))
    state, entry = call.context.fresh("s"), call.context.fresh("e")
    now = f"{state}['c'] + {entry}['d']"
    best = f"greatest({state}['m'], {now})"
    place = f"CASE WHEN {now} > {state}['m'] THEN {entry}['p'] ELSE {state}['q'] END"
    step = f"{{'p': {entry}['p'], 'd': {entry}['d'], 'c': {now}, 'm': {best}, 'q': {place}}}"
    start = f"{{'p': {default_sql(call.type())}, 'd': 0, 'c': 0, 'm': 0, 'q': {default_sql(call.type())}}}"
    rows = f"list_sort(flatten({call.collect(f'[{ends}]')}))"
    return f"list_reduce({rows}, lambda {state}, {entry}: {step}, {start})['{field}']"


@aggregate("maxIntersections", args=2)
def max_intersections(call: AggregateCall) -> Typed:
    return call.typed(call.when_rows(f"CAST({_intersections(call, 'm')} AS UBIGINT)"), t.UINT64)


@aggregate("maxIntersectionsPosition", args=2)
def max_intersections_position(call: AggregateCall) -> Typed:
    type_ = call.type()
    return call.typed(call.when_rows(f"CAST({_intersections(call, 'q')} AS {duckdb_type(type_)})"), type_)


# --- decay ---


def _positive(call: AggregateCall) -> float:
    value = call.parameter(0)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise bad_arguments(f"{call.name} needs a positive number as parameter", call.node)
    return float(value)


def _points(call: AggregateCall) -> str:
    value, time = call.args[0], call.args[-1]
    if not (t.is_number(value.type) or value is time) or not _measures_time(call, time.type):
        call.wrong_type()
    moment = f"epoch({time.sql})" if t.is_temporal(time.type) else f"CAST({time.sql} AS DOUBLE)"
    number = moment if value is time else f"CAST({value.sql} AS DOUBLE)"
    return call.collect(f"{{'v': {number}, 't': {moment}}}")


def _measures_time(call: AggregateCall, type_: t.Type) -> bool:
    """The functions of windows read times as well as numbers."""
    return t.is_number(type_) or (call.window is not None and isinstance(type_, t.DateTime | t.DateTime64))


@aggregate("exponentialMovingAverage", args=2, parameters=1)
def exponential_moving_average(call: AggregateCall) -> Typed:
    """Values weighed by their age at the latest time: half for each `half life` that has passed."""
    half = _positive(call)
    norm = float_sql(1 - 2 ** (-1 / half))
    item = call.context.fresh("e")

    def average(points: str) -> str:
        latest = f"list_max(list_transform({points}, lambda {item}: {item}['t']))"
        weighed = f"{item}['v'] * pow(2e0, ({item}['t'] - {item}n) / {float_sql(half)})"
        total = (
            f"list_transform([{latest}], lambda {item}n: list_sum(list_transform({points}, lambda {item}: {weighed})))"
        )
        return f"coalesce({total}[1] * {norm}, 0e0)"

    return call.typed(call.let(_points(call), average), t.FLOAT64)


def _decayed(name: str, count: int, formula: str) -> None:
    """`formula` is over the sums of weights `{w}`, of weighed values `{s}` and their maximum `{m}`."""

    @aggregate(name, args=count, parameters=1, window_only=True)
    def build(call: AggregateCall) -> Typed:
        decay = float_sql(_positive(call))
        window = window_parts(call.compiler, call.node.window or ast.Window(), call.node)
        if window.bounds is not None and not _starts_unbounded(window.bounds):
            call.unsupported("this frame")
        rows = f"{window.rows} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW".strip()
        item = call.context.fresh("e")

        def weigh(points: str) -> str:
            weight = f"exp(({item}['t'] - {points}[-1]['t']) / {decay})"
            weights = f"list_transform({points}, lambda {item}: {weight})"
            values = f"list_transform({points}, lambda {item}: {item}['v'] * {weight})"
            parts = {"w": f"list_sum({weights})", "s": f"list_sum({values})", "m": f"list_max({values})"}
            return formula.format(**parts)

        return call.typed(call.let(_points(replace(call, window=rows)), weigh), t.FLOAT64)


def _starts_unbounded(frame: ast.Frame) -> bool:
    start, end = frame.start_bound, frame.end_bound
    return start.kind == "unbounded" and not start.following and (end is None or end.kind == "current")


_decayed("exponentialTimeDecayedSum", 2, "{s}")
_decayed("exponentialTimeDecayedMax", 2, "{m}")
_decayed("exponentialTimeDecayedAvg", 2, "{s} / {w}")
_decayed("exponentialTimeDecayedCount", 1, "{w}")


@aggregate("nonNegativeDerivative", args=(2, 3), window_only=True)
def non_negative_derivative(call: AggregateCall) -> Typed:
    """The rise since the row before per second, or per the given interval; 0 where it falls or time stands still."""
    metric, time = call.args[0], call.args[1]
    if not t.is_number(metric.type) or not isinstance(time.type, t.DateTime | t.DateTime64):
        call.wrong_type()
    unit = _interval_seconds(call)
    window = window_parts(call.compiler, call.node.window or ast.Window(), call.node)
    before = replace(call, window=window.rows)
    value, seconds = f"CAST({metric.sql} AS DOUBLE)", f"epoch({time.sql})"
    rise = f"({value} - {before.apply('lag', value)})"
    passed = f"({seconds} - {before.apply('lag', seconds)})"
    rate = f"CASE WHEN {rise} > 0 AND {passed} > 0 THEN {rise} / {passed} * {float_sql(unit)} ELSE 0e0 END"
    return call.typed(f"({rate})", t.FLOAT64)


_SECONDS = {
    "Nanosecond": 1e-9,
    "Microsecond": 1e-6,
    "Millisecond": 1e-3,
    "Second": 1.0,
    "Minute": 60.0,
    "Hour": 3600.0,
    "Day": 86400.0,
    "Week": 604800.0,
}


def _interval_seconds(call: AggregateCall) -> float:
    if len(call.args) < 3:
        return 1.0
    interval, value = call.type(2), call.args[2].value
    if not isinstance(interval, t.Interval) or not isinstance(value, int) or interval.unit not in _SECONDS:
        call.unsupported("this interval")
    return math.prod((value, _SECONDS[interval.unit]))
