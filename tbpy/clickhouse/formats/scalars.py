"""The text of single values, by ClickHouse type: what `toString` prints, before any quoting.

Values come as DuckDB's Python client gives them (see `tbpy.clickhouse.storage`): naive UTC datetimes,
`Decimal`, `UUID`, integers for IP addresses, text for what DuckDB has no type for.
Source: the answers of ClickHouse 26.9.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from ipaddress import IPv6Address
from typing import Any
from zoneinfo import ZoneInfo

from tbpy.clickhouse import types as t

Cell = Callable[[Any], str]
"""Writes one value that is not NULL."""

_EPOCH = datetime(1970, 1, 1)


class Kind(Enum):
    """How a text is quoted: a number never, a plain text without a look at its characters, a text with escapes."""

    BARE = 1
    PLAIN = 2
    TEXT = 3


@dataclass(frozen=True, slots=True)
class Scalar:
    text: Cell
    kind: Kind


@lru_cache(maxsize=4096)
def scalar(type_: t.Type) -> Scalar:
    """How values of a type that holds no other values are written. `type_` is not Nullable and not LowCardinality."""
    match type_:
        case t.Int(bits, _):
            return Scalar(str if bits == 256 else int.__repr__, Kind.BARE)
        case t.Float(bits):
            return Scalar(float32_text if bits == 32 else float64_text, Kind.BARE)
        case t.Decimal():
            return Scalar(decimal_text, Kind.BARE)
        case t.Bool():
            return Scalar(_bool_text, Kind.BARE)
        case t.Interval() | t.Nothing():
            return Scalar(str, Kind.BARE)
        case t.Date() | t.Date32():
            return Scalar(_date_text, Kind.PLAIN)
        case t.DateTime(zone):
            return Scalar(_datetime_cell(zone), Kind.PLAIN)
        case t.DateTime64(precision, zone):
            return Scalar(_datetime64_cell(precision, zone), Kind.PLAIN)
        case t.Time(precision):
            return Scalar(_time_cell(precision or 0), Kind.PLAIN)
        case t.UUID():
            return Scalar(str, Kind.PLAIN)
        case t.IPv4():
            return Scalar(_ipv4_text, Kind.PLAIN)
        case t.IPv6():
            return Scalar(_ipv6_text, Kind.PLAIN)
        case t.FixedString(length):
            return Scalar(_fixed_string_cell(length), Kind.TEXT)
    return Scalar(string_text, Kind.TEXT)


# --- text -------------------------------------------------------------------------------------------------------------


def string_text(value: Any) -> str:
    if value.__class__ is str:
        return value
    return value.decode("utf-8", "replace") if isinstance(value, bytes | bytearray) else str(value)


def _fixed_string_cell(length: int) -> Cell:
    def cell(value: Any) -> str:
        text = string_text(value)
        return text + "\0" * (length - len(text.encode()))

    return cell


# --- numbers ----------------------------------------------------------------------------------------------------------


def float64_text(value: float) -> str:
    """The shortest digits that read back as `value`, with an exponent below 1e-6 and from 1e21 on."""
    text = repr(value)
    if text[-2:] == ".0":
        return text[:-2]
    return text if "e" not in text else _with_exponent(text)


def float32_text(value: float) -> str:
    if value - value != 0:
        return repr(value)
    for digits in (6, 7, 8, 9):
        text = f"{value:.{digits}g}"
        if _as_float32(float(text)) == value:
            break
    return _with_exponent(text) if "e" in text else text


def _as_float32(value: float) -> float:
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return float("inf")


def _with_exponent(text: str) -> str:
    mantissa, _, exponent = text.partition("e")
    if -7 < int(exponent) < 21:
        return format(Decimal(text), "f")
    return f"{mantissa}e{int(exponent)}"


def decimal_text(value: Decimal | str | int | float) -> str:
    """Without trailing zeros, in every format."""
    text = value if isinstance(value, str) else format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _bool_text(value: Any) -> str:
    return "true" if value else "false"


# --- dates and times --------------------------------------------------------------------------------------------------


def _date_text(value: date | str) -> str:
    return str(value)[:10]


def local_time(value: datetime, zone: str) -> datetime:
    """The wall clock of `zone` at a naive UTC datetime."""
    return value.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _datetime_cell(zone: str | None) -> Cell:
    wall_clock = datetime.isoformat
    if zone is None or zone == "UTC":
        return lambda value: wall_clock(value, " ", "seconds")
    return lambda value: wall_clock(local_time(value, zone), " ", "seconds")


def _datetime64_cell(precision: int, zone: str | None) -> Cell:
    """Takes a datetime; for the digits that one cannot hold, the nanoseconds since 1970 or DuckDB's own text."""
    local = zone is not None and zone != "UTC"

    def cell(value: Any) -> str:
        nanoseconds = 0
        if isinstance(value, int):
            microseconds, nanoseconds = divmod(value, 1000)
            value = _EPOCH + timedelta(microseconds=microseconds)
        elif isinstance(value, str):
            head, _, fraction = value.partition(".")
            fraction = fraction.ljust(9, "0")
            nanoseconds = int(fraction[6:9])
            value = datetime.fromisoformat(head).replace(microsecond=int(fraction[:6]))
        if local:
            value = local_time(value, zone or "UTC")
        text = str(value)[:19]
        return f"{text}.{value.microsecond:06d}{nanoseconds:03d}"[: 20 + precision] if precision else text

    return cell


def _time_cell(precision: int) -> Cell:
    """Takes the seconds, or with a precision the ticks of that size, from midnight; they may be negative."""

    def cell(value: int) -> str:
        seconds, fraction = divmod(abs(value), 10**precision)
        text = f"{'-' if value < 0 else ''}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        return f"{text}.{fraction:0{precision}d}" if precision else text

    return cell


# --- addresses --------------------------------------------------------------------------------------------------------


def _ipv4_text(value: int | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"


def _ipv6_text(value: int | str) -> str:
    """As inet_ntop writes it: mapped and compatible IPv4 addresses keep their dots."""
    if isinstance(value, str):
        return value
    high, low = value >> 32, value & 0xFFFFFFFF
    if high == 0xFFFF:
        return f"::ffff:{_ipv4_text(low)}"
    if high == 0 and low > 0xFFFF:
        return f"::{_ipv4_text(low)}"
    return IPv6Address(value).compressed
