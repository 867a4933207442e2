"""Rounding of dates and times down to a unit or an interval."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.printing import microseconds
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.zones import local, require_clock, require_time, to_utc, zone_argument, zone_of

#: Rounded down to a Date: DuckDB SQL over the wall clock, a DATE or TIMESTAMP.
_TO_DATE = {
    "toStartOfYear": "date_trunc('year', {0})",
    "toStartOfQuarter": "date_trunc('quarter', {0})",
    "toStartOfMonth": "date_trunc('month', {0})",
    "toStartOfISOYear": "make_date(isoyear({0}), 1, 4) - CAST(isodow(make_date(isoyear({0}), 1, 4)) - 1 AS INTEGER)",
    "toMonday": "date_trunc('week', {0})",
    "toLastDayOfMonth": "last_day({0})",
}


def clamped(sql: str, source: t.Type, *, leaves: bool = False) -> str:
    """A DATE inside what ClickHouse's Date holds. Rounding takes a Date or DateTime out of it only if it `leaves` its
    year: the week of 1970-01-01 begins before it."""
    if leaves or isinstance(source, t.Date32 | t.DateTime64):
        return f"least(greatest(CAST({sql} AS DATE), DATE '1970-01-01'), DATE '2149-06-06')"
    return f"CAST({sql} AS DATE)"


def _to_date(names: tuple[str, ...], pattern: str) -> None:
    @scalar(*names, args=(1, 2), insensitive=[name for name in names if name.isupper()])
    def build(call: Call) -> Typed:
        source = require_time(call)
        clock = local(call.args[0], zone_argument(call, 1))
        leaves = names[0] in ("toMonday", "toLastDayOfMonth")
        return call.typed(clamped(pattern.format(clock), source, leaves=leaves), t.DATE)


_ALIASES = {"toLastDayOfMonth": ("LAST_DAY",)}
for _name, _pattern in _TO_DATE.items():
    _to_date((_name, *_ALIASES.get(_name, ())), _pattern)


def _week_start(call: Call, clock: str, position: int) -> str:
    """Sunday in even modes, Monday in odd ones."""
    mode = call.constant_value(position, "mode") if len(call.args) > position else 0
    if not isinstance(mode, int):
        call.wrong_type()
    days = f"(isodow({clock}) - 1)" if mode & 1 else f"dayofweek({clock})"
    return f"CAST({clock} AS DATE) - CAST({days} AS INTEGER)"


@scalar("toStartOfWeek", args=(1, 3))
def to_start_of_week(call: Call) -> Typed:
    source = require_time(call)
    clock = local(call.args[0], zone_argument(call, 2))
    return call.typed(clamped(f"({_week_start(call, clock, 1)})", source, leaves=True), t.DATE)


@scalar("toLastDayOfWeek", args=(1, 3))
def to_last_day_of_week(call: Call) -> Typed:
    source = require_time(call)
    clock = local(call.args[0], zone_argument(call, 2))
    return call.typed(clamped(f"({_week_start(call, clock, 1)} + 6)", source, leaves=True), t.DATE)


# --- to a DateTime ----------------------------------------------------------------------------------------------------

_MICROSECONDS = {
    "Nanosecond": 0,
    "Microsecond": 1,
    "Millisecond": 1_000,
    "Second": 1_000_000,
    "Minute": 60_000_000,
    "Hour": 3_600_000_000,
    "Day": 86_400_000_000,
}


def moment(call: Call, clock: str, zone: str | None) -> Typed:
    """A wall clock as a DateTime of a zone."""
    return call.typed(to_utc(f"CAST({clock} AS TIMESTAMP)", zone), t.DateTime(zone))


def _start_of(name: str, unit: str) -> None:
    @scalar(name, args=(1, 2))
    def build(call: Call) -> Typed:
        (require_time if unit == "day" else require_clock)(call)
        zone = zone_argument(call, 1) or zone_of(call.args[0].type)
        return moment(call, f"date_trunc('{unit}', {local(call.args[0], zone)})", zone)


_start_of("toStartOfDay", "day")
_start_of("toStartOfHour", "hour")
_start_of("toStartOfMinute", "minute")


def bucketed(clock: str, microseconds: int) -> str:
    """A TIMESTAMP rounded down to a multiple of some microseconds since the epoch."""
    return f"make_timestamp((epoch_us({clock}) // {microseconds}) * {microseconds})"


def _minutes(name: str, minutes: int) -> None:
    @scalar(name, args=(1, 2))
    def build(call: Call) -> Typed:
        inner = require_time(call)
        if not isinstance(inner, t.DateTime | t.DateTime64):
            call.wrong_type()
        zone = zone_argument(call, 1) or zone_of(inner)
        return moment(call, bucketed(local(call.args[0], zone), minutes * 60_000_000), zone)


for _name, _count in (
    ("toStartOfFiveMinutes", 5),
    ("toStartOfFiveMinute", 5),
    ("toStartOfTenMinutes", 10),
    ("toStartOfFifteenMinutes", 15),
    ("timeSlot", 30),
):
    _minutes(_name, _count)


def _fraction(name: str, unit: str, precision: int) -> None:
    @scalar(name, args=(1, 2))
    def build(call: Call) -> Typed:
        inner = require_time(call)
        if not isinstance(inner, t.DateTime64):
            call.wrong_type()
        zone = zone_argument(call, 1) or inner.zone
        digits = max(inner.precision, precision)
        if digits > 6:
            call.unsupported("more than 6 digits of a second")
        return call.typed(f"date_trunc('{unit}', {call.sql(0)})", t.DateTime64(digits, zone))


_fraction("toStartOfSecond", "second", 0)
_fraction("toStartOfMillisecond", "millisecond", 3)
_fraction("toStartOfMicrosecond", "microsecond", 6)


@scalar("toStartOfNanosecond", args=(1, 2))
def to_start_of_nanosecond(call: Call) -> Typed:
    inner = require_time(call)
    if not isinstance(inner, t.DateTime64):
        call.wrong_type()
    zone = zone_argument(call, 1) or inner.zone
    return call.typed(f"CAST({call.sql(0)} AS TIMESTAMP_NS)", t.DateTime64(9, zone))


# --- date_trunc and toStartOfInterval ---------------------------------------------------------------------------------

_UNITS = {"year", "quarter", "month", "week", "day", "hour", "minute", "second"}


#: Units below a second, with the digits after the point that they keep
_FRACTIONS = {"millisecond": 3, "microsecond": 6, "nanosecond": 9}


def _cut_fraction(call: Call, unit: str) -> Typed:
    value, inner = call.args[1], require_time(call, 1)
    if not isinstance(inner, t.DateTime64):
        call.wrong_type()
    type_ = t.DateTime64(_FRACTIONS[unit], zone_argument(call, 2) or zone_of(inner))
    if unit == "nanosecond":
        return call.typed(f"CAST({value.sql} AS TIMESTAMP_NS)", type_)
    clock = microseconds(value)
    return call.typed(f"date_trunc('millisecond', {clock})" if unit == "millisecond" else clock, type_)


@scalar("dateTrunc", "date_trunc", "DATE_TRUNC", args=(2, 3), insensitive=("date_trunc",))
def date_trunc(call: Call) -> Typed:
    """Years to weeks give a date, smaller units a time; wide types stay wide."""
    unit = str(call.constant_value(0, "unit")).lower()
    if unit in _FRACTIONS:
        return _cut_fraction(call, unit)
    if unit not in _UNITS:
        call.unsupported(f"unit '{unit}'")
    inner = require_time(call, 1)
    if unit in ("hour", "minute", "second") and isinstance(inner, t.Date | t.Date32):
        call.wrong_type()
    zone = zone_argument(call, 2) or zone_of(inner)
    clock = local(call.args[1], zone)
    truncated = f"date_trunc('{unit}', {clock})"
    wide = isinstance(inner, t.Date32 | t.DateTime64)
    if unit in ("year", "quarter", "month", "week"):
        return call.typed(f"CAST({truncated} AS DATE)", t.DATE32 if wide else t.DATE)
    if wide:
        return call.typed(to_utc(f"CAST({truncated} AS TIMESTAMP)", zone), t.DateTime64(0, zone))
    return moment(call, truncated, zone)


@scalar("toStartOfInterval", args=(2, 4), nulls="propagate")
def to_start_of_interval(call: Call) -> Typed:
    """Weeks are counted from Monday 1970-01-05, months from 1970, years from year 0, hours from midnight."""
    inner = require_time(call)
    interval = call.args[1].type
    if not isinstance(interval, t.Interval) or not call.is_known(1):
        call.unsupported("an interval that is not constant")
    count = call.args[1].value
    if count <= 0:
        call.unsupported("an interval that is not positive")
    if len(call.args) > 2 and t.is_temporal(call.args[2].type):
        call.unsupported("an origin")
    zone = zone_argument(call, 2) or zone_of(inner)
    clock = local(call.args[0], zone)
    return _interval_start(call, inner, clock, interval.unit, count, zone)


def _interval_start(call: Call, inner: t.Type, clock: str, unit: str, count: int, zone: str | None) -> Typed:
    match unit:
        case "Year":
            return _as_date(call, inner, f"make_date(CAST(year({clock}) // {count} * {count} AS BIGINT), 1, 1)")
        case "Quarter":
            return _as_date(call, inner, _month_start(clock, count * 3))
        case "Month":
            return _as_date(call, inner, _month_start(clock, count))
        case "Week":
            days = f"datediff('day', DATE '1970-01-05', CAST({clock} AS DATE))"
            return _as_date(
                call, inner, f"(DATE '1970-01-05' + CAST(floor({days} / {count * 7}) * {count * 7} AS INTEGER))"
            )
        case "Day":
            days = f"datediff('day', DATE '1970-01-01', CAST({clock} AS DATE))"
            start = f"(DATE '1970-01-01' + CAST({days} // {count} * {count} AS INTEGER))"
            return moment(call, start, zone)
        case "Hour" | "Minute" | "Second" if isinstance(inner, t.Date | t.Date32):
            call.wrong_type()
        case "Hour":
            day = f"date_trunc('day', CAST({clock} AS TIMESTAMP))"
            start = f"({day} + to_hours(CAST(hour(CAST({clock} AS TIMESTAMP)) // {count} * {count} AS BIGINT)))"
            return moment(call, start, zone)
        case "Minute" | "Second":
            return moment(call, bucketed(f"CAST({clock} AS TIMESTAMP)", _MICROSECONDS[unit] * count), zone)
    digits = {"Millisecond": 3, "Microsecond": 6}.get(unit)
    if digits is None or not isinstance(inner, t.DateTime64) or inner.precision > 6:
        call.unsupported(f"an interval of {unit}s of {call.args[0].type}")
    start = bucketed(clock, _MICROSECONDS[unit] * count)
    return call.typed(to_utc(start, zone), t.DateTime64(max(inner.precision, digits), zone))


def _month_start(clock: str, count: int) -> str:
    months = f"((year({clock}) - 1970) * 12 + month({clock}) - 1)"
    if count == 1:
        return f"date_trunc('month', {clock})"
    if count == 3:
        return f"date_trunc('quarter', {clock})"
    start = f"({months} // {count} * {count})"
    return f"make_date(CAST(1970 + {start} // 12 AS BIGINT), CAST({start} % 12 + 1 AS BIGINT), 1)"


def _as_date(call: Call, inner: t.Type, sql: str) -> Typed:
    return call.typed(clamped(sql, inner), t.DATE)
