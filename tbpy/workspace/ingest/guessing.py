"""Which ClickHouse type holds the values that were seen: the smallest sensible one.

The order in which types are tried follows Tinybird's `POST /v0/analyze`, but integers begin at 16 bits: a beginning of
a file says little of its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime

_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?P<fraction>\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_RANGES = (
    ("Int16", -(2**15), 2**15),
    ("Int32", -(2**31), 2**31),
    ("Int64", -(2**63), 2**63),
    ("UInt64", 0, 2**64),
    ("Int128", -(2**127), 2**127),
    ("Int256", -(2**255), 2**255),
)


def json_type(values: Iterable[object]) -> str:
    """The type of JSON values that are neither null nor objects; of arrays, if all of them are."""
    seen = list(values)
    if all(isinstance(value, list) for value in seen):
        items = [item for value in seen if isinstance(value, list) for item in value]
        if any(isinstance(item, dict | list) or item is None for item in items):
            return "String"
        return f"Array({json_type(items) if items else 'String'})"
    if all(isinstance(value, bool) for value in seen):
        return "Bool"
    if all(isinstance(value, int) and not isinstance(value, bool) for value in seen):
        return _integer_type([value for value in seen if isinstance(value, int)])
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in seen):
        return "Float64"
    if all(isinstance(value, str) for value in seen):
        return _temporal_type([value for value in seen if isinstance(value, str)]) or "String"
    return "String"


def text_type(cells: Sequence[str]) -> str:
    """The type of cells of a CSV file that are not empty."""
    if all(_INTEGER.fullmatch(cell) for cell in cells):
        return _integer_type([int(cell) for cell in cells])
    if all(_NUMBER.fullmatch(cell) for cell in cells):
        return "Float64"
    if all(cell in ("true", "false", "True", "False") for cell in cells):
        return "Bool"
    return _temporal_type(cells) or "String"


def _integer_type(values: Sequence[int]) -> str:
    return next((name for name, low, high in _RANGES if all(low <= value < high for value in values)), "String")


def _temporal_type(texts: Sequence[str]) -> str | None:
    if all(_DATE.fullmatch(text) and _is_valid(text, date) for text in texts):
        return "Date"
    moments = [_MOMENT.fullmatch(text) for text in texts]
    if not all(moments) or not all(_is_valid(text[:19], datetime) for text in texts):
        return None
    digits = max(len(moment["fraction"] or ".") - 1 for moment in moments if moment is not None)
    if digits == 0:
        return "DateTime"
    return f"DateTime64({3 if digits <= 3 else 6 if digits <= 6 else 9})"


def _is_valid(text: str, kind: type[date]) -> bool:
    try:
        return kind.fromisoformat(text).year >= 1970
    except ValueError:
        return False
