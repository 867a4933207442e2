"""The entry of the compiler: one statement, whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tbpy.clickhouse import ast
from tbpy.clickhouse.compiler.block import Block
from tbpy.clickhouse.compiler.catalog import Catalog
from tbpy.clickhouse.compiler.context import Context
from tbpy.clickhouse.compiler.describing import describing_block
from tbpy.clickhouse.compiler.fetched import fetched
from tbpy.clickhouse.compiler.limits import ResultLimit, result_limit
from tbpy.clickhouse.compiler.queries import compile_block
from tbpy.clickhouse.compiler.rows import load
from tbpy.clickhouse.compiler.settings import apply_settings
from tbpy.clickhouse.depth import limited_depth
from tbpy.clickhouse.parser import parse_statement
from tbpy.clickhouse.types import Type


@dataclass(frozen=True, slots=True)
class ResultColumn:
    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class CompiledQuery:
    """DuckDB SQL and what its answer means.

    The SQL's columns are positional; `columns` are their ClickHouse names and types. `uses_now`: the engine binds
    `$now`, a naive UTC timestamp. `functions` are the Python functions of `tbpy.clickhouse.udf` that it calls, `tables`
    the stored tables that it reads. `totals` is the SQL of the totals row of WITH TOTALS, with the same columns.
    `limit` is the LIMIT of the outermost SELECT. `arguments` are texts that the engine binds in the places of their
    names (`$name`), where a plan is kept for whatever they are.
    """

    sql: str
    columns: tuple[ResultColumn, ...]
    format: str | None = None
    settings: Mapping[str, ast.LiteralValue] = field(default_factory=dict)
    uses_now: bool = False
    functions: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset()
    totals: str | None = None
    limit: ResultLimit | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)


def compile_query(
    sql: str,
    catalog: Catalog,
    *,
    parameters: Mapping[str, str] | None = None,
    settings: Mapping[str, ast.LiteralValue] | None = None,
    few_rows: bool = False,
) -> CompiledQuery:
    """Compile one statement. `parameters` are the texts of query parameters `{name: Type}`.

    `few_rows`: its tables will have a thousand rows at most.

    Raises QueryError with ClickHouse's code for what ClickHouse refuses, UnsupportedError for what only tbpy refuses.
    """
    load()
    with limited_depth():
        context = Context(parameters or {}, dict(settings or {}), few_rows=few_rows)
        return _compile(parse_statement(sql), context, catalog)


def _compile(statement: ast.Statement, context: Context, catalog: Catalog) -> CompiledQuery:
    apply_settings(context, statement.settings)
    if statement.format is not None:
        from tbpy.clickhouse.formats import find_format

        find_format(statement.format)
    if statement.kind == "select" and statement.query is not None:
        block = compile_block(context, catalog, None, statement.query)
    else:
        block = describing_block(context, catalog, statement)
    sql = with_hoisted(context, fetched(context, block))
    return CompiledQuery(
        sql,
        tuple(ResultColumn(output.name, output.value.type) for output in block.outputs),
        format=statement.format,
        settings=context.settings,
        uses_now="$now" in sql,  # a call that was folded away asks for nothing
        functions=frozenset(context.functions),
        tables=frozenset(context.tables),
        totals=_totals(context, block),
        limit=result_limit(statement.query) if statement.kind == "select" else None,
    )


def with_hoisted(context: Context, sql: str) -> str:
    """The statement with its shared subqueries in front."""
    if not context.hoisted:
        return sql
    tables = ", ".join(f"{hoisted.name} AS ({hoisted.sql})" for hoisted in context.hoisted)
    return f"WITH {'RECURSIVE ' if context.recursive else ''}{tables} {sql}"


def _totals(context: Context, block: Block) -> str | None:
    return None if block.totals is None else with_hoisted(context, block.totals)
