"""Data sources of a project as the workspace stores them: names, types, and compiled DEFAULTs and sorting keys."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import StaticCatalog, Table, TableColumn, compile_query
from tbpy.clickhouse.compiler.final import merge_query
from tbpy.clickhouse.quoting import duckdb_name
from tbpy.clickhouse.storage import duckdb_type
from tbpy.datafiles import Column, Datasource, Kind
from tbpy.errors import Diagnostic, DiagnosticsError, QueryError, UnsupportedError
from tbpy.project import Key, Project, key_parts, table_engine
from tbpy.workspace.definitions import StoredColumn, StoredDatasource, StoredExpression, physical_names

_ROW = "tbpy_row"
# A TTL that deletes; TO DISK, RECOMPRESS and GROUP BY keep the rows.
_TTL = re.compile(
    r"(?P<moment>(?:(?!\bTO\s+(?:DISK|VOLUME)\b|\bRECOMPRESS\b|\bGROUP\s+BY\b|\bDELETE\b|\bWHERE\b).)+)"
    r"(?:\bDELETE\b\s*)?(?:\bWHERE\b(?P<where>.+))?",
    re.DOTALL | re.IGNORECASE,
)
_SELECTED = re.compile(rf"SELECT (?P<expression>.*) AS c0 FROM {_ROW} AS (?P<alias>\w+)", re.DOTALL)


def define(project: Project) -> dict[str, StoredDatasource]:
    """The data sources of a project by name, those that other workspaces share included.

    Raises `DiagnosticsError` with every DEFAULT that cannot be compiled.
    """
    datasources = project.all_datasources
    names = physical_names(sorted(datasources))
    defined: dict[str, StoredDatasource] = {}
    mistakes: list[Diagnostic] = []
    for name, datasource in datasources.items():
        types = project.types.get(Key(Kind.DATASOURCE, name), {})
        defined[name] = _define(datasource, types, names[name], mistakes)
    if mistakes:
        raise DiagnosticsError(tuple(mistakes))
    return defined


def _define(
    datasource: Datasource, types: Mapping[str, t.Type], physical: str, mistakes: list[Diagnostic]
) -> StoredDatasource:
    catalog = _row_catalog(datasource, types)
    # The names that a quarantine has beside those of the data source.
    reserved = ("c__error_column", "c__error", "c__import_id", "insertion_date", "c__line")
    names = physical_names([column.name for column in datasource.columns], reserved)
    columns = []
    for column in datasource.columns:
        type_ = types.get(column.name, t.STRING)
        try:
            default = _default(column, type_, catalog)
        except QueryError as error:
            default = None
            mistakes.append(_mistake(datasource, column, error))
        path = column.jsonpath or f'$.["{column.name}"]'
        columns.append(StoredColumn(column.name, str(type_), names[column.name], path, default))
    engine = table_engine(datasource)
    return StoredDatasource(
        datasource.name,
        physical,
        tuple(columns),
        _sorting(datasource, catalog),
        engine.name,
        _merge(Table(datasource.name, "$table", tuple(_table_column(c) for c in columns), engine)),
        _expiry(datasource, catalog),
    )


def _table_column(column: StoredColumn) -> TableColumn:
    return TableColumn(column.name, column.parsed_type, column.physical)


def _merge(table: Table) -> StoredExpression | None:
    """An engine whose merge does not compile keeps all rows: that costs time, never an answer."""
    try:
        compiled = merge_query(table)
    except QueryError:
        return None
    if compiled is None:
        return None
    outputs = ", ".join(f"c{place}" for place in range(len(table.columns)))
    values = ", ".join(f"CAST(c{place} AS {duckdb_type(c.type)})" for place, c in enumerate(table.columns))
    sql = f"SELECT {values} FROM ({compiled.sql}) AS kept({outputs})"
    return StoredExpression(sql, tuple(sorted(compiled.functions)))


def _default(column: Column, type_: t.Type, catalog: StaticCatalog) -> StoredExpression | None:
    if column.default is None:
        return None
    return _expression(f"CAST(({column.default}) AS {type_})", catalog)


def _sorting(datasource: Datasource, catalog: StaticCatalog) -> tuple[StoredExpression, ...]:
    """A key that does not compile leaves rows in the order of their arrival: that costs time, never an answer."""
    text = datasource.engine.get("sorting_key") if datasource.engine else None
    try:
        return tuple(_expression(part, catalog) for part in key_parts(text or ""))
    except QueryError:
        return ()


def _expiry(datasource: Datasource, catalog: StaticCatalog) -> StoredExpression | None:
    """The condition of the rows that ENGINE_TTL removes; None without one, and for TTLs that only move or pack rows.

    The moment 1970-01-01 stands for no moment at all, as in ClickHouse.
    """
    text = datasource.engine.get("ttl") if datasource.engine else None
    found = _TTL.fullmatch((text or "").strip())
    if found is None:
        return None
    moment = f"toDateTime({found['moment']})"
    where = f" AND ({found['where']})" if found["where"] else ""
    try:
        return _expression(f"{moment} <= now() AND {moment} != toDateTime(0){where}", catalog)
    except QueryError:
        return None


def _row_catalog(datasource: Datasource, types: Mapping[str, t.Type]) -> StaticCatalog:
    columns = tuple(TableColumn(column.name, types.get(column.name, t.STRING)) for column in datasource.columns)
    return StaticCatalog({_ROW: Table(_ROW, _ROW, columns)})


def _expression(sql: str, catalog: StaticCatalog) -> StoredExpression:
    """Compiles over one row, and takes the expression out of the query: its columns become `v<position>`."""
    compiled = compile_query(f"SELECT {sql} FROM {_ROW}", catalog)
    table = catalog.entries[_ROW]
    assert isinstance(table, Table)
    found = _SELECTED.fullmatch(compiled.sql)
    if found is None:
        raise UnsupportedError(f"'{sql}' is not an expression over one row")
    text = found["expression"]
    for position, column in enumerate(table.columns):
        text = text.replace(f"{found['alias']}.{duckdb_name(column.name)}", f"v{position}")
    return StoredExpression(f"({text})", tuple(sorted(compiled.functions)))


def _mistake(datasource: Datasource, column: Column, error: QueryError) -> Diagnostic:
    message = f"the DEFAULT of column '{column.name}' cannot be computed: {error.message}"
    return Diagnostic("default", message, file=datasource.file, span=column.span, hint=error.hint)
