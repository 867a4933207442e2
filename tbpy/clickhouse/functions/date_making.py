"""Dates and moments made of numbers: of their parts, or of all digits in one number."""

from __future__ import annotations

import math
from dataclasses import replace

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.durations import signed_ticks
from tbpy.clickhouse.casting.printing import first_instant
from tbpy.clickhouse.compiler.failures import bad_arguments
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.zones import is_clock, local, zone_argument, zone_of

_DATE = ("1970-01-01", "2149-06-06")
_DATE32 = ("0001-01-01", "9999-12-31")
_SECONDS = ("1970-01-01 00:00:00", "2106-02-07 06:28:15")


def _integers(call: Call, count: int) -> list[str]:
    for arg in call.args[:count]:
        if not t.is_number(arg.type):
            call.wrong_type()
    return [_whole(arg) for arg in call.args[:count]]


def _whole(value: Typed) -> str:
    """A number as a BIGINT, its fraction cut off."""
    exact = isinstance(t.plain(value.type), t.Int | t.Bool)
    return f"CAST({value.sql if exact else f'trunc({value.exact()})'} AS BIGINT)"


def _make_date(name: str, type_: t.Type, low: str, high: str, fallback: str) -> None:
    @scalar(name, args=(2, 3), insensitive=True)
    def build(call: Call) -> Typed:
        """A day that the month lacks runs over into the next; what is no date at all is the lowest one."""
        parts = _integers(call, len(call.args))
        month, day, most = ("1", parts[1], 365) if len(parts) == 2 else (parts[1], parts[2], 31)
        first = f"TRY(make_date({parts[0]}, {month}, 1))"
        made = f"(CASE WHEN {day} BETWEEN 1 AND {most} THEN {first} + CAST({day} - 1 AS INTEGER) END)"
        inside = f"{made} BETWEEN DATE '{low}' AND DATE '{high}'"
        if len(parts) == 2:
            inside += f" AND year({made}) = {parts[0]}"
        return call.typed(f"(CASE WHEN {inside} THEN {made} ELSE DATE '{fallback}' END)", type_)


_make_date("makeDate", t.DATE, *_DATE, "1970-01-01")
_make_date("makeDate32", t.DATE32, *_DATE32, "1970-01-01")


@scalar("makeDateTime", args=(6, 7), insensitive=True)
def make_date_time(call: Call) -> Typed:
    zone = zone_argument(call, 6)
    return call.typed(_made(call, zone, _SECONDS), t.DateTime(zone))


@scalar("makeDateTime64", args=(6, 9), insensitive=True)
def make_date_time64(call: Call) -> Typed:
    """The fraction is a whole number of the smallest unit that the precision has."""
    precision, zone = _precision(call, 7), zone_argument(call, 8)
    fraction = f"least(greatest({_whole(call.args[6])}, 0), {10**precision - 1})" if len(call.args) > 6 else "0"
    bounds = ("1900-01-01 00:00:00", f"2299-12-31 23:59:59.{'9' * min(precision, 6) or '0'}")
    if precision > 6:
        seconds = f"epoch_us({_made(call, zone, bounds)})"
        return call.typed(
            f"make_timestamp_ns({seconds} * 1000 + {fraction} * {10 ** (9 - precision)})", t.DateTime64(precision, zone)
        )
    made = _made(call, zone, bounds, f"to_microseconds({fraction} * {10 ** (6 - precision)})")
    return call.typed(made, t.DateTime64(precision, zone))


def _precision(call: Call, position: int) -> int:
    precision = call.constant_value(position, "precision") if len(call.args) > position else 3
    if not isinstance(precision, int):
        call.wrong_type()
    if not 0 <= precision <= 9:
        raise bad_arguments(f"Scale {precision} is out of bounds", call.node)
    return precision


def _made(call: Call, zone: str | None, bounds: tuple[str, str], fraction: str = "") -> str:
    """The moment, held between two bounds; the first of them for a day or time that is none."""
    parts = _integers(call, 6)
    start = f"TRY(make_timestamp({parts[0]}, {parts[1]}, 1, 0, 0, 0))"
    # The 30th of February is the 1st or 2nd of March, the hour 25 one of the next day.
    whole = " AND ".join([f"{parts[2]} BETWEEN 1 AND 31", *(f"{part} BETWEEN 0 AND 255" for part in parts[3:])])
    passed = f"to_days(CAST({parts[2]} - 1 AS INTEGER)) + to_hours({parts[3]}) + to_minutes({parts[4]})"
    made = f"(CASE WHEN {whole} THEN {start} + {passed} + to_seconds({parts[5]}) END)"
    made = f"({made} + {fraction})" if fraction else made
    first, last = (f"TIMESTAMP '{moment}'" for moment in bounds)
    return first_instant(f"coalesce(least(greatest({made}, {first}), {last}), {first})", zone)


