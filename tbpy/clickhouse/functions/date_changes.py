"""Dates with one part changed, slots of time, snowflake ids and Julian days."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.printing import first_instant
from tbpy.clickhouse.compiler.failures import failure
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import constant_integer
from tbpy.clickhouse.functions.zones import local, require_time, zone_argument, zone_of

_PARTS = ("year", "month", "day", "hour", "minute", "second")


def _change(unit: str) -> None:
    @scalar(f"change{unit.capitalize()}", args=2)
    def build(call: Call) -> Typed:
        """An impossible date is the lowest of its type."""
        inner = require_time(call)
        if not t.is_integer(call.args[1].type):
            call.wrong_type()
        clock = f"CAST({local(call.args[0])} AS TIMESTAMP)"
        type_, lowest, first, last = _changed_type(call, inner, unit)
        made = _with_part(clock, unit, f"CAST({call.sql(1)} AS BIGINT)")
        inside = f"{made} BETWEEN TIMESTAMP '{first}' AND TIMESTAMP '{last}'"
        moment = f"(CASE WHEN {inside} THEN {made} ELSE {lowest} END)"
        if isinstance(type_, t.Date | t.Date32):
            return call.typed(f"CAST({moment} AS DATE)", type_)
        return call.typed(first_instant(moment, zone_of(type_)), type_)


def _changed_type(call: Call, inner: t.Type, unit: str) -> tuple[t.Type, str, str, str]:
    """The type of the result, what stands for an impossible one, and the first and last that it has.

    Of the wide types that is the year 0, which DuckDB calls one before Christ and Python has not.
    """
    wide = "CAST(error('NOT_IMPLEMENTED: The year 0 is not supported by tbpy') AS TIMESTAMP)"
    epoch = "TIMESTAMP '1970-01-01'"
    clock = unit in ("hour", "minute", "second")
    match inner:
        case t.Date() if not clock:
            return inner, epoch, "1970-01-01", "2149-06-06"
        case t.Date():
            return t.DATETIME, epoch, "1970-01-01", "2106-02-07 06:28:15"
        case t.DateTime():
            return inner, epoch, "1970-01-01", "2106-02-07 06:28:15"
        case t.Date32():
            return (t.DateTime64(3) if clock else inner), wide, "0001-01-01", "9999-12-31 23:59:59.999999"
        case t.DateTime64(precision) if precision <= 6:
            return inner, wide, "0001-01-01", "9999-12-31 23:59:59.999999"
    return call.unsupported(f"type {inner}")


def _with_part(clock: str, unit: str, value: str) -> str:
    """A wall clock with one part changed, NULL where there is no such; a day that the month lacks runs over."""
    parts = [value if part == unit else f"{part}({clock})" for part in _PARTS]
    second = f"CAST({parts[5]} AS DOUBLE)"
    first = f"TRY(make_timestamp({parts[0]}, {parts[1]}, 1, {parts[3]}, {parts[4]}, {second}))"
    whole = f"{first} + to_days(CAST({parts[2]} - 1 AS INTEGER)) + to_microseconds(microsecond({clock}) % 1000000)"
    return f"(CASE WHEN {parts[2]} BETWEEN 1 AND 31 THEN {whole} END)"


for _unit in _PARTS:
    _change(_unit)


@scalar("timeSlots", args=(2, 3))
def time_slots(call: Call) -> Typed:
    """The starts of the slots (of half an hour by default) that a span of time touches."""
    inner = require_time(call)
    if not isinstance(inner, t.DateTime) or not t.is_integer(call.args[1].type):
        call.unsupported(f"type {inner}")
    size = constant_integer(call, 2, "size") if len(call.args) > 2 else 1800
    if size <= 0:
        raise failure(
            "Third argument for function timeSlots must be greater than zero", 44, "ILLEGAL_COLUMN", call.node
        )
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
