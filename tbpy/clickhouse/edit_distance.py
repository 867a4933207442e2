"""How many edits lie between two sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def levenshtein(left: Sequence[Any], right: Sequence[Any]) -> int:
    """The fewest insertions, deletions and replacements that make one of the other."""
    row = list(range(len(right) + 1))
    for i, one in enumerate(left, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(right, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (one != other))
    return row[-1]
