"""Numbers as people read them: formatReadableSize and its relatives."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import text
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.udf.numbers import UNIT_NAMES

_BINARY = (" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB", " ZiB", " YiB")
_DECIMAL = (" B", " KB", " MB", " GB", " TB", " PB", " EB", " ZB", " YB")
_WORDS = (
    "", " thousand", " million", " billion", " trillion", " quadrillion", " quintillion", " sextillion", " septillion",
    " octillion", " nonillion", " decillion", " undecillion", " duodecillion", " tredecillion", " quattuordecillion",
    " quindecillion", " sexdecillion", " septendecillion", " octodecillion", " novemdecillion", " vigintillion",
)  # fmt: skip


def _scaled(name: str, units: Sequence[str], base: int, *aliases: str) -> None:
    @scalar(name, *aliases, insensitive=bool(aliases))
    def build(call: Call) -> Typed:
        """Two digits after the point, in the largest unit that leaves one before it."""
        if not t.is_number(call.args[0].type):
            call.wrong_type()
        x = call.context.fresh("x")
        last = len(units) - 1
        arms = " ".join(
            f"WHEN {_below(x, _next_unit(base, power), power)} THEN {_formatted(x, base**power, unit)}"
            for power, unit in enumerate(units[:-1])
        )
        body = f"CASE {arms} ELSE {_formatted(x, base**last, units[-1])} END"
        return call.typed(f"list_transform([CAST({call.sql(0)} AS DOUBLE)], lambda {x}: {body})[1]", t.STRING)


def _next_unit(base: int, power: int) -> float:
    """The least number that ClickHouse, dividing by the base again and again, writes in the unit after this one."""

    def divided(number: float) -> float:
        for _ in range(power):
            number /= base
        return number

    number = float(base ** (power + 1))
    while divided(number) < base:
        number = math.nextafter(number, math.inf)
    while divided(math.nextafter(number, 0)) >= base:
        number = math.nextafter(number, 0)
    return number


def _below(sql: str, limit: float, power: int) -> str:
    """NaN stays in the first unit; DuckDB calls it larger than any number."""
    test = f"abs({sql}) < {limit!r}"
    return test if power else f"{test} OR isnan({sql})"


def _formatted(sql: str, divisor: int, unit: str) -> str:
    value = sql if divisor == 1 else f"{sql} / {float(divisor)!r}"
    return f"format({duckdb_string('{:.2f}' + unit)}, {value})"


_scaled("formatReadableSize", _BINARY, 1024, "FORMAT_BYTES")
_scaled("formatReadableDecimalSize", _DECIMAL, 1000)
_scaled("formatReadableQuantity", _WORDS, 1000)


@scalar("formatReadableTimeDelta", args=(1, 3))
def format_readable_time_delta(call: Call) -> Typed:
    """`formatReadableTimeDelta(seconds[, largest unit[, smallest unit]])`."""
    span = t.plain(call.args[0].type)
    if isinstance(span, t.Interval) and span.unit == "Second":
        return call.compiler.call(call.name, call.args[0].as_type(t.INT64), *call.args[1:], node=call.node)
    if not t.is_number(span):
        call.wrong_type()
    largest, smallest = _unit(call, 1, "years"), _unit(call, 2, "seconds")
    if UNIT_NAMES.index(largest) > UNIT_NAMES.index(smallest):
        if len(call.args) == 3:
            raise failures.bad_arguments(
                f"The minimum unit ({smallest}) must not be greater than the maximum", call.node
            )
        smallest = "nanoseconds"
    arguments = f"CAST({call.sql(0)} AS DOUBLE), {duckdb_string(largest)}, {duckdb_string(smallest)}"
    return call.typed(f"{call.context.udf('tb_readable_time')}({arguments})", t.STRING)


@scalar("parseTimeDelta")
def parse_time_delta(call: Call) -> Typed:
    """Seconds of a text such as `1h 30min`."""
    return call.typed(f"{call.context.udf('tb_time_delta')}({text(call, fixed=False).sql})", t.FLOAT64)


@scalar("parseReadableSize", "parseReadableSizeOrNull", "parseReadableSizeOrZero", strict=False)
def parse_readable_size(call: Call) -> Typed:
    """Bytes of a text such as `1.5 MiB`."""
    size = text(call, fixed=False).sql
    if call.name == "parseReadableSize":
        return call.typed(f"{call.context.udf('tb_readable_bytes')}({size})", t.UINT64)
    found = f"{call.context.udf('tb_readable_bytes_or_none')}({size})"
    if call.name.endswith("OrNull"):
        return call.typed(found, t.Nullable(t.UINT64))
    return call.typed(f"coalesce({found}, CAST(0 AS UBIGINT))", t.UINT64)


def _unit(call: Call, position: int, default: str) -> str:
    if position >= len(call.args):
        return default
    unit = call.constant_value(position, "unit")
    if unit not in UNIT_NAMES:
        raise failures.bad_arguments(f"Unexpected value of unit argument ({unit})", call.node)
    return str(unit)
