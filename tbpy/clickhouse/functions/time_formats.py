"""Texts to moments by a given format, in MySQL's letters or in Joda's. A format is a constant."""

from __future__ import annotations

import re

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.printing import first_instant
from tbpy.clickhouse.compiler.failures import bad_arguments, failure
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.zones import zone_argument
from tbpy.clickhouse.quoting import duckdb_string

_ENDINGS = ("", "OrNull", "OrZero")
_USUAL = {"mysql": "%Y-%m-%d %H:%i:%S", "joda": "yyyy-MM-dd HH:mm:ss"}


def _by_format(stem: str, dialect: str) -> None:
    @scalar(*(f"parseDateTime{stem}{ending}" for ending in _ENDINGS), args=(1, 3))
    def seconds(call: Call) -> Typed:
        pattern, zone = _format(call, dialect), zone_argument(call, 2)
        return _parsed(call, pattern, dialect, zone, t.DateTime(zone or "Etc/UTC"))

    @scalar(*(f"parseDateTime64{stem}{ending}" for ending in _ENDINGS), args=(1, 3))
    def fractions(call: Call) -> Typed:
        usual = "%Y-%m-%d %H:%i:%S.%f" if dialect == "mysql" else _USUAL["joda"]
        pattern, zone = _format(call, dialect, usual), zone_argument(call, 2)
        digits = 6 if dialect == "mysql" else _joda_digits(call, pattern)
        return _parsed(call, pattern, f"{dialect}64", zone, t.DateTime64(digits, zone or "Etc/UTC"))


_by_format("", "mysql")
_by_format("InJodaSyntax", "joda")


@scalar("str_to_date", args=(2, 3), insensitive=True)
def str_to_date(call: Call) -> Typed:
    return call.compiler.call("parseDateTimeOrNull", *call.args, node=call.node)


def _format(call: Call, dialect: str, usual: str = "") -> str:
    pattern = call.constant_value(1, "format") if len(call.args) > 1 else usual or _USUAL[dialect]
    if not isinstance(pattern, str) or not isinstance(call.args[0].type, t.String):
        call.wrong_type()
    (_check_mysql if dialect == "mysql" else _check_joda)(call, pattern)
    return pattern


def _check_mysql(call: Call, pattern: str) -> None:
    from tbpy.clickhouse.udf.time_formats import MYSQL_LETTERS

    for letter in re.findall(r"%(.?)", pattern, re.S):
        if not letter:
            text = "'%' must not be the last character in the format string, use '%%' instead"
            raise bad_arguments(text, call.node)
        if letter in ("Q", "U", "v", "x", "X"):
            raise failure(f"format is not supported for {letter}", 48, "NOT_IMPLEMENTED", call.node)
        if letter not in MYSQL_LETTERS:
            text = f"Incorrect syntax '{pattern}', symbol is not supported '{letter}' for function {call.name}"
            raise bad_arguments(text, call.node)


def _check_joda(call: Call, pattern: str) -> None:
    from tbpy.clickhouse.udf.time_formats import JODA_LETTERS, joda_pieces

    for text, count in joda_pieces(pattern):
        if count < 0:
            raise bad_arguments("No closing single quote for literal", call.node)
        if count and text not in JODA_LETTERS:
            raise failure(f"format is not supported for {text}", 48, "NOT_IMPLEMENTED", call.node)


def _joda_digits(call: Call, pattern: str) -> int:
    """As many digits of a second as the format has of S."""
    from tbpy.clickhouse.udf.time_formats import joda_pieces

    digits = max((count for text, count in joda_pieces(pattern) if text == "S"), default=0)
    if digits > 6:
        call.unsupported("more than 6 digits of a second")
    return digits


def _parsed(call: Call, pattern: str, dialect: str, zone: str | None, type_: t.DateTime | t.DateTime64) -> Typed:
    text = call.sql(0)
    parsed = f"{call.context.udf('tb_parse_time')}({text}, {duckdb_string(pattern)}, '{dialect}')"
    wall = first_instant(f"make_timestamp({parsed}.us)", zone, twice=False)
    moment = wall if zone is None else f"(CASE WHEN {parsed}.utc THEN make_timestamp({parsed}.us) ELSE {wall} END)"
    if call.name.endswith("OrNull"):
        return call.typed(_quick(text, pattern, zone, moment), t.nullable(type_))
    if call.name.endswith("OrZero"):
        epoch = "TIMESTAMP '1970-01-01 00:00:00'"
        return call.typed(f"coalesce({_quick(text, pattern, zone, moment)}, {epoch})", type_)
    failed = f"CAST(error({parsed}.failure) AS TIMESTAMP)"
    checked = f"(CASE WHEN {parsed}.failure IS NULL THEN {moment} ELSE {failed} END)"
    return call.typed(_quick(text, pattern, zone, checked), type_)


#: Letters of numbers with a fixed number of digits: what strptime of DuckDB says for them, and how texts look
_FIXED = {
    "Y": ("%Y", r"\d{4}"), "m": ("%m", r"\d\d"), "d": ("%d", r"\d\d"), "H": ("%H", r"\d\d"), "i": ("%M", r"\d\d"),
    "s": ("%S", r"\d\d"), "S": ("%S", r"\d\d"), "F": ("%Y-%m-%d", r"\d{4}-\d\d-\d\d"),
    "T": ("%H:%M:%S", r"\d\d:\d\d:\d\d"), "R": ("%H:%M", r"\d\d:\d\d"), "yyyy": ("%Y", r"\d{4}"),
    "MM": ("%m", r"\d\d"), "dd": ("%d", r"\d\d"), "HH": ("%H", r"\d\d"), "mm": ("%M", r"\d\d"), "ss": ("%S", r"\d\d"),
}  # fmt: skip


def _quick(text: str, pattern: str, zone: str | None, slow: str) -> str:
    """DuckDB reads formats of fixed digits that begin with a year itself, where the text follows them."""
    joda = "%" not in pattern
    token = r"([^A-Za-z']+)|((?:yyyy|MM|dd|HH|mm|ss)(?![yMdHms]))" if joda else r"([^%]+)|%(.)"
    found = [(match[1], match[2], match[0]) for match in re.finditer(token, pattern, re.S)]
    letters = [letter for _, letter, _ in found if letter]
    whole = "".join(piece for _, _, piece in found) == pattern
    if not whole or not letters or letters[0] not in ("Y", "F", "yyyy") or not _FIXED.keys() >= set(letters):
        return slow
    strptime = "".join(_FIXED[letter][0] if letter else literal for literal, letter, _ in found)
    shape = "".join(_FIXED[letter][1] if letter else re.escape(literal) for literal, letter, _ in found)
    quick = f"try_strptime({text}, {duckdb_string(strptime)})"
    inside = f"{quick} BETWEEN TIMESTAMP '1970-01-02' AND TIMESTAMP '2106-02-06'"
    shaped = f"regexp_full_match({text}, {duckdb_string(shape)})"
    return f"(CASE WHEN {shaped} AND {inside} THEN {first_instant(quick, zone, twice=False)} ELSE {slow} END)"
