"""ORDER BY ... WITH FILL: which rows are missing among ordered ones.

Rows come with the values of their filled columns, as texts of whole numbers (days, seconds, ticks) or floats, and the
number of the group that the columns ordered before have. What comes out is each row again and the missing ones between.
Source: ClickHouse documentation, "ORDER BY Expr WITH FILL Modifier"; the order of steps as chDB 26.9 answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from math import isfinite, isnan
from zoneinfo import ZoneInfo

from tbpy.clickhouse.udf import Udf

Value = int | float
Step = Callable[[Value, int], Value]
Filled = list[str | None]  # the row that it is, None for a missing one; the row whose prefix it has; its values

_MOST_ROWS = 20_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = {"Second": 1, "Minute": 60, "Hour": 3600}
_FRACTIONS = {"Millisecond": 1_000, "Microsecond": 1_000_000, "Nanosecond": 1_000_000_000}
_DAYS = {"Day": 1, "Week": 7}
_MONTHS = {"Month": 1, "Quarter": 3, "Year": 12}


@dataclass(frozen=True, slots=True)
class Column:
    """A filled column. `staleness` moves a row's own value to where filling after it ends."""

    descending: bool
    first: Value | None
    end: Value | None
    step: Step
    staleness: Step | None
    real: bool
    bits: int
    signed: bool

    def before(self, one: Value, other: Value) -> bool:
        return other < one if self.descending else one < other

    def nearer(self, one: Value | None, other: Value | None) -> Value | None:
        """The border that comes first."""
        if one is None or other is None:
            return other if one is None else one
        return one if self.before(one, other) else other

    def stale(self, value: Value) -> Value:
        """Where filling after a row ends: at the row itself when an unsigned number has no place for it."""
        assert self.staleness is not None
        border = self.staleness(value, 1)
        return value if border < 0 and not (self.signed or self.real) else border

    def text(self, value: Value | None) -> str | None:
        if value is None or self.real:
            return None if value is None else repr(value)
        kept = int(value) & ((1 << self.bits) - 1)
        return str(kept - (1 << self.bits) if self.signed and kept >> (self.bits - 1) else kept)


