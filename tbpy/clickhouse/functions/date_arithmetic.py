"""Differences of dates, and the functions that add to them by name of a unit."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.printing import microseconds
from tbpy.clickhouse.compiler.failures import bad_arguments
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.temporal_arithmetic import interval_sum, is_interval
from tbpy.clickhouse.functions.zones import is_clock, local, require_time, zone_argument, zone_of

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
    if not isinstance(t.plain(call.args[position].type), t.String):
        call.wrong_type()
    text = str(call.constant_value(position, "unit")).lower()
    unit = _SHORT.get(text, text)
    unit = unit if unit.capitalize() in _UNITS else unit.removesuffix("s")
    if unit.capitalize() not in _UNITS:
        raise bad_arguments(f"{text} doesn't look like datepart name in {call.name}", call.node)
    return unit


def _add(unit: str) -> None:
    """`addDays(x, n)` is `x + toIntervalDay(n)`, `subtractDays(x, n)` is `x - toIntervalDay(n)`."""
    for prefix, operator in (("add", "plus"), ("subtract", "minus")):

        @scalar(f"{prefix}{unit}s", args=(2, 3), nulls="keep")
        def build(call: Call, operator: str = operator) -> Typed:
            if any(isinstance(t.plain(arg.type), t.Nothing) for arg in call.args[:2]):
                return constant(None)
            if not t.is_number(call.args[1].type):
                call.wrong_type()
            interval = call.compiler.call(f"toInterval{unit}", call.args[1], node=call.node)
            return call.compiler.call(operator, _start(call, _DIGITS.get(unit, 3)), interval, node=call.node)


#: Digits of a second that a text needs to have fine units added
_DIGITS = {"Microsecond": 6, "Nanosecond": 9}


def _start(call: Call, digits: int) -> Typed:
    """The moment that is moved: of a text a DateTime64, in another time zone where the call names one."""
    moment, inner = call.args[0], t.plain(call.args[0].type)
    if isinstance(inner, t.String):
        moment = call.compiler.call("toDateTime64", moment, constant(digits), *call.args[2:], node=call.node)
    elif len(call.args) > 2 and not isinstance(require_time(call), t.DateTime | t.DateTime64):
        call.wrong_type()
    elif len(call.args) > 2:
        moment = call.compiler.call("toTimeZone", moment, call.args[2], node=call.node)
    if not isinstance(inner, t.String):
        require_time(call)
    return moment


for _unit in _UNITS:
    _add(_unit)


@scalar("addInterval", "subtractInterval", args=2)
def add_interval(call: Call) -> Typed:
    return interval_sum(call, "+" if call.name.startswith("add") else "-")


@scalar("addTupleOfIntervals", "subtractTupleOfIntervals", args=2, nulls="keep")
def add_tuple_of_intervals(call: Call) -> Typed:
    if isinstance(t.plain(call.args[0].type), t.Nothing):
        return constant(None)
    require_time(call)
    operator = "plus" if call.name.startswith("add") else "minus"
    return call.compiler.call(operator, *call.args, node=call.node)


def _alias(names: tuple[str, ...], operator: str) -> None:
    @scalar(*names, args=(2, 3), nulls="keep", insensitive=True)
    def build(call: Call) -> Typed:
        if len(call.args) == 2:
            if call.name in ("addDate", "subDate") and not is_interval(call.args[1].type):
                call.wrong_type()
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
    if unit in _PASSING:
        apart = zone is None and _epoch_offset(call.args[1]) != _epoch_offset(call.args[2])
        start, end = (_passing(call.args[position], unit, zone, apart) for position in (1, 2))
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


def _epoch_offset(moment: Typed) -> int:
    """The minutes that the zone of a moment is off UTC at the epoch."""
    name = zone_of(moment.type) if is_clock(moment.type) else None
    try:
        offset = ZoneInfo(name).utcoffset(datetime(1970, 1, 1)) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return 0
    return int(offset.total_seconds() // 60) if offset else 0


def _passing(moment: Typed, unit: str, zone: str | None, apart: bool) -> str:
    """A moment in UTC, where hours and less are counted; hours of a zone off by parts of one begin as at its epoch.

    ClickHouse numbers hours from midnight in each zone: beside one of another zone (`apart`) a moment is off by that.
    """
    if unit == "nanosecond":
        return moment.sql
    clock, name = microseconds(moment), zone or zone_of(moment.type)
    shift = 0
    if unit == "hour" and name and is_clock(moment.type):
        shift = _epoch_offset(moment) if apart else _part_of_hour(name)
    return f"({clock} - to_minutes({shift}))" if shift else clock


def _whole_hours(zone: str | None, *moments: Typed) -> bool:
    names = {zone or zone_of(moment.type) for moment in moments if is_clock(moment.type)}
    return len(names) < 2 and all(name is None or _part_of_hour(name) == 0 for name in names)


def _part_of_hour(zone: str) -> int:
    """The minutes that the zone is off UTC at the epoch, for zones that are ever off by parts of an hour; else 0."""
    try:
        zone_info = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return 0
    offsets = [zone_info.utcoffset(datetime(year, month, 1)) for year, month in ((1970, 1), (2024, 1), (2024, 7))]
    minutes = [int(offset.total_seconds() // 60) for offset in offsets if offset is not None]
    return minutes[0] if any(offset % 60 for offset in minutes) else 0


def difference(unit: str, start: str, end: str) -> str:
    if unit == "week":
        return f"({_week_number(end)} - {_week_number(start)})"
    if unit == "nanosecond":
        return f"(epoch_ns({end}) - epoch_ns({start}))"
    return f"datediff('{unit}', CAST({start} AS TIMESTAMP), CAST({end} AS TIMESTAMP))"


def _week_number(clock: str) -> str:
    """The number of a week since 1970, rounded towards zero: so the last one before it is as long as the first."""
    days = f"(CAST({clock} AS DATE) - DATE '1970-01-01')"
    return f"(({days} + 8 - isodow({clock})) // 7)"


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
    zone_argument(call, 1)  # is checked: days are those of UTC all the same
    days = f"(datediff('day', DATE '1970-01-01', CAST({call.sql(0)} AS DATE)) + 719528)"
    return call.typed(f"CAST({days} AS UINTEGER)", t.UINT32)


@scalar("fromDaysSinceYearZero", "FROM_DAYS", "fromDaysSinceYearZero32", insensitive=("FROM_DAYS",))
def from_days_since_year_zero(call: Call) -> Typed:
    if not t.is_integer(call.args[0].type):
        call.wrong_type()
    day = f"(DATE '1970-01-01' + CAST({call.sql(0)} - 719528 AS INTEGER))"
    return call.typed(day, t.DATE32 if call.name.endswith("32") else t.DATE)


def _shifted(names: tuple[str, ...], *, to_utc: bool) -> None:
    from tbpy.clickhouse.functions import zones

    @scalar(*names, args=2, insensitive=[name for name in names if "_" in name])
    def build(call: Call) -> Typed:
        inner = require_time(call)
        if not isinstance(inner, t.DateTime | t.DateTime64) or inner.zone is not None:
            call.wrong_type()  # a zone of its own would be taken for another one
        shift = zones.to_utc if to_utc else zones.to_local
        moment = shift(call.sql(0), zone_argument(call, 1))
        if isinstance(inner, t.DateTime):
            moment = f"least(greatest({moment}, TIMESTAMP '1970-01-01'), TIMESTAMP '2106-02-07 06:28:15')"
        return call.typed(moment, inner)


_shifted(("toUTCTimestamp", "to_utc_timestamp"), to_utc=True)
_shifted(("fromUTCTimestamp", "from_utc_timestamp"), to_utc=False)
