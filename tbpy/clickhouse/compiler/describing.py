"""Statements that describe: DESCRIBE, SHOW TABLES, EXISTS, EXPLAIN."""

from __future__ import annotations

from collections.abc import Callable

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.block import Block
from tbpy.clickhouse.compiler.catalog import Catalog
from tbpy.clickhouse.compiler.context import Context, Output
from tbpy.clickhouse.compiler.expressions import ExpressionCompiler
from tbpy.clickhouse.compiler.queries import compile_block
from tbpy.clickhouse.compiler.scope import Scope
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.formatter import format_query
from tbpy.clickhouse.quoting import duckdb_string

_DESCRIBED = ("name", "type", "default_type", "default_expression", "comment", "codec_expression", "ttl_expression")


def describing_block(context: Context, catalog: Catalog, statement: ast.Statement) -> Block:
    builders: dict[str, Callable[[], Block]] = {
        "describe": lambda: _describe(context, catalog, statement),
        "show tables": lambda: _tables(context, catalog, statement),
        "exists": lambda: _exists(catalog, statement),
        "explain": lambda: _explain(context, catalog, statement),
    }
    builder = builders.get(statement.kind)
    if builder is None:
        raise failures.unsupported(statement.kind.upper(), statement)
    return builder()


def _tables(context: Context, catalog: Catalog, statement: ast.Statement) -> Block:
    block = _texts(("name",), [(name,) for name in sorted(catalog.names())])
    if statement.like is None:
        return block
    scope = Scope(catalog, relations=(block.relation("s", ()),))
    condition = ExpressionCompiler(context, scope).condition(statement.like)
    return Block(f"SELECT s.c0 AS c0 FROM ({block.sql}) AS s WHERE {condition}", block.outputs)


def _explain(context: Context, catalog: Catalog, statement: ast.Statement) -> Block:
    """EXPLAIN SYNTAX is the query as ClickHouse formats it; the plan of any other kind is the DuckDB SQL that runs."""
    from tbpy.clickhouse.compiler.statement import with_hoisted

    kind = statement.explain.split(" ")[0].upper()
    if statement.query is None or kind not in ("", "PLAN", "PIPELINE", "SYNTAX"):
        raise failures.unsupported(f"EXPLAIN {statement.explain}", statement)
    if kind == "SYNTAX":
        text = format_query(statement.query)
    else:
        text = with_hoisted(context, compile_block(context, catalog, None, statement.query).sql)
        text = text.replace("$now", "now()")  # the text of a query asks for no moment
    context.hoisted.clear()
    return _texts(("explain",), [(line,) for line in text.splitlines()])


def _describe(context: Context, catalog: Catalog, statement: ast.Statement) -> Block:
    query = statement.query
    if query is None:
        assert statement.table is not None
        query = ast.Select((ast.Asterisk(),), from_=statement.table)
    outputs = compile_block(context, catalog, None, query).outputs
    return _texts(_DESCRIBED, [(output.name, str(output.value.type), "", "", "", "", "") for output in outputs])


def _texts(names: tuple[str, ...], rows: list[tuple[str, ...]]) -> Block:
    """Rows of text."""
    columns = ", ".join(f"c{position}" for position in range(len(names)))
    lines = ", ".join("(" + ", ".join(map(duckdb_string, row)) + ")" for row in rows)
    blank = ", ".join(f"'' AS c{position}" for position in range(len(names)))
    sql = f"SELECT * FROM (VALUES {lines}) AS v({columns})" if rows else f"SELECT {blank} WHERE false"
    return Block(sql, tuple(Output(name, Typed("", t.STRING)) for name in names))


def _exists(catalog: Catalog, statement: ast.Statement) -> Block:
    table = statement.table
    known = isinstance(table, ast.TableName) and catalog.resolve(table.name, table.database) is not None
    return Block(f"SELECT CAST({int(known)} AS UTINYINT) AS c0", (Output("result", Typed("", t.UINT8)),))
