"""Sums and differences of dates, times and intervals, for plus and minus.

A number counts days of a Date and seconds of a time. Intervals of days and longer move the wall clock of the value's
time zone, shorter ones move the instant. Source: ClickHouse documentation, "Interval".
"""

from __future__ import annotations

import re
from dataclasses import replace

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.caster import Caster
from tbpy.clickhouse.casting.printing import first_instant
from tbpy.clickhouse.compiler.literals import tuple_sql
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call
from tbpy.clickhouse.functions.zones import to_local
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import duckdb_type, field_names

_CALENDAR = ("Day", "Week", "Month", "Quarter", "Year")
_FRACTIONS = {"Millisecond": 3, "Microsecond": 6, "Nanosecond": 9}
_MAKERS = {
    "Day": "to_days(CAST({} AS INTEGER))",
    "Week": "to_days(CAST({} * 7 AS INTEGER))",
    "Month": "to_months(CAST({} AS INTEGER))",
    "Quarter": "to_months(CAST({} * 3 AS INTEGER))",
    "Year": "to_years(CAST({} AS INTEGER))",
    "Hour": "to_hours({})",
    "Minute": "to_minutes({})",
    "Second": "to_seconds({})",
    "Millisecond": "to_milliseconds({})",
    "Microsecond": "to_microseconds({})",
}


def is_interval(type_: t.Type) -> bool:
    """An interval, or the tuple of intervals that a sum of different units is."""
    inner = t.plain(type_)
    if isinstance(inner, t.Tuple):
        return bool(inner.items) and all(isinstance(item, t.Interval) for item in inner.items)
    return isinstance(inner, t.Interval)


def temporal_sum(call: Call, symbol: str) -> Typed | None:
    """The result where a date, time or interval takes part; None where plain arithmetic applies."""
    left, right = call.args
    one, other = t.plain(left.type), t.plain(right.type)
    if is_interval(one) and is_interval(other):
        return _intervals(call, symbol)
    if is_interval(one) and symbol == "+" and (t.is_temporal(other) or isinstance(other, t.String)):
        return _moved(call, right, left, symbol)
    if is_interval(other) and (t.is_temporal(one) or isinstance(one, t.String)):
        return _moved(call, left, right, symbol)
    if t.is_temporal(one) and t.is_temporal(other):
        return _difference(call, left, right) if symbol == "-" else call.wrong_type()
    if t.is_temporal(one) and isinstance(other, t.Int | t.Float | t.Bool):
        return _counted(call, left, right, symbol)
    if t.is_temporal(other) and isinstance(one, t.Int | t.Float | t.Bool) and symbol == "+":
        return _counted(call, right, left, symbol)
    return None


def _counted(call: Call, moment: Typed, number: Typed, symbol: str) -> Typed:
    """A number of days, or of seconds, later or earlier; a fraction is cut off."""
    unit = "Day" if isinstance(t.plain(moment.type), t.Date | t.Date32) else "Second"
    interval = Caster(call.compiler, call.node).plain(number.as_type(t.plain(number.type)), t.Interval(unit))
    return _moved(call, moment, interval, symbol)


def _moved(call: Call, moment: Typed, interval: Typed, symbol: str) -> Typed:
    source = t.plain(moment.type)
    if isinstance(source, t.String):
        moment, source = _from_text(call, moment)
    kind = t.plain(interval.type)
    if isinstance(kind, t.Tuple):
        for name, item in zip(field_names(kind), kind.items, strict=True):
            step = replace(interval, sql=f"{interval.sql}[{duckdb_string(name)}]", type=item, condition=None)
            moment = _moved(call, moment, step, symbol)
        return moment
    assert isinstance(kind, t.Interval)
    type_ = _moved_type(call, source, kind.unit)
    return call.typed(_moved_sql(call, moment, source, interval, kind.unit, type_, symbol), type_)


