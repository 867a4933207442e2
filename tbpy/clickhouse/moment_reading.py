"""A moment that is being read from a text, part by part, with the ranges that ClickHouse holds the parts to.

What a text leaves out is of 2000-01-01, or of 1970-01-01 where it tells no date at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Unreadable(Exception):
    """The text does not follow the format, and why."""


@dataclass(slots=True)
class Moment:
    """What has been read so far."""

    text: str
    place: int = 0
    narrow: bool = True  # a DateTime, of 1970 to 2106
    year: int | None = None
    month: int = 1
    day: int = 1
    week: int = 1
    weekday: int = 1
    day_of_year: int = 1
    by: str = "day"  # or "week" or "day of year": what tells the day
    hour: int = 0
    minute: int = 0
    second: int = 0
    microsecond: int = 0
    half_day: bool = False
    afternoon: bool = False
    offset: int | None = None  # seconds east of UTC
    zone: str | None = None

    def take(self, count: int) -> str:
        """So many characters, whatever they are."""
        piece = self.text[self.place : self.place + count]
        if len(piece) < count:
            raise Unreadable(f"{count} characters are expected at '{piece}'")
        self.place += count
        return piece

    def expect(self, literal: str) -> None:
        if not self.text.startswith(literal, self.place):
            raise Unreadable(f"literal '{literal}' is expected at '{self.text[self.place :]}'")
        self.place += len(literal)

    def digits(self, count: int) -> int:
        """A number of so many characters; ClickHouse does not look whether they are digits."""
        number = 0
        for char in self.take(count):
            number = number * 10 + ord(char) - ord("0")
        return number

    def number(self, most: int, *, signed: bool = False) -> tuple[int, int]:
        """A number of up to so many digits, and how many there were."""
        found = re.compile(rf"([+-]?)(\d{{1,{most}}})" if signed else rf"()(\d{{1,{most}}})", re.A).match(
            self.text, self.place
        )
        if found is None:
            raise Unreadable(f"a number is expected at '{self.text[self.place :]}'")
        self.place = found.end()
        return int(found[1].replace("+", "") + found[2]), len(found[2])

    def word(self, words: tuple[str, ...], *, whole: bool | None) -> int:
        """The number of a month or weekday by its name: of three letters, in full, or (None) either."""
        start = self.text[self.place : self.place + 3].lower()
        for position, name in enumerate(words, 1):
            if name[:3] == start:
                full = self.text[self.place : self.place + len(name)].lower() == name
                if whole and not full:
                    break
                self.place += len(name) if full and whole is not False else 3
                return position
        raise Unreadable(f"a name of a month or day is expected at '{self.text[self.place :]}'")

    def date_told(self, by: str) -> None:
        self.by = by
        self.year = 2000 if self.year is None else self.year

    def held(self, value: int, least: int, most: int, what: str) -> int:
        if not least <= value <= most:
            raise Unreadable(f"Value {value} for {what} must be in the range [{least}, {most}]")
        return value


def set_year(m: Moment, year: int) -> None:
    m.year = m.held(year, 1970, 2106, "year") if m.narrow else year


def set_month(m: Moment, month: int) -> None:
    m.month = m.held(month, 1, 12, "month of year")
    m.date_told("day")


def set_day(m: Moment, day: int) -> None:
    m.day = m.held(day, 1, 31, "day of month")
    m.date_told("day")


def set_day_of_year(m: Moment, day: int) -> None:
    m.day_of_year = m.held(day, 1, 366, "day of year")
    m.date_told("day of year")


def set_week(m: Moment, week: int) -> None:
    m.week = m.held(week, 1, 53, "week of year")
    m.date_told("week")


def set_weekday(m: Moment, weekday: int) -> None:
    m.weekday = m.held(weekday, 1, 7, "day of week")
    m.date_told("week")


def set_hour(m: Moment, hour: int, half: bool, from_one: bool) -> None:
    size = 12 if half else 24
    m.hour = m.held(hour, int(from_one), size - 1 + int(from_one), "hour") % size
    m.half_day = half


def set_minute(m: Moment, minute: int) -> None:
    m.minute = m.held(minute, 0, 59, "minute")


def set_second(m: Moment, second: int) -> None:
    m.second = m.held(second, 0, 59, "second")


def set_half(m: Moment) -> None:
    half = m.take(2).upper()
    if half not in ("AM", "PM"):
        raise Unreadable(f"AM or PM is expected at '{half}'")
    m.afternoon = half == "PM"


def short_year(number: int) -> int:
    """The full year of two digits: between 1970 and 2069."""
    return number + (1900 if number >= 70 else 2000)


def day_of(m: Moment) -> date:
    year = 1970 if m.year is None else m.year
    if m.by == "week":
        fourth = date(year, 1, 4)
        return fourth - timedelta(days=fourth.isoweekday()) + timedelta(days=(m.week - 1) * 7 + m.weekday)
    if m.by == "day of year":
        day = date(year, 1, 1) + timedelta(days=m.day_of_year - 1)
        if day.year != year:
            raise Unreadable(f"Invalid day of year, out of range (year: {year} day of year: {m.day_of_year})")
        return day
    try:
        return date(year, m.month, m.day)
    except ValueError:
        text = f"Invalid date, out of range (year: {year} month: {m.month} day_of_month: {m.day})"
        raise Unreadable(text) from None


def moment_of(m: Moment) -> tuple[datetime, bool]:
    """The moment, and whether it is in UTC because the text tells its offset; else it is a wall clock."""
    day = day_of(m)
    hour = m.hour + (12 if m.half_day and m.afternoon else 0)
    wall = datetime(day.year, day.month, day.day, hour, m.minute, m.second) + timedelta(microseconds=m.microsecond)
    if m.zone is not None:
        try:
            return wall.replace(tzinfo=ZoneInfo(m.zone)).astimezone(UTC).replace(tzinfo=None), True
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise Unreadable(f"Unable to parse time zone {m.zone}") from None
    if m.offset is not None:
        return wall - timedelta(seconds=m.offset), True
    return wall, False
