"""Deleting the rows of a data source that a condition in ClickHouse's SQL is true for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import Catalog, CompiledQuery, Table, TableColumn, TableEngine, View, compile_query
from tbpy.clickhouse.quoting import quote_identifier
from tbpy.datafiles import Kind
from tbpy.errors import UsageError
from tbpy.project import Key, Project
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.materializing import render_plainly
from tbpy.workspace.scopes import Scope

_ROW_NUMBER = "tbpy_row_number"


def compile_condition(
    project: Project, stored: Mapping[str, StoredDatasource], name: str, condition: str
) -> CompiledQuery:
    """The row numbers of the rows to delete. Raises `UsageError` for no condition, `QueryError` for a wrong one."""
    if not condition.strip():
        raise UsageError("a condition is needed to delete rows", hint="truncate deletes all rows")
    scope = Scope(project, stored, lambda _, node: render_plainly(project, node))
    table = scope.table(Key(Kind.DATASOURCE, name))
    row_number = TableColumn(_ROW_NUMBER, t.parse_type("Int64"), "rowid")
    # Of ENGINE Join the rows that are not shown go, too.
    engine = TableEngine() if table.engine.join else table.engine
    numbered = Table(name, table.physical, (*table.columns, row_number), engine)
    catalog = _Numbered(scope.catalog(), numbered)
    # A line of its own, so that a comment at the end of the condition ends there.
    return compile_query(f"SELECT {_ROW_NUMBER} FROM {quote_identifier(name)} WHERE (\n{condition}\n)", catalog)


@dataclass(frozen=True)
class _Numbered:
    """A catalogue in which one data source shows its row numbers."""

    inner: Catalog
    table: Table

    def resolve(self, name: str, database: str | None = None) -> Table | View | None:
        return self.table if name == self.table.name and database is None else self.inner.resolve(name, database)

    def names(self) -> tuple[str, ...]:
        return self.inner.names()
