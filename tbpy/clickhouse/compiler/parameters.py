"""Query parameters `{name: Type}`: their values, and the names of columns that show them.

ClickHouse puts a constant in place of a parameter, `_CAST(value, 'Type')`, whose value is what the type keeps: days of
a Date, seconds of a DateTime, the text of what is no plain number. Source: what chDB 26.9 answers.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.names import column_name
from tbpy.clickhouse.quoting import quote_string
from tbpy.errors import QueryError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NULL = "\\N"


class OpenText(str):
    """In the place of a String parameter's value: a text by which the value's place is found in the compiled SQL.

    Of the value the compiler takes nothing for granted, as of a column's.
    """


class OpenLiteral(str):
    """As `OpenText`, in the place of a whole number, a Date or a DateTime of which only the type is known."""

    def sql(self, type_: t.Type) -> str:
        """The literal in DuckDB's SQL. Raises `QueryError` for other types."""
        match type_:
            case t.Int():
                return str(self)
            case t.Date():
                return f"DATE '{self}'"
            case t.DateTime(None):
                return f"TIMESTAMP '{self}'"
        raise QueryError(f"A literal of type {type_} cannot be left open", code=43, name="ILLEGAL_TYPE_OF_ARGUMENT")


def parameter_name(node: ast.Parameter, text: str) -> str:
    """The name of a column that shows a parameter with this text."""
    type_ = t.parse_type(node.type)
    if type_ == t.STRING:
        return quote_string(text)
    with suppress(ValueError, QueryError):
        return f"_CAST({column_name(_value(text, type_))}, {quote_string(node.type)})"
    return f"{{{node.name}:{node.type}}}"


def is_null(text: str, type_: t.Type) -> bool:
    return text == NULL and t.is_nullable(type_)


def _value(text: str, type_: t.Type) -> ast.Expression:
    """The constant that a text stands for. Raises ValueError where it is none of the type."""
    inner = t.plain(type_)
    if is_null(text, type_):
        return ast.Literal(None, text)
    if isinstance(inner, t.Array | t.Tuple):
        from tbpy.clickhouse.parser import parse_expression

        return _nested(parse_expression(text), inner)
    return ast.Literal(_plain(text, inner), text)


def _plain(text: str, type_: t.Type) -> ast.LiteralValue:
    match type_:
        case t.Int(bits) if bits <= 64:
            return int(text)
        case t.Float():
            return float(text)
        case t.Date() | t.Date32():
            return (datetime.fromisoformat(text).replace(tzinfo=UTC) - _EPOCH).days
        case t.DateTime():
            return _seconds(text, type_.zone)
        case t.DateTime64():
            return str(_seconds(text, type_.zone))
        case t.Enum(_, members):
            return next(number for name, number in members if name == text)
    return text


def _seconds(text: str, zone: str | None) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone or "UTC"))
    return int((moment - _EPOCH).total_seconds())


def _nested(node: ast.Expression, type_: t.Type) -> ast.Expression:
    """A written array or tuple with its values as its type keeps them."""
    if isinstance(node, ast.Literal):
        return node if node.value is None else ast.Literal(_plain(str(node.value), type_), node.text)
    if not isinstance(node, ast.Function) or node.name not in ("array", "tuple"):
        raise ValueError(node)
    types = type_.items if isinstance(type_, t.Tuple) else (_item(type_),) * len(node.arguments)
    items = tuple(_nested(item, t.plain(kind)) for item, kind in zip(node.arguments, types, strict=True))
    return ast.Function(node.name, items, syntax=node.syntax)


def _item(type_: t.Type) -> t.Type:
    if not isinstance(type_, t.Array):
        raise ValueError(type_)
    return type_.item
