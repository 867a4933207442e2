"""Whole columns as the texts of JSON: of the types that most answers are made of, many times faster than cell by cell.

Numbers and dates are written by one call for all values of a column and split again, since no such text has a comma.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from json.encoder import encode_basestring
from typing import Any

import orjson

from tbpy.clickhouse import types as t
from tbpy.clickhouse.formats.cells import JsonStyle, json_cell, or_null, unwrapped
from tbpy.clickhouse.formats.scalars import Cell, float64_text

ColumnTexts = Callable[[Sequence[Any]], Iterable[str]]
"""Writes all values of one column; NULL is among them as None."""

_NOTHING = type(None)


def by_cell(cell: Cell, null: str) -> ColumnTexts:
    """One value after the other."""
    nullable = or_null(cell, null)
    return lambda values: map(nullable if None in values else cell, values)


def json_column(type_: t.Type, style: JsonStyle) -> ColumnTexts:
    one_by_one = by_cell(json_cell(type_, style), "null")
    match unwrapped(type_):
        case t.Int(bits) if bits < 64 or (bits == 64 and not style.quote_64bit_integers):
            return _if_all(int, _numbers, one_by_one)
        case t.Float(64) if not style.quote_denormals:
            return _if_all(float, _floats, one_by_one)
        case t.Date() | t.Date32():
            return _if_all(date, _numbers, one_by_one)
        case t.DateTime(zone) if zone in (None, "UTC"):
            return _if_all(datetime, _moments, one_by_one)
        case t.String():
            return _if_all(str, _strings, one_by_one)
    return one_by_one


def _if_all(kind: type, whole: ColumnTexts, one_by_one: ColumnTexts) -> ColumnTexts:
    """The fast way where all values are of one Python class; the engine gives others where that one has no room."""

    def texts(values: Sequence[Any]) -> Iterable[str]:
        found = set(map(type, values))
        return whole(values) if found <= {kind, _NOTHING} else one_by_one(values)

    return texts


def _numbers(values: Sequence[Any]) -> list[str]:
    return orjson.dumps(values)[1:-1].decode().split(",") if values else []


def _floats(values: Sequence[float | None]) -> list[str]:
    """NaN and the infinities become null; the exponents of ClickHouse begin elsewhere."""
    text = orjson.dumps(values)[1:-1].decode()
    texts = f"{text},".replace(".0,", ",")[:-1].split(",") if values else []
    if "e" in text:
        for place, found in enumerate(texts):
            if "e" in found:
                texts[place] = float64_text(values[place] or 0.0)
    return texts


def _moments(values: Sequence[datetime | None]) -> list[str]:
    text = orjson.dumps(values, option=orjson.OPT_OMIT_MICROSECONDS)[1:-1].decode()
    return text.replace("T", " ").split(",") if values else []


def _strings(values: Sequence[Any]) -> Iterable[str]:
    if None in values:
        return ["null" if value is None else encode_basestring(value) for value in values]
    return map(encode_basestring, values)
