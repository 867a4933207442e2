"""How many edits lie between two sequences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def levenshtein(left: Sequence[Any], right: Sequence[Any]) -> int:
    """The fewest insertions, deletions and replacements that make one of the other."""
    row = list(range(len(right) + 1))
    for i, one in enumerate(left, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(right, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (one != other))
    return row[-1]


def nearest(name: str, known: Iterable[str], most: int = 2) -> list[str]:
    """The names nearest to `name` in whatever case, as ClickHouse suggests them: at most a third differs."""
    allowed = (len(name) + 2) // 3
    lower = name.lower()
    near = [other for other in dict.fromkeys(known) if other != name and abs(len(other) - len(name)) <= allowed]
    distances = {other: levenshtein(lower, other.lower()) for other in near}
    return sorted((other for other in near if distances[other] <= allowed), key=distances.__getitem__)[:most]
