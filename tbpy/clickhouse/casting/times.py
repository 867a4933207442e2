"""Conversions to dates and times.

Text is read as `2024-01-05`, `2024-1-5`, `20240105`, with an optional time; a number counts days or seconds. What is
out of a type's range becomes its first or last value. Other spellings of a time go to `parseDateTimeBestEffort`, as
ClickHouse's `cast_string_to_date_time_mode = best_effort` does.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.caster import Caster, target
from tbpy.clickhouse.casting.durations import rescaled, scale_of
from tbpy.clickhouse.casting.printing import first_instant, in_utc, instant, local_time, microseconds
from tbpy.clickhouse.casting.wide import is_wide
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import find_scalar
from tbpy.clickhouse.storage import duckdb_type

_CLOCK = r"[ T]\d{2}:\d{2}:\d{2}(?:\.\d+)?"
_DATE = re.compile(
    rf"(\d{{4}})\D(\d{{1,2}})\D(\d{{1,2}})\Z|(\d{{4}})\D(\d{{2}})\D(\d{{2}}){_CLOCK}\Z|(\d{{4}})(\d{{2}})(\d{{2}})\Z"
)
_MOMENT = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d+))?)?)?\Z")
_CLOCK_SQL = "[ T][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?"
_DATE_SQL = f"'[0-9]{{4}}-[0-9]{{1,2}}-[0-9]{{1,2}}|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}{_CLOCK_SQL}'"
_SHORT_DATE_SQL, _LONG_DATE_SQL = (f"[0-9]{{4}}[^0-9]{part}[^0-9]{part}" for part in ("[0-9]{1,2}", "[0-9]{2}"))
_ANY_DATE_SQL = f"'{_SHORT_DATE_SQL}|{_LONG_DATE_SQL}{_CLOCK_SQL}|[0-9]{{8}}'"
_STRICT_SQL = "'[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?)?'"
_STRICT_SECOND_SQL = "'[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}:[0-9]{2})?'"
_STRICT_OTHER_SQL = "'[0-9]{5,}|[0-9]{4}[^0-9][0-9]{2}[^0-9][0-9]{2}([ T][0-9]{2}:[0-9]{2}:[0-9]{2})?'"
_MOMENT_SQL = "'[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ T][0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}([.][0-9]+)?)?)?'"
_EPOCH = "TIMESTAMP '1970-01-01 00:00:00'"
_LAST_SECOND = "TIMESTAMP '2106-02-07 06:28:15'"
_LATEST = 253_402_300_799  # the last second of 9999
_LAST_DAY = "DATE '2149-06-06'"


@target(t.Date, t.Date32)
def to_date(caster: Caster, value: Typed, target_: t.Date | t.Date32) -> Typed:
    source, small = value.type, isinstance(target_, t.Date)
    match source:
        case t.String() | t.FixedString():
            return _date_of_text(caster, value, target_)
        case t.Date32() if small:
            return caster.result(value, _days_wrapped(value.sql), target_)
        case t.Date() | t.Date32():
            return caster.result(value, value.sql, target_)
        case t.DateTime(zone):
            day = f"CAST({local_time(value.sql, caster.zone or zone)} AS DATE)"
            behind = not in_utc(caster.zone or zone)  # the epoch may be of the day before, which a Date does not have
            return caster.result(value, _from(day, "DATE '1970-01-01'") if behind else day, target_)
        case t.DateTime64(_, zone):
            clock = local_time(microseconds(value), caster.zone or zone)
            return caster.result(value, _wrapped_day(clock) if small else f"CAST({clock} AS DATE)", target_)
        case t.Int() | t.Bool() | t.Float() | t.Decimal():
            return _date_of_number(caster, value, target_)
    return caster.refuse(source, target_)


def _days_wrapped(day: str) -> str:
    """A DATE as the 16 bits of a Date tell it: beyond its range it wraps around."""
    return f"(DATE '1970-01-01' + CAST((({day} - DATE '1970-01-01') & 65535) AS INTEGER))"


def _wrapped_day(clock: str) -> str:
    """The Date of a wall clock. Inside of its range it is a cast, and DuckDB's statistics leave only that."""
    day = f"CAST({clock} AS DATE)"
    inside = f"{clock} BETWEEN {_EPOCH} AND TIMESTAMP '2149-06-06 23:59:59.999999'"
    return f"(CASE WHEN {inside} THEN {day} ELSE {_days_wrapped(day)} END)"


