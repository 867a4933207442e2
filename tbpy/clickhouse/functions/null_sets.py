"""IN with `transform_null_in`: NULL is a value, which a set may hold."""

from __future__ import annotations

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.block import Block
from tbpy.clickhouse.compiler.expressions import ExpressionCompiler
from tbpy.clickhouse.compiler.parts import parts
from tbpy.clickhouse.compiler.typed import Typed


def has_null(items: list[Typed]) -> bool:
    return any(item.known and item.value is None for item in items)


def with_null(value: Typed, found: str, *, holds_null: bool) -> str:
    """What IN found, and NULL found where the set holds it."""
    if not t.is_nullable(value.type) and not isinstance(t.plain(value.type), t.Nothing):
        return found
    return f"(CASE WHEN {value.sql} IS NULL THEN {'true' if holds_null else 'false'} ELSE {found} END)"


def with_null_rows(value: Typed, found: str, block: Block, node: ast.Node) -> str:
    """The same for the rows of a query."""
    if len(block.outputs) > 1:
        raise failures.unsupported("transform_null_in for IN with a query of several columns", node)
    if not t.is_nullable(value.type) and not isinstance(t.plain(value.type), t.Nothing):
        return found
    rows = f"EXISTS (SELECT 1 FROM ({block.sql}) AS n WHERE n.c0 IS NULL)"
    return f"(CASE WHEN {value.sql} IS NULL THEN {rows} ELSE {found} END)"


def same_parts(compiler: ExpressionCompiler, left: list[Typed], right: Typed, node: ast.Node) -> str:
    """Whether two tuples are equal when NULL equals NULL."""
    pairs = zip(left, parts(right), strict=True)
    return " AND ".join(compiler.call("isNotDistinctFrom", one, other, node=node).sql for one, other in pairs)
