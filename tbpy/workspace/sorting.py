"""Rows in the order of the sorting key, which lets queries on it skip most of a table, and merged by their engine.

New rows are appended as they come; how many are stored in order, and merged, is in the catalogue.
"""

from __future__ import annotations

from datetime import datetime

from tbpy.clickhouse.quoting import duckdb_name
from tbpy.engines import Session
from tbpy.workspace import catalogue
from tbpy.workspace.definitions import StoredDatasource, StoredExpression
from tbpy.workspace.expressions import at_moment

# A tail of new rows is left alone while it is small: absolutely, or against the table. Merging pays sooner than
# sorting, for every read of a merged table merges the tail.
_SMALL_TAIL = 50_000
_SMALL_UNMERGED_TAIL = 200
_TAIL_SHARE = 0.25


def needs_sorting(datasource: StoredDatasource, rows: int, sorted_rows: int) -> bool:
    tail = rows - sorted_rows
    small = _SMALL_TAIL if datasource.merge is None else _SMALL_UNMERGED_TAIL
    return tail > small and tail > _TAIL_SHARE * rows


def sort_rows(session: Session, datasource: StoredDatasource, *, merged: bool) -> int:
    """Rewrites a table in order, and with `merged` as a background merge would; answers how many rows it has."""
    rows = rewrite_sorted(session, datasource, merged=merged)
    catalogue.write_sorted_rows(session, datasource.name, rows)
    return rows


def rewrite_sorted(session: Session, datasource: StoredDatasource, *, merged: bool) -> int:
    """As `sort_rows`, of a table that the catalogue does not tell of."""
    if datasource.sorting or (merged and datasource.merge is not None):
        aside = duckdb_name(f"{datasource.physical}__unsorted")
        session.execute(f"ALTER TABLE {datasource.table} RENAME TO {aside}")
        session.execute(datasource.table_ddl)
        session.register((*datasource.functions, *datasource.merge_functions))
        session.execute(f"INSERT INTO {datasource.table} {datasource.sorted(aside, merged=merged)}")
        session.execute(f"DROP TABLE {aside}")
    return count_rows(session, datasource)


def count_rows(session: Session, datasource: StoredDatasource) -> int:
    return int(session.value(f"SELECT count(*) FROM {datasource.table}"))


def has_expired(session: Session, datasource: StoredDatasource, moment: datetime) -> bool:
    """Whether the ENGINE_TTL of any row is over at `moment` (naive UTC)."""
    if datasource.expiry is None:
        return False
    session.register(datasource.expiry.functions)
    return bool(session.value(f"SELECT EXISTS ({_over(datasource, datasource.expiry, moment)})"))


def _over(datasource: StoredDatasource, expiry: StoredExpression, moment: datetime) -> str:
    """SQL of the numbers of the rows whose TTL is over."""
    rows = f"SELECT {datasource.positional()}, rowid AS came FROM {datasource.table}"
    return f"SELECT came FROM ({rows}) WHERE {at_moment(expiry.sql, moment)}"


def expire_rows(session: Session, datasource: StoredDatasource, moment: datetime) -> int:
    """Deletes the rows whose ENGINE_TTL is over at `moment` (naive UTC); answers how many."""
    if datasource.expiry is None:
        return 0
    session.register(datasource.expiry.functions)
    over = _over(datasource, datasource.expiry, moment)
    gone = int(session.value(f"DELETE FROM {datasource.table} WHERE rowid IN ({over})"))
    if gone:
        kept = min(catalogue.sorted_rows(session, datasource.name), count_rows(session, datasource))
        catalogue.write_sorted_rows(session, datasource.name, kept)
    return gone
