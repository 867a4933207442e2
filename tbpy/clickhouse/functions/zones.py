"""Time zones: moments are kept as naive UTC, and a zone decides which wall clock they are read on."""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.printing import in_utc, microseconds
from tbpy.clickhouse.compiler.failures import bad_arguments
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call
from tbpy.clickhouse.quoting import duckdb_string


def zone_of(type_: t.Type) -> str | None:
    inner = t.plain(type_)
    return inner.zone if isinstance(inner, t.DateTime | t.DateTime64) else None


def zone_argument(call: Call, position: int) -> str | None:
    """A constant zone name given as an argument; None where there is none."""
    if position >= len(call.args):
        return None
    value = call.constant_value(position, "time zone")
    if not isinstance(value, str) or not isinstance(t.plain(call.args[position].type), t.String):
        call.wrong_type()
    if not value:
        return None  # the server's own
    check_zone(call, value)
    return value


def local(value: Typed, zone: str | None = None) -> str:
    """The wall clock of a moment, as a naive TIMESTAMP; a date stays as it is."""
    inner = t.plain(value.type)
    name = zone or zone_of(inner)
    if not isinstance(inner, t.DateTime | t.DateTime64):
        return value.sql
    return to_local(microseconds(value), name)


def is_clock(type_: t.Type) -> bool:
    """Whether values have a time of day."""
    return isinstance(t.plain(type_), t.DateTime | t.DateTime64)


def local_from_epoch(value: Typed, zone: str | None = None) -> str:
    """The wall clock that a Date is made from: a DateTime that was yesterday at the epoch counts as of its day."""
    clock = local(value, zone)
    if not isinstance(t.plain(value.type), t.DateTime) or in_utc(zone or zone_of(value.type)):
        return clock
    return f"greatest({clock}, TIMESTAMP '1970-01-01')"


def check_zone(call: Call, zone: str) -> None:
    """Raises ClickHouse's error for a time zone that does not exist."""
    if not _exists(zone):
        raise bad_arguments(f"Cannot load time zone {zone}", call.node)


@cache
def _exists(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def to_local(sql: str, zone: str | None) -> str:
    """UTC to the wall clock of a zone."""
    return sql if in_utc(zone) else f"timezone({duckdb_string(zone or '')}, timezone('UTC', {sql}))"


def to_utc(sql: str, zone: str | None) -> str:
    """The wall clock of a zone to UTC."""
    return sql if in_utc(zone) else f"timezone('UTC', timezone({duckdb_string(zone or '')}, {sql}))"


def require_time(call: Call, position: int = 0) -> t.Type:
    """The type of a date or time argument, without wrappers."""
    inner = t.plain(call.args[position].type)
    if not isinstance(inner, t.Date | t.Date32 | t.DateTime | t.DateTime64):
        call.wrong_type()
    return inner


def require_clock(call: Call, position: int = 0) -> t.Type:
    """The type of an argument that has a time of day; a date has none."""
    inner = t.plain(call.args[position].type)
    if not isinstance(inner, t.DateTime | t.DateTime64):
        call.wrong_type()
    return inner
