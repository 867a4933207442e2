"""Rounding: floats half to even, decimals and whole numbers half away from zero, each in its own type.

Source: ClickHouse documentation, "Rounding Functions". A float is scaled by a power of ten, rounded to a whole number
in IEEE arithmetic and scaled back, as ClickHouse does; the engine's own rounding answers otherwise on exact halves.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.numbers import known_float, wrapped_sql
from tbpy.clickhouse.casting.wide import is_wide, scale_of
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.conversion import common_type
from tbpy.clickhouse.compiler.literals import constant, float_sql
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.decimals import unit_of
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.storage import duckdb_type


@dataclass(frozen=True, slots=True)
class Rounding:
    """One way of rounding to a multiple of `step`: SQL for a float of a width, and SQL for an exact number."""

    whole: Callable[[str, int], str]
    exact: Callable[[str, str], str]
    known: Callable[[float], float]
    mode: str  # of `tb_wide_rounded`


def half_even(sql: str, bits: int) -> str:
    """A float to the nearest whole number, halves to the even one: adding 1.5 * 2^52 leaves no room for a fraction."""
    if bits == 32:
        magic, limit = "CAST(12582912 AS FLOAT)", "4194304"
    else:
        magic, limit = "6755399441055744e0", "2251799813685248"
    return f"(CASE WHEN abs({sql}) < {limit} THEN ({sql} + {magic}) - {magic} ELSE round({sql}) END)"


def _exact_away(sql: str, step: str) -> str:
    half = _half(step) if re.fullmatch(r"[0-9]*\.[0-9]+", step) else f"({step} / 2)"
    return f"({sql} + {half} * sign({sql}) - ({sql} + {half} * sign({sql})) % {step})"


def _half(step: str) -> str:
    return str(float(step) / 2)


def _exact_even(sql: str, step: str) -> str:
    rest = f"(abs({sql}) % {step})"
    down = f"(abs({sql}) - {rest})"
    up = f"{rest} * 2 > {step} OR ({rest} * 2 = {step} AND {down} % ({step} * 2) <> 0)"
    return f"(sign({sql}) * ({down} + (CASE WHEN {up} THEN {step} ELSE 0 END)))"


def _exact_floor(sql: str, step: str) -> str:
    return f"({sql} - (({sql} % {step}) + {step}) % {step})"


def _exact_ceil(sql: str, step: str) -> str:
    return f"({sql} + ({step} - {sql} % {step}) % {step})"


def _exact_trunc(sql: str, step: str) -> str:
    return f"({sql} - {sql} % {step})"


_NEAREST = Rounding(half_even, _exact_away, round, "round")
_BANKERS = Rounding(half_even, _exact_even, round, "even")
_FLOOR = Rounding(lambda sql, bits: f"floor({sql})", _exact_floor, math.floor, "floor")
_CEIL = Rounding(lambda sql, bits: f"ceil({sql})", _exact_ceil, math.ceil, "ceil")
_TRUNC = Rounding(lambda sql, bits: f"trunc({sql})", _exact_trunc, math.trunc, "trunc")


def _rows(rounding: Rounding, name: str, *aliases: str, insensitive: bool = True) -> None:
    @scalar(name, *aliases, args=(1, 2), insensitive=insensitive)
    def build(call: Call) -> Typed:
        return _rounded(call, rounding)


_rows(_NEAREST, "round")
_rows(_BANKERS, "roundBankers", insensitive=False)
_rows(_FLOOR, "floor")
_rows(_CEIL, "ceil", "ceiling")
_rows(_TRUNC, "trunc", "truncate")


def _digits(call: Call) -> int:
    if len(call.args) == 1:
        return 0
    if not isinstance(t.plain(call.args[1].type), t.Int):
        call.wrong_type()
    digits = int(call.constant_value(1, "number of digits"))
    if not -32768 <= digits <= 32767:
        text = "Scale argument for rounding function is too large"
        raise failures.bad_arguments(text, call.node)
    return digits


def _rounded(call: Call, rounding: Rounding) -> Typed:
    if len(call.args) == 2 and not call.is_known(1):
        return _rounded_by_column(call, rounding)
    value, digits = call.args[0], _digits(call)
    if is_wide(value.type) and digits < scale_of(value.type):
        function = call.context.udf("tb_wide_rounded")
        return call.typed(f"{function}({value.sql}, {digits}, '{rounding.mode}')", value.type)
    match value.type:
        case t.Float():
            return _rounded_float(call, rounding, value, value.type, digits)
        case t.Bool() if digits >= 0:
            return value
        case t.Int(bits):
            return value if digits >= 0 else _rounded_integer(call, rounding, value, value.type, digits, bits)
        case t.Decimal(_, scale):
            return value if digits >= scale else _rounded_decimal(call, rounding, value, digits)
    return call.wrong_type()


def _rounded_by_column(call: Call, rounding: Rounding) -> Typed:
    """Each row to the digits of its own; what is beyond the precision of a type changes nothing."""
    value, places = call.args
    if not isinstance(t.plain(places.type), t.Int):
        call.wrong_type()
    digits = f"CAST({places.sql} AS BIGINT)"
    match value.type:
        case t.Float(64):
            power = f"pow(1e1, abs({digits}))"
            finer = f"({rounding.whole(f'({value.sql} * {power})', 64)} / {power})"
            coarser = f"({rounding.whole(f'({value.sql} / {power})', 64)} * {power})"
            return call.typed(f"(CASE WHEN {digits} > 0 THEN {finer} ELSE {coarser} END)", value.type)
        case t.Int(bits) if bits <= 64:
            step = f"CAST(pow(10, least(greatest(-{digits}, 0), 18)) AS HUGEINT)"
            rounded = rounding.exact(f"CAST({value.sql} AS HUGEINT)", step).replace(" / 2)", " // 2)")
            wrapped = wrapped_sql(rounded, t.INT128, value.type)
            return call.typed(f"(CASE WHEN {digits} >= 0 THEN {value.exact()} ELSE {wrapped} END)", value.type)
        case t.Decimal(_, scale) if not is_wide(value.type):
            whole = f"CAST(CAST({value.sql} AS DECIMAL(38, {scale})) * {10**scale} AS HUGEINT)"
            step = f"CAST(pow(10, least(greatest({scale} - {digits}, 0), 37)) AS HUGEINT)"
            rounded = rounding.exact(whole, step).replace(" / 2)", " // 2)")
            back = f"CAST(CAST({rounded} AS DECIMAL(38, 0)) * {unit_of(scale)} AS {duckdb_type(value.type)})"
            return call.typed(f"(CASE WHEN {digits} >= {scale} THEN {value.sql} ELSE {back} END)", value.type)
    return call.unsupported(f"a number of digits that is not a constant, of {value.type}")


def _rounded_float(call: Call, rounding: Rounding, value: Typed, type_: t.Float, digits: int) -> Typed:
    if value.known and type_.bits == 64 and math.isfinite(value.value) and abs(digits) < 300:
        return known_float(_known(rounding, value.value, digits), type_)
    if digits == 0:
        return call.typed(rounding.whole(value.sql, type_.bits), type_)
    power = float_sql(10.0 ** abs(digits)) if abs(digits) < 300 else call.unsupported("so many digits")
    if type_.bits == 32:
        power = f"CAST({power} AS FLOAT)"
    up, down = ("*", "/") if digits > 0 else ("/", "*")
    return call.typed(f"({rounding.whole(f'({value.sql} {up} {power})', type_.bits)} {down} {power})", type_)


def _known(rounding: Rounding, value: float, digits: int) -> float:
    power = 10.0 ** abs(digits)
    scaled = value * power if digits > 0 else value / power
    if math.isinf(scaled):
        return scaled
    whole = float(rounding.known(scaled))
    return whole / power if digits > 0 else whole * power


def _rounded_integer(call: Call, rounding: Rounding, value: Typed, type_: t.Int, digits: int, bits: int) -> Typed:
    """To tens, hundreds and so on; a result that leaves the type fails."""
    if bits > 64 or digits < -18:
        call.unsupported(f"{digits} digits of {type_}")
    wide = "HUGEINT" if bits == 64 else "BIGINT"
    sql = rounding.exact(f"CAST({value.sql} AS {wide})", str(10**-digits)).replace(" / 2)", " // 2)")
    return call.typed(f"CAST({sql} AS {duckdb_type(type_)})", type_)


def _rounded_decimal(call: Call, rounding: Rounding, value: Typed, digits: int) -> Typed:
    if digits < -18:
        call.unsupported(f"{digits} digits of {value.type}")
    type_ = value.type
    if rounding is _NEAREST:
        return call.typed(f"CAST(round({value.sql}, {digits}) AS {duckdb_type(type_)})", type_)
    step = str(10**-digits) if digits <= 0 else "0." + "0" * (digits - 1) + "1"
    return call.typed(f"CAST({rounding.exact(value.sql, step)} AS {duckdb_type(type_)})", type_)


# --- down to given values ---------------------------------------------------------------------------------------------


@scalar("roundToExp2", strict=False)
def round_to_exp2(call: Call) -> Typed:
    """Down to a power of two."""
    [value] = call.args
    match value.type:
        case t.Int(bits) if bits <= 64:
            power = f"CAST(1 AS HUGEINT) << CAST(length(ltrim(bin({value.sql}), '0')) - 1 AS INTEGER)"
            storage = duckdb_type(value.type)
            return call.typed(f"CAST((CASE WHEN {value.sql} > 0 THEN {power} ELSE 0 END) AS {storage})", value.type)
        case t.Float(64):
            size = f"pow(2, floor(log2(abs({value.sql}))))"
            return call.typed(f"(CASE WHEN {value.sql} = 0 THEN 0e0 ELSE {size} * sign({value.sql}) END)", value.type)
    return call.unsupported(str(value.type))


def _steps(name: str, type_: t.Int, steps: tuple[tuple[int, int], ...]) -> None:
    @scalar(name)
    def build(call: Call) -> Typed:
        [value] = call.args
        if not t.is_number(value.type):
            call.wrong_type()
        arms = " ".join(f"WHEN {value.sql} < {limit} THEN {result}" for limit, result in steps[:-1])
        sql = f"(CASE WHEN {value.sql} IS NOT NULL THEN (CASE {arms} ELSE {steps[-1][1]} END) END)"
        return call.typed(f"CAST({sql} AS {duckdb_type(type_)})", type_)


_DURATIONS = (1, 10, 30, 60, 120, 180, 240, 300, 600, 1200, 1800, 3600, 7200, 18000, 36000)
_steps(
    "roundDuration",
    t.UINT16,
    tuple(zip((*_DURATIONS, 0), (0, *_DURATIONS), strict=True)),
)
_steps("roundAge", t.UINT8, ((1, 0), (18, 17), (25, 18), (35, 25), (45, 35), (55, 45), (0, 55)))


@scalar("roundDown", args=2)
def round_down(call: Call) -> Typed:
    """Down to an element of a constant array; below all of them, the smallest."""
    value, array = call.args
    steps = call.constant_value(1, "array")
    if not isinstance(t.plain(array.type), t.Array) or not steps or not t.is_number(value.type):
        call.wrong_type()
    if any(not isinstance(step, int | float) for step in steps):
        call.unsupported("elements that are no numbers")
    inner = t.plain(array.type)
    assert isinstance(inner, t.Array)
    type_ = common_type([value.type, inner.item], call.node)
    ordered = sorted(set(steps))
    arms = " ".join(
        f"WHEN {value.sql} >= {constant(step).sql} THEN {constant(step).sql}" for step in reversed(ordered[1:])
    )
    sql = f"(CASE WHEN {value.sql} IS NOT NULL THEN (CASE {arms} ELSE {constant(ordered[0]).sql} END) END)"
    if len(ordered) == 1:
        sql = constant(ordered[0]).sql
    return call.typed(f"CAST({sql} AS {duckdb_type(type_)})", type_)
