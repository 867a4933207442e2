"""A data source whose schema changed: its rows are carried over, and those that do not fit go to its quarantine.

Columns are matched by name, or computed by the FORWARD_QUERY of the file. A new column gets its DEFAULT, or the value
that ClickHouse gives to a column without one; what a dropped column held is gone.
"""

from __future__ import annotations

from datetime import datetime

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import compile_query
from tbpy.clickhouse.quoting import duckdb_name
from tbpy.datafiles import Datasource
from tbpy.engines import Session
from tbpy.errors import Diagnostic, DiagnosticsError, QueryError
from tbpy.project import Project
from tbpy.workspace.conversions import OLD, Conversion
from tbpy.workspace.definitions import StoredColumn, StoredDatasource
from tbpy.workspace.expressions import at_moment
from tbpy.workspace.ingest.quarantine import Import, quarantine_ddl, settle, wrong_value
from tbpy.workspace.ingest.readings import Reading
from tbpy.workspace.ingest.scan import Scan
from tbpy.workspace.ingest.typed_values import from_typed
from tbpy.workspace.reports import Migrated
from tbpy.workspace.scopes import Scope
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
    session: Session, old: StoredDatasource, new: StoredDatasource, moment: datetime, forward: Conversion | None = None
) -> Migrated:
    """Rebuilds the tables of `old` as those of `new`, by `forward` where the file has a FORWARD_QUERY."""
    session.register(new.functions)
    before = _set_aside(session, old)
    create(session, new)
    aside = f"quarantine.{before}"
    carry_quarantine(session, old, new, aside)
    kept, quarantined = carry(
        session, new, forward or conversion(old, new, moment), before, Import(IMPORT_ID, moment), moment
    )
    session.execute(f"DROP TABLE {aside}")
    session.execute(f"DROP TABLE {before}")
    return Migrated(new.name, kept, quarantined, () if forward else dropped_columns(old, new))


def dropped_columns(old: StoredDatasource, new: StoredDatasource) -> tuple[str, ...]:
    return tuple(column.name for column in old.columns if new.column(column.name) is None)


def conversion(old: StoredDatasource, new: StoredDatasource, moment: datetime) -> Conversion:
    """By the names of columns. `moment` is what `now()` is in the DEFAULT of a new one."""
    positions = ", ".join(f"{_found(old, column)} AS v{i}" for i, column in enumerate(new.columns))
    values = ", ".join(
        f"v{i}" if old.column(column.name) else f"{at_moment(column.fallback, moment)} AS v{i}"
        for i, column in enumerate(new.columns)
    )
    same = tuple(_is_same(old.column(column.name), column) for column in new.columns)
    return Conversion(f"SELECT {values} FROM (SELECT {positions} FROM {OLD})", same, new.functions)


def forward_conversion(
    project: Project, datasource: Datasource, old: StoredDatasource, new: StoredDatasource
) -> Conversion | None:
    """What the FORWARD_QUERY of a data source says, None where there is none. Raises `DiagnosticsError`."""
    query = datasource.forward_query
    if query is None:
        return None
    scope = Scope(project, {datasource.name: old}, lambda pipe, node: "", {datasource.name: OLD})
    try:
        compiled = compile_query(f"{query.text} FROM {datasource.name}", scope.catalog())
    except QueryError as error:
        raise _mistake(datasource, f"the FORWARD_QUERY cannot be run: {error.message}", error.hint) from error
    places = {column.name: place for place, column in enumerate(compiled.columns)}
    missing = [column.name for column in new.columns if column.name not in places]
    extra = [name for name in places if new.column(name) is None]
    if missing or extra:
        told = [f"it does not give {', '.join(missing)}"] if missing else []
        told += [f"there is no column {', '.join(extra)}"] if extra else []
        raise _mistake(datasource, f"FORWARD_QUERY columns don't match datasource schema: {'; '.join(told)}", None)
    values = ", ".join(f"c{places[column.name]}" for column in new.columns)
    outputs = ", ".join(f"c{place}" for place in range(len(compiled.columns)))
    same = tuple(
        t.plain(compiled.columns[places[column.name]].type) == t.plain(column.parsed_type) for column in new.columns
    )
    sql = f"SELECT {values} FROM ({compiled.sql}) AS forwarded({outputs})"
    return Conversion(sql, same, tuple(sorted(compiled.functions)))


