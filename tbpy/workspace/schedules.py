"""When a schedule in cron's notation runs next. Fields that `tbpy.datafiles` lets through are read; times are UTC."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

ON_DEMAND = "@on-demand"
_NAMED = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
# A day that never comes (30 February) is looked for so long, over all leap years of a century.
_HORIZON_DAYS = 366 * 9


@dataclass(frozen=True, slots=True)
class Schedule:
    """The minutes, hours, days of the month, months and days of the week (0 is Sunday) in which it runs.

    With both kinds of days given, one of them is enough, as in cron; `last_day` stands for the month's last.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool
    last_day: bool = False

    def next_runs(self, after: datetime, count: int = 1) -> tuple[datetime, ...]:
        """The next `count` moments later than `after`; fewer when there are none."""
        return tuple(islice(self._runs(after), count))

    def _runs(self, after: datetime) -> Iterator[datetime]:
        midnight = after.replace(hour=0, minute=0, second=0, microsecond=0)
        for offset in range(_HORIZON_DAYS):
            day = midnight + timedelta(days=offset)
            if not self._runs_on(day):
                continue
            moments = (day.replace(hour=hour, minute=minute) for hour in self.hours for minute in self.minutes)
            yield from (moment for moment in moments if moment > after)

    def _runs_on(self, day: datetime) -> bool:
        if day.month not in self.months:
            return False
        is_last = self.last_day and day.day == calendar.monthrange(day.year, day.month)[1]
        of_month, of_week = day.day in self.days or is_last, day.isoweekday() % 7 in self.weekdays
        if self.any_day or self.any_weekday:
            return of_month and of_week
        return of_month or of_week


def parse_schedule(text: str) -> Schedule | None:
    """None for what runs on demand only, and for a notation that is not known (`W`, `#`, years)."""
    expression = _NAMED.get(text.strip().lower(), text.strip().lower())
    fields = expression.replace("?", "*").split()
    if expression == ON_DEMAND or len(fields) != 5:
        return None
    minute, hour, day, month, weekday = fields
    days = [item for item in day.split(",") if item != "l"]
    try:
        return Schedule(
            minutes=tuple(sorted(_values(minute, 0, 59))),
            hours=tuple(sorted(_values(hour, 0, 23))),
            days=_values(",".join(days), 1, 31) if days else frozenset(),
            months=_values(month, 1, 12, _MONTHS),
            weekdays=frozenset(value % 7 for value in _values(weekday, 0, 7, _DAYS)),
            any_day=day.startswith("*"),
            any_weekday=weekday.startswith("*"),
            last_day="l" in day.split(","),
        )
    except ValueError:
        return None


def _values(text: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    found: set[int] = set()
    for item in text.split(","):
        body, slash, step = item.partition("/")
        first, dash, last = body.partition("-")
        if body == "*":
            start, end = low, high
        else:
            start = _number(first, names)
            # `5/10` goes on to the end of the field, `5` alone does not.
            end = _number(last, names) if dash else high if slash else start
        if start > end:  # over the end: fri-mon
            found.update(range(start, high + 1, int(step or 1)), range(low, end + 1, int(step or 1)))
        else:
            found.update(range(start, end + 1, int(step or 1)))
    return frozenset(found)


def _number(text: str, names: dict[str, int] | None) -> int:
    return (names or {}).get(text) if text in (names or {}) else int(text)  # type: ignore[return-value]