def _from(sql: str, least: str) -> str:
    return f"(CASE WHEN {sql} < {least} THEN {least} ELSE {sql} END)"


def _date_of_text(caster: Caster, value: Typed, target_: t.Date | t.Date32) -> Typed:
    if value.known and isinstance(value.value, str):
        day = read_date(value.value)
        if day is None:
            return caster.failed(value.value, target_, 38, "CANNOT_PARSE_DATE")
        return Typed(f"DATE '{clamped(day, target_).isoformat()}'", target_, constant=True)
    day_sql = f"TRY_CAST(left({value.sql}, 10) AS DATE)"
    if isinstance(target_, t.Date):
        day_sql = _held(day_sql, "DATE '1970-01-01'", _LAST_DAY)
    usual = f"regexp_full_match({value.sql}, {_DATE_SQL}) AND {day_sql} IS NOT NULL"
    other = _day_by_parts(value.sql)
    if isinstance(target_, t.Date):
        other = _held(other, "DATE '1970-01-01'", _LAST_DAY)
    read = caster.checked(value, f"regexp_full_match({value.sql}, {_ANY_DATE_SQL})", other, target_)
    return caster.result(value, f"(CASE WHEN {usual} THEN {day_sql} ELSE {read.sql} END)", target_)


def _day_by_parts(text: str) -> str:
    """As `read_date` reads a text, in SQL: where DuckDB's cast knows no such day."""
    year, month, day = (
        f"CAST(regexp_extract({text}, '^([0-9]{{4}})[^0-9]?([0-9]{{1,2}})[^0-9]?([0-9]{{1,2}})', {part}) AS INTEGER)"
        for part in (1, 2, 3)
    )
    inside = f"{year} > 0 AND {month} BETWEEN 1 AND 12 AND {day} BETWEEN 1 AND 31"
    return f"(CASE WHEN {inside} THEN make_date({year}, {month}, 1) + ({day} - 1) ELSE DATE '1970-01-01' END)"


def read_date(text: str) -> date | None:
    """The day of a text; the days of a month run on into the next one, and a month that is none gives 1970-01-01."""
    found = _DATE.match(text)
    if found is None:
        return None
    year, month, day = (int(part) for part in found.groups() if part is not None)
    if not 1 <= month <= 12 or not 1 <= day <= 31 or not year:
        return date(1970, 1, 1)
    return date(year, month, 1) + timedelta(days=day - 1)


def clamped(day: date, type_: t.Date | t.Date32) -> date:
    first, last = (
        (date(1970, 1, 1), date(2149, 6, 6)) if isinstance(type_, t.Date) else (date(1900, 1, 1), date(2299, 12, 31))
    )
    return day if isinstance(type_, t.Date32) else min(max(day, first), last)


