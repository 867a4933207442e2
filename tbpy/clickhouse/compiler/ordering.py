"""ORDER BY: ClickHouse's order of values, NULLs and NaN in DuckDB SQL."""

from __future__ import annotations

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.quoting import duckdb_string


def order_sql(value: Typed, item: ast.OrderItem) -> list[str]:
    """The sort keys of one item: NULLs last in both directions unless told, NaN beside them."""
    if item.collate is not None:
        raise failures.unsupported("COLLATE", item)
    direction = " DESC" if item.descending else ""
    first = bool(item.nulls_first)
    inner = t.plain(value.type)
    nulls = "" if not t.is_nullable(value.type) else " NULLS FIRST" if first else " NULLS LAST"
    key = sort_key(value)
    if isinstance(inner, t.Float) and first != item.descending:
        return [f"isnan({value.sql}){' DESC' if first else ''}", f"{key}{direction}{nulls}"]
    return [f"{key}{direction}{nulls}"]


def sort_key(value: Typed) -> str:
    """SQL that DuckDB sorts as ClickHouse sorts the value: an enum sorts by number."""
    inner = t.plain(value.type)
    if isinstance(inner, t.Enum):
        names = ", ".join(duckdb_string(name) for name, _ in inner.members)
        return f"list_position([{names}], {value.sql})"
    return value.sql
