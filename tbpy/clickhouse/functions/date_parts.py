"""Parts of dates and times, and dates made of parts."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.zones import local, require_clock, require_time, zone_argument, zone_of
from tbpy.clickhouse.storage import duckdb_type

#: name, other names, result, DuckDB SQL over the wall clock
_PARTS: tuple[tuple[tuple[str, ...], t.Int, str], ...] = (
    (("toYear", "YEAR"), t.UINT16, "year({0})"),
    (("toQuarter", "QUARTER"), t.UINT8, "quarter({0})"),
    (("toMonth", "MONTH"), t.UINT8, "month({0})"),
    (("toDayOfYear", "DAYOFYEAR"), t.UINT16, "dayofyear({0})"),
    (("toDayOfMonth", "DAY", "DAYOFMONTH"), t.UINT8, "day({0})"),
    (("toHour", "HOUR"), t.UINT8, "hour({0})"),
    (("toMinute", "MINUTE"), t.UINT8, "minute({0})"),
    (("toSecond", "SECOND"), t.UINT8, "second({0})"),
    (("toMillisecond", "MILLISECOND"), t.UINT16, "(millisecond({0}) % 1000)"),
    (("toMicrosecond", "MICROSECOND"), t.UINT32, "(epoch_us({0}) % 1000000)"),
    (("toNanosecond", "NANOSECOND"), t.UINT32, "(epoch_ns({0}) % 1000000000)"),
    (("toISOYear",), t.UINT16, "isoyear({0})"),
    (("toISOWeek",), t.UINT8, "week({0})"),
    (("toYYYYMM",), t.UINT32, "(year({0}) * 100 + month({0}))"),
    (("toYYYYMMDD",), t.UINT32, "(year({0}) * 10000 + month({0}) * 100 + day({0}))"),
    (
        ("toYYYYMMDDhhmmss",),
        t.UINT64,
        "((year({0}) * 10000 + month({0}) * 100 + day({0})) * 1000000 "
        "+ hour({0}) * 10000 + minute({0}) * 100 + second({0}))",
    ),
    (("toDaysInMonth",), t.UINT8, "day(last_day({0}))"),
    (("toYearNumSinceEpoch",), t.UINT16, "(year({0}) - 1970)"),
    (("toMonthNumSinceEpoch",), t.UINT32, "((year({0}) - 1970) * 12 + month({0}) - 1)"),
    (("toRelativeYearNum",), t.UINT16, "year({0})"),
    (("toRelativeQuarterNum",), t.UINT32, "(year({0}) * 4 + quarter({0}) - 1)"),
    (("toRelativeMonthNum",), t.UINT32, "(year({0}) * 12 + month({0}))"),
    (("toRelativeWeekNum",), t.UINT32, "((datediff('day', DATE '1970-01-01', CAST({0} AS DATE)) + 3) // 7)"),
    (("toRelativeDayNum",), t.UINT32, "datediff('day', DATE '1970-01-01', CAST({0} AS DATE))"),
)


_OF_THE_DAY = ("toHour", "toMinute", "toSecond", "toMillisecond", "toMicrosecond", "toNanosecond")
#: Read from the moment itself, which has more digits than a wall clock
_OF_THE_SECOND = ("toMicrosecond", "toNanosecond")


def _part(names: tuple[str, ...], type_: t.Int, pattern: str) -> None:
    @scalar(*names, args=(1, 2), insensitive=[name for name in names if name.isupper()])
    def build(call: Call) -> Typed:
        require = require_clock if names[0] in _OF_THE_DAY else require_time
        require(call)
        zone = zone_argument(call, 1)
        clock = call.sql(0) if names[0] in _OF_THE_SECOND else local(call.args[0], zone)
        number = pattern.format(clock)
        if names[0].startswith("toRelative") and isinstance(call.args[0].type, t.Date32 | t.DateTime64):
            number = f"greatest({number}, 0)"  # before 1970 nothing is counted
        return call.typed(f"CAST({number} AS {duckdb_type(type_)})", type_)


for _names, _type, _pattern in _PARTS:
    _part(_names, _type, _pattern)


def _epoch_part(name: str, seconds: int) -> None:
    @scalar(name, args=(1, 2))
    def build(call: Call) -> Typed:
        require_time(call)
        zone_argument(call, 1)
        number = f"epoch_us({call.sql(0)}) // {seconds * 1_000_000}"
        if isinstance(call.args[0].type, t.Date32 | t.DateTime64):
            number = f"greatest({number}, 0)"
        return call.typed(f"CAST({number} AS UINTEGER)", t.UINT32)


_epoch_part("toRelativeHourNum", 3600)
_epoch_part("toRelativeMinuteNum", 60)
_epoch_part("toRelativeSecondNum", 1)


# --- weeks ------------------------------------------------------------------------------------------------------------


@scalar("toDayOfWeek", "DAYOFWEEK", args=(1, 3), insensitive=("DAYOFWEEK",))
def to_day_of_week(call: Call) -> Typed:
    """Modes 0 and 1 count from Monday, 2 and 3 from Sunday; 0 and 3 begin with 1, 1 and 2 with 0."""
    if len(call.args) > 1 and not t.is_integer(call.args[1].type):
        call.wrong_type()
    mode = call.constant_value(1, "mode") & 3 if len(call.args) > 1 else 0
    clock = _clock_or_text(call)
    pattern = ("isodow({0})", "(isodow({0}) - 1)", "dayofweek({0})", "(dayofweek({0}) + 1)")[mode]
    return call.typed(f"CAST({pattern.format(clock)} AS UTINYINT)", t.UINT8)


def _clock_or_text(call: Call) -> str:
    """The wall clock of the first argument, which may be a text; the third one is a time zone."""
    moment = call.args[0]
    if isinstance(moment.type, t.String):
        moment = call.compiler.call("toDateTime64", moment, constant(3), *call.args[2:3], node=call.node)
    else:
        require_time(call)
    return local(moment, zone_argument(call, 2))


def week_and_year(clock: str, mode: int) -> tuple[str, str]:
    """The number of a week and the year it belongs to, by the modes of MySQL that ClickHouse follows.

    Bit 1: weeks begin on Monday; bit 2: weeks belong to one year, 1 to 53; bit 4: week 1 begins with its first weekday,
    where otherwise it has four days or more in the year (bit 4 is inverted for weeks that begin on Sunday); bit 8: week
    1 has the first of January.
    """
    monday, whole = bool(mode & 1), bool(mode & 2)
    first_weekday = bool(mode & 4) == monday
    weekday = f"(isodow({clock}) - 1)" if monday else f"dayofweek({clock})"
    if whole or mode & 8:
        # The week belongs to the year of its fourth day, of its first or last one: count that day's weeks.
        ahead = 6 if mode & 8 else 0 if first_weekday else 3
        anchor = f"(CAST({clock} AS DATE) - CAST({weekday} AS INTEGER) + {ahead})"
        return f"((dayofyear({anchor}) - 1) // 7 + 1)", f"year({anchor})"
    day = f"(dayofyear({clock}) - 1)"
    if first_weekday:
        return f"(({day} + 7 - {weekday}) // 7)", f"year({clock})"
    january = f"((({weekday} - {day}) % 7 + 7) % 7)"
    return f"(({day} + {january}) // 7 + CASE WHEN {january} <= 3 THEN 1 ELSE 0 END)", f"year({clock})"


def _week_mode(call: Call) -> int:
    mode = call.constant_value(1, "mode") if len(call.args) > 1 else 0
    if not isinstance(mode, int):
        call.wrong_type()
    return mode


@scalar("toWeek", "week", args=(1, 3), insensitive=("week",))
def to_week(call: Call) -> Typed:
    week, _ = week_and_year(_clock_or_text(call), _week_mode(call))
    return call.typed(f"CAST({week} AS UTINYINT)", t.UINT8)


@scalar("toYearWeek", "yearweek", args=(1, 3), insensitive=("yearweek",))
def to_year_week(call: Call) -> Typed:
    week, year = week_and_year(_clock_or_text(call), _week_mode(call) | 2)
    return call.typed(f"CAST({year} * 100 + {week} AS UINTEGER)", t.UINT32)


# --- names ------------------------------------------------------------------------------------------------------------

_DATE_NAMES = {
    "year": "CAST(year({0}) AS VARCHAR)",
    "quarter": "CAST(quarter({0}) AS VARCHAR)",
    "month": "monthname({0})",
    "dayofyear": "CAST(dayofyear({0}) AS VARCHAR)",
    "day": "CAST(day({0}) AS VARCHAR)",
    "week": "CAST(week({0}) AS VARCHAR)",
    "weekday": "dayname({0})",
    "hour": "CAST(hour({0}) AS VARCHAR)",
    "minute": "CAST(minute({0}) AS VARCHAR)",
    "second": "CAST(second({0}) AS VARCHAR)",
}


@scalar("dateName", args=(2, 3), insensitive=True)
def date_name(call: Call) -> Typed:
    unit = str(call.constant_value(0, "unit")).lower()
    require_time(call, 1)
    if unit not in _DATE_NAMES:
        call.unsupported(f"unit '{unit}'")
    return call.typed(_DATE_NAMES[unit].format(local(call.args[1], zone_argument(call, 2))), t.STRING)


@scalar("monthName", insensitive=True)
def month_name(call: Call) -> Typed:
    if isinstance(require_time(call), t.Date32):
        call.wrong_type()
    return call.typed(f"monthname({local(call.args[0])})", t.STRING)


# --- zones -----------------------------------------------------------------------------------------------------------


@scalar("timezoneOf", "timeZoneOf", insensitive=True, nulls="keep")
def timezone_of(call: Call) -> Typed:
    require_time(call)
    return call.known(zone_of(call.args[0].type) or "UTC", t.STRING)


@scalar("toTimeZone", "toTimezone", args=2)
def to_time_zone(call: Call) -> Typed:
    zone = zone_argument(call, 1)
    match require_time(call):
        case t.DateTime():
            return call.typed(call.sql(0), t.DateTime(zone))
        case t.DateTime64(precision):
            return call.typed(call.sql(0), t.DateTime64(precision, zone))
    call.wrong_type()


@scalar("timezoneOffset", "timeZoneOffset")
def timezone_offset(call: Call) -> Typed:
    inner = require_time(call)
    if not isinstance(inner, t.DateTime | t.DateTime64):
        call.wrong_type()
    return call.typed(f"CAST(epoch({local(call.args[0])}) - epoch({call.sql(0)}) AS INTEGER)", t.INT32)
