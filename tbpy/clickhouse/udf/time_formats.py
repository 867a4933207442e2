"""parseDateTime: moments read from a text by a format, in MySQL's letters or in Joda's.

Source: ClickHouse documentation of parseDateTime and parseDateTimeInJodaSyntax, and answers of a ClickHouse.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from tbpy.clickhouse.moment_reading import (
    DAYS,
    MONTHS,
    Moment,
    Unreadable,
    moment_of,
    set_day,
    set_day_of_year,
    set_half,
    set_hour,
    set_minute,
    set_month,
    set_second,
    set_week,
    set_weekday,
    set_year,
    short_year,
)
from tbpy.clickhouse.udf import Udf

Step = Callable[[Moment], None]


def _fraction(m: Moment) -> None:
    found = re.compile(r"\d{1,6}", re.A).match(m.text, m.place)
    if found is None:
        raise Unreadable(f"a fraction of a second is expected at '{m.text[m.place :]}'")
    m.microsecond, m.place = int(found[0].ljust(6, "0")), found.end()


def _mysql_offset(m: Moment) -> None:
    sign = m.take(1)
    if sign not in ("+", "-"):
        raise Unreadable(f"an offset is expected at '{sign}'")
    seconds = m.digits(2) * 3600 + m.digits(2) * 60
    m.offset = seconds if sign == "+" else -seconds


def _of(setter: Callable[[Moment, int], None], count: int) -> Step:
    return lambda m: setter(m, m.digits(count))


def _free(setter: Callable[[Moment, int], None], most: int = 2) -> Step:
    return lambda m: setter(m, m.number(most)[0])


def _hour_step(half: bool, from_one: bool, *, fixed: bool) -> Step:
    return lambda m: set_hour(m, m.digits(2) if fixed else m.number(2)[0], half, from_one)


def _day_padded(m: Moment) -> None:
    if m.text.startswith(" ", m.place):
        m.place += 1
    set_day(m, m.number(2)[0])


_MYSQL: dict[str, Step] = {
    "a": lambda m: set_weekday(m, m.word(DAYS, whole=False)),
    "b": lambda m: set_month(m, m.word(MONTHS, whole=False)),
    "c": _free(set_month),
    "C": lambda m: set_year(m, m.held(m.digits(2), 19, 21, "century") * 100),
    "d": _of(set_day, 2),
    "e": _day_padded,
    "f": _fraction,
    "g": lambda m: set_year(m, short_year(m.digits(2))),
    "G": _of(set_year, 4),
    "H": _hour_step(False, False, fixed=True),
    "h": _hour_step(True, True, fixed=True),
    "i": _of(set_minute, 2),
    "I": _hour_step(True, True, fixed=True),
    "j": _of(set_day_of_year, 3),
    "k": _hour_step(False, False, fixed=False),
    "l": _hour_step(True, True, fixed=False),
    "m": _of(set_month, 2),
    "M": lambda m: set_month(m, m.word(MONTHS, whole=True)),
    "n": lambda m: m.expect("\n"),
    "p": set_half,
    "s": _of(set_second, 2),
    "S": _of(set_second, 2),
    "t": lambda m: m.expect("\t"),
    "u": _of(set_weekday, 1),
    "V": _of(set_week, 2),
    "w": lambda m: set_weekday(m, m.held(m.digits(1), 0, 6, "day of week") or 7),
    "W": lambda m: set_weekday(m, m.word(DAYS, whole=True)),
    "y": lambda m: set_year(m, short_year(m.digits(2))),
    "Y": _of(set_year, 4),
    "z": _mysql_offset,
    "%": lambda m: m.expect("%"),
}
_MYSQL_WHOLE = {"D": "%m/%d/%y", "F": "%Y-%m-%d", "r": "%I:%i %p", "R": "%H:%i", "T": "%H:%i:%S"}
MYSQL_LETTERS = frozenset(_MYSQL) | frozenset(_MYSQL_WHOLE)


def _joda_year(count: int, *, signed: bool) -> Step:
    def step(m: Moment) -> None:
        number, digits = m.number(4 if count == 3 else count, signed=signed)
        set_year(m, short_year(number) if count == 2 and digits == 2 and number >= 0 else number)

    return step


def _joda_week_year(count: int) -> Step:
    def step(m: Moment) -> None:
        _joda_year(count, signed=True)(m)
        m.by = "week"

    return step


def _joda_fraction(count: int) -> Step:
    def step(m: Moment) -> None:
        m.microsecond = m.number(max(count, 2))[0] * 10 ** (6 - min(count, 6))

    return step


def _joda_offset(m: Moment) -> None:
    sign = m.take(1)
    if sign not in ("+", "-"):
        raise Unreadable(f"an offset is expected at '{sign}'")
    seconds = m.number(2)[0] * 3600 + m.number(2)[0] * 60
    m.offset = seconds if sign == "+" else -seconds


def _joda_zone(m: Moment) -> None:
    found = re.compile(r"[A-Za-z0-9_+/-]+").match(m.text, m.place)
    if found is None:
        raise Unreadable(f"a time zone is expected at '{m.text[m.place :]}'")
    m.zone, m.place = found[0], found.end()


def _joda_era(m: Moment) -> None:
    era = m.take(2).upper()
    if era != "AD":
        raise Unreadable("Era BC exceeds the range of DateTime" if era == "BC" else f"an era is expected at '{era}'")


#: What a run of a letter does, by its length
_JODA: dict[str, Callable[[int], Step]] = {
    "G": lambda count: _joda_era,
    "C": lambda count: lambda m: set_year(m, m.held(m.number(count)[0], 19, 21, "century") * 100),
    "Y": lambda count: _joda_year(count, signed=False),
    "x": _joda_week_year,
    "w": lambda count: _free(set_week, max(count, 2)),
    "e": lambda count: _free(set_weekday, max(count, 1)),
    "E": lambda count: lambda m: set_weekday(m, m.word(DAYS, whole=None)),
    "y": lambda count: _joda_year(count, signed=True),
    "D": lambda count: _free(set_day_of_year, max(count, 3)),
    "M": lambda count: (
        _free(set_month, 2) if count < 3 else lambda m: set_month(m, m.word(MONTHS, whole=None))
    ),
    "d": lambda count: _free(set_day, max(count, 2)),
    "a": lambda count: set_half,
    "K": lambda count: lambda m: set_hour(m, m.number(max(count, 2))[0], True, False),
    "h": lambda count: lambda m: set_hour(m, m.number(max(count, 2))[0], True, True),
    "H": lambda count: lambda m: set_hour(m, m.number(max(count, 2))[0], False, False),
    "k": lambda count: lambda m: set_hour(m, m.number(max(count, 2))[0], False, True),
    "m": lambda count: _free(set_minute, max(count, 2)),
    "s": lambda count: _free(set_second, max(count, 2)),
    "S": _joda_fraction,
    "z": lambda count: _joda_zone,
    "Z": lambda count: _joda_offset,
}  # fmt: skip
JODA_LETTERS = frozenset(_JODA)


# --- formats ----------------------------------------------------------------------------------------------------------


def _literal(text: str) -> Step:
    return lambda m: m.expect(text)


@lru_cache(maxsize=256)
def _mysql_steps(pattern: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    for literal, letter in re.findall(r"([^%]+)|%(.)", pattern, re.S):
        if literal:
            steps.append(_literal(literal))
        else:
            steps += _mysql_steps(_MYSQL_WHOLE[letter]) if letter in _MYSQL_WHOLE else (_MYSQL[letter],)
    return tuple(steps)


JODA_TOKEN = re.compile(r"''|'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")


def joda_pieces(pattern: str) -> list[tuple[str, int]]:
    """A Joda format as (letter, how many of it) and (literal text, 0), in order; a stray quote is `("'", -1)`."""
    pieces: list[tuple[str, int]] = []
    place = 0
    while place < len(pattern):
        found = JODA_TOKEN.match(pattern, place)
        if found is None:
            return [*pieces, ("'", -1)]
        place = found.end()
        if found.group(2) is not None:
            pieces.append((found.group(2), len(found.group())))
        elif found.group(1) is not None:
            pieces.append((found.group(1).replace("''", "'"), 0))
        else:
            pieces.append(("'" if found.group() == "''" else found.group(), 0))
    return pieces


@lru_cache(maxsize=256)
def _joda_steps(pattern: str) -> tuple[Step, ...]:
    return tuple(_JODA[text](count) if count else _literal(text) for text, count in joda_pieces(pattern))


_EPOCH = datetime(1970, 1, 1)


@lru_cache(maxsize=65536)
def parse_time(text: str, pattern: str, dialect: str) -> dict[str, Any]:
    """`{us, utc, failure}`: microseconds since the epoch, whether they are UTC or a wall clock; or why there are none.

    `dialect` is "mysql" or "joda", with "64" after it where years are not held between 1970 and 2106.
    """
    m = Moment(text, narrow=not dialect.endswith("64"))
    steps = (_mysql_steps if dialect.startswith("mysql") else _joda_steps)(pattern)
    try:
        for step in steps:
            step(m)
        if m.place < len(text):
            raise Unreadable(f"Invalid format input {text} is malformed at {text[m.place :]}")
        moment, utc = moment_of(m)
    except (Unreadable, ValueError, OverflowError) as error:
        return {"us": None, "utc": None, "failure": f"CANNOT_PARSE_DATETIME: {error}"}
    if m.narrow and moment < _EPOCH:
        failure = "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE: Seconds since epoch is negative"
        return {"us": None, "utc": None, "failure": failure}
    return {"us": (moment - _EPOCH) // timedelta(microseconds=1), "utc": utc, "failure": None}


FUNCTIONS = {
    "tb_parse_time": Udf(
        parse_time, ("VARCHAR", "VARCHAR", "VARCHAR"), "STRUCT(us BIGINT, utc BOOLEAN, failure VARCHAR)"
    ),
}
