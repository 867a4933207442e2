"""Cron expressions: five fields, then perhaps seconds and a year, or a name such as `@daily`.

The grammar is that of the croniter package, which Tinybird's command-line tool judges schedules with: `L` is the last
day of a month, `L5` its last Friday, `5#2` its second Friday, `15W` the working day nearest to the 15th.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_NAMED = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LAST = 0  # as the position of a weekday in its month


@dataclass(frozen=True, slots=True)
class Cron:
    """The moments that an expression means. `weekdays` count from Sunday, 0.

    `last_day` is the last day of a month, `near` a day whose nearest working day is meant, `placed_weekdays` are
    weekdays and their position in the month: 1 to 5, or 0 for the last one. `years` is None for every year. With
    `either_day` it is enough that the day of the month or that of the week fits, else both must. (A day of the month
    beside a placed weekday, and a weekday beside a day that is `near`, count for nothing.)
    """

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    last_day: bool
    near: int | None
    placed_weekdays: frozenset[tuple[int, int]]
    either_day: bool
    years: frozenset[int] | None


@dataclass(frozen=True, slots=True)
class _Field:
    """The numbers of a field, and names for them; `any` are the items that mean all of it."""

    low: int
    high: int
    names: dict[str, int] = field(default_factory=dict)
    any: frozenset[str] = frozenset("*")

    def values(self, items: list[str]) -> frozenset[int]:
        """Raises `ValueError` for an item that is none."""
        return frozenset(value for item in items for value in self._item(item))

    def _item(self, item: str) -> Iterator[int]:
        body, slash, step = item.partition("/")
        if slash and not (step.isdecimal() and int(step) > 0):
            raise ValueError(item)
        by = int(step or 1)
        first, dash, last = body.partition("-")
        if body in self.any:
            yield from range(self.low, self.high + 1, by)
            return
        start = self.number(first)
        # `5/10` goes on to the end of the field, `5` alone does not.
        end = self.number(last) if dash else self.high if slash else start
        if start > end or (dash and start == end):  # over the end: fri-mon, and once around: jan-jan
            yield from range(start, self.high + 1, by)
            start = self.low
        yield from range(start, end + 1, by)

    def number(self, text: str) -> int:
        value = int(text) if text.isdecimal() else self.names.get(text, -1)
        if not self.low <= value <= self.high:
            raise ValueError(text)
        return value


_MINUTE, _HOUR, _SECOND, _YEAR = _Field(0, 59), _Field(0, 23), _Field(0, 59), _Field(1970, 2099)
_DAY = _Field(1, 31, any=frozenset("*?"))
_MONTH = _Field(1, 12, {name: number for number, name in enumerate(_MONTHS, 1)})
_WEEKDAY = _Field(0, 7, {name: number for number, name in enumerate(_DAYS)}, frozenset("*?"))
_NEAR = re.compile(r"(\d+)w|w(\d+)")
_PLACED = re.compile(r"(\w+)#([1-5])|l([0-7])")


def parse_cron(text: str) -> Cron | None:
    """None for what is no cron expression."""
    lowered = text.strip().lower()
    fields = [part.split(",") for part in _NAMED.get(lowered, lowered).split()]
    if not 5 <= len(fields) <= 7:
        return None
    try:
        return _read(*fields)
    except ValueError:
        return None


def is_cron(text: str) -> bool:
    return parse_cron(text) is not None


def _read(
    minute: list[str],
    hour: list[str],
    day: list[str],
    month: list[str],
    weekday: list[str],
    second: list[str] | None = None,
    year: list[str] | None = None,
) -> Cron:
    """Raises `ValueError` for fields that are none, or cannot stand together."""
    near = _NEAR.fullmatch(",".join(day))
    placed = [_placed(found) for item in weekday if (found := _PLACED.fullmatch(item))]
    if 0 < len(placed) < len(weekday):
        raise ValueError("weekdays with and without a position in the month")
    if placed and not near:
        day = ["*"]
    if near and not placed:
        weekday = ["*"]
    open_day, open_weekday = _is_open(_DAY, day), _is_open(_WEEKDAY, weekday)
    return Cron(
        seconds=tuple(sorted(_SECOND.values(second or ["0"]))),
        minutes=tuple(sorted(_MINUTE.values(minute))),
        hours=tuple(sorted(_HOUR.values(hour))),
        days=_DAY.values([item for item in day if item != "l" and not near]),
        months=_MONTH.values(month),
        weekdays=frozenset(value % 7 for value in _WEEKDAY.values([] if placed else weekday)),
        last_day="l" in day,
        near=_DAY.number(near[1] or near[2]) if near else None,
        placed_weekdays=frozenset(placed),
        either_day=not (open_day or open_weekday or near),
        years=_YEAR.values(year) if year and year != ["*"] else None,
    )


def _is_open(bounds: _Field, items: list[str]) -> bool:
    return any(item in bounds.any for item in items)


def _placed(found: re.Match[str]) -> tuple[int, int]:
    weekday, position, last = found.groups()
    return (int(last) % 7, _LAST) if last else (_WEEKDAY.number(weekday) % 7, int(position))
