"""Merges in the background, as ClickHouse does them: whoever appends meanwhile is not held up.

The rows that there are get merged into a table beside their own, in a transaction that nothing waits for. Then, in a
short one, the rows that came meanwhile are added, and the new table takes the place of the old one. When anything but
appends happened in between, the work is thrown away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tbpy.clickhouse.quoting import duckdb_name, duckdb_string
from tbpy.engines import DuckDBEngine, Session
from tbpy.workspace import catalogue
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.sorting import count_rows, needs_sorting

# No data source has a blank in its name.
_PREFIX = "merged "


@dataclass(frozen=True, slots=True)
class _Extent:
    """The rows of a table at one moment: how many, and the highest row number."""

    rows: int
    last: int


def merge_beside(engine: DuckDBEngine, datasource: StoredDatasource, on_start: Callable[[Session], None]) -> bool:
    """Merges a table whose new rows are many; answers whether it did.

    `on_start` is given the session of the long part, to interrupt it by.
    """
    aside = duckdb_name(f"{_PREFIX}{datasource.physical}")
    rewrites = engine.rewrites
    if not _is_due(engine, datasource):
        return False
    with engine.aside((*datasource.functions, *datasource.merge_functions)) as session:
        on_start(session)
        merged = _extent(session, datasource)
        session.execute(f"DROP TABLE IF EXISTS {aside}")
        session.execute(datasource.table_ddl_as(aside))
        session.execute(f"INSERT INTO {aside} {datasource.sorted(datasource.table, merged=True)}")
    with engine.transaction(appends=True) as session:
        if engine.rewrites != rewrites or not _begins_with(session, datasource, merged):
            session.execute(f"DROP TABLE {aside}")
            return False
        rows = int(session.value(f"SELECT count(*) FROM {aside}"))
        session.execute(f"INSERT INTO {aside} SELECT * FROM {datasource.table} WHERE rowid > {merged.last}")
        session.execute(f"DROP TABLE {datasource.table}")
        session.execute(f"ALTER TABLE {aside} RENAME TO {datasource.table}")
        catalogue.write_sorted_rows(session, datasource.name, rows)
    return True


def _is_due(engine: DuckDBEngine, datasource: StoredDatasource) -> bool:
    """Looked up outside of a transaction: one makes the writer plan its statements anew."""
    with engine.session() as session:
        before = catalogue.sorted_rows(session, datasource.name)
        return needs_sorting(datasource, count_rows(session, datasource), before)


def drop_unfinished(engine: DuckDBEngine) -> None:
    """Drops what a process left that ended between the two transactions of a merge."""
    sql = f"SELECT table_name FROM duckdb_tables() WHERE starts_with(table_name, {duckdb_string(_PREFIX)})"
    with engine.transaction(appends=True) as session:
        for (name,) in session.rows(sql):
            session.execute(f"DROP TABLE {duckdb_name(name)}")


def _extent(session: Session, datasource: StoredDatasource) -> _Extent:
    rows, last = session.rows(f"SELECT count(*), max(rowid) FROM {datasource.table}")[0]
    return _Extent(rows, -1 if last is None else last)


def _begins_with(session: Session, datasource: StoredDatasource, merged: _Extent) -> bool:
    """Whether the merged rows still have the numbers that they had, and no other row has one of those.

    Numbers only ever fall, when a checkpoint closes the gaps of deleted rows: newer rows would then be among them.
    """
    found = session.value(f"SELECT count(*) FROM {datasource.table} WHERE rowid <= {merged.last}")
    return int(found) == merged.rows
