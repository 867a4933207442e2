"""Values inside a JSON document as values of a ClickHouse type: what the typed paths of a JSON column keep.

The answer is what stands in the stored document in place of the value: a time as ClickHouse prints it, a number in
range, the default of the type in place of null. ValueError, in ClickHouse's words, where the value is none of the type.
Source: the answers of ClickHouse 26.9.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting import texts
from tbpy.clickhouse.formats.scalars import decimal_text, float32_text, float64_text, scalar
from tbpy.clickhouse.udf.addresses import ipv6_number
from tbpy.clickhouse.udf.best_effort import parse_best_effort
from tbpy.clickhouse.udf.json_types import Digits, Pairs, dumped, typed

Read = Callable[[Any], Any]
Inner = Callable[[t.Json, Any], Any]  # reads a document that stands at a typed path

_EPOCH = datetime(1970, 1, 1)
_DAY = re.compile(r"(\d{4})-?(\d{1,2})-?(\d{1,2})\Z")
_CLOCK = re.compile(r"(-?)(\d{1,3}):(\d{1,2})(?::(\d{1,2})(?:\.(\d+))?)?\Z")


def reader(type_: t.Type, *, inner: Inner) -> Read:
    """The function that reads values of the type. It raises where values of the type cannot be kept in JSON."""
    match type_:
        case t.Nullable(item):
            read = reader(item, inner=inner)
            return lambda value: None if value is None else read(value)
        case t.LowCardinality(item):
            return reader(item, inner=inner)
        case t.Json():
            return lambda value: inner(type_, Pairs() if value is None else value)
        case t.Dynamic():
            return lambda value: typed(value)[1]
    missing = default(type_)
    read = _reader(type_, inner)
    return lambda value: missing if value is None else read(value)


def _reader(type_: t.Type, inner: Inner) -> Read:
    match type_:
        case t.Array(item):
            return _array(reader(item, inner=inner))
        case t.Tuple():
            return _tuple(type_, [reader(item, inner=inner) for item in type_.items])
        case t.Map(key, item) if isinstance(key, t.String):
            return _map(reader(item, inner=inner))
    build = _SIMPLE.get(type(type_))
    if build is None:
        return lambda value: _refused(type_)
    return build(type_)


def _refused(type_: t.Type) -> Any:
    raise ValueError(f"A path of type {type_} is not supported by tbpy yet")


def _wrong(type_: t.Type, value: Any) -> ValueError:
    what = "parse" if isinstance(value, str) else "read"
    place = "here" if isinstance(value, str) else "from JSON element"
    return ValueError(f"cannot {what} {type_} value {place}: {dumped(value)}")


# --- numbers and texts ------------------------------------------------------------------------------------------------


def _integer(type_: t.Int) -> Read:
    def read(value: Any) -> int:
        if isinstance(value, bool):
            return int(value)
        if isinstance(value, str):
            number: int | float | None = int(value) if texts.INTEGER.match(value) else texts.read_float(value)
            if number is None or not type_.minimum <= number <= type_.maximum:
                raise _wrong(type_, value)
            return int(number)
        if not isinstance(value, int | float):
            raise _wrong(type_, value)
        if not type_.minimum <= value <= type_.maximum:
            kind = "double" if isinstance(value, float) else "Int64"
            raise ValueError(f"cannot convert {kind} value {dumped(value)} to {type_}")
        return int(value)

    return read


def _float(type_: t.Float) -> Read:
    def read(value: Any) -> float:
        number = texts.read_float(value) if isinstance(value, str) else value
        if not isinstance(number, int | float):
            raise _wrong(type_, value)
        return float(float32_text(_as_float32(float(number)))) if type_.bits == 32 else float(number)

    return read


def _as_float32(value: float) -> float:
    from struct import pack, unpack

    return float(unpack("f", pack("f", value))[0])


def _bool(type_: t.Bool) -> Read:
    def read(value: Any) -> bool:
        if isinstance(value, bool):
            return value
        if not isinstance(value, int):
            raise _wrong(t.UINT8, value)
        return bool(value)

    return read


def _string(type_: t.String) -> Read:
    return lambda value: value if isinstance(value, str) else dumped(value, float64_text)


def _fixed_string(type_: t.FixedString) -> Read:
    def read(value: Any) -> str:
        if not isinstance(value, str) or len(value.encode()) > type_.length:
            raise _wrong(type_, value)
        return value + "\0" * (type_.length - len(value.encode()))

    return read


def _decimal(type_: t.Decimal) -> Read:
    def read(value: Any) -> Digits:
        text = value if isinstance(value, str) else "" if isinstance(value, bool) else dumped(value)
        found = texts.read_decimal(text, type_)
        if found is None:
            raise _wrong(type_, value)
        return Digits(decimal_text(found))

    return read


def _uuid(type_: t.UUID) -> Read:
    def read(value: Any) -> str:
        if not isinstance(value, str) or not texts.UUID_TEXT.match(value):
            raise _wrong(type_, value)
        digits = value.replace("-", "").lower()
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    return read


def _ipv4(type_: t.IPv4) -> Read:
    def read(value: Any) -> str:
        parts = value.split(".") if isinstance(value, str) else []
        if len(parts) != 4 or not all(part.isdecimal() and len(part) <= 3 and int(part) < 256 for part in parts):
            raise _wrong(type_, value)
        return ".".join(str(int(part)) for part in parts)

    return read


def _ipv6(type_: t.IPv6) -> Read:
    text = scalar(type_).text

    def read(value: Any) -> str:
        number = ipv6_number(value) if isinstance(value, str) else None
        if number is None:
            raise _wrong(type_, value)
        return text(number)

    return read


def _enum(type_: t.Enum) -> Read:
    by_number = {number: name for name, number in type_.members}

    def read(value: Any) -> str:
        if isinstance(value, str) and any(value == name for name, _ in type_.members):
            return value
        if isinstance(value, int) and not isinstance(value, bool) and value in by_number:
            return by_number[value]
        raise _wrong(type_, value)

    return read


# --- times ------------------------------------------------------------------------------------------------------------


def _date(type_: t.Date | t.Date32) -> Read:
    first, last = (
        (date(1970, 1, 1), date(2149, 6, 6)) if isinstance(type_, t.Date) else (date(1900, 1, 1), date(2299, 12, 31))
    )

    def read(value: Any) -> str:
        found = _DAY.match(value) if isinstance(value, str) else None
        if found is None:
            raise _wrong(type_, value)
        year, month, day = map(int, found.groups())
        if not 1 <= month <= 12 or not 1 <= day <= 31 or not year:
            raise _wrong(type_, value)
        return min(max(date(year, month, 1) + timedelta(days=day - 1), first), last).isoformat()

    return read


def _moment(type_: t.DateTime | t.DateTime64) -> Read:
    text = scalar(type_).text
    whole = isinstance(type_, t.DateTime)
    last = 4294967295 if whole else 253402300799  # 2106-02-07, 9999-12-31

    def read(value: Any) -> str:
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = min(max(float(value), 0), last) if whole else min(float(value), last)
            if seconds < -62135596800:
                raise ValueError("times before the year 1 are not supported by tbpy yet")
            return text(_EPOCH + timedelta(seconds=int(seconds) if whole else seconds))
        parsed = parse_best_effort(value, "dmy", not whole) if isinstance(value, str) else None
        if parsed is None or parsed["us"] is None:
            raise _wrong(type_, value)
        moment = _EPOCH + timedelta(microseconds=parsed["us"])
        if not parsed["utc"] and type_.zone is not None:
            moment = moment.replace(tzinfo=ZoneInfo(type_.zone)).astimezone(UTC).replace(tzinfo=None)
        if parsed["nanos"] and not whole:
            return text((moment - _EPOCH) // timedelta(microseconds=1) * 1000 + parsed["nanos"])
        return text(moment)

    return read


def _time(type_: t.Time) -> Read:
    ticks, text = 10 ** (type_.precision or 0), scalar(type_).text

    def read(value: Any) -> str:
        if isinstance(value, int) and not isinstance(value, bool):
            return text(value * ticks)
        found = _CLOCK.match(value) if isinstance(value, str) else None
        if found is None:
            raise _wrong(type_, value)
        sign, hours, minutes, seconds, fraction = found.groups()
        whole = int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0)
        number = whole * ticks + int((fraction or "").ljust(9, "0")[:9]) * ticks // 10**9
        return text(-number if sign else number)

    return read


_SIMPLE: dict[type[t.Type], Callable[[Any], Read]] = {
    t.Int: _integer,
    t.Float: _float,
    t.Bool: _bool,
    t.String: _string,
    t.FixedString: _fixed_string,
    t.Decimal: _decimal,
    t.UUID: _uuid,
    t.IPv4: _ipv4,
    t.IPv6: _ipv6,
    t.Enum: _enum,
    t.Date: _date,
    t.Date32: _date,
    t.DateTime: _moment,
    t.DateTime64: _moment,
    t.Time: _time,
}


# --- values of values -------------------------------------------------------------------------------------------------


def _array(read: Read) -> Read:
    def read_all(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ValueError(f"cannot read Array value from JSON element: {dumped(value)}")
        return [read(item) for item in value]

    return read_all


def _tuple(type_: t.Tuple, readers: list[Read]) -> Read:
    def read(value: Any) -> Any:
        if type_.names is not None and isinstance(value, Pairs):
            given = dict(value)
            return {name: read(given.get(name)) for name, read in zip(type_.names, readers, strict=True)}
        if not isinstance(value, list) or len(value) != len(readers):
            raise ValueError(f"cannot read Tuple value from JSON element: {dumped(value)}")
        items = [read(item) for item, read in zip(value, readers, strict=True)]
        return items if type_.names is None else dict(zip(type_.names, items, strict=True))

    return read


def _map(read: Read) -> Read:
    def read_all(value: Any) -> dict[str, Any]:
        if not isinstance(value, Pairs):
            raise ValueError(f"cannot read Map value from JSON element: {dumped(value)}")
        return {key: read(item) for key, item in value}

    return read_all


def default(type_: t.Type) -> Any:
    """What stands at a path without a value."""
    match type_:
        case t.Nullable() | t.Dynamic() | t.Variant():
            return None
        case t.LowCardinality(item):
            return default(item)
        case t.Bool():
            return False
        case t.Int() | t.Float() | t.Decimal():
            return 0
        case t.Enum(_, members):
            return members[0][0]
        case t.FixedString(length):
            return "\0" * length
        case t.Array():
            return []
        case t.Map() | t.Json():
            return {}
        case t.Tuple(items, names):
            values = [default(item) for item in items]
            return values if names is None else dict(zip(names, values, strict=True))
        case t.UUID():
            return "00000000-0000-0000-0000-000000000000"
        case t.Date() | t.Date32():
            return "1970-01-01"
        case t.DateTime() | t.DateTime64():
            return scalar(type_).text(_EPOCH)
        case t.IPv4() | t.IPv6() | t.Time():
            return scalar(type_).text(0)
    return ""
