"""What an answer has as text, because what fetches its rows would lose something.

It has moments of microseconds, so nanoseconds are text; and it does not tell which type a Variant value has, so that is
JSON text.
"""

from __future__ import annotations

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.block import Block
from tbpy.clickhouse.compiler.context import Context
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import field_names


def fetched(context: Context, block: Block) -> str:
    """The SQL of a block with those values as text."""
    if not any(_loses(output.value.type) for output in block.outputs):
        return block.sql
    columns = (
        f"{_as_text(context, f'c{position}', output.value.type, 0)} AS c{position}"
        for position, output in enumerate(block.outputs)
    )
    return f"SELECT {', '.join(columns)} FROM ({block.sql}) AS p"


def _loses(type_: t.Type) -> bool:
    match t.plain(type_):
        case t.Tuple(items):
            return any(map(_loses, items))
        case t.Array(item):
            return _loses(item)
        case t.Map(key, value):
            return _loses(key) or _loses(value)
        case t.DateTime64(precision):
            return precision > 6
    return isinstance(t.plain(type_), t.Variant)


def _as_text(context: Context, sql: str, type_: t.Type, depth: int) -> str:
    if not _loses(type_):
        return sql
    name = f"p{depth}"
    match t.plain(type_):
        case t.Array(item):
            return f"list_transform({sql}, lambda {name}: {_as_text(context, name, item, depth + 1)})"
        case t.Map(key, value):
            first = _as_text(context, f"{name}.key", key, depth + 1)
            second = _as_text(context, f"{name}.value", value, depth + 1)
            entries = f"list_transform(map_entries({sql}), lambda {name}: {{'key': {first}, 'value': {second}}})"
            return f"map_from_entries({entries})"
        case t.Tuple(items) as tuple_:
            fields = (
                f"{duckdb_string(field)}: {_as_text(context, f'{sql}[{duckdb_string(field)}]', item, depth)}"
                for field, item in zip(field_names(tuple_), items, strict=True)
            )
            text = "{" + ", ".join(fields) + "}"
            return f"CASE WHEN {sql} IS NOT NULL THEN {text} END" if t.is_nullable(type_) else text
        case t.Variant() as variant:
            return f"CASE WHEN {sql} IS NOT NULL THEN {_json(context, sql, variant)} END"
    return f"CAST({sql} AS VARCHAR)"


def _json(context: Context, sql: str, type_: t.Variant) -> str:
    from tbpy.clickhouse.functions.json_text import json_sql

    return json_sql(context, sql, type_, ast.Function("toJSONString", ()))
