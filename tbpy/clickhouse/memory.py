"""How many bytes values take in ClickHouse's memory: what its statistics count."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from tbpy.clickhouse import types as t

# A text is its length and itself; most are short. An array and a map are an offset and a few values.
_TEXT, _OFFSET, _ITEMS = 16, 8, 3
_FIXED: dict[type[t.Type], int] = {
    t.Bool: 1,
    t.Date: 2,
    t.Date32: 4,
    t.DateTime: 4,
    t.DateTime64: 8,
    t.UUID: 16,
    t.IPv4: 4,
    t.IPv6: 16,
    t.Nothing: 1,
    t.Interval: 8,
}


def row_width(types: Iterable[t.Type]) -> int:
    """The estimated bytes of a row: exact for numbers, times and ids, a guess for what has no fixed length."""
    return sum(map(width, types))


@lru_cache(maxsize=4096)
def width(type_: t.Type) -> int:
    fixed = _FIXED.get(type(type_))
    if fixed is not None:
        return fixed
    match type_:
        case t.Int(bits) | t.Float(bits):
            return bits // 8
        case t.Decimal(precision):
            return next(size for size in (4, 8, 16, 32) if precision <= {4: 9, 8: 18, 16: 38, 32: 76}[size])
        case t.Time(precision):
            return 4 if precision is None else 8
        case t.Enum(bits):
            return bits // 8
        case t.FixedString(length):
            return length
        case t.Nullable(item):
            return 1 + width(item)
        case t.LowCardinality(item) | t.SimpleAggregateFunction(_, item):
            return width(item)
        case t.Array(item):
            return _OFFSET + _ITEMS * width(item)
        case t.Map(key, value):
            return _OFFSET + _ITEMS * (width(key) + width(value))
        case t.Tuple(items):
            return row_width(items)
    return _TEXT