class Filling:
    """The place that filling has reached: `row`, and `limits` that no filled value may reach."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = columns
        self.row: list[Value | None] = [None] * len(columns)
        self.next: list[Value | None] = [None] * len(columns)
        self.limits = [column.end for column in columns]
        self.inserted = False
        self.moved = False
        self.found: list[Filled] = []

    # --- one range of rows with the same prefix ---

    def range(self, rows: Sequence[tuple[str, list[Value | None]]]) -> None:
        first, values = rows[0]
        self._start(first, values)
        self._take_staleness(values)
        for name, values in rows:
            started = self._less(self.next, self.row)
            self.next = list(values)
            if started and self._less(self.row, self.next) and self._inside():
                self._insert(name)
            self.moved = False
            while self.advance():
                self._insert(name)
                self.moved = False
            if any(column.staleness for column in self.columns):
                self._take_staleness(values)
                while self.jump():
                    self._insert(name)
                    self.moved = False
                    while self.advance():
                        self._insert(name)
                        self.moved = False
            self.inserted = self.inserted and not self.moved
            texts = [column.text(value) for column, value in zip(self.columns, values, strict=True)]
            self.found.append([name, name, *texts])

    def _start(self, name: str, values: list[Value | None]) -> None:
        for place, column in enumerate(self.columns):
            value = values[place]
            if column.first is not None and value != column.first:
                self.row[place:] = [other.first for other in self.columns[place:]]
                self.inserted = False
                if value is not None and (column.before(column.first, value) or isnan(value)):  # NaN comes last
                    self._insert(name)
                return
            self.row[place] = value

    def suffix(self, name: str | None) -> None:
        """Rows behind the last one of a range, where TO or STALENESS says how far they go."""
        nothing = all(value is None for value in self.next)
        pending = self._less(self.next, self.row) and not self.inserted
        pending = pending or (nothing and any(value is not None for value in self.row))
        self.next = [None] * len(self.columns)
        if all(limit is None for limit in self.limits) or not self._inside():
            return
        if pending:
            self._insert(name)
        self.moved = False
        while self.advance():
            self._insert(name)
        self.inserted = self.inserted and not self.moved

    def _insert(self, name: str | None) -> None:
        if len(self.found) > _MOST_ROWS:
            raise ValueError(f"WITH FILL that makes more than {_MOST_ROWS} rows is not supported by tbpy yet")
        texts = [column.text(value) for column, value in zip(self.columns, self.row, strict=True)]
        self.found.append([None, name, *texts])
        self.inserted = True

    # --- steps ---

    def advance(self) -> bool:
        """Step to the next missing row before `next`; False when there is none."""
        place = self._place()
        if place is None:
            return False
        column, value, target, limit = self.columns[place], self.row[place], self.next[place], self.limits[place]
        assert value is not None
        if not isfinite(value) or (target is not None and not isfinite(target)):
            return False
        if target is not None and column.before(target, value):
            return False
        if limit is not None and not column.before(value, limit):
            return False
        if self._advance_behind(place):
            return True
        value = self._stepped(place, value)
        if target is not None and column.before(target, value):
            return False
        if limit is not None and not column.before(value, limit):
            return False
        self.row[place] = value
        self.moved = True
        if value == target:
            return self._meet(place)
        self.row[place + 1 :] = [other.first for other in self.columns[place + 1 :]]
        return True

    def _place(self) -> int | None:
        """The first column that has not reached its border."""
        for place, column in enumerate(self.columns):
            border = column.nearer(self.limits[place], self.next[place])
            if self.row[place] is not None and border is not None and self.row[place] != border:
                return place
        return None

    def _advance_behind(self, place: int) -> bool:
        """Step the last column behind `place` that has a border it has not reached."""
        for behind in range(len(self.columns) - 1, place, -1):
            value, limit = self.row[behind], self.limits[behind]
            if value is None or limit is None:
                continue
            stepped = self._stepped(behind, value)
            if self.columns[behind].before(stepped, limit):
                self.row[behind] = stepped
                self.row[behind + 1 :] = [other.first for other in self.columns[behind + 1 :]]
                self.moved = True
                return True
        return False

    def _stepped(self, place: int, value: Value) -> Value:
        stepped = self.columns[place].step(value, 1)
        if not self.columns[place].before(value, stepped):
            raise ValueError("INVALID_WITH_FILL_EXPRESSION: WITH FILL step does not advance in the sorting direction")
        return stepped

    def _meet(self, place: int) -> bool:
        """The column at `place` has come to that of the next row: are rows before it missing by those behind?"""
        less = False
        for behind in range(place + 1, len(self.columns)):
            column, target, limit = self.columns[behind], self.next[behind], self.limits[behind]
            value = column.first if column.first is not None else target
            self.row[behind] = value
            below = target is None or (value is not None and column.before(value, target))
            inside = limit is None or value is None or column.before(value, limit)
            less |= below and inside
        return less

    def jump(self) -> bool:
        """Go by whole steps as near to the next row as they lead."""
        for place, column in enumerate(self.columns):
            value, target = self.row[place], self.next[place]
            if value is None or target is None or value == target:
                continue
            if column.before(target, value):
                return False
            self.row[place] = self._long_jump(column, value, target)
            if self.row[place] == target:
                self.moved = True
                return self._meet(place)
            self.row[place + 1 :] = [other.end for other in self.columns[place + 1 :]]
            self.moved = False
            return False
        return False

    @staticmethod
    def _long_jump(column: Column, value: Value, target: Value) -> Value:
        length = 1
        while length:
            further = column.step(value, length)
            if column.before(further, value) or column.before(target, further):
                length //= 2
            else:
                value, length = further, length * 2
        return value

    # --- borders ---

    def _inside(self) -> bool:
        for column, value, limit in zip(self.columns, self.row, self.limits, strict=True):
            if value is not None and limit is not None:
                return column.before(value, limit)
        return True

    def _take_staleness(self, values: list[Value | None]) -> None:
        for place, column in enumerate(self.columns):
            value = values[place]
            if column.staleness is not None:
                self.limits[place] = column.nearer(column.end, None if value is None else column.stale(value))

    def _less(self, one: list[Value | None], other: list[Value | None]) -> bool:
        for column, left, right in zip(self.columns, one, other, strict=True):
            if left is not None and right is not None and left != right:
                return column.before(left, right)
        return False


def fill_rows(
    rows: list[list[str | None]] | None, groups: list[int] | None, bounds: list[str | None], columns: str
) -> list[Filled]:
    """All rows and the missing ones in order. A row is its name and its values; `bounds` are FROM and TO by turns."""
    described = list(_columns(columns, bounds))
    filling = Filling(described)
    read = [(str(name), _values(described, texts)) for name, *texts in rows or []]
    last = None
    for _, members in groupby(zip(groups or [], read, strict=True), key=lambda pair: pair[0]):
        if last is not None:
            filling.suffix(last)
        found = [row for _, row in members]
        filling.range(found)
        last = found[-1][0]
    if last is None:
        filling.row = [column.first for column in described]
    filling.suffix(last)
    return filling.found


def _values(columns: Sequence[Column], texts: list[str | None]) -> list[Value | None]:
    return [
        None if text is None else float(text) if column.real else int(text)
        for column, text in zip(columns, texts, strict=True)
    ]


def _columns(text: str, bounds: list[str | None]) -> Iterator[Column]:
    """The columns of a specification in JSON, as `tbpy.clickhouse.compiler.fill_columns` writes it."""
    for place, item in enumerate(json.loads(text)):
        first, end = (
            None if bound is None else float(bound) if item["real"] else int(bound)
            for bound in bounds[2 * place : 2 * place + 2]
        )
        _check_bounds(item["descending"], first, end)
        staleness = _step(item, item["staleness"]) if item["staleness"] else None
        step = _step(item, item["step"])
        yield Column(item["descending"], first, end, step, staleness, item["real"], item["bits"], item["signed"])


def _check_bounds(descending: bool, first: Value | None, end: Value | None) -> None:
    if first is None or end is None:
        return
    if descending and first < end:
        text = "WITH FILL FROM value cannot be less than TO value for sorting in descending direction"
        raise ValueError(f"INVALID_WITH_FILL_EXPRESSION: {text}")
    if not descending and end < first:
        text = "WITH FILL TO value cannot be less than FROM value for sorting in ascending direction"
        raise ValueError(f"INVALID_WITH_FILL_EXPRESSION: {text}")


# --- steps in the calendar ---


def _step(column: dict[str, object], step: list[object]) -> Step:
    """`[count, unit]`: a number without unit is in the column's own, days of a date or ticks of a moment."""
    count, unit, scale = step[0], step[1], column["scale"]
    assert isinstance(count, int | float) and isinstance(unit, str | None) and isinstance(scale, int)
    if unit is None:
        return lambda value, times: value + count * times
    assert isinstance(count, int)
    if not scale:
        return lambda value, times: _later_day(int(value), count * times, unit)
    if unit in _SECONDS:
        return lambda value, times: value + count * times * _SECONDS[unit] * scale
    if unit in _FRACTIONS:
        return lambda value, times: value + count * times * scale // _FRACTIONS[unit]
    zone = ZoneInfo(str(column["zone"]))
    return lambda value, times: _later_moment(int(value), count * times, unit, scale, zone)


