"""Text to moments: by a given format, or by best effort; and moments made of their parts."""

from __future__ import annotations

import re

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.date_format import joda_to_strftime
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.zones import to_utc, zone_argument
from tbpy.clickhouse.quoting import duckdb_string

#: ISO dates with time, which DuckDB reads itself: the form nearly all data has.
_ISO = duckdb_string(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?")


def _text(call: Call) -> str:
    inner = t.plain(call.args[0].type)
    if not isinstance(inner, t.String | t.FixedString):
        call.wrong_type()
    return call.sql(0)


def _finished(call: Call, sql: str, type_: t.Type, what: str) -> Typed:
    """A moment that may be NULL, by the ending of the function's name: an error, NULL, or the epoch."""
    if call.name.endswith("OrNull"):
        return call.typed(sql, t.nullable(type_))
    if call.name.endswith("OrZero"):
        return call.typed(f"coalesce({sql}, TIMESTAMP '1970-01-01 00:00:00')", type_)
    message = duckdb_string(f"CANNOT_PARSE_DATETIME: Cannot read {what}: unexpected text: ")
    return call.typed(f"coalesce({sql}, CAST(error({message} || {call.sql(0)}) AS TIMESTAMP))", type_)


# --- best effort ------------------------------------------------------------------------------------------------------


def best_effort(call: Call, text: str, order: str, zone: str | None) -> str:
    """The moment in UTC that a text tells, NULL where it tells none."""
    function = call.context.udf("tb_parse_best_effort")
    plain = to_utc(f"TRY_CAST({text} AS TIMESTAMP)", zone)
    # A moment with its own offset comes back as UTC, one without as a wall clock of the zone.
    parsed = f"{function}({text}, '{order}')"
    wall = to_utc(f"make_timestamp({parsed}.us)", zone)
    other = f"CASE WHEN {parsed}.utc THEN make_timestamp({parsed}.us) ELSE {wall} END"
    return f"CASE WHEN regexp_full_match({text}, {_ISO}) THEN {plain} ELSE {other} END"


def _best_effort(stem: str, order: str) -> None:
    endings = ("", "OrNull", "OrZero")

    @scalar(*(f"parseDateTime{stem}{ending}" for ending in endings), args=(1, 2))
    def seconds(call: Call) -> Typed:
        zone = zone_argument(call, 1)
        value = f"date_trunc('second', {best_effort(call, _text(call), order, zone)})"
        inside = f"least(greatest({value}, TIMESTAMP '1970-01-01'), TIMESTAMP '2106-02-07 06:28:15')"
        return _finished(call, f"(CASE WHEN {value} IS NULL THEN NULL ELSE {inside} END)", t.DateTime(zone), "DateTime")

    @scalar(*(f"parseDateTime64{stem}{ending}" for ending in endings), args=(1, 3))
    def fractions(call: Call) -> Typed:
        precision = call.constant_value(1, "precision") if len(call.args) > 1 else 3
        zone = zone_argument(call, 2)
        if not isinstance(precision, int) or precision > 6:
            call.unsupported(f"precision {precision}")
        value = best_effort(call, _text(call), order, zone)
        step = 10 ** (6 - precision)
        cut = f"make_timestamp(CAST(floor(epoch_us({value}) / {step}e0) AS BIGINT) * {step})"
        return _finished(call, f"({cut})", t.DateTime64(precision, zone), "DateTime64")


_best_effort("BestEffort", "dmy")
_best_effort("BestEffortUS", "mdy")


@scalar("parseDateTime32BestEffort", "parseDateTime32BestEffortOrNull", "parseDateTime32BestEffortOrZero", args=(1, 2))
def parse_32(call: Call) -> Typed:
    return call.compiler.call(call.name.replace("Time32", "Time"), *call.args, node=call.node)


# --- by format --------------------------------------------------------------------------------------------------------

_STRPTIME = {
    "Y": "%Y", "y": "%y", "m": "%m", "c": "%m", "d": "%d", "e": "%d", "H": "%H", "k": "%H", "I": "%I", "h": "%I",
    "l": "%I", "i": "%M", "M": "%B", "b": "%b", "a": "%a", "W": "%A", "s": "%S", "S": "%S", "p": "%p", "j": "%j",
    "f": "%f", "F": "%Y-%m-%d", "T": "%H:%M:%S", "R": "%H:%M", "D": "%m/%d/%y", "n": "\n", "t": "\t", "%": "%%",
    "r": "%I:%M %p",
}  # fmt: skip


def _strptime_format(call: Call) -> str:
    pattern = str(call.constant_value(1, "format")) if len(call.args) > 1 else "%Y-%m-%d %H:%i:%S"
    out = ""
    for literal, letter in re.findall(r"([^%]+)|%(.)", pattern, re.S):
        if letter and letter not in _STRPTIME:
            call.unsupported(f"'%{letter}' in a format")
        out += literal or _STRPTIME[letter]
    return out


def _parsed(text: str, pattern: str) -> str:
    """A text by a strptime format. What the format leaves out is of 1970-01-01, where DuckDB says 1900."""
    value = f"try_strptime({text}, {duckdb_string(pattern)})"
    if "%Y" not in pattern and "%y" not in pattern:
        return f"({value} + INTERVAL 70 YEAR)"
    return value


@scalar("parseDateTime", "parseDateTimeOrNull", "parseDateTimeOrZero", args=(1, 3))
def parse_date_time(call: Call) -> Typed:
    zone = zone_argument(call, 2)
    value = to_utc(_parsed(_text(call), _strptime_format(call)), zone)
    return _finished(call, value, t.DateTime(zone or "Etc/UTC"), "DateTime")


@scalar("str_to_date", args=(2, 3), insensitive=True)
def str_to_date(call: Call) -> Typed:
    return call.compiler.call("parseDateTimeOrNull", *call.args, node=call.node)


@scalar(
    "parseDateTimeInJodaSyntax",
    "parseDateTimeInJodaSyntaxOrNull",
    "parseDateTimeInJodaSyntaxOrZero",
    args=(2, 3),
)
def parse_joda(call: Call) -> Typed:
    zone = zone_argument(call, 2)
    pattern = joda_to_strftime(call, str(call.constant_value(1, "format"))).replace("%-", "%")
    value = to_utc(_parsed(_text(call), pattern), zone)
    return _finished(call, value, t.DateTime(zone or "Etc/UTC"), "DateTime")


# --- by parts ---------------------------------------------------------------------------------------------------------


@scalar("makeDateTime", args=(6, 7), insensitive=True)
def make_date_time(call: Call) -> Typed:
    zone = zone_argument(call, 6)
    return call.typed(_made(call, zone, ("1970-01-01 00:00:00", "2106-02-07 06:28:15")), t.DateTime(zone))


@scalar("makeDateTime64", args=(6, 9), insensitive=True)
def make_date_time64(call: Call) -> Typed:
    """The fraction is a whole number of the smallest unit that the precision has."""
    precision = call.constant_value(7, "precision") if len(call.args) > 7 else 3
    zone = zone_argument(call, 8)
    if precision > 6:
        call.unsupported(f"precision {precision}")
    fraction = f"least(CAST({call.sql(6)} AS BIGINT), {10**precision - 1})" if len(call.args) > 6 else "0"
    bounds = ("1900-01-01 00:00:00", f"2299-12-31 23:59:59.{'9' * precision or '0'}")
    made = _made(call, zone, bounds, f"to_microseconds({fraction} * {10 ** (6 - precision)})")
    return call.typed(made, t.DateTime64(precision, zone))


def _made(call: Call, zone: str | None, bounds: tuple[str, str], fraction: str = "") -> str:
    """The moment, held between two bounds; the first of them for a day or time that is none."""
    parts = [f"CAST({arg.sql} AS BIGINT)" for arg in call.args[:6]]
    start = f"TRY(make_timestamp({parts[0]}, {parts[1]}, 1, 0, 0, 0))"
    # The 30th of February is the 1st or 2nd of March, the hour 25 one of the next day.
    whole = " AND ".join([f"{parts[2]} BETWEEN 1 AND 31", *(f"{part} BETWEEN 0 AND 255" for part in parts[3:])])
    passed = f"to_days(CAST({parts[2]} - 1 AS INTEGER)) + to_hours({parts[3]}) + to_minutes({parts[4]})"
    made = f"(CASE WHEN {whole} THEN {start} + {passed} + to_seconds({parts[5]}) END)"
    made = f"({made} + {fraction})" if fraction else made
    first, last = (f"TIMESTAMP '{moment}'" for moment in bounds)
    return to_utc(f"coalesce(least(greatest({made}, {first}), {last}), {first})", zone)
