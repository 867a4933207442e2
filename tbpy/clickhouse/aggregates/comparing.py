"""How aggregates compare values: enums by number; NULL and NaN inside arrays, tuples and maps by what is asked for.

The least of nested values is not one with NULL or NaN in it, nor is the greatest. In order NULL comes first, NaN last.
"""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.ordering import has_own_order, sort_key
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import field_names


def sort_value(value: Typed, best: str = "") -> str:
    """SQL that DuckDB orders as ClickHouse compares the value: for its "min" or "max", or to put it in order."""
    return _ordered(value.sql, value.type, 0, best) if needs_key(value.type, best) else sort_key(value)


def needs_key(type_: t.Type, best: str = "") -> bool:
    """Whether DuckDB would order nested values otherwise."""
    match t.plain(type_):
        case t.Array(item):
            return _item_needs_key(item, best)
        case t.Map(key, value):
            return _item_needs_key(key, best) or _item_needs_key(value, best)
        case t.Tuple(items):
            return any(_item_needs_key(item, best) for item in items)
    return has_own_order(t.plain(type_))


def _item_needs_key(type_: t.Type, best: str) -> bool:
    return _may_be_missing(type_, best) or needs_key(type_, best)


def _may_be_missing(type_: t.Type, best: str) -> bool:
    return t.is_nullable(type_) or (best == "max" and isinstance(t.plain(type_), t.Float))


def _ordered(sql: str, type_: t.Type, depth: int, best: str) -> str:
    name = f"o{depth}"
    match t.plain(type_):
        case t.Array(item):
            return f"list_transform({sql}, lambda {name}: {_element(name, item, depth, best)})"
        case t.Map(key, value):
            left = _element(f"{name}['key']", key, depth, best)
            right = _element(f"{name}['value']", value, depth, best)
            return f"list_transform(map_entries({sql}), lambda {name}: {{'k': {left}, 'v': {right}}})"
        case t.Tuple(items) as tuple_:
            parts = (
                f"'{place}': {_element(f'{sql}[{duckdb_string(field)}]', item, depth, best)}"
                for place, (field, item) in enumerate(zip(field_names(tuple_), items, strict=True))
            )
            return "{" + ", ".join(parts) + "}"
    return sort_key(Typed(sql, type_))


def _element(sql: str, type_: t.Type, depth: int, best: str) -> str:
    """A nested value; before one that may be missing whether it is."""
    value = _ordered(sql, type_, depth + 1, best)
    if not _may_be_missing(type_, best):
        return value
    missing = f"{sql} IS NULL"
    if best and isinstance(t.plain(type_), t.Float):
        missing = f"coalesce(isnan({sql}), true)"
    return f"{{'p': {missing if best == 'min' else f'NOT ({missing})'}, 'v': {value}}}"
