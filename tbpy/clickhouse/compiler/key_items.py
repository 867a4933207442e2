"""What the keys of GROUP BY stand for: a tuple for its items, so that ROLLUP and CUBE leave them out one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

from tbpy.clickhouse import ast
from tbpy.clickhouse.compiler.aliases import walk
from tbpy.clickhouse.compiler.scope import Scope


def key_items(scope: Scope, node: ast.Expression) -> Iterator[tuple[ast.Expression, bool]]:
    """The expressions that a key means, and whether a number there is the place of a column: in a tuple it is none."""
    found = _tuple_of(scope, node)
    if found is None:
        yield node, True
    else:
        yield from ((item, False) for item in _items(found))


def _tuple_of(scope: Scope, node: ast.Expression) -> ast.Function | None:
    """The tuple that a key is, or that its alias means unless it holds a column of that name."""
    expression = node.expression if isinstance(node, ast.Alias) else node
    if isinstance(expression, ast.Identifier) and len(expression.parts) == 1:
        named = scope.alias(expression.name)
        if not _is_tuple(named) or any(part == expression for part in walk(named)):
            return None
        return named
    return expression if _is_tuple(expression) else None


def _items(node: ast.Function) -> Iterator[ast.Expression]:
    for item in node.arguments:
        if _is_tuple(item):
            yield from _items(item)
        else:
            yield item


def _is_tuple(node: ast.Expression | None) -> TypeGuard[ast.Function]:
    return isinstance(node, ast.Function) and node.name == "tuple"
