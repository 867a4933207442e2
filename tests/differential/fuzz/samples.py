"""What each function of the catalogue may be given: learnt from the recorded calls that ClickHouse answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import StaticCatalog, compile_query
from tbpy.clickhouse.formatter import format_expression
from tbpy.clickhouse.parser import parse_query
from tbpy.errors import QueryError
from tests.conformance import dialect_cases

_NOTHING = StaticCatalog({})


@dataclass(frozen=True, slots=True)
class Argument:
    """SQL of an argument and the family of its type; a family of None takes no other value."""

    sql: str
    family: str | None


@cache
def recorded_calls() -> dict[str, tuple[tuple[str, ...], ...]]:
    """The arguments that each function was given, as SQL: those of calls that read no column and ask no query."""
    found: dict[str, dict[tuple[str, ...], None]] = {}
    for query in _queries():
        for call in _calls(query):
            if not call.parameters and call.window is None and _is_closed(call, frozenset()):
                found.setdefault(call.name, {})[tuple(map(_text, call.arguments))] = None
    return {name: tuple(calls) for name, calls in found.items()}


@cache
def recorded_aggregates() -> dict[str, tuple[tuple[str, tuple[Argument, ...]], ...]]:
    """Parameters and arguments (with the families of their types) of each aggregate over one of the tables."""
    catalog = dialect_cases.fixture_catalog()
    found: dict[str, dict[tuple[str, tuple[Argument, ...]], None]] = {}
    for query in _queries():
        if isinstance(query, ast.Select) and isinstance(query.from_, ast.TableName):
            for call in _calls(query):
                arguments = tuple(_argument(_text(item), query.from_.name, catalog) for item in call.arguments)
                parameters = ", ".join(map(_text, call.parameters or ()))
                if all(argument.family is not None for argument in arguments):
                    found.setdefault(call.name, {})[parameters, arguments] = None
    return {name: tuple(calls) for name, calls in found.items()}


def _queries() -> Iterator[ast.Query]:
    for case in (*dialect_cases.recorded(), *dialect_cases.own()):
        if case.error is None:
            try:
                yield parse_query(case.query)
            except QueryError:
                continue


def _calls(node: Any) -> Iterator[ast.Function]:
    if isinstance(node, ast.Function):
        yield node
    if isinstance(node, ast.Node):
        for field in fields(node):
            yield from _calls(getattr(node, field.name))
    elif isinstance(node, tuple):
        for item in node:
            yield from _calls(item)


def _is_closed(node: Any, bound: frozenset[str]) -> bool:
    if isinstance(node, ast.Identifier):
        return node.parts[0] in bound
    if isinstance(node, ast.Lambda):
        return _is_closed(node.body, bound | frozenset(node.parameters))
    if isinstance(node, ast.Subquery | ast.Alias | ast.Parameter | ast.Asterisk | ast.ColumnsMatcher):
        return False
    if isinstance(node, ast.Node):
        return all(_is_closed(getattr(node, field.name), bound) for field in fields(node))
    return all(_is_closed(item, bound) for item in node) if isinstance(node, tuple) else True


def _text(node: ast.Expression) -> str:
    return " ".join(format_expression(node).split())


def _argument(sql: str, table: str, catalog: StaticCatalog) -> Argument:
    try:
        return Argument(sql, family(compile_query(f"SELECT {sql} FROM {table}", catalog).columns[0].type))
    except QueryError:
        return Argument(sql, None)


@cache
def family_of(sql: str) -> str | None:
    """The family of the type of an expression that reads nothing; None for a lambda and what is not known."""
    try:
        return family(compile_query(f"SELECT {sql}", _NOTHING).columns[0].type)
    except (QueryError, RecursionError):
        return None


def family(type_: t.Type) -> str | None:
    """Types that a function mostly takes alike."""
    match inner := t.plain(type_):
        case t.Array(item):
            of = family(item)
            return None if of is None else f"[{of}]"
        case t.Int() | t.Bool():
            return "int"
        case t.DateTime() | t.DateTime64() | t.Date() | t.Date32():
            return "time"
        case t.String() | t.FixedString() | t.Enum():
            return "text"
    return _NAMES.get(type(inner))


_NAMES: dict[type, str] = {
    t.Float: "float",
    t.Decimal: "decimal",
    t.UUID: "uuid",
    t.IPv4: "ip",
    t.IPv6: "ip",
    t.Map: "map",
}
