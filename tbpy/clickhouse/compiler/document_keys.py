"""JSON documents that decide which rows are one: equal documents may be stored as different texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.documents import STORED
from tbpy.clickhouse.quoting import duckdb_string

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.context import Context
    from tbpy.clickhouse.compiler.scope import Scope


def one_text(context: Context, value: Typed) -> Typed:
    """A document with its keys in order, without nulls, and its values written in one way; other values as they are.

    Only documents whose paths have no types of their own are stored as they came.
    """
    type_ = t.plain(value.type)
    if not isinstance(type_, t.Json) or not type_.is_free:
        return value
    text = f"{context.udf(STORED)}(CAST({value.sql} AS VARCHAR), {duckdb_string(str(type_))})"
    return replace(value, sql=f"CAST({text} AS JSON)", condition=None)


def group_by_documents(context: Context, scope: Scope, keys: Sequence[Typed]) -> list[Typed]:
    """The keys of GROUP BY, with documents as one text, which is what the query then selects of its groups."""
    texts = [one_text(context, key) for key in keys]
    changed = {key.sql: text for key, text in zip(keys, texts, strict=True) if text is not key}
    if changed:
        scope.read_keys_as(changed)
    return texts
