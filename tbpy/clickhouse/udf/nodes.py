"""sequenceNextNode: the event that comes next to a chain of events. Source: ClickHouse's documentation of it.

A row is `{"t": time, "e": event, "b": whether a chain may begin here, "m": mask}`, where bit i of the mask says that
condition i + 1 holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypedDict

from tbpy.clickhouse.udf import Udf


class Node(TypedDict):
    t: int
    e: str | None
    b: bool
    m: int


def next_node(rows: Sequence[Node], count: int, direction: str, base: str) -> str | None:
    """The event beside the chain of `count` conditions that begins at the base; `rows` in the order of time."""
    start = _base(rows, base)
    if start is None:
        return None
    step = 1 if direction == "forward" else -1
    for level in range(count):
        place = start + step * level
        if not 0 <= place < len(rows) or not rows[place]["m"] >> level & 1:
            return None
    place = start + step * count
    return rows[place]["e"] if 0 <= place < len(rows) else None


def _base(rows: Sequence[Node], base: str) -> int | None:
    if base in ("head", "tail"):
        place = 0 if base == "head" else len(rows) - 1
        return place if rows and rows[place]["b"] else None
    places: Iterable[int] = range(len(rows))
    if base == "last_match":
        places = reversed(range(len(rows)))
    return next((place for place in places if rows[place]["b"] and rows[place]["m"] & 1), None)


FUNCTIONS = {
    "tb_sequence_next_node": Udf(
        next_node,
        ("STRUCT(t HUGEINT, e VARCHAR, b BOOLEAN, m BIGINT)[]", "INTEGER", "VARCHAR", "VARCHAR"),
        "VARCHAR",
        "special",
    ),
}
"""By the name that SQL calls them by."""
