"""Differences of dates, and the functions that add to them by name of a unit."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.printing import microseconds
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.zones import local, require_time, zone_argument, zone_of

_UNITS = (
    "Year",
    "Quarter",
    "Month",
    "Week",
    "Day",
    "Hour",
    "Minute",
    "Second",
    "Millisecond",
    "Microsecond",
    "Nanosecond",
)

_SHORT = {
    "yyyy": "year", "yy": "year", "qq": "quarter", "q": "quarter", "mm": "month", "m": "month", "wk": "week",
    "ww": "week", "dd": "day", "d": "day", "hh": "hour", "h": "hour", "mi": "minute", "n": "minute", "ss": "second",
    "s": "second", "ms": "millisecond", "us": "microsecond", "ns": "nanosecond", "u": "microsecond",
}  # fmt: skip


def unit_name(call: Call, position: int) -> str:
    """A unit given as text, in any spelling ClickHouse takes: 'month', 'mm', 'months'."""
    text = str(call.constant_value(position, "unit")).lower()
    unit = _SHORT.get(text, text)
    unit = unit if unit.capitalize() in _UNITS else unit.removesuffix("s")
    if unit.capitalize() not in _UNITS:
        call.unsupported(f"unit '{text}'")
    return unit


def _add(unit: str) -> None:
    """`addDays(x, n)` is `x + toIntervalDay(n)`, `subtractDays(x, n)` is `x - toIntervalDay(n)`."""
    for prefix, operator in (("add", "plus"), ("subtract", "minus")):

        @scalar(f"{prefix}{unit}s", args=(2, 3), nulls="keep")
        def build(call: Call, operator: str = operator) -> Typed:
            require_time(call)
            interval = call.compiler.call(f"toInterval{unit}", call.args[1], node=call.node)
            return call.compiler.call(operator, call.args[0], interval, node=call.node)


for _unit in _UNITS:
    _add(_unit)


def _alias(names: tuple[str, ...], operator: str) -> None:
    @scalar(*names, args=(2, 3), nulls="keep", insensitive=True)
    def build(call: Call) -> Typed:
        if len(call.args) == 2:
            return call.compiler.call(operator, *call.args, node=call.node)
        unit = unit_name(call, 0).capitalize()
        interval = call.compiler.call(f"toInterval{unit}", call.args[1], node=call.node)
        return call.compiler.call(operator, call.args[2], interval, node=call.node)


_alias(("date_add", "dateAdd", "addDate", "timestamp_add", "timestampAdd"), "plus")
_alias(("date_sub", "dateSub", "subDate", "timestamp_sub", "timestampSub"), "minus")


@scalar("dateDiff", "date_diff", "timestampDiff", "timestamp_diff", args=(3, 4), insensitive=True)
def date_diff(call: Call) -> Typed:
    """The number of unit borders between two moments, read on the wall clock."""
    unit = unit_name(call, 0)
    require_time(call, 1)
    require_time(call, 2)
    zone = zone_argument(call, 3)
    if unit in _PASSING and _whole_hours(zone, call.args[1], call.args[2]):
        # Hours and less pass alike on every clock that differs from UTC by whole hours, also when it is changed.
        start, end = (call.sql(place) if unit == "nanosecond" else microseconds(call.args[place]) for place in (1, 2))
    else:
        start, end = (local(call.args[position], zone) for position in (1, 2))
    return call.typed(difference(unit, start, end), t.INT64)


@scalar("timeDiff", args=2, insensitive=True)
def time_diff(call: Call) -> Typed:
    """Seconds from the first moment to the second."""
    return call.compiler.call("dateDiff", constant("second"), *call.args, node=call.node)


_PASSING = ("hour", "minute", "second", "millisecond", "microsecond", "nanosecond")
#: Units finer than a TIMESTAMP or as fine, in nanoseconds
_TICKS = {"microsecond": 1000, "nanosecond": 1}


def _whole_hours(zone: str | None, *moments: Typed) -> bool:
    names = {
        zone or zone_of(moment.type) for moment in moments if not isinstance(t.plain(moment.type), t.Date | t.Date32)
    }
    return len(names) < 2 and all(name is None or _offset_minutes(name) == 0 for name in names)


def _offset_minutes(zone: str) -> int:
    try:
        offset = ZoneInfo(zone).utcoffset(datetime(2024, 1, 1))
    except (ZoneInfoNotFoundError, ValueError):
        return 0
    return int(offset.total_seconds() // 60) % 60 if offset is not None else 0


def difference(unit: str, start: str, end: str) -> str:
    if unit == "week":
        monday = [f"date_trunc('week', {side})" for side in (start, end)]
        return f"(datediff('day', CAST({monday[0]} AS DATE), CAST({monday[1]} AS DATE)) // 7)"
    if unit == "nanosecond":
        return f"(epoch_ns({end}) - epoch_ns({start}))"
    return f"datediff('{unit}', CAST({start} AS TIMESTAMP), CAST({end} AS TIMESTAMP))"


@scalar("age", args=(3, 4), insensitive=True)
def age(call: Call) -> Typed:
    """The number of whole units between two moments."""
    unit = unit_name(call, 0)
    require_time(call, 1)
    require_time(call, 2)
    zone = zone_argument(call, 3)
    if unit in _TICKS and _whole_hours(zone, call.args[1], call.args[2]):
        passed = f"(epoch_ns({call.sql(2)}) - epoch_ns({call.sql(1)}))"
        return call.typed(f"({passed} // {_TICKS[unit]})" if _TICKS[unit] > 1 else passed, t.INT64)
    start, end = (f"CAST({local(call.args[position], zone)} AS TIMESTAMP)" for position in (1, 2))
    months = {"month": 1, "quarter": 3, "year": 12}.get(unit)
    if months is not None:
        return call.typed(f"CAST(trunc({_whole_months(start, end)} / {months}e0) AS BIGINT)", t.INT64)
    if unit == "week":
        return call.typed(_whole_weeks(start, end), t.INT64)
    return call.typed(f"datesub('{unit}', {start}, {end})", t.INT64)


def _whole_months(start: str, end: str) -> str:
    """Borders of months, less one where the day and time are not reached; the end of a short month reaches nothing."""
    borders = f"datediff('month', {start}, {end})"
    places = [f"(day({side}), CAST({side} AS TIME))" for side in (start, end)]
    early = f"CASE WHEN {borders} > 0 AND {places[1]} < {places[0]} THEN 1 ELSE 0 END"
    late = f"CASE WHEN {borders} < 0 AND {places[1]} > {places[0]} THEN 1 ELSE 0 END"
    return f"({borders} - {early} + {late})"


def _whole_weeks(start: str, end: str) -> str:
    """Mondays passed, one nearer to zero where the end's weekday comes before the start's: so also backwards."""
    borders = difference("week", start, end)
    places = [f"(isodow({side}), CAST({side} AS TIME))" for side in (start, end)]
    return f"({borders} - CASE WHEN {places[1]} < {places[0]} THEN sign({borders}) ELSE 0 END)"


# --- the calendar as a number -----------------------------------------------------------------------------------------


@scalar("toDaysSinceYearZero", "TO_DAYS", args=(1, 2), insensitive=("TO_DAYS",))
def to_days_since_year_zero(call: Call) -> Typed:
    require_time(call)
    clock = local(call.args[0], zone_argument(call, 1))
    days = f"(datediff('day', DATE '1970-01-01', CAST({clock} AS DATE)) + 719528)"
    return call.typed(f"CAST({days} AS UINTEGER)", t.UINT32)


@scalar("fromDaysSinceYearZero", "FROM_DAYS", insensitive=("FROM_DAYS",))
def from_days_since_year_zero(call: Call) -> Typed:
    if not t.is_integer(call.args[0].type):
        call.wrong_type()
    return call.typed(f"(DATE '1970-01-01' + CAST({call.sql(0)} - 719528 AS INTEGER))", t.DATE)


def _shifted(names: tuple[str, ...], *, to_utc: bool) -> None:
    from tbpy.clickhouse.functions import zones

    @scalar(*names, args=2, insensitive=[name for name in names if "_" in name])
    def build(call: Call) -> Typed:
        inner = require_time(call)
        if not isinstance(inner, t.DateTime | t.DateTime64):
            call.wrong_type()
        shift = zones.to_utc if to_utc else zones.to_local
        return call.typed(shift(call.sql(0), zone_argument(call, 1)), inner)


_shifted(("toUTCTimestamp", "to_utc_timestamp"), to_utc=True)
_shifted(("fromUTCTimestamp", "from_utc_timestamp"), to_utc=False)
