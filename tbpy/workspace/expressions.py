"""Stored expressions at the moment they run."""

from __future__ import annotations

from datetime import datetime


def at_moment(sql: str, moment: datetime) -> str:
    """The SQL with `$now` as the literal of a naive UTC moment: an import has one time for all its rows."""
    return sql.replace("$now", f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S.%f}'")
