"""Values as Python's own: what a JSON reader would get from ClickHouse's answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from tbpy.clickhouse import types as t
from tbpy.clickhouse.formats import stored_json
from tbpy.clickhouse.formats.cells import fields, pairs, raw_cell, unwrapped
from tbpy.clickhouse.formats.scalars import float32_text, scalar

Converter = Callable[[Any], Any]


def to_python(value: Any, type_: t.Type) -> Any:
    """`value` as JSON has it: numbers, text, lists, dicts; None for NULL, NaN and the infinities."""
    return converter(type_)(value)


@lru_cache(maxsize=2048)
def converter(type_: t.Type) -> Converter:
    """The function of `to_python` for one type."""
    inner = unwrapped(type_)
    convert = _converter(inner)
    return lambda value: None if value is None else convert(value)


def _converter(type_: t.Type) -> Converter:
    match type_:
        case t.Int():
            return int
        case t.Float(bits):
            return _float_converter(bits)
        case t.Decimal():
            text = scalar(type_).text
            return lambda value: _number(text(value))
        case t.Bool():
            return bool
        case t.Interval() | t.Nothing():
            return lambda value: value
        case t.Array(item):
            convert = converter(item)
            return lambda value: [convert(part) for part in value]
        case t.Tuple(()):
            return lambda value: []
        case t.Tuple():
            return _tuple_converter(type_)
        case t.Map():
            key, convert = raw_cell(type_.key), converter(type_.value)
            return lambda value: {key(k): convert(v) for k, v in pairs(type_, value)}
        case t.Json() if not type_.is_free:
            return stored_json.read
        case t.Json() | t.Dynamic() | t.Variant():
            return lambda value: stored_json.read(stored_json.write(value, None))
    return scalar(type_).text


def _float_converter(bits: int) -> Converter:
    def convert(value: float) -> float | None:
        if value - value != 0:
            return None
        return float(float32_text(value)) if bits == 32 else float(value)

    return convert


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)


def _tuple_converter(type_: t.Tuple) -> Converter:
    converters = [converter(item) for item in type_.items]

    def convert(value: Any) -> Any:
        parts = [convert(part) for convert, part in zip(converters, fields(value), strict=True)]
        return parts if type_.names is None else dict(zip(type_.names, parts, strict=True))

    return convert
