"""Compiling every node against the schemas, without data: unknown columns and functions, and result types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import compile_query
from tbpy.clickhouse.compiler.catalog import StaticCatalog, Table, TableColumn, View
from tbpy.datafiles import Node, Pipe
from tbpy.errors import QueryError, UnsupportedError
from tbpy.project.catalog import NodeCatalog, stored_table
from tbpy.project.memory import Memory, Recorder
from tbpy.project.model import Key, NodeKey, OutputColumn
from tbpy.project.names import Names
from tbpy.project.report import Report
from tbpy.project.statements import NodeSql

# Refusals that may depend on values that test mode made up: they must not keep a project that ClickHouse accepts from
# being built.
_UNCERTAIN = frozenset({"BAD_ARGUMENTS"})
_FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class _NotKnown(Exception):
    """A node reads something whose columns are not known: it was reported where it is, or belongs to the server."""


@dataclass
class Semantics:
    """Compiles nodes, each once; `columns` are the results of those that compiled."""

    report: Report
    names: Names
    types: Mapping[Key, Mapping[str, t.Type]]
    memory: Memory = field(default_factory=Memory)
    columns: dict[NodeKey, tuple[OutputColumn, ...]] = field(default_factory=dict)
    _tables: dict[Key, Table] = field(default_factory=dict)

    def check_node(self, pipe: Pipe, node: Node, sql: NodeSql) -> None:
        """Compiles one node whose sources were compiled before. What only tbpy refuses is a warning."""
        catalog = Recorder(NodeCatalog(self.names, self._table, self._view, pipe, node, _server_table))
        secrets = sql.rendered.secrets if sql.rendered else {}
        question = ("columns", sql.sql, tuple(secrets.items()))
        try:
            found = self.memory.compiled(question, catalog, lambda: _columns(sql.sql, catalog, secrets))
        except _NotKnown:
            return
        except UnsupportedError as error:
            self._warn(pipe, sql, error, "unsupported")
        except QueryError as error:
            self._refuse(pipe, sql, error)
        except _FAULTS as error:
            # A fault of the compiler must not hide the mistakes of the other files.
            message = f"tbpy failed to compile this node ({type(error).__name__}: {error}): please report it"
            self.report.warning("unsupported", message, pipe.file, node.span)
        else:
            self.columns[NodeKey(pipe.name, node.name)] = found

    def _warn(self, pipe: Pipe, sql: NodeSql, error: QueryError, code: str) -> None:
        span = sql.place(error.place)
        told = error.hint is None or error.hint in error.message
        hint = "Queries that read this node will be refused." if told else error.hint
        self.report.warning(code, error.message, pipe.file, span, hint=hint)

    def _refuse(self, pipe: Pipe, sql: NodeSql, error: QueryError) -> None:
        code = error.name.lower().replace("_", "-")
        if error.name in _UNCERTAIN:
            self._warn(pipe, sql, error, code)
            return
        hint = None if error.hint and error.hint in error.message else error.hint
        self.report.error(code, error.message, pipe.file, sql.place(error.place), hint=hint)

    def _table(self, key: Key) -> Table:
        if key not in self._tables:
            if key not in self.types:
                raise _NotKnown
            vendored = self.names.vendored.get(key.name)
            datasource = vendored or self.names.datasources[key.name]
            self._tables[key] = stored_table(datasource, self.types[key], "t")
        return self._tables[key]

    def _view(self, key: NodeKey) -> Table:
        if key not in self.columns:
            raise _NotKnown
        columns = {column.name: column.type for column in self.columns[key]}
        return Table(key.node, "t", tuple(TableColumn(name, type_) for name, type_ in columns.items()))


def _columns(sql: str, catalog: Recorder, secrets: Mapping[str, str]) -> tuple[OutputColumn, ...]:
    compiled = compile_query(sql, catalog, parameters=secrets)
    return tuple(OutputColumn(column.name, column.type) for column in compiled.columns)


def _server_table(name: str, database: str | None) -> Table | View | None:
    raise _NotKnown


def default_type(expression: str) -> t.Type | None:
    """The type of a column that has only a DEFAULT; None when the expression does not say it."""
    try:
        return compile_query(f"SELECT {expression}", StaticCatalog({})).columns[0].type
    except QueryError:
        return None
