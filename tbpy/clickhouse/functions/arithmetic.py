"""Arithmetic with ClickHouse's types: the result is wide enough for one operation, and then it wraps around.

Source: the answers of ClickHouse 26.9. Sums and products take the next width up to 64 bits, a difference is signed, a
quotient is Float64, decimals keep their scale. Tuples and arrays are added element by element.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting import wide as wide_numbers
from tbpy.clickhouse.casting.numbers import known_float, known_integer, wrap_value, wrapped_sql
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.decimals import decimal_quotient, decimal_sum
from tbpy.clickhouse.functions.duration_arithmetic import duration_sum
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.temporal_arithmetic import is_interval, temporal_sum
from tbpy.clickhouse.functions.vector_arithmetic import vector_sum
from tbpy.clickhouse.storage import duckdb_type

_MASK = (1 << 64) - 1
_HALF = 1 << 63


def as_number(type_: t.Type) -> t.Type:
    """Bool counts as UInt8."""
    return t.UINT8 if isinstance(type_, t.Bool) else type_


def addresses_as_numbers(call: Call) -> None:
    """In arithmetic an IPv4 address counts as UInt32, an IPv6 address as UInt128."""
    numbers: dict[type[t.Type], t.Type] = {t.IPv4: t.UINT32, t.IPv6: t.UINT128}
    call.args = tuple(arg.as_type(numbers.get(type(arg.type), arg.type)) for arg in call.args)


def next_width(bits: int) -> int:
    return bits * 2 if bits < 64 else bits


def widened(one: t.Type, other: t.Type, *, signed: bool = False) -> t.Type | None:
    """The type of a sum or product of two numbers; None where they are no plain numbers."""
    left, right = as_number(one), as_number(other)
    if isinstance(left, t.Float | t.Int) and isinstance(right, t.Float | t.Int):
        if isinstance(left, t.Int) and isinstance(right, t.Int):
            return t.Int(next_width(max(left.bits, right.bits)), signed or left.signed or right.signed)
        return None if any(isinstance(kind, t.Int) and kind.bits > 64 for kind in (left, right)) else t.FLOAT64
    return None


def _operator(name: str, symbol: str) -> None:
    @scalar(name, args=2)
    def build(call: Call) -> Typed:
        special = _dynamic(call, symbol) or duration_sum(call, symbol)
        if special is not None:
            return special
        addresses_as_numbers(call)
        one, other = (t.plain(arg.type) for arg in call.args)
        if symbol != "*":
            moved = temporal_sum(call, symbol)
            if moved is not None:
                return moved
        vector = vector_sum(call, symbol)
        if vector is not None:
            return vector
        type_ = widened(one, other, signed=symbol == "-")
        if type_ is not None:
            return _calculated(call, symbol, type_)
        return decimal_sum(call, symbol) or call.wrong_type()


def _dynamic(call: Call, symbol: str) -> Typed | None:
    if not any(isinstance(t.plain(arg.type), t.Dynamic) for arg in call.args):
        return None
    from tbpy.clickhouse.functions.dynamic import calculated

    return calculated(call, symbol)


def _calculated(call: Call, symbol: str, type_: t.Type) -> Typed:
    left, right = call.args
    if left.known and right.known:
        return _folded(symbol, left.value, right.value, type_)
    if isinstance(type_, t.Int):
        return _integers(call, symbol, type_)
    return call.typed(f"({as_double(left, right)} {symbol} {as_double(right, left)})", type_)


def as_double(value: Typed, other: Typed) -> str:
    """A side of a Float64 operation: cast unless DuckDB widens it by itself beside a DOUBLE."""
    if wide_numbers.is_wide(t.plain(value.type)):
        return wide_numbers.as_double(value.sql, t.plain(value.type))
    if t.plain(value.type) == t.FLOAT64 or (t.plain(other.type) == t.FLOAT64 and t.plain(value.type) != t.FLOAT32):
        return f"CAST({value.sql} AS UTINYINT)" if isinstance(t.plain(value.type), t.Bool) else value.sql
    return f"CAST({value.sql} AS DOUBLE)"


def integer_sql(value: Typed) -> str:
    """A whole number as an operand: Bool as its number."""
    return f"CAST({value.sql} AS UTINYINT)" if isinstance(t.plain(value.type), t.Bool) else value.sql


def _integers(call: Call, symbol: str, type_: t.Int) -> Typed:
    left, right = (integer_sql(arg) for arg in call.args)
    widths = [kind.bits for kind in map(as_number, map(t.plain, call.types)) if isinstance(kind, t.Int)]
    if type_.bits == 256:
        return call.typed(wide_numbers.calculated(call.context, symbol, call.args[0], call.args[1], type_), type_)
    if type_.bits == 128:
        return call.typed(_of_128_bits(call, symbol, type_), type_)
    if type_.bits != 64 or max(widths) < 64:
        first, second = (left, right) if not call.args[0].known else (right, left)
        cast = f"CAST({first} AS {duckdb_type(type_)})"
        sides = (cast, second) if first is left else (second, cast)
        return call.typed(f"({sides[0]} {symbol} {sides[1]})", type_)
    large = symbol == "*" and not type_.signed and min(widths) == 64
    wide = "UHUGEINT" if large else "HUGEINT"
    return call.typed(wrapped(f"(CAST({left} AS {wide}) {symbol} {right})", type_), type_)


def _of_128_bits(call: Call, symbol: str, type_: t.Int) -> str:
    """By DuckDB where the result and both sides fit, otherwise as two's complement wraps it.

    What is no column but calculated itself fails where it overflows.
    """
    storage = duckdb_type(type_)
    left, right = (f"CAST({integer_sql(arg)} AS {storage})" for arg in call.args)
    if any("(" in arg.sql and not arg.known for arg in call.args):  # not twice, and TRY does not take all functions
        return f"({left} {symbol} {right})"
    whole = wide_numbers.calculated(call.context, symbol, call.args[0], call.args[1], type_)
    return f"coalesce(TRY({left} {symbol} {right}), {whole})"


def wrapped(sql: str, type_: t.Int) -> str:
    """A 128-bit number brought into 64 bits as two's complement wraps it; masks cost a fraction of a modulo."""
    low = f"({sql} & {_MASK})"
    if not type_.signed:
        return f"CAST({low} AS UBIGINT)"
    return f"CAST((xor({low}, {_HALF}) - {_HALF}) AS BIGINT)"


