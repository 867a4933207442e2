"""parseDateTimeBestEffort: dates and times in the many forms that people and programs write them.

The grammar follows ClickHouse's documentation of the function: numbers are read by how many digits they have and what
stands around them; a month may be a word; a zone is Z, UTC, GMT or an offset.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from tbpy.clickhouse.udf import Udf

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "sept": 9, "oct": 10,
    "nov": 11, "dec": 12, "january": 1, "february": 2, "march": 3, "april": 4, "june": 6, "july": 7, "august": 8,
    "september": 9, "october": 10, "november": 11, "december": 12,
}  # fmt: skip
_DAYS = {
    "mon", "monday", "tue", "tues", "tuesday", "wed", "wednesday", "thu", "thur", "thurs", "thursday", "fri", "friday",
    "sat", "saturday", "sun", "sunday",
}  # fmt: skip
_TIME = re.compile(r"(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d+))?)?")
_OFFSET = re.compile(r"(?:(?:utc|gmt|z)\s*)?([+-])(\d{2}):?(\d{2})?$", re.I)
_ZONE = re.compile(r"(?<=[\d\s])(?:z|utc|gmt)$", re.I)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)[-+ T]?(\d\d)(\d\d)(\d\d)(?:\.(\d+))?$", re.I)
_YEAR_FIRST = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?$")
_YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})$")
_HOUR_ONLY = re.compile(r"(?<=\d)[T ](\d{2})$", re.I)


@dataclass(frozen=True, slots=True)
class _Parts:
    year: int
    month: int = 1
    day: int = 1


@lru_cache(maxsize=65536)
def parse_best_effort(text: str | None, order: str) -> dict[str, Any] | None:
    """`{us, utc}`: microseconds since the epoch, and whether the text named its own zone. None when it tells no moment.

    `order` is "dmy" or "mdy": how 03/05/2024 is read; a part over 12 decides by itself.
    """
    if text is None:
        return None
    rest = text.strip()
    number = _timestamp(rest)
    if number is not None:
        return {"us": number, "utc": True}
    compact = _COMPACT.match(_ZONE.sub("", rest).strip())
    if compact is not None:
        return _answer(compact.groups(), utc=bool(_ZONE.search(rest)), offset=0)
    offset, utc, rest = _take_zone(rest)
    clock, rest = _take_time(rest)
    if clock is None:
        return None
    parts = _date(rest, order)
    if parts is None:
        return None
    fields = (parts.year, parts.month, parts.day, *clock)
    return _answer(tuple(str(field) for field in fields), utc=utc, offset=offset)


def _timestamp(text: str) -> int | None:
    """Seconds (9 or 10 digits), milli- or microseconds since the epoch, perhaps with a fraction."""
    match = re.fullmatch(r"(\d{9,10})(?:\.(\d+))?|(\d{13})|(\d{16})", text)
    if match is None:
        return None
    seconds, fraction, milli, micro = match.groups()
    if seconds is not None:
        return int(seconds) * 1_000_000 + int(((fraction or "") + "000000")[:6])
    return int(milli) * 1000 if milli is not None else int(micro)


def _take_zone(text: str) -> tuple[int, bool, str]:
    """The offset in minutes at the end of a text that has a time, whether there was one, and the text before it."""
    match = _OFFSET.search(text)
    if match is not None and ":" in text[: match.start()]:
        sign, hours, minutes = match.groups()
        value = int(hours) * 60 + int(minutes or 0)
        return (value if sign == "+" else -value), True, text[: match.start()].rstrip()
    match = _ZONE.search(text)
    if match is not None:
        return 0, True, text[: match.start()].rstrip()
    return 0, False, text


def _take_time(text: str) -> tuple[tuple[int, int, int, str] | None, str]:
    """(hour, minute, second, fraction) and what is left; midnight where no time is told, None for an impossible one."""
    match = _TIME.search(text)
    if match is None:
        hour = _HOUR_ONLY.search(text)
        if hour is not None and re.match(r"\d{4}-", text):
            return (int(hour.group(1)), 0, 0, ""), text[: hour.start()]
        return (0, 0, 0, ""), text
    hour_text, minute, second, fraction = match.groups()
    before, after = text[: match.start()].rstrip(), text[match.end() :]
    before = before[:-1] if before[-1:] in "Tt" and before[-2:-1].isdigit() else before
    half = re.match(r"\s*([ap])\.?m\.?(?=\s|,|$)", after, re.I)
    value = int(hour_text)
    if half is not None:
        after = after[half.end() :]
        value = _on_24_hours(value, half.group(1).lower())
    if value > 23 or int(minute) > 59 or int(second or 0) > 59:
        return None, text
    return (value, int(minute), int(second or 0), fraction or ""), f"{before} {after}".strip()


def _on_24_hours(hour: int, half: str) -> int:
    if half == "p":
        return hour + 12 if hour < 12 else hour
    return 0 if hour == 12 else hour


def _date(text: str, order: str) -> _Parts | None:
    words = [word for word in re.split(r"[\s,]+|(?<=\d)-(?=[A-Za-z])|(?<=[A-Za-z])-(?=\d)", text) if word]
    months = [word for word in words if word.lower() in _MONTHS]
    words = [word for word in words if word.lower() not in _DAYS]
    if months:
        return _with_named_month(months, [word for word in words if word not in months])
    if len(words) != 1:
        return None
    [word] = words
    if re.fullmatch(r"\d{8}", word):
        return _Parts(int(word[:4]), int(word[4:6]), int(word[6:]))
    if re.fullmatch(r"\d{6}", word):
        return _Parts(int(word[:4]), int(word[4:]))
    match = _YEAR_FIRST.match(word)
    if match is not None:
        return _Parts(int(match.group(1)), int(match.group(2) or 1), int(match.group(3) or 1))
    match = _YEAR_LAST.match(word)
    return None if match is None else _year_last(match, order)


def _year_last(match: re.Match[str], order: str) -> _Parts:
    first, second, year = (int(part) for part in match.groups())
    year = year if year > 99 else _century(year)
    day, month = (first, second) if order == "dmy" else (second, first)
    return _Parts(year, day, month) if month > 12 else _Parts(year, month, day)


def _century(year: int) -> int:
    """A year of two digits, between 1970 and 2069."""
    return 2000 + year if year < 70 else 1900 + year


def _with_named_month(months: list[str], others: list[str]) -> _Parts | None:
    if len(months) != 1 or not all(re.fullmatch(r"\d{1,4}", word) for word in others) or len(others) != 2:
        return None
    if all(len(word) < 3 for word in others):  # 15-JUL-16
        day, year = (int(word) for word in others)
        return _Parts(_century(year), _MONTHS[months[0].lower()], day)
    years = [word for word in others if len(word) == 4]
    days = [word for word in others if len(word) < 3]
    if len(years) != 1 or len(days) != 1:
        return None
    return _Parts(int(years[0]), _MONTHS[months[0].lower()], int(days[0]))


def _answer(fields: tuple[Any, ...], *, utc: bool, offset: int) -> dict[str, Any] | None:
    year, month, day, hour, minute, second, fraction = fields
    micros = int(((fraction or "") + "000000")[:6])
    try:
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), micros, tzinfo=UTC)
    except ValueError:
        return None
    return {"us": (moment - timedelta(minutes=offset) - _EPOCH) // timedelta(microseconds=1), "utc": utc}


FUNCTIONS = {
    "tb_parse_best_effort": Udf(parse_best_effort, ("VARCHAR", "VARCHAR"), "STRUCT(us BIGINT, utc BOOLEAN)", "special"),
}