def _from_text(call: Call, moment: Typed) -> tuple[Typed, t.Type]:
    type_ = t.DateTime64(3)
    return Caster(call.compiler, call.node).plain(moment.as_type(t.STRING), type_), type_


def _moved_type(call: Call, source: t.Type, unit: str) -> t.Type:
    precision = _FRACTIONS.get(unit, 0)
    match source:
        case t.Date() | t.Date32() if precision:
            return call.wrong_type()
        case t.Date() | t.Date32() if unit in _CALENDAR:
            return source
        case t.Date():
            return t.DATETIME
        case t.Date32():
            return t.DateTime64(3)
        case t.DateTime(zone) if precision:
            return t.DateTime64(precision, zone)
        case t.DateTime64(own, zone):
            return t.DateTime64(max(own, precision), zone)
    return source


def _moved_sql(
    call: Call, moment: Typed, source: t.Type, interval: Typed, unit: str, type_: t.Type, symbol: str
) -> str:
    storage, number = duckdb_type(type_), f"CAST({interval.sql} AS BIGINT)"
    if isinstance(source, t.Date) and unit in ("Day", "Week") and not _stays_close(moment, interval, unit):
        return _wrapped(f"{_days(moment.sql)} {symbol} {number}{' * 7' if unit == 'Week' else ''}", source)
    if isinstance(source, t.Date | t.Date32) and unit == "Day" and storage == "DATE":
        return f"({moment.sql} {symbol} CAST({interval.sql} AS INTEGER))"
    if storage == "TIMESTAMP_NS" and unit in ("Nanosecond", "Microsecond", "Millisecond", "Second", "Minute", "Hour"):
        return _nanoseconds(moment, number, unit, symbol)
    if storage == "TIMESTAMP_NS":
        return call.unsupported(f"calendar intervals of {type_}")
    zone = source.zone if isinstance(source, t.DateTime | t.DateTime64) else None
    step = _MAKERS[unit].format(number if unit not in _CALENDAR else interval.sql)
    base = moment.sql if duckdb_type(source) != "DATE" or storage == "DATE" else f"CAST({moment.sql} AS TIMESTAMP)"
    local = to_local(base, zone) if unit in _CALENDAR else base
    moved = f"({local} {symbol} {step})"
    wraps = isinstance(type_, t.Date | t.DateTime) and not _stays_close(moment, interval, unit)
    if wraps and unit in _MONTHS:
        moved = f"least({moved}, TIMESTAMP '2299-12-31' + ({local} - date_trunc('day', {local})))"
    if unit in _CALENDAR and zone is not None:
        moved = first_instant(moved, zone)
    if wraps and unit in _MONTHS:
        moved = f"greatest({moved}, TIMESTAMP '1970-01-01')"
    if storage == "DATE":
        moved = f"CAST({moved} AS DATE)"
    return _around(moved, type_) if wraps else moved


_CLOSE = 5_000  # days
_MONTHS = ("Month", "Quarter", "Year")
_DAYS = {"Week": 7, "Month": 31, "Quarter": 92, "Year": 366, "Hour": 1 / 24, "Minute": 1 / 1440, "Second": 1 / 86400}
_MIDDLE = re.compile(r"(?:DATE|TIMESTAMP) '(?:199\d|20[0-8]\d)-.*'")  # farther than that from both ends


def _stays_close(moment: Typed, interval: Typed, unit: str) -> bool:
    """Whether the step is so short that moments which are told at all stay within those of the type.

    A date that is written out is moved exactly, as it may be told to show the edge.
    """
    few = interval.known and isinstance(interval.value, int) and abs(interval.value) * _DAYS.get(unit, 1) <= _CLOSE
    written = moment.constant and "$now" not in moment.sql
    return few and (not written or _MIDDLE.fullmatch(moment.sql) is not None)


def _around(moved: str, type_: t.Type) -> str:
    return _wrapped(_days(moved) if isinstance(type_, t.Date) else f"epoch_us({moved}) // 1000000", type_)


def _days(date: str) -> str:
    return f"({date} - DATE '1970-01-01')"