def _date_of_number(caster: Caster, value: Typed, target_: t.Date | t.Date32) -> Typed:
    """Up to 65535 days since the epoch; larger numbers are seconds."""
    if isinstance(value.type, t.Bool):
        value = caster.plain(value, t.UINT8)
    number = value.sql if isinstance(value.type, t.Int) else f"CAST(trunc({value.sql}) AS BIGINT)"
    if is_wide(value.type) or (isinstance(value.type, t.Int) and value.type.bits > 64):
        caster.refuse(value.type, target_)
    if caster.accurate:
        return _accurate(caster, value, target_, t.UINT32 if isinstance(target_, t.Date) else t.INT32)
    if isinstance(target_, t.Date32):
        return _date32_of_number(caster, value, target_, number)
    if isinstance(value.type, t.Int) and value.type.maximum <= 65535 and not value.type.signed:
        return caster.result(value, f"(DATE '1970-01-01' + CAST({number} AS INTEGER))", target_)
    whole = f"(CASE WHEN {number} > 4294967295 THEN 4294967295 ELSE {number} END)"
    seconds = f"make_timestamp(CAST({whole} AS BIGINT) * 1000000)"
    later = f"CAST({local_time(seconds, caster.zone)} AS DATE)"
    days = f"DATE '1970-01-01' + CAST((CASE WHEN {number} < 0 THEN 0 ELSE {number} END) AS INTEGER)"
    return caster.result(value, f"(CASE WHEN {number} > 65535 THEN {later} ELSE {days} END)", target_)


def _accurate(caster: Caster, value: Typed, target_: t.Type, whole: t.Int) -> Typed:
    """A number of days or seconds that must be whole and in range; others fail."""
    number = caster.plain(value, whole)
    converted = Caster(caster.compiler, caster.node, lenient=caster.lenient, zone=caster.zone).plain(
        number.as_type(whole), target_
    )
    if number.known and number.value is None:
        return caster.failed(value.value, target_, 70, "CANNOT_CONVERT_TYPE")
    sql = f"(CASE WHEN {number.sql} IS NOT NULL THEN {converted.sql} END)"
    return caster.result(value, sql, target_)


#: What counts as days for a Date32; larger numbers are seconds.
_MOST_DAYS = 2932896


def _date32_of_number(caster: Caster, value: Typed, target_: t.Date32, number: str) -> Typed:
    days = f"(DATE '1970-01-01' + CAST({number} AS INTEGER))"
    if isinstance(value.type, t.Int) and value.type.bits <= 16:
        return caster.result(value, days, target_)
    seconds = f"CAST({local_time(f'make_timestamp(CAST({number} AS BIGINT) * 1000000)', caster.zone)} AS DATE)"
    return caster.result(value, f"(CASE WHEN {number} > {_MOST_DAYS} THEN {seconds} ELSE {days} END)", target_)


@target(t.DateTime)
def to_datetime(caster: Caster, value: Typed, target_: t.DateTime) -> Typed:
    source = value.type
    match source:
        case t.String() | t.FixedString():
            return _moment_of_text(caster, value, target_, target_.zone)
        case t.Date() | t.Date32():
            moment = instant(f"CAST({value.sql} AS TIMESTAMP)", target_.zone)
            inside = f"{value.sql} BETWEEN DATE '1970-01-02' AND DATE '2106-02-06'"
            return caster.result(value, _wrapped_moment(inside, moment), target_)
        case t.DateTime():
            return caster.result(value, value.sql, target_)
        case t.DateTime64(precision):
            cut = value.sql if precision == 0 else f"date_trunc('second', {microseconds(value)})"
            inside = f"{value.sql} BETWEEN {_EPOCH} AND {_LAST_SECOND}"
            return caster.result(value, _wrapped_moment(inside, f"CAST({cut} AS TIMESTAMP)"), target_)
        case t.Time(None):
            return caster.result(value, f"make_timestamp(({value.sql} & 4294967295) * 1000000)", target_)
        case t.Int() | t.Decimal() if is_wide(source):
            return caster.refuse(source, target_)
        case t.Int() | t.Float() | t.Decimal() if caster.accurate:
            return _accurate(caster, value, target_, t.UINT32)
        case t.Int() | t.Bool():
            return _moment_of_number(caster, value, target_)
        case t.Float() | t.Decimal():
            whole = caster.result(value, f"CAST(trunc({value.sql}) AS BIGINT)", t.INT64)
            return _moment_of_number(caster, whole, target_)
    return caster.refuse(source, target_)


