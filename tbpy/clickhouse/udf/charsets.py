"""Texts in other character sets, and the hash of texts as Java holds them."""

from __future__ import annotations

import re

from tbpy.clickhouse.udf import Udf


def is_charset(name: str) -> bool:
    try:
        return isinstance("a".encode(_python_name(name)), bytes)
    except LookupError:
        return False


def _python_name(name: str) -> str:
    """ICU takes names without their dashes: `utf16be`."""
    return re.sub(r"^utf[-_]?(16|32)[-_]?(le|be)$", r"utf-\1-\2", name.lower())


def converted(data: bytes, source: str, target: str) -> bytes:
    """What a character set lacks becomes the sign that ICU puts in its place."""
    return data.decode(_python_name(source), "replace").encode(_python_name(target), "replace")


def java_hash_utf16(data: bytes) -> int:
    """Java's hash of a String, of its UTF-16 in little-endian bytes."""
    if len(data) % 2:
        raise ValueError("BAD_ARGUMENTS: Arguments for javaHashUTF16LE must be in the form of UTF-16")
    value = 0
    for place in range(0, len(data), 2):
        value = (value * 31 + data[place] + (data[place + 1] << 8)) & 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


FUNCTIONS = {
    "tb_convert_charset": Udf(converted, ("BLOB", "VARCHAR", "VARCHAR"), "BLOB"),
    "tb_java_hash_utf16": Udf(java_hash_utf16, ("BLOB",), "INTEGER"),
}
