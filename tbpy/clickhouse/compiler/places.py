"""The places of rows that come in a given order, as keys to sort by: DuckDB's joins do not keep the order of rows.

ClickHouse goes through the left side of a join row by row, and finds the matches of each in the order of the right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.sources import Source

# The joins whose rows follow the left side; those of the right side that have no match come last.
_FOLLOWING = frozenset(
    {"INNER JOIN", "LEFT JOIN", "FULL JOIN", "CROSS JOIN", "ANTI JOIN", "ASOF JOIN", "ASOF LEFT JOIN"}
)


@dataclass(frozen=True, slots=True)
class Placed:
    """FROM in SQL with the places of its rows in it, and the keys that sort by them."""

    sql: str
    keys: tuple[str, ...]


NO_ROWS = Placed("", ())  # without FROM there is one row


def placed(source: Source) -> Placed | None:
    """The places of a source whose rows have an order; None where they have none."""
    if source.placed is not None or not source.ordered:
        return source.placed
    rows, _, alias = source.sql.rpartition(" AS ")
    return Placed(f"(SELECT *, row_number() OVER () AS place FROM {rows}) AS {alias}", (f"{alias}.place",))


def placed_join(left: Source, keyword: str, right: Source, condition: str = "") -> Placed | None:
    one = placed(left) if keyword in _FOLLOWING else None
    if one is None:
        return None
    other = None if keyword == "ANTI JOIN" else placed(right) or _numbered(right)
    sql, keys = (right.sql, ()) if other is None else (other.sql, other.keys)
    inside = f"({sql})" if right.joins else sql
    on = f" ON {condition}" if condition else ""
    last = " NULLS LAST" if keyword == "FULL JOIN" else ""
    return Placed(f"{one.sql} {keyword} {inside}{on}", (*(f"{key}{last}" for key in one.keys), *keys))


def _numbered(source: Source) -> Placed | None:
    """The rows of a table are numbered as they are stored."""
    return None if source.row is None else Placed(source.sql, (source.row,))


# --- elements of arrays ---


def unnested(lists: Sequence[str], *, placed: bool = False) -> str:
    """The elements of lists as columns, and which of them they are."""
    columns = [f"unnest({sql}) AS c{position}" for position, sql in enumerate(lists)]
    return ", ".join([*columns, f"generate_subscripts({lists[0]}, 1) AS place"] if placed else columns)


def placed_elements(source: Source, lists: Sequence[str], alias: str) -> Placed | None:
    """The places of ARRAY JOIN's rows: those of the source's rows, and of the elements in their arrays."""
    one = placed(source)
    if one is None:
        return None
    elements = f"(SELECT {unnested(lists, placed=True)}) AS {alias}"
    return Placed(f"{one.sql} CROSS JOIN LATERAL {elements}", (*one.keys, f"{alias}.place"))