def _folded(symbol: str, left: Any, right: Any, type_: t.Type) -> Typed:
    if isinstance(type_, t.Int):
        value = {"+": left + right, "-": left - right, "*": left * right}[symbol]
        return known_integer(wrap_value(int(value), type_), type_)
    one, other = float(left), float(right)
    return known_float({"+": one + other, "-": one - other, "*": one * other}[symbol], t.FLOAT64)


_operator("plus", "+")
_operator("minus", "-")
_operator("multiply", "*")


# --- division ---------------------------------------------------------------------------------------------------------


@scalar("divide", args=2)
def divide(call: Call) -> Typed:
    left, right = call.args
    addresses_as_numbers(call)
    left, right = call.args
    vector = vector_sum(call, "/") or _dynamic(call, "/")
    if vector is not None:
        return vector
    kinds = [t.plain(arg.type) for arg in call.args]
    if any(not isinstance(kind, t.Int | t.Float | t.Bool | t.Decimal) for kind in kinds):
        call.wrong_type()
    if any(isinstance(kind, t.Decimal) for kind in kinds) and not any(isinstance(kind, t.Float) for kind in kinds):
        return decimal_quotient(call)
    if left.known and right.known and not isinstance(left.value, Decimal) and not isinstance(right.value, Decimal):
        return known_float(_quotient(float(left.value), float(right.value)), t.FLOAT64)
    return call.typed(f"({as_double(left, right)} / {as_double(right, left)})", t.FLOAT64)