def _wrapped_moment(inside: str, moment: str) -> str:
    """A moment as the 32 bits of a DateTime tell it: beyond its range, which `inside` is about, it wraps around."""
    wrapped = f"make_timestamp((CAST(floor(epoch_us({moment}) / 1e6) AS BIGINT) & 4294967295) * 1000000)"
    return f"(CASE WHEN {inside} THEN {moment} ELSE {wrapped} END)"


def _moment_of_number(caster: Caster, value: Typed, target_: t.DateTime) -> Typed:
    """Seconds since the epoch, held between 1970 and 2106."""
    kind = value.type if isinstance(value.type, t.Int) else t.UINT8
    number = value.sql
    if kind.signed and kind.bits > 32:
        number = _held(number, "0", "4294967295")
    elif kind.signed:
        number = f"(CASE WHEN {number} < 0 THEN 0 ELSE {number} END)"
    elif kind.bits > 32:
        number = f"(CASE WHEN {number} > 4294967295 THEN 4294967295 ELSE {number} END)"
    return caster.result(value, f"make_timestamp(CAST({number} AS BIGINT) * 1000000)", target_)


def _held(sql: str, least: str, most: str) -> str:
    """A value held between two bounds; DuckDB's least and greatest would let a bound take the place of NULL."""
    return f"(CASE WHEN {sql} < {least} THEN {least} WHEN {sql} > {most} THEN {most} ELSE {sql} END)"


def _bounded(sql: str) -> str:
    return _held(sql, _EPOCH, _LAST_SECOND)


def _moment_of_text(caster: Caster, value: Typed, target_: t.DateTime | t.DateTime64, zone: str | None) -> Typed:
    if value.known and isinstance(value.value, str):
        known = read_strictly(value.value) if caster.basic else read_moment(value.value)
        if caster.basic and not value.value and isinstance(target_, t.DateTime64):
            known = datetime(1970, 1, 1), ""  # as ClickHouse answers for an empty text
        if known is not None and caster.basic and known[1] and isinstance(target_, t.DateTime):
            return caster.failed(value.value, target_)
        if known is not None:
            return _known_moment(*known, target_, zone)
        if not caster.basic and re.fullmatch(r"\d{1,3}(\.\d*)?", value.value):
            raise failures.unsupported(
                f"The time '{value.value}', which ClickHouse completes by today's date", caster.node
            )
    if caster.basic:
        return _basic_moment(caster, value, target_, zone)
    other = _best_effort(caster, value, target_, zone)
    usual = _usual_moment(value, target_, zone)
    pattern = f"regexp_full_match({value.sql}, {_MOMENT_SQL})"
    if other is None:
        return caster.checked(value, f"({pattern} AND {usual} IS NOT NULL)", usual, target_)
    if value.known:
        return other
    return caster.result(value, f"(CASE WHEN {pattern} THEN {usual} ELSE {other.sql} END)", target_)


def _basic_moment(caster: Caster, value: Typed, target_: t.DateTime | t.DateTime64, zone: str | None) -> Typed:
    usual = _usual_moment(value, target_, zone)
    whole = _STRICT_SECOND_SQL if isinstance(target_, t.DateTime) else _STRICT_SQL
    pattern = f"regexp_full_match({value.sql}, {whole}) AND {usual} IS NOT NULL"
    if isinstance(target_, t.DateTime64):
        usual = f"(CASE WHEN {value.sql} = '' THEN CAST({_EPOCH} AS {_storage(target_)}) ELSE {usual} END)"
        pattern = f"({value.sql} = '' OR {pattern})"
        return caster.checked(value, f"({pattern})", usual, target_)
    other = caster.checked(
        value, f"regexp_full_match({value.sql}, {_STRICT_OTHER_SQL})", _by_parts(value, zone), target_
    )
    return caster.result(value, f"(CASE WHEN {pattern} THEN {usual} ELSE {other.sql} END)", target_)


