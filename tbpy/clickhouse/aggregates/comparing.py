"""How aggregates compare values: enums by number, and NULL inside arrays, tuples and maps below everything else."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.ordering import has_own_order, sort_key
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import field_names


def sort_value(value: Typed) -> str:
    """SQL that DuckDB orders as ClickHouse compares the value in min, max and their kin."""
    return _ordered(value.sql, value.type, 0) if needs_key(value.type) else sort_key(value)


def needs_key(type_: t.Type) -> bool:
    """Whether DuckDB would order nested values otherwise."""
    match t.plain(type_):
        case t.Array(item):
            return t.is_nullable(item) or needs_key(item)
        case t.Map(key, value):
            return any(t.is_nullable(part) or needs_key(part) for part in (key, value))
        case t.Tuple(items):
            return any(t.is_nullable(item) or needs_key(item) for item in items)
    return has_own_order(t.plain(type_))


def _ordered(sql: str, type_: t.Type, depth: int) -> str:
    name = f"o{depth}"
    match t.plain(type_):
        case t.Array(item):
            return f"list_transform({sql}, lambda {name}: {_element(name, item, depth)})"
        case t.Map(key, value):
            left, right = _element(f"{name}['key']", key, depth), _element(f"{name}['value']", value, depth)
            return f"list_transform(map_entries({sql}), lambda {name}: {{'k': {left}, 'v': {right}}})"
        case t.Tuple(items) as tuple_:
            parts = (
                f"'{place}': {_element(f'{sql}[{duckdb_string(field)}]', item, depth)}"
                for place, (field, item) in enumerate(zip(field_names(tuple_), items, strict=True))
            )
            return "{" + ", ".join(parts) + "}"
    return sort_key(Typed(sql, type_))


def _element(sql: str, type_: t.Type, depth: int) -> str:
    """A nested value; one that may be NULL with its presence before it, so that NULL comes first."""
    value = _ordered(sql, type_, depth + 1)
    return f"{{'p': {sql} IS NOT NULL, 'v': {value}}}" if t.is_nullable(type_) else value
