"""The aliases of a SELECT: ClickHouse lets an alias be defined anywhere in it and used anywhere in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from tbpy.clickhouse import ast
from tbpy.clickhouse.compiler import failures

_PARTS = ("columns", "prewhere", "where", "group_by", "having", "qualify", "order_by", "limit_by", "distinct_on")


def collect_aliases(select: ast.Select) -> dict[str, ast.Expression]:
    """Every `expression AS name` of the SELECT itself; subqueries keep theirs.

    Raises MULTIPLE_EXPRESSIONS_FOR_ALIAS (179) for a name of two expressions; inside a lambda names are its own matter.
    """
    named: list[tuple[ast.Alias, bool]] = []
    for part in _PARTS:
        _gather(getattr(select, part), named, in_lambda=False)
    given = {item.name: item.expression for item in select.with_ if isinstance(item, ast.WithExpression)}
    found: dict[str, ast.Expression] = {}
    for alias, in_lambda in sorted(named, key=lambda pair: pair[1]):
        known = given.get(alias.name, found.setdefault(alias.name, alias.expression))
        if known is not alias.expression and known != alias.expression and not in_lambda:
            text = f"Multiple expressions for alias {alias.name}"
            raise failures.failure(text, 179, "MULTIPLE_EXPRESSIONS_FOR_ALIAS", alias)
    for alias in (*_replacements(select), *_in_conditions(select.from_)):
        found.setdefault(alias.name, alias.expression)
    return found


def _gather(value: object, found: list[tuple[ast.Alias, bool]], *, in_lambda: bool) -> None:
    """The aliases below a value, and whether they stand in a lambda."""
    if isinstance(value, tuple):
        for item in value:
            _gather(item, found, in_lambda=in_lambda)
    elif isinstance(value, ast.Node) and not isinstance(value, _OPAQUE):
        if isinstance(value, ast.Alias):
            found.append((value, in_lambda))
        inside = in_lambda or isinstance(value, ast.Lambda)
        for field in _node_fields(type(value)):
            _gather(getattr(value, field), found, in_lambda=inside)


def _in_conditions(table: ast.TableExpression | None) -> Iterator[ast.Alias]:
    """Aliases in the conditions of joins."""
    if isinstance(table, ast.Join):
        yield from _in_conditions(table.left)
        yield from _in_conditions(table.right)
        yield from aliases_in(table.on)
    elif isinstance(table, ast.ArrayJoin):
        yield from _in_conditions(table.source)


def _replacements(select: ast.Select) -> Iterator[ast.Alias]:
    """`* REPLACE (expression AS column)`: WHERE and ORDER BY see the column as it is replaced."""
    for column in select.columns:
        if isinstance(column, ast.Asterisk | ast.ColumnsMatcher):
            for transformer in column.transformers:
                if isinstance(transformer, ast.ReplaceColumns):
                    yield from transformer.items


#: Nodes whose names are their own: subqueries, and `REPLACE (x AS column)` inside a call.
_OPAQUE = (ast.Subquery, ast.SubqueryTable, ast.ReplaceColumns)


def aliases_in(value: object) -> Iterator[ast.Alias]:
    for node in walk(value):
        if isinstance(node, ast.Alias):
            yield node


def walk(value: object) -> Iterator[ast.Node]:
    """All nodes below a value, without entering subqueries."""
    if isinstance(value, tuple):
        for item in value:
            yield from walk(item)
    elif isinstance(value, ast.Node) and not isinstance(value, _OPAQUE):
        yield value
        for field in _node_fields(type(value)):
            yield from walk(getattr(value, field))


_FIELDS: dict[type, tuple[str, ...]] = {}


def _node_fields(kind: type) -> tuple[str, ...]:
    names = _FIELDS.get(kind)
    if names is None:
        names = tuple(field.name for field in fields(kind) if field.name not in ("start", "end"))
        _FIELDS[kind] = names
    return names