def _by_parts(value: Typed, zone: str | None) -> str:
    """As `read_strictly` reads a text, in SQL: a number of seconds, or a day that runs over into the next month."""
    seconds = f"make_timestamp(least(CAST({value.sql} AS HUGEINT), 4294967295)::BIGINT * 1000000)"
    passed = " + ".join(
        f"to_{unit}(TRY_CAST(substring({value.sql}, {place}, 2) AS INTEGER))"
        for unit, place in (("hours", 12), ("minutes", 15), ("seconds", 18))
    )
    clock = f"coalesce({passed}, INTERVAL 0 DAY)"
    moment = instant(f"(CAST({_day_by_parts(value.sql)} AS TIMESTAMP) + {clock})", zone)
    return f"(CASE WHEN regexp_full_match({value.sql}, '[0-9]+') THEN {seconds} ELSE {_bounded(moment)} END)"


def _usual_moment(value: Typed, target_: t.DateTime | t.DateTime64, zone: str | None) -> str:
    if isinstance(target_, t.DateTime):
        read = f"TRY_CAST(left({value.sql}, 19) AS TIMESTAMP)"
        return _bounded(first_instant(read, zone))
    return _to_precision(first_instant(f"TRY_CAST({value.sql} AS {_storage(target_)})", zone), target_.precision)


def _storage(target_: t.DateTime64) -> str:
    return "TIMESTAMP" if target_.precision <= 6 else "TIMESTAMP_NS"


def _to_precision(sql: str, precision: int) -> str:
    """Cut off the fraction beyond so many digits."""
    if precision in (6, 9):
        return sql
    unit = {0: "second", 3: "millisecond"}.get(precision)
    if unit is not None:
        return f"date_trunc('{unit}', {sql})"
    if precision < 6:
        step = 10 ** (6 - precision)
        return f"make_timestamp((epoch_us({sql}) // {step}) * {step})"
    step = 10 ** (9 - precision)
    return f"make_timestamp_ns((epoch_ns({sql}) // {step}) * {step})"


