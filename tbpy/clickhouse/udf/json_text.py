"""JSON text as ClickHouse writes it, and the extent of a value in text that is not parsed."""

from __future__ import annotations

import json
from typing import Any

from tbpy.clickhouse.formats.scalars import float64_text
from tbpy.clickhouse.udf import Udf


class _Float(float):
    """A number that was written with a fraction or an exponent."""


def reprint(text: str | None) -> str | None:
    """A JSON text without white space and with numbers in ClickHouse's shortest form."""
    if text is None:
        return None
    try:
        value = json.loads(text, parse_float=_Float)
    except ValueError:
        return text
    return _printed(value)


def _printed(value: Any) -> str:
    if isinstance(value, _Float):
        return float64_text(float(value))
    if isinstance(value, dict):
        return "{" + ",".join(f"{_printed(key)}:{_printed(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_printed, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def merge_patch(text: str, patch: str) -> str:
    """RFC 7396, but a null of the patch is a value like others; keys keep their places."""
    return _printed(_merged(_object(text), _object(patch)))


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text, parse_float=_Float)
    except ValueError as error:
        raise ValueError(f"BAD_ARGUMENTS: Wrong JSON string to merge: {error}") from None
    if not isinstance(found, dict):
        raise ValueError("BAD_ARGUMENTS: Wrong JSON string to merge. Expected JSON object")
    return found


def _merged(document: Any, change: Any) -> Any:
    if not isinstance(document, dict) or not isinstance(change, dict):
        return change
    changed = {key: _merged(document[key], value) if key in document else value for key, value in change.items()}
    return document | changed


def is_valid(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_refused)
    except ValueError:
        return False
    return True


def _refused(text: str) -> None:
    raise ValueError(text)


def raw_value(text: str) -> str:
    """The JSON value that a text begins with: up to the comma or bracket that closes it."""
    depth = 0
    quoted = False
    skip = False
    for position, character in enumerate(text):
        if skip:
            skip = False
        elif quoted:
            skip = character == "\\"
            quoted = character != '"'
        elif character == '"':
            quoted = True
        elif character in "[{":
            depth += 1
        elif character in "]}":
            if depth == 0:
                return text[:position]
            depth -= 1
            if depth == 0:
                return text[: position + 1]
        elif character == "," and depth == 0:
            return text[:position]
    return text if depth == 0 and not quoted else ""


FUNCTIONS = {
    "tb_json_merge_patch": Udf(merge_patch, ("VARCHAR", "VARCHAR"), "VARCHAR"),
    "tb_json_reprint": Udf(reprint, ("VARCHAR",), "VARCHAR", "special"),
    "tb_json_valid": Udf(is_valid, ("VARCHAR",), "BOOLEAN"),
    "tb_json_raw_value": Udf(raw_value, ("VARCHAR",), "VARCHAR"),
}
