"""Sums in which a Time or Time64 takes part: seconds or an interval more or less, and differences in seconds."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.durations import rescaled
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call

_SECONDS = {"Second": 1, "Minute": 60, "Hour": 3600}


def duration_sum(call: Call, symbol: str) -> Typed | None:
    """The result where a Time takes part; None where plain arithmetic applies."""
    left, right = call.args
    one, other = t.plain(left.type), t.plain(right.type)
    if isinstance(one, t.Time) and isinstance(other, t.Time):
        if symbol != "-":
            call.wrong_type()
        if one.precision is not None or other.precision is not None:
            call.unsupported(f"{one} and {other}")
        return call.typed(f"CAST({left.sql} - {right.sql} AS INTEGER)", t.INT32)
    if isinstance(one, t.Time) and symbol in ("+", "-"):
        return _moved(call, left, one, right, symbol)
    if isinstance(other, t.Time) and symbol == "+":
        return _moved(call, right, other, left, symbol)
    return None


def _moved(call: Call, moment: Typed, type_: t.Time, step: Typed, symbol: str) -> Typed:
    kind = t.plain(step.type)
    unit = _SECONDS.get(kind.unit) if isinstance(kind, t.Interval) else 1
    if unit is None or not isinstance(kind, t.Interval | t.Int):
        call.unsupported(f"{type_} and {kind}")
    seconds = f"CAST({step.sql} AS BIGINT)" + (f" * {unit}" if unit > 1 else "")
    return call.typed(f"({moment.sql} {symbol} {rescaled(f'({seconds})', 0, type_.precision or 0)})", type_)