# --- all digits in one number -----------------------------------------------------------------------------------------


def _digits(call: Call) -> str:
    value = call.args[0]
    if not t.is_number(value.type):
        call.wrong_type()
    if value.known and isinstance(value.value, float) and not math.isfinite(value.value):
        raise bad_arguments(f"Argument for function {call.name} must be finite", call.node)
    return f"CAST({value.sql} AS BIGINT)"


def _day_of(number: str, bounds: tuple[str, str]) -> str:
    """The day of a number YYYYMMDD, NULL where it is none; a day that the month lacks runs over into the next."""
    first, day = f"TRY(make_date({number} // 10000, {number} // 100 % 100, 1))", f"{number} % 100"
    made = f"({first} + CAST({day} - 1 AS INTEGER))"
    inside = f"{made} BETWEEN DATE '{bounds[0]}' AND DATE '{bounds[1]}'"
    return f"(CASE WHEN {day} BETWEEN 1 AND 31 AND {inside} THEN {made} END)"


@scalar("YYYYMMDDToDate", "YYYYMMDDToDate32", insensitive=True)
def yyyymmdd_to_date(call: Call) -> Typed:
    wide = call.name.endswith("32")
    day = _day_of(_digits(call), _DATE32 if wide else _DATE)
    return call.typed(f"coalesce({day}, DATE '1970-01-01')", t.DATE32 if wide else t.DATE)


@scalar("YYYYMMDDhhmmssToDateTime", args=(1, 2), insensitive=True)
def digits_to_date_time(call: Call) -> Typed:
    zone = zone_argument(call, 1)
    return call.typed(_moment_of(_digits(call), _DATE, _SECONDS, zone), t.DateTime(zone))


@scalar("YYYYMMDDhhmmssToDateTime64", args=(1, 3), insensitive=True)
def digits_to_date_time64(call: Call) -> Typed:
    precision, zone = _precision(call, 1), zone_argument(call, 2)
    moment = _moment_of(_digits(call), _DATE32, ("1900-01-01 00:00:00", "2299-12-31 23:59:59"), zone)
    return call.typed(moment if precision <= 6 else f"CAST({moment} AS TIMESTAMP_NS)", t.DateTime64(precision, zone))


def _moment_of(number: str, days: tuple[str, str], bounds: tuple[str, str], zone: str | None) -> str:
    """A moment held below a bound; the other bound where the digits are no date."""
    clock = " + ".join(
        f"to_{unit}({number} // {place} % 100)" for unit, place in (("hours", 10000), ("minutes", 100), ("seconds", 1))
    )
    made = f"({_day_of(f'({number} // 1000000)', days)} + {clock})"
    inside = f"{made} <= TIMESTAMP '{bounds[1]}'"
    return first_instant(f"(CASE WHEN {inside} THEN {made} ELSE TIMESTAMP '{bounds[0]}' END)", zone)


# --- a date and a time in texts ---------------------------------------------------------------------------------------


@scalar("timestamp", args=(1, 2))
def timestamp(call: Call) -> Typed:
    """A text as a DateTime64(6), and the time of a second text later."""
    if not all(isinstance(arg.type, t.String | t.FixedString) for arg in call.args):
        call.wrong_type()
    moment = call.compiler.call("toDateTime64", call.args[0], constant(6), node=call.node)
    if len(call.args) == 1:
        return moment
    text = call.sql(1)
    whole = f"regexp_full_match({text}, '[+-]?[0-9]+:[0-9]{{2}}:[0-9]{{2}}([.][0-9]+)?')"
    passed = f"(CASE WHEN {whole} THEN {signed_ticks(text, 6)} WHEN {text} IS NOT NULL THEN 0 END)"
    return replace(moment, sql=f"({moment.sql} + to_microseconds({passed}))")


@scalar("toTimeWithFixedDate", args=(1, 2))
def time_with_fixed_date(call: Call) -> Typed:
    """The time of day on the second day of 1970."""
    if not is_clock(call.args[0].type):
        call.wrong_type()
    zone = zone_argument(call, 1) or zone_of(call.args[0].type)
    clock = local(call.args[0], zone)
    moment = f"(TIMESTAMP '1970-01-02' + (date_trunc('second', {clock}) - date_trunc('day', {clock})))"
    return call.typed(first_instant(moment, zone), t.DateTime(zone))