def _wrapped(count: str, type_: t.Type) -> str:
    """A Date counts its days in 16 bits, a DateTime its seconds in 32: behind the last one comes the first."""
    if isinstance(type_, t.Date):
        return f"(DATE '1970-01-01' + CAST(({count}) & 65535 AS INTEGER))"
    return f"make_timestamp(({count} & 4294967295) * 1000000)"


def _nanoseconds(moment: Typed, number: str, unit: str, symbol: str) -> str:
    factors = {"Nanosecond": 1, "Microsecond": 10**3, "Millisecond": 10**6, "Second": 10**9}
    factor = factors.get(unit) or (60 if unit == "Minute" else 3600) * 10**9
    base = f"epoch_ns(CAST({moment.sql} AS TIMESTAMP_NS))"
    return f"make_timestamp_ns({base} {symbol} {number} * {factor})"


def _difference(call: Call, left: Typed, right: Typed) -> Typed:
    """Days between dates, seconds between times, a decimal of seconds where a DateTime64 takes part."""
    one, other = t.plain(left.type), t.plain(right.type)
    if isinstance(one, t.Date) and isinstance(other, t.Date):
        return call.typed(f"CAST({left.sql} - {right.sql} AS INTEGER)", t.INT32)
    times = (t.DateTime, t.DateTime64)
    if not isinstance(one, times) or not isinstance(other, times):
        return call.wrong_type()
    if isinstance(one, t.DateTime) and isinstance(other, t.DateTime):
        return call.typed(f"CAST((epoch_us({left.sql}) - epoch_us({right.sql})) // 1000000 AS INTEGER)", t.INT32)
    precision = max(kind.precision if isinstance(kind, t.DateTime64) else 0 for kind in (one, other))
    if precision > 6:
        return call.unsupported("nanoseconds")
    type_ = t.Decimal(18, precision)
    micro = f"CAST(epoch_us({left.sql}) - epoch_us({right.sql}) AS DECIMAL(38, 0))"
    return call.typed(f"CAST({micro} * CAST('0.000001' AS DECIMAL(6, 6)) AS {duckdb_type(type_)})", type_)


def _intervals(call: Call, symbol: str) -> Typed:
    """The same unit adds up, also with the last of a tuple; different units become a tuple, applied one by one."""
    left, right = call.args
    one, other = t.plain(left.type), t.plain(right.type)
    if one == other and isinstance(one, t.Interval):
        return call.typed(f"({left.sql} {symbol} {right.sql})", one)
    if isinstance(one, t.Interval) and isinstance(other, t.Tuple):
        call.wrong_type()
    parts = [*_parts(left), *(_signed(part, symbol) for part in _parts(right))]
    if isinstance(other, t.Interval) and parts[-2].type == other:
        parts[-2:] = [replace(parts[-2], sql=f"({parts[-2].sql} + {parts[-1].sql})")]
    type_ = t.Tuple(tuple(part.type for part in parts))
    return call.typed(tuple_sql([part.exact() for part in parts]), type_)


def interval_sum(call: Call, symbol: str) -> Typed:
    """Two intervals, or a tuple of some and another one, as addInterval gives them: always a tuple."""
    if not all(is_interval(arg.type) for arg in call.args):
        call.wrong_type()
    result = _intervals(call, symbol)
    if isinstance(result.type, t.Tuple):
        return result
    return replace(result, sql=tuple_sql([result.exact()]), type=t.Tuple((result.type,)))


def _parts(value: Typed) -> list[Typed]:
    kind = t.plain(value.type)
    if not isinstance(kind, t.Tuple):
        return [value]
    named = zip(field_names(kind), kind.items, strict=True)
    return [replace(value, sql=f"{value.sql}[{duckdb_string(name)}]", type=item) for name, item in named]


def _signed(value: Typed, symbol: str) -> Typed:
    return value if symbol == "+" else replace(value, sql=f"(-{value.sql})")