def _quotient(left: float, right: float) -> float:
    if right:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


@scalar("divideOrNull", args=2, nulls="keep")
def divide_or_null(call: Call) -> Typed:
    quotient = call.compiler.call("divide", *call.original, node=call.node)
    sql = f"(CASE WHEN {call.args[1].sql} <> 0 THEN {quotient.sql} END)"
    return call.typed(sql, t.nullable(quotient.type))


# --- signs ------------------------------------------------------------------------------------------------------------


@scalar("negate")
def negate(call: Call) -> Typed:
    [value] = call.args
    kind = as_number(t.plain(value.type))
    if is_interval(kind) and isinstance(kind, t.Interval):
        return call.typed(f"(-{value.sql})", kind)
    vector = vector_sum(call, "-")
    if vector is not None:
        return vector
    match kind:
        case t.Int(bits, signed):
            type_ = t.Int(bits if signed else next_width(bits), True)
            if value.known:
                return known_integer(wrap_value(-int(value.value), type_), type_)
            if bits == 64:
                return call.typed(wrapped(f"(-CAST({value.sql} AS HUGEINT))", type_), type_)
            if bits >= 128:
                zero = constant(0)
                return call.typed(wide_numbers.calculated(call.context, "-", zero, value, type_), type_)
            if not signed:
                return call.typed(f"(-CAST({integer_sql(value)} AS {duckdb_type(type_)}))", type_)
            return call.typed(wrapped_sql(f"(-CAST({value.sql} AS BIGINT))", t.INT64, type_), type_)
        case t.Float():
            return known_float(-value.value, kind) if value.known else call.typed(f"(-{value.sql})", kind)
        case t.Decimal() if wide_numbers.is_wide(kind):
            return call.typed(wide_numbers.calculated_decimal(call.context, "-", constant(0), value, kind), kind)
        case t.Decimal():
            return call.typed(f"(-{value.sql})", kind)
    return call.wrong_type()


@scalar("abs", insensitive=True)
def abs_(call: Call) -> Typed:
    [value] = call.args
    match as_number(t.plain(value.type)):
        case t.Int(bits, True) if bits <= 64:
            wide = "HUGEINT" if bits == 64 else "BIGINT"
            type_ = t.Int(bits, False)
            if value.known:
                return known_integer(abs(value.value), type_)
            return call.typed(f"CAST(abs(CAST({value.sql} AS {wide})) AS {duckdb_type(type_)})", type_)
        case t.Int(256, True):
            return call.typed(f"ltrim({value.sql}, '-')", t.UINT256)
        case t.Decimal() as kind if wide_numbers.is_wide(kind):
            return call.typed(f"ltrim({value.sql}, '-')", kind)
        case t.Int(128, True):
            return call.typed(f"CAST(abs({value.sql}) AS UHUGEINT)", t.UINT128)
        case t.Int(_, False) as kind:
            return call.typed(integer_sql(value), kind)
        case t.Float() | t.Decimal() as kind:
            return call.typed(f"abs({value.sql})", kind)
    return call.wrong_type()


@scalar("sign", insensitive=True)
def sign(call: Call) -> Typed:
    [value] = call.args
    if not t.is_number(value.type):
        call.wrong_type()
    if isinstance(value.type, t.Float):
        arms = f"WHEN {value.sql} < 0 THEN -1 WHEN {value.sql} = 0 THEN 0"
        sql = f"(CASE {arms} WHEN {value.sql} IS NOT NULL THEN 1 END)"
        return call.typed(f"CAST({sql} AS TINYINT)", t.INT8)
    if wide_numbers.is_wide(t.plain(value.type)):
        return call.typed(f"CAST(sign({wide_numbers.as_double(value.sql, value.type)}) AS TINYINT)", t.INT8)
    return call.typed(f"CAST(sign({integer_sql(value)}) AS TINYINT)", t.INT8)
