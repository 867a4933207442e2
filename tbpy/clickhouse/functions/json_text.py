"""toJSONString: a value of any type as JSON text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.printing import text_sql
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.context import Context
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.compiler.unions import by_type
from tbpy.clickhouse.documents import PRINTED, printed_sql
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import field_names


@scalar("toJSONString")
def to_json_string(call: Call) -> Typed:
    return call.typed(json_sql(call.context, call.args[0].exact(), call.args[0].type, call.node), t.STRING)


def json_sql(context: Context, sql: str, type_: t.Type, node: ast.Node) -> str:
    """DuckDB SQL of the JSON text of a value; NULL is the text null when it stands inside another value."""
    return _json(_Place(context, node), sql, type_)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a text is made: the compilation, and the call that an error names."""

    context: Context
    node: ast.Node

    def unsupported(self, what: str) -> NoReturn:
        raise failures.unsupported(f"Function toJSONString with {what}", self.node)


def _json(call: _Place, sql: str, type_: t.Type) -> str:
    if isinstance(type_, t.Nullable | t.LowCardinality):
        inner = _json(call, sql, type_.item)
        return f"coalesce({inner}, 'null')" if isinstance(type_, t.Nullable) else inner
    match type_:
        case t.Array(item):
            return _list(call, sql, item)
        case t.Map(key, value):
            return _map(call, sql, key, value)
        case t.Tuple():
            return _tuple(call, sql, type_)
        case t.Int() | t.Decimal() | t.Bool():
            return _plain(call, sql, type_)
        case t.Float():
            return f"(CASE WHEN isfinite({sql}) THEN {_plain(call, sql, type_)} ELSE 'null' END)"
        case t.Json() | t.Dynamic():
            text = f"replace({printed_sql(sql, type_, call.context.udf(PRINTED))}, '/', '\\/')"
            return f"coalesce({text}, 'null')" if isinstance(type_, t.Dynamic) else text
        case t.Variant():
            text = by_type(Typed(sql, type_), type_, lambda part: _json(call, part.sql, part.type))
            return f"coalesce({text}, 'null')"
        case t.FixedString(length):
            return quoted_json(f"rpad({sql}, {length}, chr(0))")
    return quoted_json(_plain(call, sql, type_))


def _plain(call: _Place, sql: str, type_: t.Type) -> str:
    text = text_sql(sql, type_)
    if text is None:
        call.unsupported(f"type {type_}")
    return text


def quoted_json(text: str) -> str:
    """A text as a JSON string, with `/` escaped as ClickHouse escapes it."""
    return f"replace(CAST(to_json({text}) AS VARCHAR), '/', '\\/')"


def _list(call: _Place, sql: str, item: t.Type) -> str:
    name = call.context.fresh("e")
    parts = f"list_transform({sql}, lambda {name}: {_json(call, name, item)})"
    return f"('[' || array_to_string({parts}, ',') || ']')"


def _map(call: _Place, sql: str, key: t.Type, value: t.Type) -> str:
    name = call.context.fresh("e")
    label = quoted_json(_plain(call, f"{name}.key", key))
    entry = f"{label} || ':' || {_json(call, f'{name}.value', value)}"
    return f"('{{' || array_to_string(list_transform(map_entries({sql}), lambda {name}: {entry}), ',') || '}}')"


def _tuple(call: _Place, sql: str, type_: t.Tuple) -> str:
    if not type_.items:
        return "'[]'"
    fields = zip(field_names(type_), type_.items, strict=True)
    parts = [_json(call, f"{sql}[{duckdb_string(field)}]", item) for field, item in fields]
    if type_.names is None:
        return f"('[' || {_commas(parts)} || ']')"
    named = [
        f"{duckdb_string(f'{chr(34)}{name}{chr(34)}:')} || {part}"
        for name, part in zip(type_.names, parts, strict=True)
    ]
    return f"('{{' || {_commas(named)} || '}}')"


def _commas(parts: list[str]) -> str:
    return " || ',' || ".join(parts)
