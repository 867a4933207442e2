"""Which tables a query reads, by ClickHouse's rules of what a name means, and the query with others in their place.

A CTE hides a table of its name, except inside its own definition. `x IN name` reads a table when nothing else has the
name. `joinGet('name', ...)` reads the table that its first argument names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
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
    found = _References()
    if query is not None:
        found.walk(query)
    return tuple(found.references)


class TableWalk:
    """Visits the tables of a query and puts what its methods answer in their place. By itself it changes nothing."""

    def walk(self, query: ast.Query) -> ast.Query:
        walked: ast.Query = self._query(query, frozenset())
        return walked

    def table(self, node: ast.TableName) -> ast.TableExpression:
        """A table in FROM that no CTE hides."""
        return node

    def table_after_in(self, node: ast.Identifier) -> ast.Expression:
        """The bare name after IN that no CTE has."""
        return node

    def joined(self, name: ast.Literal) -> ast.Expression:
        """The first argument of joinGet."""
        return name

    def _query(self, query: Any, hidden: frozenset[str]) -> Any:
        match query:
            case ast.Select():
                return self._select(query, hidden)
            case ast.SetOperation():
                left = self._query(query.left, hidden)
                right = self._query(query.right, hidden | _leading_names(query.left))
                return _changed(query, {"left": left, "right": right})
        return self._parts(query, hidden)

    def _select(self, query: ast.Select, hidden: frozenset[str]) -> ast.Select:
        items: list[ast.WithExpression | ast.CommonTable] = []
        for item in query.with_:
            if isinstance(item, ast.CommonTable):
                inside = hidden | {item.name} if query.recursive else hidden
                items.append(_changed(item, {"query": self._query(item.query, inside)}))
                hidden |= {item.name}
            else:
                items.append(_changed(item, {"expression": self._any(item.expression, hidden)}))
        changes = {name: self._any(getattr(query, name), hidden) for name in _FIELDS["Select"] if name != "with_"}
        changed: ast.Select = _changed(query, {"with_": _same(query.with_, items), **changes})
        return changed

    def _any(self, value: Any, hidden: frozenset[str]) -> Any:
        match value:
            case ast.Select() | ast.SetOperation() | ast.Values():
                return self._query(value, hidden)
            case ast.TableName():
                return value if value.database is None and value.name in hidden else self.table(value)
            case ast.Function():
                return self._function(value, hidden)
            case ast.Node():
                return self._parts(value, hidden)
            case tuple():
                return _same(value, [self._any(item, hidden) for item in value])
        return value

    def _function(self, function: ast.Function, hidden: frozenset[str]) -> ast.Function:
        changed: ast.Function = self._parts(function, hidden)
        arguments = list(changed.arguments)
        if function.name in _IN_FUNCTIONS and isinstance(arguments[-1], ast.Identifier):
            parts = arguments[-1].parts
            if len(parts) == 2 or (len(parts) == 1 and parts[0] not in hidden):
                arguments[-1] = self.table_after_in(arguments[-1])
        elif function.name in _JOIN_GET and arguments and isinstance(arguments[0], ast.Literal | ast.Identifier):
            arguments[0] = self.joined(_as_text(arguments[0]))
        result: ast.Function = _changed(changed, {"arguments": _same(changed.arguments, arguments)})
        return result

    def _parts(self, node: Any, hidden: frozenset[str]) -> Any:
        changes = {}
        for name in _FIELDS[type(node).__name__]:
            value = getattr(node, name)
            if isinstance(value, ast.Node | tuple):
                changes[name] = self._any(value, hidden)
        return _changed(node, changes)


def _as_text(table: ast.Literal | ast.Identifier) -> ast.Literal:
    """joinGet takes the bare name of a table as well."""
    if isinstance(table, ast.Literal):
        return table
    return ast.Literal(table.name, f"'{table.name}'", start=table.start, end=table.end)


class _References(TableWalk):
    def __init__(self) -> None:
        self.references: list[Reference] = []

    def table(self, node: ast.TableName) -> ast.TableExpression:
        self.references.append(Reference(node.name, node.database, node.start, node.end))
        return node

    def table_after_in(self, node: ast.Identifier) -> ast.Expression:
        *database, name = node.parts
        self.references.append(Reference(name, database[0] if database else None, node.start, node.end, certain=False))
        return node

    def joined(self, name: ast.Literal) -> ast.Expression:
        database, _, table = str(name.value).rpartition(".")
        self.references.append(Reference(table, database or None, name.start, name.end))
        return name


def _changed(node: Any, changes: dict[str, Any]) -> Any:
    """The node with other parts; the very same node when none is another."""
    others = {name: value for name, value in changes.items() if value is not getattr(node, name)}
    return replace(node, **others) if others else node


def _same(before: tuple[Any, ...], after: list[Any]) -> tuple[Any, ...]:
    same = len(before) == len(after) and all(a is b for a, b in zip(before, after, strict=True))
    return before if same else tuple(after)


def _leading_names(query: ast.Query) -> frozenset[str]:
    """The CTEs of the first SELECT of a set operation are known in all of them."""
    while isinstance(query, ast.SetOperation):
        query = query.left
    items = query.with_ if isinstance(query, ast.Select) else ()
    return frozenset(item.name for item in items if isinstance(item, ast.CommonTable))


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
