"""Variant values in DuckDB SQL: a UNION whose members are named as the types of the Variant."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import union_sql


def made(value: Typed, member: t.Type, variant: t.Variant) -> str:
    """A value of one type of a Variant as the Variant; NULL stays NULL."""
    union = union_sql(value.sql, member, variant)
    return f"(CASE WHEN {value.sql} IS NOT NULL THEN {union} END)" if t.is_nullable(value.type) else union


def tag(sql: str) -> str:
    """The name of the type that a value has."""
    return f"CAST(union_tag({sql}) AS VARCHAR)"


def member(value: Typed, type_: t.Type) -> Typed:
    """The value as one of its types: NULL where it is of another."""
    sql = f"union_extract({value.sql}, {duckdb_string(str(type_))})"
    return Typed(sql, type_, aggregate=value.aggregate, window=value.window)


def by_type(value: Typed, variant: t.Variant, arm: Callable[[Typed], str]) -> str:
    """SQL that differs by the type that a value has; NULL for NULL."""
    arms = {str(item): arm(member(value, item)) for item in variant.items}
    return chosen(value.sql, arms)


def chosen(sql: str, arms: Mapping[str, str]) -> str:
    """One of several expressions, by the name of the type of a value."""
    cases = " ".join(f"WHEN {duckdb_string(name)} THEN {arm}" for name, arm in arms.items())
    return f"(CASE {tag(sql)} {cases} END)"


def variant_of(types: list[t.Type]) -> t.Variant:
    """The Variant of some types, with those of Variants among them; NULL is part of every Variant."""
    found: dict[t.Type, None] = {}
    for type_ in types:
        items = type_.items if isinstance(type_, t.Variant) else (t.not_nullable(type_),)
        found.update(dict.fromkeys(item for item in items if not isinstance(item, t.Nothing)))
    return t.Variant(tuple(sorted(found, key=str)))
