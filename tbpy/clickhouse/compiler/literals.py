"""Constants: from a literal of the text, or from a Python value, to DuckDB SQL with its ClickHouse type."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.binary import text_of
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import EMPTY_TUPLE

_UNSIGNED = (t.UINT8, t.UINT16, t.UINT32, t.UINT64, t.UINT128, t.UINT256)
_SIGNED = (t.INT8, t.INT16, t.INT32, t.INT64, t.INT128, t.INT256)


def integer_type(value: int) -> t.Int:
    """The narrowest type that holds the number: 1 is UInt8, -1 is Int8, 256 is UInt16."""
    for type_ in _UNSIGNED if value >= 0 else _SIGNED:
        if type_.minimum <= value <= type_.maximum:
            return type_
    return t.INT256


def literal(node: ast.Literal) -> Typed:
    return constant(node.value)


def constant(value: Any, type_: t.Type | None = None) -> Typed:
    """A known value. `type_` overrides the type that ClickHouse gives a literal of it."""
    if isinstance(value, str) and not value.isascii() and _is_binary(value):
        digits = value.encode("utf-8", "surrogateescape").hex()
        return Typed(text_of(f"unhex('{digits}')"), type_ or t.STRING, constant=True)
    sql, natural = _render(value)
    return Typed(sql, type_ or natural, constant=True, value=value)


def _is_binary(text: str) -> bool:
    """Whether a literal names bytes that are no UTF-8: they stand in it as surrogates."""
    return any("\ud800" <= char <= "\udfff" for char in text)


def _render(value: Any) -> tuple[str, t.Type]:
    if value is None:
        return "NULL", t.Nullable(t.NOTHING)
    if isinstance(value, bool):
        return ("true" if value else "false"), t.BOOL
    if isinstance(value, int):
        return _integer_sql(value), integer_type(value)
    if isinstance(value, float):
        return float_sql(value), t.FLOAT64
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        scale = -exponent if isinstance(exponent, int) and exponent < 0 else 0
        return f"CAST('{value}' AS DECIMAL(38, {scale}))", t.Decimal(38, scale)
    return duckdb_string(str(value)), t.STRING


def _integer_sql(value: int) -> str:
    if abs(value) >= 1 << 255:
        return f"CAST('{value}' AS DOUBLE)"
    return str(value) if value >= 0 else f"({value})"


def float_sql(value: float) -> str:
    """A DOUBLE literal: DuckDB reads `1.5` as DECIMAL, so an exponent or a cast makes it a float."""
    if math.isnan(value) or math.isinf(value):
        return f"CAST('{value}' AS DOUBLE)"
    text = repr(value)
    text = text if "e" in text else text + "e0"
    return text if value >= 0 and not text.startswith("-") else f"({text})"


def tuple_sql(items: Sequence[str], names: Sequence[str] | None = None) -> str:
    """A STRUCT with the field names that store a tuple."""
    if not items:
        return EMPTY_TUPLE
    labels = names or [str(position + 1) for position in range(len(items))]
    return "{" + ", ".join(f"{duckdb_string(name)}: {sql}" for name, sql in zip(labels, items, strict=True)) + "}"
