"""The totals rows of subqueries that are joined: they stand beside each other, whatever the condition."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tbpy.clickhouse.storage import default_sql

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.sources import Source

_COLUMN = re.compile(r'(t\d+)\.(\w+|"(?:[^"]|"")+")')


def joined_totals(left: Source, right: Source) -> str | None:
    """One row of both sides in SQL; a side without totals has its columns at their defaults."""
    if left.totals is None and right.totals is None:
        return None
    sides = (left.totals or _default_row(left), right.totals or _default_row(right))
    return None if None in sides else " CROSS JOIN ".join(map(str, sides))


def _default_row(source: Source) -> str | None:
    """One row of defaults under a source's own name; None for a source of several."""
    found = [
        (_COLUMN.fullmatch(column.value.sql), column.value.type)
        for relation in source.relations
        for column in (*relation.columns, *relation.hidden)
    ]
    if source.joins or any(match is None for match, _ in found):
        return None
    columns = {match[0]: f"{default_sql(type_)} AS {match[2]}" for match, type_ in found if match is not None}
    aliases = {match[1] for match, _ in found if match is not None}
    return f"(SELECT {', '.join(columns.values())}) AS {aliases.pop()}" if len(aliases) == 1 else None