def carry(
    session: Session,
    new: StoredDatasource,
    how: Conversion,
    relation: str,
    import_: Import,
    moment: datetime,
) -> tuple[int, int]:
    """Inserts what `relation` has, converted; answers how many rows landed and how many went to quarantine."""
    scan, types = _scan(session, new, how, relation, moment)
    kept = int(session.value(f"INSERT INTO {new.table} SELECT {scan.values} FROM ({scan.converted}) WHERE {scan.good}"))
    if kept == int(session.value(f"SELECT count(*) FROM {relation}")):
        return kept, 0
    # The text of values is made of the wrong rows only: for all of them it would take longer than all else.
    named = ", ".join(f"s{i}" for i in range(len(types)))
    raw = ", ".join(f"CAST(s{i} AS VARCHAR) AS r{i}" for i in range(len(types)))
    wrong = f"SELECT {named}, {raw}, NULL::VARCHAR AS line FROM ({scan.converted}) WHERE NOT ({scan.good})"
    absent = [wrong_value(column, "'NULL'") for column in scan.columns]
    target = target_of(new, moment, with_defaults=False)
    return kept, settle(session, target, Scan(wrong, scan.columns, scan.readings), absent, import_).quarantined


def foresee(
    session: Session, new: StoredDatasource, how: Conversion, relation: str, moment: datetime
) -> tuple[int, int]:
    """What `carry` would answer; nothing is written."""
    scan, _ = _scan(session, new, how, relation, moment)
    counted = f"count(*) FILTER (WHERE {scan.good}), count(*) FILTER (WHERE NOT ({scan.good}))"
    kept, quarantined = session.rows(f"SELECT {counted} FROM ({scan.converted})")[0]
    return int(kept), int(quarantined)


def _scan(
    session: Session, new: StoredDatasource, how: Conversion, relation: str, moment: datetime
) -> tuple[Scan, list[str]]:
    """The converted rows, and the DuckDB types that they have before they are of the new columns' types."""
    session.register(how.functions)
    rows = how.over(relation)
    types = [row[1] for row in session.rows(f"DESCRIBE {rows}")]
    named = ", ".join(f"s{i}" for i in range(len(types)))
    target = target_of(new, moment, with_defaults=False)
    readings = tuple(_reading(column, types[i], f"s{i}", f"v{i}", how.same[i]) for i, column in enumerate(new.columns))
    return Scan(f"SELECT * FROM ({rows}) AS given({named})", target.columns, readings), types


def carry_quarantine(
    session: Session, old: StoredDatasource, new: StoredDatasource, source: str, without: str | None = None
) -> None:
    """Copies quarantined rows from the table `source`, but for those of the import `without`."""
    shared = [(old.column(column.name), column) for column in new.columns]
    pairs = [(a.physical, b.physical) for a, b in shared if a is not None]
    fixed = ["c__error_column", "c__error", "c__import_id", "insertion_date", "c__line"]
    into = ", ".join([*fixed, *(duckdb_name(b) for _, b in pairs)])
    from_ = ", ".join([*fixed, *(duckdb_name(a) for a, _ in pairs)])
    rows = f"SELECT {from_} FROM {source} WHERE c__import_id IS DISTINCT FROM $without OR $without IS NULL"
    session.execute(f"INSERT INTO {new.quarantine} ({into}) {rows}", {"without": without})


def _set_aside(session: Session, old: StoredDatasource) -> str:
    aside = duckdb_name(f"{old.physical}__before")
    session.execute(f"ALTER TABLE {old.table} RENAME TO {aside}")
    session.execute(f"ALTER TABLE {old.quarantine} RENAME TO {aside}")
    return aside


def _found(old: StoredDatasource, column: StoredColumn) -> str:
    found = old.column(column.name)
    return "NULL" if found is None else duckdb_name(found.physical)


def _is_same(old: StoredColumn | None, new: StoredColumn) -> bool:
    """A new column has its own type; one that was there has it when it had it before."""
    return old is None or t.plain(old.parsed_type) == t.plain(new.parsed_type)


def _reading(column: StoredColumn, given: str, s: str, v: str, same: bool) -> Reading:
    """The value as the new type; a value that it cannot hold is no value, and NULL is none where there may be none."""
    good = f"({s} IS NULL OR {v} IS NOT NULL)" if column.may_be_null else f"{v} IS NOT NULL"
    if same or isinstance(t.plain(column.parsed_type), t.AggregateFunction):
        return Reading(given, s, good)
    return Reading(given, from_typed(column.parsed_type, given, s), good)


def _mistake(datasource: Datasource, message: str, hint: str | None) -> DiagnosticsError:
    return DiagnosticsError((Diagnostic("forward-query", message, file=datasource.file, hint=hint),))
