"""Rows in the order of the sorting key, which lets queries on it skip most of a table.

New rows are appended as they come; what is stored in order and what came after it is in the catalogue.
"""

from __future__ import annotations

from tbpy.clickhouse.quoting import duckdb_name
from tbpy.engines import Session
from tbpy.workspace import catalogue
from tbpy.workspace.definitions import StoredDatasource

# A tail of unsorted rows is left alone while it is small: absolutely, or against the table.
_SMALL_TAIL = 50_000
_TAIL_SHARE = 0.25


def needs_sorting(rows: int, sorted_rows: int) -> bool:
    tail = rows - sorted_rows
    return tail > _SMALL_TAIL and tail > _TAIL_SHARE * rows


def sort_rows(session: Session, datasource: StoredDatasource) -> int:
    """Rewrites a table in order; answers how many rows it has."""
    if datasource.sorting:
        aside = duckdb_name(f"{datasource.physical}__unsorted")
        session.execute(f"ALTER TABLE {datasource.table} RENAME TO {aside}")
        session.execute(datasource.table_ddl)
        session.register(datasource.functions)
        session.execute(f"INSERT INTO {datasource.table} {datasource.sorted(aside)}")
        session.execute(f"DROP TABLE {aside}")
    rows = int(session.value(f"SELECT count(*) FROM {datasource.table}"))
    catalogue.write_sorted_rows(session, datasource.name, rows)
    return rows
