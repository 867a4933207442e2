"""The elements of tuples."""

from __future__ import annotations

from dataclasses import replace

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.typed import UNKNOWN, Typed
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import default_sql, field_names


def parts(value: Typed) -> list[Typed]:
    """All elements of a tuple."""
    return [part(value, position) for position in range(len(tuple_type(value).items))]


def part(value: Typed, position: int) -> Typed:
    """One element of a tuple, by place from 0. Of a tuple that may be NULL it may be NULL too, or is an empty array."""
    kind = tuple_type(value)
    sql, type_ = f"{value.sql}[{duckdb_string(field_names(kind)[position])}]", kind.items[position]
    known = value.value[position] if isinstance(value.value, tuple) else UNKNOWN
    if t.is_nullable(value.type):
        type_ = t.nullable(type_)
        if not t.is_nullable(type_):
            sql = f"coalesce({sql}, {default_sql(type_)})"
    return replace(value, sql=sql, type=type_, condition=None, value=known)


def tuple_type(value: Typed) -> t.Tuple:
    kind = t.plain(value.type)
    assert isinstance(kind, t.Tuple)
    return kind
