"""IN with a right side that is no constant: ClickHouse asks has() of its elements, and the answer is Nullable."""

from __future__ import annotations

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.aliases import walk
from tbpy.clickhouse.compiler.expressions import ExpressionCompiler
from tbpy.clickhouse.compiler.parts import parts
from tbpy.clickhouse.compiler.typed import Typed, condition_of


def varies(compiler: ExpressionCompiler, right: ast.Expression) -> bool:
    """Whether a set is no constant to ClickHouse: it depends on the row, on a lambda, or on a subquery."""
    if isinstance(right, ast.Literal | ast.Subquery) or names_a_table(compiler, right):
        return False
    items = _written_items(right)
    if all(isinstance(item, ast.Literal) for item in items):
        return False
    values = [compiler.compile(item) for item in items]
    if any(not value.constant or ("(SELECT " in value.sql and _holds_values(value)) for value in values):
        return True
    return any(isinstance(part, ast.Lambda) for part in walk(right))


def names_a_table(compiler: ExpressionCompiler, right: ast.Expression) -> bool:
    """Whether `x IN name` means the rows of a table: nothing else has that name."""
    return isinstance(right, ast.Identifier) and compiler.lookup(right) is None


def _is_written(node: ast.Expression) -> bool:
    return isinstance(node, ast.Function) and node.name in ("tuple", "array")


def _written_items(node: ast.Expression) -> tuple[ast.Expression, ...]:
    return node.arguments if isinstance(node, ast.Function) and _is_written(node) else (node,)


def _holds_values(value: Typed) -> bool:
    return isinstance(t.plain(value.type), t.Array | t.Map)


def in_elements(compiler: ExpressionCompiler, value: Typed, right: ast.Expression, node: ast.Function) -> str | None:
    """Whether the value is an element of what a row has, as a DuckDB BOOLEAN; None where the set is written out."""
    if _is_written(right):
        return None
    held = compiler.compile(right)
    if held.constant:
        return None
    kind = t.plain(held.type)
    if isinstance(kind, t.Map):
        held, kind = compiler.call("mapKeys", held, node=node), t.Array(kind.key)
    if isinstance(kind, t.Array) and not isinstance(t.plain(value.type), t.Array):
        return f"coalesce({condition_of(compiler.call('has', held, value, node=node))}, false)"
    alone = not isinstance(kind, t.Tuple) or isinstance(t.plain(value.type), t.Tuple)
    items = [held] if alone else parts(held)
    equal = [condition_of(compiler.call("equals", value, item, node=node)) for item in items]
    return f"coalesce({' OR '.join(equal)}, false)"
