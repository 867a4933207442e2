"""Rounding of dates and times down to a unit or an interval."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.printing import microseconds
from tbpy.clickhouse.compiler.failures import bad_arguments, failure
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.zones import (
    local,
    local_from_epoch,
    require_clock,
    require_time,
    to_utc,
    zone_argument,
    zone_of,
)
from tbpy.clickhouse.storage import duckdb_type
from tbpy.clickhouse.zone_offsets import is_even

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
        no_zone_of_dates(call, source, 1)
        clock = local_from_epoch(call.args[0], zone_argument(call, 1))
        leaves = names[0] in ("toMonday", "toLastDayOfMonth", "toStartOfISOYear")
        return call.typed(clamped(pattern.format(clock), source, leaves=leaves), t.DATE)


_ALIASES = {"toLastDayOfMonth": ("LAST_DAY",)}
for _name, _pattern in _TO_DATE.items():
    _to_date((_name, *_ALIASES.get(_name, ())), _pattern)


def no_zone_of_dates(call: Call, source: t.Type, position: int) -> None:
    """What gives a Date takes a time zone only for what has a time of day."""
    if len(call.args) > position and isinstance(source, t.Date | t.Date32):
        call.wrong_type()


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
    no_zone_of_dates(call, source, 2)
    clock = local_from_epoch(call.args[0], zone_argument(call, 2))
    return call.typed(clamped(f"({_week_start(call, clock, 1)})", source, leaves=True), t.DATE)


@scalar("toLastDayOfWeek", args=(1, 3))
def to_last_day_of_week(call: Call) -> Typed:
    source = require_time(call)
    clock = local_from_epoch(call.args[0], zone_argument(call, 2))
    return call.typed(clamped(f"({_week_start(call, clock, 1)} + 6)", source, leaves=True), t.DATE)


# --- to a DateTime ----------------------------------------------------------------------------------------------------


#: Units of a day
UNIT_SECONDS = {"hour": 3600, "minute": 60, "second": 1}


def moment(call: Call, clock: str, zone: str | None) -> Typed:
    """A wall clock as a DateTime of a zone, which holds a DateTime64 between 1970 and 2106."""
    instant = to_utc(f"CAST({clock} AS TIMESTAMP)", zone)
    if any(isinstance(arg.type, t.DateTime64) for arg in call.args[:2]):
        instant = f"least(greatest({instant}, TIMESTAMP '1970-01-01'), TIMESTAMP '2106-02-07 06:28:15')"
    return call.typed(instant, t.DateTime(zone))


def _start_of(name: str, unit: str) -> None:
    @scalar(name, args=(1, 2))
    def build(call: Call) -> Typed:
        (require_time if unit == "day" else require_clock)(call)
        zone = zone_argument(call, 1) or zone_of(call.args[0].type)
        if unit != "day" and is_even(zone, UNIT_SECONDS[unit]):
            return moment(call, f"date_trunc('{unit}', {microseconds(call.args[0])})", None).as_type(t.DateTime(zone))
        clock = (local_from_epoch if unit == "day" else local)(call.args[0], zone)
        return moment(call, f"date_trunc('{unit}', {clock})", zone)


_start_of("toStartOfDay", "day")
_start_of("toStartOfHour", "hour")
_start_of("toStartOfMinute", "minute")


def bucketed(clock: str, microseconds: int) -> str:
    """A TIMESTAMP rounded down to a multiple of some microseconds since the epoch."""
    return f"make_timestamp((epoch_us({clock}) // {microseconds}) * {microseconds})"


def bucket(call: Call, value: Typed, zone: str | None, seconds: int) -> Typed:
    """A moment rounded down to so many seconds, which are counted in UTC but for zones off it by parts of a minute."""
    if is_even(zone, 60):
        return moment(call, bucketed(microseconds(value), seconds * 1_000_000), None).as_type(t.DateTime(zone))
    return moment(call, bucketed(local(value, zone), seconds * 1_000_000), zone)


def _minutes(name: str, minutes: int) -> None:
    @scalar(name, args=(1, 2))
    def build(call: Call) -> Typed:
        inner = require_time(call)
        if not isinstance(inner, t.DateTime | t.DateTime64):
            call.wrong_type()
        zone = zone_argument(call, 1) or zone_of(inner)
        return bucket(call, call.args[0], zone, minutes * 60)


for _name, _count in (
    ("toStartOfFiveMinutes", 5),
    ("toStartOfFiveMinute", 5),
    ("toStartOfTenMinutes", 10),
    ("toStartOfFifteenMinutes", 15),
    ("timeSlot", 30),
):
    _minutes(_name, _count)


def _fraction(unit: str, precision: int) -> None:
    @scalar(f"toStartOf{unit}", args=(1, 2))
    def build(call: Call) -> Typed:
        """Digits beyond the unit become zeros; a coarser moment gets the digits of the unit."""
        inner = require_time(call)
        if not isinstance(inner, t.DateTime64):
            call.wrong_type()
        type_ = t.DateTime64(max(inner.precision, precision), zone_argument(call, 1) or inner.zone)
        if inner.precision <= precision:
            fine = duckdb_type(type_) != duckdb_type(inner)
            return call.typed(f"CAST({call.sql(0)} AS {duckdb_type(type_)})" if fine else call.sql(0), type_)
        cut = f"date_trunc('{unit.lower()}', {microseconds(call.args[0])})"
        return call.typed(f"CAST({cut} AS TIMESTAMP_NS)" if type_.precision > 6 else cut, type_)


_fraction("Second", 0)
_fraction("Millisecond", 3)
_fraction("Microsecond", 6)
_fraction("Nanosecond", 9)


# --- date_trunc ---------------------------------------------------------------------------------

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
    if not isinstance(t.plain(call.args[0].type), t.String):
        text = f"First argument for function {call.name} must be constant string: name of datepart"
        raise failure(text, 43, "ILLEGAL_TYPE_OF_ARGUMENT", call.node)
    unit = str(call.constant_value(0, "unit")).lower()
    if unit in _FRACTIONS:
        return _cut_fraction(call, unit)
    if unit not in _UNITS:
        raise bad_arguments(f"{unit} doesn't look like datepart name in {call.name}", call.node)
    inner = require_time(call, 1)
    if unit in ("hour", "minute", "second") and isinstance(inner, t.Date | t.Date32):
        call.wrong_type()
    zone = zone_argument(call, 2) or zone_of(inner)
    if unit in UNIT_SECONDS and is_even(zone, UNIT_SECONDS[unit]):
        truncated = f"date_trunc('{unit}', {microseconds(call.args[1])})"
        if isinstance(inner, t.DateTime64):
            return call.typed(truncated, t.DateTime64(0, zone))
        return moment(call, truncated, None).as_type(t.DateTime(zone))
    clock = local(call.args[1], zone)
    truncated = f"date_trunc('{unit}', {clock})"
    wide = isinstance(inner, t.Date32 | t.DateTime64)
    if unit in ("year", "quarter", "month", "week"):
        return call.typed(f"CAST({truncated} AS DATE)", t.DATE32 if wide else t.DATE)
    if wide:
        return call.typed(to_utc(f"CAST({truncated} AS TIMESTAMP)", zone), t.DateTime64(0, zone))
    return moment(call, truncated, zone)
