"""The JSON type: DuckDB keeps its text, ClickHouse prints it in order of its keys and without nulls."""

from __future__ import annotations

import json
from json.encoder import encode_basestring
from typing import Any

import orjson

from tbpy.clickhouse.documents import TAG
from tbpy.clickhouse.formats.indent import Indent, lines
from tbpy.clickhouse.formats.scalars import float64_text


def read(value: Any) -> Any:
    """The Python value of stored JSON text; what is no JSON text is a value already."""
    if not isinstance(value, str | bytes):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(value)  # orjson has no integers of more than 64 bits
    except ValueError:
        return value


def untagged(value: Any) -> Any:
    """A Dynamic value without the name of its type."""
    if isinstance(value, dict) and len(value) == 1:
        [(key, inside)] = value.items()
        return inside if key.startswith(TAG) else value
    return value


def write(value: Any, indent: Indent | None, *, whole: bool = False) -> str:
    """The text of a stored value, indented when `indent` tells where it stands.

    A path without a value is no part of a JSON column, unless it has a type of its own (`whole`).
    """
    return _text(read(value), indent, whole)


def _text(value: Any, indent: Indent | None, whole: bool) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        return float64_text(value)
    if isinstance(value, dict):
        bare = untagged(value)
        return _object(value, indent, whole) if bare is value else _text(bare, indent, True)
    if isinstance(value, list):
        return _array(value, indent, whole)
    return str(value)


def _object(value: dict[str, Any], indent: Indent | None, whole: bool) -> str:
    colon = ":" if indent is None else ": "
    deeper = None if indent is None else indent.deeper()
    shown = [key for key in value if whole or _shown(value[key])]
    shown.sort(key=lambda key: f"{key}." if isinstance(value[key], dict) else key)  # the order of whole paths
    items = [encode_basestring(key) + colon + _text(value[key], deeper, whole) for key in shown]
    return lines(indent, "{", items, "}")


def _shown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_shown(item) for item in value.values())
    return value is not None


def _array(value: list[Any], indent: Indent | None, whole: bool) -> str:
    if indent is None or not any(isinstance(item, dict | list) for item in value):
        return "[" + ",".join(_text(item, None, whole) for item in value) + "]"
    return lines(indent, "[", [_text(item, indent.deeper(), whole) for item in value], "]")
