"""toStartOfInterval: moments rounded down to a multiple of an interval, counted from 1970 or from an origin."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.printing import first_instant, in_utc, microseconds
from tbpy.clickhouse.compiler.failures import failure
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.date_rounding import bucket, clamped, moment, no_zone_of_dates
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.zones import local, local_from_epoch, require_time, zone_argument, zone_of
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import duckdb_type
from tbpy.clickhouse.zone_offsets import is_even

_SECONDS = {"Second": 1, "Minute": 60, "Hour": 3600, "Day": 86400, "Week": 604800}
_MONTHS = {"Month": 1, "Quarter": 3, "Year": 12}
#: Units below a second, with the digits after the point that their result has
_DIGITS = {"Millisecond": 3, "Microsecond": 6, "Nanosecond": 9}


@scalar("toStartOfInterval", "date_bin", "time_bucket", args=(2, 4), insensitive=("date_bin", "time_bucket"))
def to_start_of_interval(call: Call) -> Typed:
    """Weeks are counted from Monday 1970-01-05, months from 1970, years from year 0, hours from midnight."""
    inner = require_time(call)
    interval = call.args[1].type
    if not isinstance(interval, t.Interval):
        call.wrong_type()
    count = call.constant_value(1, "interval")
    if count <= 0:
        text = f"Value for 2nd argument of function {call.name} must be positive"
        raise failure(text, 69, "ARGUMENT_OUT_OF_BOUND", call.node)
    if interval.unit not in (*_MONTHS, "Week", "Day") and isinstance(inner, t.Date | t.Date32):
        call.wrong_type()
    if interval.unit in _DIGITS and not isinstance(inner, t.DateTime64):
        call.wrong_type()
    if len(call.args) > 2 and t.is_temporal(call.args[2].type):
        return _from_origin(call, inner, interval.unit, count, zone_argument(call, 3) or zone_of(inner))
    if len(call.args) > 3:
        call.wrong_type()
    if interval.unit in (*_MONTHS, "Week"):
        no_zone_of_dates(call, inner, 2)
    zone = zone_argument(call, 2) or zone_of(inner)
    if interval.unit in _DIGITS:
        return _fraction_start(call, interval.unit, count, zone)
    days = interval.unit in (*_MONTHS, "Week", "Day")
    clock = (local_from_epoch if days else local)(call.args[0], zone)
    return _interval_start(call, inner, clock, interval.unit, count, zone)


def _interval_start(call: Call, inner: t.Type, clock: str, unit: str, count: int, zone: str | None) -> Typed:
    match unit:
        case "Year":
            start = f"make_date(CAST(year({clock}) // {count} * {count} AS BIGINT), 1, 1)"
            return call.typed(clamped(start, inner, leaves=count > 1), t.DATE)
        case "Quarter" | "Month":
            return call.typed(clamped(_month_start(clock, count * _MONTHS[unit]), inner), t.DATE)
        case "Week":
            days = f"datediff('day', DATE '1970-01-05', CAST({clock} AS DATE))"
            start = f"(DATE '1970-01-05' + CAST(floor({days} / {count * 7}) * {count * 7} AS INTEGER))"
            return call.typed(clamped(start, inner, leaves=True), t.DATE)
        case "Day":
            days = f"datediff('day', DATE '1970-01-01', CAST({clock} AS DATE))"
            return moment(call, f"(DATE '1970-01-01' + CAST({days} // {count} * {count} AS INTEGER))", zone)
        case "Hour" if count == 1 and is_even(zone, 3600):
            return bucket(call, call.args[0], zone, 3600)
        case "Minute" | "Second":
            return bucket(call, call.args[0], zone, _SECONDS[unit] * count)
        case "Hour":
            day = f"date_trunc('day', CAST({clock} AS TIMESTAMP))"
            hours = f"hour(CAST({clock} AS TIMESTAMP)) // {count} * {count}"
            start = f"({day} + to_hours(CAST({hours} AS BIGINT)))"
            return moment(call, first_instant(start, zone, never=False), None).as_type(t.DateTime(zone))
    return call.wrong_type()


def _month_start(clock: str, count: int) -> str:
    months = f"((year({clock}) - 1970) * 12 + month({clock}) - 1)"
    if count == 1:
        return f"date_trunc('month', {clock})"
    if count == 3:
        return f"date_trunc('quarter', {clock})"
    start = f"({months} // {count} * {count})"
    return f"make_date(CAST(1970 + {start} // 12 AS BIGINT), CAST({start} % 12 + 1 AS BIGINT), 1)"


def _ticks(value: Typed, digits: int) -> str:
    return f"epoch_ns(CAST({value.sql} AS TIMESTAMP_NS))" if digits > 6 else f"epoch_us({microseconds(value)})"


def _fraction_start(call: Call, unit: str, count: int, zone: str | None) -> Typed:
    type_ = t.DateTime64(_DIGITS[unit], zone)
    step = count * 10 ** ((9 if unit == "Nanosecond" else 6) - type_.precision)
    ticks = _ticks(call.args[0], type_.precision)
    cut = f"{ticks} - ({ticks} % {step} + {step}) % {step}" if step > 1 else ticks
    make = "make_timestamp_ns" if type_.precision > 6 else "make_timestamp"
    return call.typed(f"{make}({cut})", type_)


# --- from an origin ---------------------------------------------------------------------------------------------------


def _from_origin(call: Call, inner: t.Type, unit: str, count: int, zone: str | None) -> Typed:
    """The origin and so many whole intervals. Calendar units are counted by the days of both, without their clocks."""
    value, origin = call.args[0], call.args[2]
    if type(t.plain(origin.type)) is not type(inner):
        call.wrong_type()
    if not origin.constant:
        raise failure(f"Argument at index 2 for function {call.name} must be constant", 44, "ILLEGAL_COLUMN", call.node)
    type_ = _type_from_origin(inner, unit, zone)
    before = duckdb_string("BAD_ARGUMENTS: The origin must be before the end date / date with time")
    if not in_utc(zone):
        call.unsupported("an origin in a time zone")
    if unit in _MONTHS:
        start = _months_from(value.sql, origin.sql, count * _MONTHS[unit], duckdb_type(type_))
    elif isinstance(inner, t.Date | t.Date32):
        size = count * (_SECONDS[unit] // 86400)
        start = f"({origin.sql} + CAST(({value.sql} - {origin.sql}) // {size} * {size} AS INTEGER))"
    else:
        digits = type_.precision if isinstance(type_, t.DateTime64) else 0
        units = 10 ** (9 if digits > 6 else 6)
        step = units * _SECONDS[unit] * count if unit in _SECONDS else units // 10 ** _DIGITS[unit] * count
        passed = f"({_ticks(value, digits)} - {_ticks(origin, digits)})"
        make = "make_timestamp_ns" if digits > 6 else "make_timestamp"
        start = f"{make}({_ticks(origin, digits)} + {passed} // {step} * {step})"
    sql = f"(CASE WHEN {origin.sql} > {value.sql} THEN CAST(error({before}) AS {duckdb_type(type_)}) ELSE {start} END)"
    return call.typed(sql, type_)


def _type_from_origin(inner: t.Type, unit: str, zone: str | None) -> t.Type:
    match inner:
        case t.DateTime():
            return t.DateTime(zone)
        case t.DateTime64(precision):
            return t.DateTime64(max(precision, _DIGITS.get(unit, 0)), zone)
    return inner


def _months_from(value: str, origin: str, count: int, storage: str) -> str:
    months = f"((year({value}) - year({origin})) * 12 + month({value}) - month({origin}))"
    whole = f"({months} - CASE WHEN day({value}) < day({origin}) THEN 1 ELSE 0 END)"
    moved = f"{origin} + to_months(CAST({whole} // {count} * {count} AS INTEGER))"
    return f"CAST({moved} AS {storage})"