def read_moment(text: str) -> tuple[datetime, str] | None:
    """The wall clock of a text in the usual spelling, and the digits of its fraction."""
    found = _MOMENT.match(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction = found.groups()
    try:
        start = datetime(int(year), int(month), int(day))
    except ValueError:
        return None
    span = timedelta(hours=int(hour or 0), minutes=int(minute or 0), seconds=int(second or 0))
    return start + span, fraction or ""


_STRICT = re.compile(r"(\d{4})\D(\d{2})\D(\d{2})(?:[ T](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?)?\Z")
_SECONDS = re.compile(r"(\d{5,})(?:\.(\d+))?\Z")


def read_strictly(text: str) -> tuple[datetime, str] | None:
    """As conversions that give NULL or zero read a text: all digits of date and time, or a number of seconds."""
    seconds = _SECONDS.match(text)
    if seconds is not None:
        return datetime(1970, 1, 1) + timedelta(seconds=min(int(seconds[1]), 10**11)), seconds[2] or ""
    found = _STRICT.match(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction = found.groups()
    if not 1 <= int(month) <= 12 or not 1 <= int(day) <= 31 or not int(year):
        return datetime(1970, 1, 1), ""
    start = datetime(int(year), int(month), 1) + timedelta(days=int(day) - 1)
    span = timedelta(hours=int(hour or 0), minutes=int(minute or 0), seconds=int(second or 0))
    return start + span, fraction or ""


def _known_moment(moment: datetime, fraction: str, target_: t.DateTime | t.DateTime64, zone: str | None) -> Typed:
    text = moment.isoformat(" ")
    if isinstance(target_, t.DateTime):
        first, last = datetime(1970, 1, 1), datetime(2106, 2, 7, 6, 28, 15)
        plain = zone in (None, "UTC", "Etc/UTC")
        if plain:
            text = min(max(moment, first), last).isoformat(" ")
        sql = first_instant(f"TIMESTAMP '{text}'", zone)
        return Typed(sql if plain else _bounded(sql), target_, constant=True)
    digits = fraction[: target_.precision].ljust(1, "0")
    literal = f"CAST('{text}.{digits}' AS {_storage(target_)})"
    return Typed(first_instant(literal, zone), target_, constant=True)


def _best_effort(caster: Caster, value: Typed, target_: t.DateTime | t.DateTime64, zone: str | None) -> Typed | None:
    """The other spellings of a moment: those of parseDateTimeBestEffort, which conversions share."""
    precise = isinstance(target_, t.DateTime64) and target_.precision > 6
    if find_scalar("parseDateTime64BestEffort") is None or precise:
        return None
    from tbpy.clickhouse.compiler.literals import constant

    failure = "OrNull" if caster.lenient else ""
    zones = () if zone is None else (constant(zone),)
    call, node = caster.compiler.call, caster.node
    if isinstance(target_, t.DateTime64):
        precision = constant(target_.precision)
        return call(f"parseDateTime64BestEffort{failure}", value, precision, *zones, node=node)
    return call(f"parseDateTimeBestEffort{failure}", value, *zones, node=node)


@target(t.DateTime64)
def to_datetime64(caster: Caster, value: Typed, target_: t.DateTime64) -> Typed:
    source, storage = value.type, _storage(target_)
    match source:
        case t.String() | t.FixedString():
            return _moment_of_text(caster, value, target_, target_.zone)
        case t.Date() | t.Date32():
            sql = instant(f"CAST({value.sql} AS TIMESTAMP)", target_.zone)
            return caster.result(value, sql if storage == "TIMESTAMP" else f"CAST({sql} AS {storage})", target_)
        case t.DateTime():
            return caster.result(
                value, value.sql if storage == "TIMESTAMP" else f"CAST({value.sql} AS {storage})", target_
            )
        case t.DateTime64(precision):
            sql = value.sql if target_.precision >= precision else _to_precision(value.sql, target_.precision)
            same = (precision <= 6) == (target_.precision <= 6)
            return caster.result(value, sql if same else f"CAST({sql} AS {storage})", target_)
        case t.Time() if storage == "TIMESTAMP":
            ticks = rescaled(value.sql, scale_of(source), target_.precision)
            return caster.result(value, f"make_timestamp({rescaled(ticks, target_.precision, 6)})", target_)
        case t.Int() | t.Decimal() if is_wide(source) or (isinstance(source, t.Int) and source.bits > 64):
            return caster.refuse(source, target_)
        case t.Int() | t.Bool():
            sql = f"make_timestamp({_microseconds(value, target_)})"
            return caster.result(value, sql if storage == "TIMESTAMP" else f"CAST({sql} AS {storage})", target_)
        case t.Float() | t.Decimal():
            return _moment_of_fraction(caster, value, target_)
    return caster.refuse(source, target_)


def _microseconds(value: Typed, target_: t.DateTime64) -> str:
    """Of a whole number of seconds; what lies beyond the year 9999 is its last moment."""
    seconds = f"CAST({value.sql} AS BIGINT)"
    if isinstance(value.type, t.Int) and value.type.bits < 64:
        return f"{seconds} * 1000000"
    if value.type == t.UINT64:
        seconds = f"CAST(least({value.sql}, {_LATEST + 1}) AS BIGINT)"
    last = (_LATEST + 1) * 1_000_000 - 10 ** max(6 - target_.precision, 0)
    return f"(CASE WHEN {seconds} > {_LATEST} THEN {last} ELSE {seconds} * 1000000 END)"


def _moment_of_fraction(caster: Caster, value: Typed, target_: t.DateTime64) -> Typed:
    own = duckdb_type(value.type) if isinstance(value.type, t.Float) else "DOUBLE"  # a Float32 is scaled as one
    scale = f"CAST({10**target_.precision} AS {own})"
    step = 10 ** ((6 if target_.precision <= 6 else 9) - target_.precision)
    ticks = f"CAST(trunc(CAST({value.sql} AS {own}) * {scale}) AS BIGINT) * {step}"
    make = "make_timestamp" if target_.precision <= 6 else "make_timestamp_ns"
    return caster.result(value, f"{make}({ticks})", target_)
