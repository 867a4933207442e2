"""Which texts are cron expressions: five fields, then perhaps seconds and a year, or a name such as `@daily`.

The grammar is that of the croniter package, which Tinybird's command-line tool judges schedules with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_NAMED = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, slots=True)
class _Field:
    """The numbers of a field, names for them, and what it takes besides: `special` is a pattern of whole items."""

    low: int
    high: int
    names: dict[str, int] = field(default_factory=dict)
    special: str = r"\*"


_FIELDS = (
    _Field(0, 59),
    _Field(0, 23),
    _Field(1, 31, special=r"\*|\?|l|\d+w"),
    _Field(1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    _Field(
        0, 7, {name: number for number, name in enumerate(_DAYS)}, rf"\*|\?|l[0-7]|(?:[0-7]|{'|'.join(_DAYS)})#[1-5]"
    ),
    _Field(0, 59),
    _Field(1970, 2099),
)


def is_cron(text: str) -> bool:
    """Whether every field is a list of values, ranges or special items, each perhaps with `/step`, within bounds."""
    parts = text.lower().split()
    if text.lower() in _NAMED:
        return True
    if not 5 <= len(parts) <= len(_FIELDS):
        return False
    return all(_is_item(bounds, item) for part, bounds in zip(parts, _FIELDS, strict=False) for item in part.split(","))


def _is_item(bounds: _Field, item: str) -> bool:
    body, slash, step = item.partition("/")
    if slash and not (step.isdecimal() and int(step) > 0):
        return False
    if re.fullmatch(bounds.special, body):
        return True
    ends = [_number(bounds, end) for end in body.split("-")]
    return len(ends) <= 2 and all(end is not None and bounds.low <= end <= bounds.high for end in ends)


def _number(bounds: _Field, text: str) -> int | None:
    return int(text) if text.isdecimal() else bounds.names.get(text)