def _later_day(day: int, count: int, unit: str) -> int:
    if unit in _DAYS:
        return day + count * _DAYS[unit]
    moved = _months_later(_EPOCH.date() + timedelta(days=day), count * _MONTHS[unit])
    return (moved - _EPOCH.date()).days


def _later_moment(ticks: int, count: int, unit: str, scale: int, zone: ZoneInfo) -> int:
    """By the clock on the wall of the zone, where a day has 23 hours once a year."""
    seconds, rest = divmod(ticks, scale)
    local = (_EPOCH + timedelta(seconds=seconds)).astimezone(zone)
    if unit in _DAYS:
        day = local.date() + timedelta(days=count * _DAYS[unit])
    else:
        day = _months_later(local.date(), count * _MONTHS[unit])
    moved = datetime.combine(day, local.time(), tzinfo=zone)
    return round((moved - _EPOCH).total_seconds()) * scale + rest


def _months_later(day: date, months: int) -> date:
    """The same day of another month, or its last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(day.day, (following - timedelta(days=1)).day))


FUNCTIONS: dict[str, Udf] = {
    "tb_fill_rows": Udf(fill_rows, ("VARCHAR[][]", "BIGINT[]", "VARCHAR[]", "VARCHAR"), "VARCHAR[][]", "special"),
}
