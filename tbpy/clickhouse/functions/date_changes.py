"""Dates with one part changed, slots of time, snowflake ids and Julian days."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.zones import local, require_time, to_utc, zone_argument, zone_of

_PARTS = ("year", "month", "day", "hour", "minute", "second")


def _change(unit: str) -> None:
    @scalar(f"change{unit.capitalize()}", args=2)
    def build(call: Call) -> Typed:
        """An impossible date is the lowest of its type."""
        inner = require_time(call)
        if not t.is_integer(call.args[1].type):
            call.wrong_type()
        clock = f"CAST({local(call.args[0])} AS TIMESTAMP)"
        parts = [f"CAST({call.sql(1)} AS BIGINT)" if part == unit else f"{part}({clock})" for part in _PARTS]
        second = parts[5] if unit == "second" else f"second({clock})"
        # A day that the month lacks runs over into the next one.
        first = f"TRY(make_timestamp({parts[0]}, {parts[1]}, 1, {parts[3]}, {parts[4]}, CAST({second} AS DOUBLE)))"
        made = f"(CASE WHEN {parts[2]} BETWEEN 1 AND 31 THEN {first} + to_days(CAST({parts[2]} - 1 AS INTEGER)) END)"
        if isinstance(inner, t.Date) and unit in ("year", "month", "day"):
            inside = f"{made} BETWEEN TIMESTAMP '1970-01-01' AND TIMESTAMP '2149-06-06'"
            return call.typed(f"(CASE WHEN {inside} THEN CAST({made} AS DATE) ELSE DATE '1970-01-01' END)", t.DATE)
        if isinstance(inner, t.DateTime) or (isinstance(inner, t.Date) and unit in ("hour", "minute", "second")):
            zone = zone_of(inner)
            inside = f"{made} BETWEEN TIMESTAMP '1970-01-01' AND TIMESTAMP '2106-02-07 06:28:15'"
            moment = f"(CASE WHEN {inside} THEN {made} ELSE TIMESTAMP '1970-01-01' END)"
            return call.typed(to_utc(moment, zone), t.DateTime(zone))
        call.unsupported(f"type {inner}")


for _unit in _PARTS:
    _change(_unit)


@scalar("timeSlots", args=(2, 3))
def time_slots(call: Call) -> Typed:
    """The starts of the slots (of half an hour by default) that a span of time touches."""
    inner = require_time(call)
    if not isinstance(inner, t.DateTime) or not t.is_integer(call.args[1].type):
        call.unsupported(f"type {inner}")
    size = int(call.constant_value(2, "size")) if len(call.args) > 2 else 1800
    first = f"(epoch_us({call.sql(0)}) // 1000000 // {size})"
    last = f"((epoch_us({call.sql(0)}) // 1000000 + CAST({call.sql(1)} AS BIGINT)) // {size})"
    slots = f"list_transform(range({first}, {last} + 1), lambda s: make_timestamp(s * {size * 1_000_000}))"
    return call.typed(slots, t.Array(inner))


# --- snowflake ids ----------------------------------------------------------------------------------------------------


def _epoch(call: Call) -> int:
    return int(call.constant_value(1, "epoch")) if len(call.args) > 1 else 0


@scalar("snowflakeIDToDateTime", args=(1, 3))
def snowflake_to_datetime(call: Call) -> Typed:
    milliseconds = f"((CAST({call.sql(0)} AS BIGINT) >> 22) + {_epoch(call)})"
    return call.typed(f"make_timestamp({milliseconds} // 1000 * 1000000)", t.DateTime(zone_argument(call, 2)))


@scalar("snowflakeIDToDateTime64", args=(1, 3))
def snowflake_to_datetime64(call: Call) -> Typed:
    milliseconds = f"((CAST({call.sql(0)} AS BIGINT) >> 22) + {_epoch(call)})"
    return call.typed(f"make_timestamp({milliseconds} * 1000)", t.DateTime64(3, zone_argument(call, 2)))


@scalar("dateTimeToSnowflakeID", "dateTime64ToSnowflakeID", args=(1, 2))
def to_snowflake(call: Call) -> Typed:
    if not isinstance(require_time(call), t.DateTime | t.DateTime64):
        call.wrong_type()
    return call.typed(f"CAST((epoch_ms({call.sql(0)}) - {_epoch(call)}) << 22 AS UBIGINT)", t.UINT64)


# --- Julian days ------------------------------------------------------------------------------------------------------

_JULIAN = "DATE '1858-11-17'"


@scalar("toModifiedJulianDay", "toModifiedJulianDayOrNull")
def to_julian(call: Call) -> Typed:
    if not isinstance(call.args[0].type, t.String):
        call.wrong_type()
    days = f"CAST(datediff('day', {_JULIAN}, TRY_CAST({call.sql(0)} AS DATE)) AS INTEGER)"
    if call.name.endswith("OrNull"):
        return call.typed(days, t.Nullable(t.INT32))
    text = f"'CANNOT_PARSE_DATE: Cannot parse date ' || {call.sql(0)}"
    return call.typed(f"coalesce({days}, CAST(error({text}) AS INTEGER))", t.INT32)


@scalar("fromModifiedJulianDay", "fromModifiedJulianDayOrNull")
def from_julian(call: Call) -> Typed:
    if not t.is_integer(call.args[0].type):
        call.wrong_type()
    text = f"CAST({_JULIAN} + CAST({call.sql(0)} AS INTEGER) AS VARCHAR)"
    return call.typed(text, t.nullable(t.STRING) if call.name.endswith("OrNull") else t.STRING)


@scalar("YYYYMMDDhhmmssToDateTime", args=(1, 2))
def from_digits(call: Call) -> Typed:
    if not t.is_number(call.args[0].type):
        call.wrong_type()
    number, zone = f"CAST({call.sql(0)} AS BIGINT)", zone_argument(call, 1)
    places = (10**10, 10**8, 10**6, 10**4, 100)
    parts = [f"{number} // {places[0]}", *(f"({number} // {place}) % 100" for place in places[1:])]
    made = f"TRY(make_timestamp({', '.join(parts)}, CAST({number} % 100 AS DOUBLE)))"
    inside = f"{made} BETWEEN TIMESTAMP '1970-01-01' AND TIMESTAMP '2106-02-07 06:28:15'"
    return call.typed(
        to_utc(f"(CASE WHEN {inside} THEN {made} ELSE TIMESTAMP '1970-01-01' END)", zone), t.DateTime(zone)
    )
