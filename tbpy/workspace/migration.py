"""A data source whose schema changed: its rows are carried over, and those that do not fit go to its quarantine.

Columns are matched by name, or computed by the FORWARD_QUERY of the file. A new column gets its DEFAULT, or the value
that ClickHouse gives to a column without one; what a dropped column held is gone.
"""

from __future__ import annotations

from datetime import datetime

from tbpy.clickhouse import types as t
from tbpy.clickhouse.quoting import duckdb_name
from tbpy.engines import Session
from tbpy.workspace.definitions import StoredColumn, StoredDatasource
from tbpy.workspace.expressions import at_moment
from tbpy.workspace.ingest.quarantine import Import, quarantine_ddl, settle, wrong_value
from tbpy.workspace.ingest.readings import Reading
from tbpy.workspace.ingest.scan import Scan
from tbpy.workspace.ingest.typed_values import from_typed
from tbpy.workspace.reports import Migrated
from tbpy.workspace.targets import target_of

IMPORT_ID = "build"


def create(session: Session, datasource: StoredDatasource) -> None:
    session.execute(datasource.table_ddl)
    session.execute(quarantine_ddl(datasource.quarantine, [column.physical for column in datasource.columns]))


def drop(session: Session, datasource: StoredDatasource) -> int:
    """Answers how many rows went with it."""
    rows = session.value(f"SELECT count(*) FROM {datasource.table}")
    session.execute(f"DROP TABLE {datasource.table}")
    session.execute(f"DROP TABLE {datasource.quarantine}")
    return int(rows)


def migrate(
    session: Session, old: StoredDatasource, new: StoredDatasource, moment: datetime, forward: str | None = None
) -> Migrated:
    """Rebuilds the tables of `old` as those of `new`. `forward` is DuckDB SQL of all new columns, in their order, over
    the old table, where the file has a FORWARD_QUERY."""
    session.register(new.functions)
    before = _set_aside(session, old)
    create(session, new)
    _carry_quarantine(session, old, new)
    relation = forward.replace("$old", before) if forward else _matched(old, new, before, moment)
    types = [row[1] for row in session.rows(f"DESCRIBE {relation}")]
    named = ", ".join(f"s{i}" for i in range(len(types)))
    given = f"SELECT * FROM ({relation}) AS given({named})"
    kept, quarantined = _settle_all(session, new, given, types, moment)
    session.execute(f"DROP TABLE {before}")
    dropped = tuple(column.name for column in old.columns if new.column(column.name) is None)
    return Migrated(new.name, kept, quarantined, () if forward else dropped)


def _set_aside(session: Session, old: StoredDatasource) -> str:
    aside = duckdb_name(f"{old.physical}__before")
    session.execute(f"ALTER TABLE {old.table} RENAME TO {aside}")
    session.execute(f"ALTER TABLE {old.quarantine} RENAME TO {aside}")
    return aside


def _matched(old: StoredDatasource, new: StoredDatasource, table: str, moment: datetime) -> str:
    """SQL of the new columns over the old table, where a column has another type still with its old one."""
    positions = ", ".join(f"{_found(old, column)} AS v{i}" for i, column in enumerate(new.columns))
    values = ", ".join(
        f"v{i}" if old.column(column.name) else f"{at_moment(column.fallback, moment)} AS v{i}"
        for i, column in enumerate(new.columns)
    )
    return f"SELECT {values} FROM (SELECT {positions} FROM {table})"


def _found(old: StoredDatasource, column: StoredColumn) -> str:
    found = old.column(column.name)
    return "NULL" if found is None else duckdb_name(found.physical)


def _settle_all(
    session: Session, new: StoredDatasource, relation: str, types: list[str], moment: datetime
) -> tuple[int, int]:
    places = range(len(types))
    readings = tuple(_reading(column, types[i], f"s{i}", f"v{i}") for i, column in enumerate(new.columns))
    raw = ", ".join(f"CAST(s{i} AS VARCHAR) AS r{i}" for i in places)
    target = target_of(new, moment, with_defaults=False)
    scan = Scan(f"SELECT *, {raw}, NULL::VARCHAR AS line FROM ({relation})", target.columns, readings)
    absent = [wrong_value(column, "'NULL'") for column in target.columns]
    verdict = settle(session, target, scan, absent, Import(IMPORT_ID, moment))
    return verdict.rows, verdict.quarantined


def _reading(column: StoredColumn, given: str, s: str, v: str) -> Reading:
    """The value as the new type; a value that it cannot hold is no value, and NULL is none where there may be none."""
    good = f"({s} IS NULL OR {v} IS NOT NULL)" if column.may_be_null else f"{v} IS NOT NULL"
    if isinstance(t.plain(column.parsed_type), t.AggregateFunction):
        return Reading(given, s, good)
    return Reading(given, from_typed(column.parsed_type, given, s), good)


def _carry_quarantine(session: Session, old: StoredDatasource, new: StoredDatasource) -> None:
    aside = f"quarantine.{duckdb_name(f'{old.physical}__before')}"
    shared = [(old.column(column.name), column) for column in new.columns]
    pairs = [(a.physical, b.physical) for a, b in shared if a is not None]
    fixed = ["c__error_column", "c__error", "c__import_id", "insertion_date", "c__line"]
    into = ", ".join([*fixed, *(duckdb_name(b) for _, b in pairs)])
    from_ = ", ".join([*fixed, *(duckdb_name(a) for a, _ in pairs)])
    session.execute(f"INSERT INTO {new.quarantine} ({into}) SELECT {from_} FROM {aside}")
    session.execute(f"DROP TABLE {aside}")
