"""parseDateTimeBestEffort: dates and times in the many forms that people and programs write them.

The grammar follows ClickHouse's documentation of the function and its answers: a text is read from left to right,
numbers by how many digits they have, what stands behind them and what has been read already; a month may be a word; a
zone is Z, UTC, GMT, MSK or an offset.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from tbpy.clickhouse.moment_reading import DAYS, MONTHS, Unreadable, short_year
from tbpy.clickhouse.udf import Udf

_DIGITS = re.compile(r"\d{1,19}", re.A)
_WORD = re.compile(r"[A-Za-z]+")
_ZONES = {"utc": 0, "gmt": 0, "msk": 3, "msd": 4}


class Trailing(Unreadable):
    """The text goes on after the moment."""


@dataclass(slots=True)
class _Reader:
    text: str
    order: str  # "dmy" or "mdy": how 03/05/2024 is read; a month over 12 is the day
    precise: bool = False  # fractions are told
    place: int = 0
    year: int = 0
    month: int = 0
    day: int = 0
    hour: int = 0
    minute: int = 0
    second: int = 0
    fraction: str = ""
    timed: bool = False
    comma: bool = False
    utc: bool = False
    hours: int = 0  # off UTC
    minutes: int = 0
    behind: bool = False  # to the west of it
    half: str = ""
    ticks: int | None = None  # seconds since the epoch, where the text is a number of them

    def digits(self, most: int = 19) -> str:
        found = _DIGITS.match(self.text, self.place, self.place + most)
        if found is None:
            return ""
        self.place = found.end()
        return found[0]

    def number(self, counts: tuple[int, ...], what: str) -> int:
        """A number of one of these counts of digits."""
        digits = self.digits()
        if len(digits) not in counts:
            raise Unreadable(f"unexpected number of decimal digits {what}: {len(digits)}")
        return int(digits)

    def skip(self, chars: str) -> str:
        """The next character where it is one of some, which it then passes."""
        char = self.text[self.place : self.place + 1]
        if not char or char not in chars:
            return ""
        self.place += 1
        return char

    def trailing(self) -> Trailing:
        return Trailing(f"syntax error at position {self.place} (parsed just '{self.text[: self.place]}')")


def _read(reader: _Reader) -> None:
    while reader.place < len(reader.text) and reader.ticks is None:
        if bool(reader.year) != reader.timed and reader.skip(","):
            reader.comma = True
            if reader.place == len(reader.text):
                break
        digits = reader.digits() if not (reader.year and reader.timed) else ""
        if digits:
            _take_number(reader, digits)
        elif not _take_other(reader):
            break


def _take_number(reader: _Reader, digits: str) -> None:
    """What a run of digits tells, by its length."""
    fresh = not reader.year and not reader.timed
    match len(digits):
        case 9 | 10 if fresh:
            reader.ticks = int(digits)
            if reader.precise and reader.skip("."):
                reader.fraction = reader.digits()
        case 13 | 16 | 19 if fresh:
            reader.ticks, reader.fraction = int(digits[:10]), digits[10:]
        case 14 if fresh:
            _set_date(reader, digits[:4], digits[4:6], digits[6:8])
            _set_time(reader, digits[8:])
        case 8 if not reader.year:
            _set_date(reader, digits[:4], digits[4:6], digits[6:])
        case 6 if not reader.year and not reader.month:
            reader.year, reader.month = int(digits[:4]), int(digits[4:])
        case 6 if not reader.timed:
            _set_time(reader, digits)
        case 4 if not reader.year:
            _take_year(reader, digits)
        case 1 | 2:
            _take_small(reader, int(digits))
        case count:
            raise Unreadable(f"unexpected number of decimal digits: {count}")


def _set_date(reader: _Reader, year: str, month: str, day: str) -> None:
    reader.year, reader.month, reader.day = int(year), int(month), int(day)


def _set_time(reader: _Reader, digits: str) -> None:
    reader.hour, reader.minute, reader.second = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    reader.timed = True


def _take_year(reader: _Reader, digits: str) -> None:
    """A year, perhaps with month and day behind it, with the same sign between them; behind a blank all may follow."""
    reader.year = int(digits)
    sign = reader.text[reader.place : reader.place + 1]
    if sign == ",":
        raise reader.trailing()
    if reader.month or not sign:
        return
    reader.place += 1
    month = reader.digits()
    if len(month) in (1, 2):
        reader.month = int(month)
        if not reader.skip(sign):
            return
        day = reader.digits()
        if len(day) in (1, 2):
            reader.day = int(day)
        elif sign != " ":
            raise Unreadable(f"unexpected number of decimal digits after year and month: {len(day)}")
    elif sign != " ":
        raise Unreadable(f"unexpected number of decimal digits after year: {len(month)}")


def _take_small(reader: _Reader, number: int) -> None:
    """One or two digits: an hour before a colon, else a day, a month, or an hour that stands alone."""
    if reader.skip(":"):
        _take_clock(reader, number)
    elif reader.skip(","):
        if reader.month and not reader.day:
            reader.day = number
    elif reader.skip("/.-"):
        _take_day_first(reader, number)
    elif reader.day:
        reader.hour = number
    else:
        reader.day = number


def _take_clock(reader: _Reader, hour: int) -> None:
    if reader.timed:
        raise Unreadable("time component is duplicated")
    reader.hour, reader.timed = hour, True
    reader.minute = reader.number((1, 2), "after hour")
    if reader.skip(":"):
        reader.second = reader.number((1, 2), "after hour and minute")


def _take_day_first(reader: _Reader, number: int) -> None:
    if reader.day:
        raise Unreadable("day of month is duplicated")
    if reader.month:
        raise Unreadable("month is duplicated")
    if reader.order == "mdy":
        reader.month, reader.day = number, reader.number((1, 2), "after month")
    else:
        reader.day, digits = number, reader.digits()
        if len(digits) > 2:
            raise Unreadable(f"unexpected number of decimal digits after day of month: {len(digits)}")
        reader.month = int(digits) if digits else _named_month(reader)
    if reader.month > 12:
        reader.month, reader.day = reader.day, reader.month
    if reader.skip("/.-"):
        if reader.year:
            raise Unreadable("year component is duplicated")
        digits = reader.digits()
        if len(digits) not in (2, 4):
            raise Unreadable(f"unexpected number of decimal digits after day of month and month: {len(digits)}")
        reader.year = short_year(int(digits)) if len(digits) == 2 else int(digits)


def _named_month(reader: _Reader) -> int:
    word = _WORD.match(reader.text, reader.place)
    month = _position(word[0], MONTHS) if word is not None else 0
    if word is None or not month:
        raise Unreadable("alphabetical characters after day of month don't look like month")
    reader.place = word.end()
    return month


def _position(word: str, names: tuple[str, ...]) -> int:
    """The number of a name, which is written in full or with three letters; 0 where it is none of them."""
    return next((number for number, name in enumerate(names, 1) if word.lower() in (name, name[:3])), 0)


def _take_other(reader: _Reader) -> bool:
    """What is no number; False where nothing more can be read."""
    if reader.skip(" ") or (reader.year and not reader.timed and reader.skip("T")):
        return True
    if reader.skip("Z"):
        reader.utc = True
    elif reader.skip("."):
        if not reader.timed:
            raise Unreadable("unexpected point symbol")
        reader.fraction = reader.digits() or reader.fraction
    elif sign := reader.skip("+-"):
        _take_offset(reader, sign)
    else:
        return _take_word(reader)
    return True


def _take_offset(reader: _Reader, sign: str) -> None:
    digits = reader.digits()
    clock = len(digits) == 6 or (sign == "-" and len(digits) == 4)
    if clock and not reader.timed and reader.year and reader.month and reader.day:
        _set_time(reader, digits.ljust(6, "0"))
        reader.utc = reader.utc or len(digits) == 4
        return
    if not 1 <= len(digits) <= 4:
        raise Unreadable(f"unexpected number of decimal digits for time zone offset: {len(digits)}")
    hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "0")
    if len(digits) < 3 and reader.skip(":"):
        minutes = str(reader.number((1, 2), "for time zone offset in minutes"))
    reader.utc, reader.behind = True, reader.behind or sign == "-"
    reader.hours, reader.minutes = reader.hours + int(hours), reader.minutes + int(minutes)


def _take_word(reader: _Reader) -> bool:
    found = _WORD.match(reader.text, reader.place)
    if found is None:
        return False
    word = found[0].lower()
    if len(word) == 1:
        raise Unreadable("unexpected alphabetical character")
    reader.place = found.end()
    if word in ("am", "pm"):
        reader.half = word
    elif month := _position(word, MONTHS):
        reader.month = month
    elif word in _ZONES:
        reader.utc, reader.hours = True, _ZONES[word] or reader.hours
    elif _position(word, DAYS):
        reader.skip(",")
    else:
        raise Unreadable("unexpected word")
    return True


_EPOCH = date(1970, 1, 1)


def _seconds(reader: _Reader) -> int:
    """Seconds since the epoch, in UTC or on the wall clock."""
    if reader.comma and not (reader.year and reader.month and reader.day and reader.timed):
        raise Unreadable("unexpected word after Date")
    nothing = reader.ticks is None and not (reader.year or reader.month or reader.day or reader.timed)
    if reader.place < len(reader.text) and not nothing:
        raise reader.trailing()
    if reader.ticks is not None:
        return reader.ticks
    if nothing:
        raise Unreadable("neither Date nor Time was parsed successfully")
    if not reader.year:
        raise Unreadable("a date without a year, which ClickHouse completes by today's date, is not supported by tbpy")
    try:
        day = date(reader.year, reader.month or 1, reader.day or 1)
    except ValueError:
        raise Unreadable(f"unexpected date: {reader.year}-{reader.month}-{reader.day}") from None
    hour = reader.hour
    if reader.half == "am" and hour == 12:
        hour = 0
    if reader.half == "pm" and hour < 12:
        hour += 12
    offset = (reader.hours * 60 + reader.minutes) * (-1 if reader.behind else 1)
    passed = hour * 3600 + (reader.minute - offset) * 60 + reader.second
    return (day - _EPOCH) // timedelta(days=1) * 86400 + passed


@lru_cache(maxsize=65536)
def parse_best_effort(text: str, order: str, precise: bool) -> dict[str, Any]:
    """`{us, nanos, utc, failure}`: microseconds since the epoch and the nanoseconds beyond, and whether that is in UTC
    or on the wall clock; or why the text tells no moment."""
    reader = _Reader(text, order, precise)
    try:
        _read(reader)
        seconds = _seconds(reader)
    except Unreadable as error:
        failure = f"CANNOT_PARSE_DATETIME: Cannot read DateTime: {error}"
        if isinstance(error, Trailing):
            failure = f"CANNOT_PARSE_TEXT: Cannot parse string '{text}' as DateTime: {error}"
        return {"us": None, "nanos": None, "utc": None, "failure": failure}
    fraction = reader.fraction[:9].ljust(9, "0")
    utc = reader.utc or reader.ticks is not None
    return {"us": seconds * 1_000_000 + int(fraction[:6]), "nanos": int(fraction[6:]), "utc": utc, "failure": None}


FUNCTIONS = {
    "tb_parse_best_effort": Udf(
        parse_best_effort,
        ("VARCHAR", "VARCHAR", "BOOLEAN"),
        "STRUCT(us BIGINT, nanos BIGINT, utc BOOLEAN, failure VARCHAR)",
    ),
}
