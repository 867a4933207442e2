"""Which tables a query reads, by ClickHouse's rules of what a name in it means.

A CTE hides a table of its name, except inside its own definition. `x IN name` reads a table when nothing else has the
name. `joinGet('name', ...)` reads the table that its first argument names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from tbpy.clickhouse import ast

_IN_FUNCTIONS = frozenset({"in", "notIn", "globalIn", "globalNotIn", "nullIn", "notNullIn"})
_JOIN_GET = frozenset({"joinGet", "joinGetOrNull"})
_FIELDS: dict[str, tuple[str, ...]] = {
    kind.__name__: tuple(field.name for field in fields(kind) if field.name not in ("start", "end"))
    for kind in vars(ast).values()
    if isinstance(kind, type) and is_dataclass(kind)
}


@dataclass(frozen=True, slots=True)
class Reference:
    """A table that a query names. `certain` is False where the name may be a column or an alias instead."""

    name: str
    database: str | None
    start: int
    end: int
    certain: bool = True


def table_references(query: ast.Query | None) -> tuple[Reference, ...]:
    """Every table reference of a query, in the order they are met."""
    return tuple(_query(query, frozenset())) if query is not None else ()


def _query(query: ast.Query, hidden: frozenset[str]) -> Iterator[Reference]:
    match query:
        case ast.Select():
            inner = hidden
            for item in query.with_:
                yield from _with_item(item, inner, query.recursive)
                if isinstance(item, ast.CommonTable):
                    inner |= {item.name}
            for name in _FIELDS["Select"]:
                if name != "with_":
                    yield from _any(getattr(query, name), inner)
        case ast.SetOperation():
            yield from _query(query.left, hidden)
            yield from _query(query.right, hidden | _leading_names(query.left))
        case _:
            yield from _parts(query, hidden)


def _with_item(
    item: ast.WithExpression | ast.CommonTable, hidden: frozenset[str], recursive: bool
) -> Iterator[Reference]:
    if isinstance(item, ast.CommonTable):
        yield from _query(item.query, hidden | {item.name} if recursive else hidden)
    else:
        yield from _any(item.expression, hidden)


def _leading_names(query: ast.Query) -> frozenset[str]:
    """The CTEs of the first SELECT of a set operation are known in all of them."""
    while isinstance(query, ast.SetOperation):
        query = query.left
    items = query.with_ if isinstance(query, ast.Select) else ()
    return frozenset(item.name for item in items if isinstance(item, ast.CommonTable))


def _any(value: Any, hidden: frozenset[str]) -> Iterator[Reference]:
    match value:
        case ast.Select() | ast.SetOperation() | ast.Values():
            yield from _query(value, hidden)
        case ast.TableName():
            if value.database is not None or value.name not in hidden:
                yield Reference(value.name, value.database, value.start, value.end)
        case ast.Function():
            yield from _function(value, hidden)
        case ast.Node():
            yield from _parts(value, hidden)
        case tuple():
            for item in value:
                yield from _any(item, hidden)


def _function(function: ast.Function, hidden: frozenset[str]) -> Iterator[Reference]:
    first, last = function.arguments[:1], function.arguments[-1:]
    if function.name in _IN_FUNCTIONS and isinstance(last[0], ast.Identifier):
        yield from _table_after_in(last[0], hidden)
    elif function.name in _JOIN_GET and first and isinstance(first[0], ast.Literal):
        database, _, name = str(first[0].value).rpartition(".")
        yield Reference(name, database or None, first[0].start, first[0].end)
    yield from _parts(function, hidden)


def _table_after_in(identifier: ast.Identifier, hidden: frozenset[str]) -> Iterator[Reference]:
    *database, name = identifier.parts
    if len(database) <= 1 and (database or name not in hidden):
        yield Reference(name, database[0] if database else None, identifier.start, identifier.end, certain=False)


def _parts(node: ast.Node, hidden: frozenset[str]) -> Iterator[Reference]:
    for name in _FIELDS[type(node).__name__]:
        value = getattr(node, name)
        if isinstance(value, ast.Node | tuple):
            yield from _any(value, hidden)


def identifiers(node: ast.Node) -> Iterator[ast.Identifier]:
    """Every identifier of an expression, those that a lambda binds left out."""
    yield from _identifiers(node, frozenset())


def _identifiers(value: Any, bound: frozenset[str]) -> Iterator[ast.Identifier]:
    match value:
        case ast.Identifier():
            if value.parts[0] not in bound:
                yield value
        case ast.Lambda():
            yield from _identifiers(value.body, bound | set(value.parameters))
        case ast.Node():
            for name in _FIELDS[type(value).__name__]:
                yield from _identifiers(getattr(value, name), bound)
        case tuple():
            for item in value:
                yield from _identifiers(item, bound)
