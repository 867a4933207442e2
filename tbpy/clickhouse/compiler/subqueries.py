"""Queries where an expression stands: scalar subqueries, EXISTS, and the right side of IN."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.block import Block
from tbpy.clickhouse.compiler.literals import tuple_sql
from tbpy.clickhouse.compiler.parts import parts
from tbpy.clickhouse.compiler.typed import Typed, boolean
from tbpy.clickhouse.storage import default_sql

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.expressions import ExpressionCompiler


def compile_block(compiler: ExpressionCompiler, query: ast.Query) -> Block:
    from tbpy.clickhouse.compiler.queries import compile_block as compile_

    return compile_(compiler.context, compiler.scope.catalog, compiler.scope, query)


def scalar_subquery(compiler: ExpressionCompiler, node: ast.Subquery) -> Typed:
    """The one row of a query: NULL where there is none, a tuple where it has several columns."""
    block = compile_block(compiler, node.query)
    if len(block.outputs) == 1:
        return _one_value(f"({block.sql})", block.outputs[0].value.type)
    items = tuple(output.value.type for output in block.outputs)
    titles = tuple(output.name for output in block.outputs)
    names = titles if len(set(titles)) == len(titles) else None
    fields = tuple_sql([f"s.c{position}" for position in range(len(items))], names)
    return Typed(f"(SELECT {fields} FROM ({block.sql}) AS s)", t.Tuple(items, names), constant=True)


def _one_value(sql: str, type_: t.Type) -> Typed:
    """NULL stands for no row, but for arrays and maps, which cannot be NULL."""
    optional = t.nullable(type_)
    if not t.is_nullable(optional):
        sql = f"coalesce({sql}, {default_sql(type_)})"
    return Typed(sql, optional, constant=True)


def exists(compiler: ExpressionCompiler, node: ast.Function) -> Typed:
    argument = node.arguments[0]
    if not isinstance(argument, ast.Subquery):
        raise failures.wrong_count("exists", len(node.arguments), "a subquery", node)
    block = compile_block(compiler, argument.query)
    return boolean(f"EXISTS ({block.sql})")


def in_block(compiler: ExpressionCompiler, value: Typed, block: Block, node: ast.Function) -> str:
    """`value IN (query)` as a DuckDB BOOLEAN. NULLs of the right side never match, as in ClickHouse."""
    block = _elements(block, value)
    columns = [f"s.c{position}" for position in range(len(block.outputs))]
    optional = [
        column for column, output in zip(columns, block.outputs, strict=True) if t.is_nullable(output.value.type)
    ]
    where = f" WHERE {' AND '.join(f'{column} IS NOT NULL' for column in optional)}" if optional else ""
    looked_for = t.plain(value.type)
    if isinstance(looked_for, t.Tuple) and len(columns) == 1:
        kind = t.plain(block.outputs[0].value.type)
        if not isinstance(kind, t.Tuple):
            raise _widths(len(looked_for.items), 1, node)
    if len(columns) == 1 and isinstance(t.plain(block.outputs[0].value.type), t.Nothing):
        return f"(CASE WHEN {value.sql} IS NOT NULL THEN false END)"
    if len(columns) == 1:
        left, right = comparable(compiler, value, replace(block.outputs[0].value, sql=columns[0], constant=False))
        if right != columns[0]:
            where = f" WHERE {right} IS NOT NULL"
        if compiler.scope.lambdas:
            return _in_list(compiler, left, f"SELECT list({right}) FROM ({block.sql}) AS s{where}")
        return f"({left} IN (SELECT {right} FROM ({block.sql}) AS s{where}))"
    inner = t.plain(value.type)
    if not isinstance(inner, t.Tuple) or len(inner.items) != len(columns):
        own = len(inner.items) if isinstance(inner, t.Tuple) else 1
        raise _widths(own, len(columns), node)
    left_row = ", ".join(part.sql for part in parts(value))
    found = f"(({left_row}) IN (SELECT ({', '.join(columns)}) FROM ({block.sql}) AS s{where}))"
    return f"coalesce({found}, false)" if any(map(t.is_nullable, inner.items)) else found


def _widths(left: int, right: int, node: ast.Node) -> failures.QueryError:
    text = f"Number of columns in section IN doesn't match. {left} at left, {right} at right"
    return failures.failure(text, 20, "NUMBER_OF_COLUMNS_DOESNT_MATCH", node)


def _elements(block: Block, value: Typed) -> Block:
    """Rows of arrays are sets of their elements, unless an array is looked for."""
    kind = t.plain(block.outputs[0].value.type)
    if len(block.outputs) > 1 or not isinstance(kind, t.Array) or isinstance(t.plain(value.type), t.Array):
        return block
    output = replace(block.outputs[0], value=Typed("", kind.item))
    return Block(f"SELECT unnest(u.c0) AS c0 FROM ({block.sql}) AS u", (output,))


def _in_list(compiler: ExpressionCompiler, left: str, rows: str) -> str:
    """IN inside of a lambda, where DuckDB takes no subquery: the rows as a list beside the SELECT's own."""
    found = compiler.scope.beside(Typed(f"(coalesce(({rows}), []))", t.Array(t.NOTHING)), compiler.context)
    return f"list_contains({found.sql}, {left})"


def comparable(compiler: ExpressionCompiler, left: Typed, right: Typed) -> tuple[str, str]:
    """Two values as SQL that DuckDB compares as ClickHouse does; `comparison` rows of the catalogue say how."""
    from tbpy.clickhouse.functions.comparable import set_column

    return set_column(compiler, left, right)
