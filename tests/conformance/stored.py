"""JSON values of recorded cases as the values that DuckDB would hold for them, and as DuckDB SQL."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from tbpy.clickhouse import storage
from tbpy.clickhouse import types as t
from tbpy.clickhouse.quoting import duckdb_name, duckdb_string


def stored(value: Any, type_: t.Type) -> Any:
    """A value of FORMAT JSON as DuckDB's client returns it; numbers that JSON cannot hold are texts ("nan")."""
    type_ = t.plain(type_)
    if value is None:
        return None
    match type_:
        case t.Array(item):
            return [stored(part, item) for part in value]
        case t.Tuple():
            parts = list(value.values()) if isinstance(value, dict) else value
            names = storage.field_names(type_)
            return {n: stored(p, i) for n, p, i in zip(names, parts, type_.items, strict=True)}
        case t.Map(key, item):
            return {stored(k, key): stored(v, item) for k, v in value.items()}
        case t.Json() | t.Dynamic() | t.Variant():
            return orjson.dumps(value).decode()
    return _scalar(value, type_)


def _scalar(value: Any, type_: t.Type) -> Any:
    match type_:
        case t.Int(bits, _):
            return str(value) if bits == 256 else int(value)
        case t.Float():
            return float(value)
        case t.Decimal(precision, _):
            return str(value) if precision > 38 else Decimal(str(value))
        case t.Bool():
            return value in (True, "true")
        case t.Interval():
            return int(value)
        case t.UUID():
            return UUID(value)
        case t.IPv4():
            return int(IPv4Address(value))
        case t.IPv6():
            return int(IPv6Address(value))
        case t.Date() | t.Date32():
            return date.fromisoformat(value)
        case t.DateTime(zone) | t.DateTime64(_, zone):
            return _moment(value, zone)
        case t.FixedString(length):
            return value + "\0" * (length - len(value.encode()))
        case t.Time(precision):
            return _ticks(value, precision or 0)
    return value


def _moment(text: str, zone: str | None) -> Any:
    """A naive UTC datetime; nanoseconds since 1970 when the text has more digits than one holds."""
    head, _, fraction = text.partition(".")
    local = datetime.fromisoformat(head).replace(tzinfo=ZoneInfo(zone or "UTC"))
    moment = local.astimezone(UTC).replace(tzinfo=None)
    if len(fraction) > 6:
        seconds = round((moment - datetime(1970, 1, 1)).total_seconds())
        return seconds * 10**9 + int(fraction.ljust(9, "0"))
    return moment.replace(microsecond=int(fraction.ljust(6, "0")))


def _ticks(text: str, precision: int) -> int:
    sign = -1 if text.startswith("-") else 1
    clock, _, fraction = text.lstrip("-").partition(".")
    hours, minutes, seconds = map(int, clock.split(":"))
    return sign * ((hours * 3600 + minutes * 60 + seconds) * 10**precision + int(fraction or 0))


def _is_one(value: Any, type_: t.Type) -> bool:
    """Whether a JSON value is of a type of a Variant, as far as that can be told."""
    match type_:
        case t.Bool():
            return isinstance(value, bool)
        case t.Int():
            return isinstance(value, int) and not isinstance(value, bool)
        case t.Float() | t.Decimal():
            return isinstance(value, float)
        case t.Array(item):
            return isinstance(value, list) and all(_is_one(part, t.plain(item)) for part in value)
        case t.Map() | t.Tuple():
            return isinstance(value, dict | list)
    return isinstance(value, str)


def literal(value: Any, type_: t.Type) -> str:
    """DuckDB SQL of a value that `stored` gave."""
    type_ = t.plain(type_)
    if value is None:
        return "NULL"
    match type_:
        case t.Array(item):
            return f"[{', '.join(literal(part, item) for part in value)}]::{storage.duckdb_type(type_)}"
        case t.Tuple(items, _):
            parts = zip(value, value.values(), items, strict=True)
            return "{" + ", ".join(f"{duckdb_string(name)}: {literal(part, item)}" for name, part, item in parts) + "}"
        case t.Variant(items):
            found = orjson.loads(value)
            member = next(item for item in items if _is_one(found, t.plain(item)))
            inside = literal(stored(found, member), member)
            return f"union_value({duckdb_name(str(member))} := {inside})::{storage.duckdb_type(type_)}"
        case t.Map(key, item):
            entries = ", ".join(f"{literal(k, key)}: {literal(v, item)}" for k, v in value.items())
            return f"MAP {{{entries}}}::{storage.duckdb_type(type_)}"
    return f"{duckdb_string(str(value))}::{storage.duckdb_type(type_)}"
