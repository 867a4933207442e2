"""When a schedule in cron's notation runs next; times are UTC."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice

from tbpy.datafiles import Cron, parse_cron

ON_DEMAND = "@on-demand"
# A day that never comes (30 February) is looked for so long: the 29th of February may stay away for eight years.
_HORIZON_DAYS = 366 * 9


@dataclass(frozen=True, slots=True)
class Schedule:
    cron: Cron

    def next_runs(self, after: datetime, count: int = 1) -> tuple[datetime, ...]:
        """The next `count` moments later than `after`; fewer when there are none."""
        return tuple(islice(self._runs(after), count))

    def _runs(self, after: datetime) -> Iterator[datetime]:
        cron = self.cron
        for offset in range(_HORIZON_DAYS):
            day = after.date() + timedelta(days=offset)
            if not self._runs_on(day):
                continue
            times = (time(hour, m, second) for hour in cron.hours for m in cron.minutes for second in cron.seconds)
            yield from (moment for at in times if (moment := datetime.combine(day, at)) > after)

    def _runs_on(self, day: date) -> bool:
        cron = self.cron
        if day.month not in cron.months or (cron.years is not None and day.year not in cron.years):
            return False
        of_month, of_week = self._is_day(day), self._is_weekday(day)
        return of_month or of_week if cron.either_day else of_month and of_week

    def _is_day(self, day: date) -> bool:
        cron, last = self.cron, _length(day)
        if cron.near is not None:
            return day == _nearest_working_day(day.replace(day=min(cron.near, last)))
        return day.day in cron.days or (cron.last_day and day.day == last)

    def _is_weekday(self, day: date) -> bool:
        weekday, position = day.isoweekday() % 7, (day.day - 1) // 7 + 1
        is_last = day.day + 7 > _length(day)
        placed = self.cron.placed_weekdays
        return weekday in self.cron.weekdays or (weekday, position) in placed or (is_last and (weekday, 0) in placed)


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_working_day(day: date) -> date:
    """In the same month: of a Saturday the day before, of a Sunday the one after, or else on the other side."""
    if day.isoweekday() == 6:
        return day - timedelta(days=1) if day.day > 1 else day + timedelta(days=2)
    if day.isoweekday() == 7:
        return day + timedelta(days=1) if day.day < _length(day) else day - timedelta(days=2)
    return day


def parse_schedule(text: str) -> Schedule | None:
    """None for what runs on demand only."""
    cron = parse_cron(text)
    return None if cron is None else Schedule(cron)
