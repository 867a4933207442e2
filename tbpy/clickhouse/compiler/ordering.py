"""ORDER BY: ClickHouse's order of values, NULLs and NaN in DuckDB SQL."""

from __future__ import annotations

import re

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.wide import is_wide, order_key
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.context import Context
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.documents import holds_json
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import field_names

_LOCALE = re.compile("[a-z]{2,3}(_[a-z]{2,4})?")


def order_sql(context: Context, value: Typed, item: ast.OrderItem) -> list[str]:
    """The sort keys of one item: NULLs last in both directions unless told, NaN beside them."""
    direction = " DESC" if item.descending else ""
    first = bool(item.nulls_first)
    inner = t.plain(value.type)
    nulls = "" if not t.is_nullable(value.type) else " NULLS FIRST" if first else " NULLS LAST"
    if isinstance(inner, t.Dynamic):
        key, nulls = dynamic_key(context, value.sql), f" NULLS {'FIRST' if first else 'LAST'}"
    elif isinstance(inner, t.Json):
        key = document_key(context, value.sql, inner)
    elif holds_json(inner):
        raise failures.unsupported(f"ORDER BY {value.type}", item)
    else:
        key = sort_key(value, descending=item.descending) if item.collate is None else _collated(value, item)
    if isinstance(inner, t.Float) and first != item.descending:
        return [f"isnan({value.sql}){' DESC' if first else ''}{nulls}", f"{key}{direction}{nulls}"]
    return [f"{key}{direction}{nulls}"]


def document_key(context: Context, sql: str, type_: t.Json) -> str:
    """A text that is equal for equal documents of a type, and sorts as ClickHouse sorts them."""
    return f"{context.udf('tb_json_key')}(CAST({sql} AS VARCHAR), {duckdb_string(str(type_))})"


def dynamic_key(context: Context, sql: str) -> str:
    """That of a document whose one path is the value: such values sort by their types, then by what they are."""
    document = document_key(context, f"json_object('v', {sql})", t.Json())
    return f"(CASE WHEN {sql} IS NOT NULL THEN {document} END)"


def _collated(value: Typed, item: ast.OrderItem) -> str:
    """Text in the order of a language, by the same library that ClickHouse uses (ICU)."""
    locale = (item.collate or "").replace("-", "_").lower()
    if not isinstance(t.plain(value.type), t.String) or not _LOCALE.fullmatch(locale):
        raise failures.unsupported(f"COLLATE '{item.collate}' of {value.type}", item)
    return f"{value.sql} COLLATE {locale}"


def sort_key(value: Typed, *, descending: bool = False) -> str:
    """SQL that DuckDB sorts as ClickHouse sorts the value: an enum sorts by number, NULL and NaN in parts come last."""
    inner = t.plain(value.type)
    if isinstance(inner, t.Array | t.Tuple) and _needs_parts(inner, descending):
        return _parts_key(value.sql, value.type, 0, descending)
    if isinstance(inner, t.Enum):
        names = ", ".join(duckdb_string(name) for name, _ in inner.members)
        return f"list_position([{names}], {value.sql})"
    if isinstance(inner, t.UUID):
        return uuid_key(value.sql)
    return order_key(value.sql) if is_wide(inner) else value.sql


def uuid_key(sql: str) -> str:
    """ClickHouse compares the last 8 bytes of a UUID before the first 8."""
    return f"(right(CAST({sql} AS VARCHAR), 17) || left(CAST({sql} AS VARCHAR), 18))"


def has_own_order(type_: t.Type) -> bool:
    """Whether DuckDB would sort the values of a plain type, which holds no others, in another order."""
    return isinstance(type_, t.Enum | t.UUID) or is_wide(type_)


def _needs_parts(type_: t.Type, descending: bool) -> bool:
    """Whether something inside sorts otherwise: NULL and NaN where the order is descending, enums, UUIDs."""
    inner = t.plain(type_)
    if isinstance(inner, t.Array):
        return _needs_parts(inner.item, descending)
    if isinstance(inner, t.Tuple):
        return any(_needs_parts(item, descending) for item in inner.items)
    return has_own_order(inner) or (descending and _may_lack(type_))


def _may_lack(type_: t.Type) -> bool:
    return t.is_nullable(type_) or isinstance(t.plain(type_), t.Float)


def _parts_key(sql: str, type_: t.Type, depth: int, descending: bool) -> str:
    """A value taken apart so that what lacks a value is less than all others, as a descending order wants it."""
    inner = t.plain(type_)
    if not _needs_parts(type_, descending):
        return sql
    if isinstance(inner, t.Array):
        name = f"o{depth}"
        return f"list_transform({sql}, lambda {name}: {_parts_key(name, inner.item, depth + 1, descending)})"
    if isinstance(inner, t.Tuple):
        parts = (
            f"{duckdb_string(name)}: {_parts_key(f'{sql}[{duckdb_string(name)}]', item, depth, descending)}"
            for name, item in zip(field_names(inner), inner.items, strict=True)
        )
        return "{" + ", ".join(parts) + "}"
    key = sort_key(Typed(sql, type_))
    if not descending or not _may_lack(type_):
        return key
    known = f"({sql} IS NOT NULL AND NOT isnan({sql}))" if isinstance(inner, t.Float) else f"({sql} IS NOT NULL)"
    return f"{{'known': {known}, 'value': {key}}}"
