"""Texts that may not be UTF-8: ClickHouse's String is bytes, DuckDB's VARCHAR is UTF-8.

The SQL of such a value is `decode(<BLOB>)`. Whatever needs text gets it, or DuckDB's conversion error where the bytes
are none: never a wrong answer. Whatever needs bytes (`hex(MD5(x))`, `base64Encode(unhex(x))`) takes the BLOB inside.
"""

from __future__ import annotations

from tbpy.clickhouse.compiler.typed import Typed

_OPEN = "decode("


def text_of(blob: str) -> str:
    """The VARCHAR of a BLOB expression."""
    return f"{_OPEN}{blob})"


def is_binary(value: Typed) -> bool:
    """Whether the value may hold bytes that are no text."""
    return value.sql.startswith(_OPEN) and value.sql.endswith(")")


def bytes_of(value: Typed) -> str:
    """The BLOB of a String or FixedString."""
    return value.sql[len(_OPEN) : -1] if is_binary(value) else f"encode({value.sql})"


def by_bytes(value: Typed, fast: str, slow: str) -> str:
    """SQL of something counted in bytes: `fast` counts characters and serves texts of ASCII, `slow` is always right."""
    if is_binary(value):
        return slow
    if isinstance(value.value, str):
        return fast if value.value.isascii() else slow
    return f"(CASE WHEN strlen({value.sql}) = length({value.sql}) THEN {fast} ELSE {slow} END)"


def hex_slice(blob: str, start: str, length: str | None = None) -> str:
    """Bytes of a BLOB as text, by the rules of DuckDB's substring in hex digits: `start` and `length` count digits."""
    rest = "" if length is None else f", {length}"
    return text_of(f"unhex(substring(hex({blob}), {start}{rest}))")
