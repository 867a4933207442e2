"""Arithmetic with ClickHouse's widths: the result type is wide enough for one operation, and then it wraps."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.literals import constant, float_sql
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.storage import duckdb_type


def widened(one: t.Type, other: t.Type, *, signed: bool = False) -> t.Type | None:
    """The type of a sum or product of two numbers: the next width, up to 64 bits; signed when either side is."""
    left, right = _as_int(one), _as_int(other)
    if isinstance(left, t.Float) or isinstance(right, t.Float):
        return t.FLOAT64 if t.Float(32) not in (left, right) or left != right else t.FLOAT32
    if isinstance(left, t.Int) and isinstance(right, t.Int):
        bits = max(left.bits, right.bits)
        wide = bits * 2 if bits < 64 else bits
        return t.Int(wide, signed or left.signed or right.signed)
    return None


def _as_int(type_: t.Type) -> t.Type:
    return t.UINT8 if isinstance(type_, t.Bool) else type_


def _operator(name: str, symbol: str, *, signed: bool = False) -> None:
    @scalar(name, args=2)
    def build(call: Call) -> Typed:
        left, right = call.args
        type_ = widened(t.plain(left.type), t.plain(right.type), signed=signed)
        if type_ is None:
            call.wrong_type()
        return _calculated(call, symbol, type_)


def _calculated(call: Call, symbol: str, type_: t.Type) -> Typed:
    left, right = call.args
    if left.known and right.known:
        return _folded(symbol, left.value, right.value, type_)
    target = duckdb_type(type_)
    sides = [arg.sql if arg.known else f"CAST({arg.sql} AS {target})" for arg in call.args]
    if isinstance(type_, t.Int) and type_.bits == 64:
        return call.typed(wrapped(f"(CAST({left.sql} AS HUGEINT) {symbol} {right.sql})", type_), type_)
    return call.typed(f"({sides[0]} {symbol} {sides[1]})", type_)


def wrapped(sql: str, type_: t.Int) -> str:
    """A HUGEINT brought into 64 bits as ClickHouse's overflow does: modulo 2^64."""
    size = 1 << type_.bits
    if not type_.signed:
        return f"CAST((({sql} % {size}) + {size}) % {size} AS UBIGINT)"
    half = size >> 1
    return f"CAST((((({sql} + {half}) % {size}) + {size}) % {size}) - {half} AS BIGINT)"


def _folded(symbol: str, left: float, right: float, type_: t.Type) -> Typed:
    value = {"+": lambda: left + right, "-": lambda: left - right, "*": lambda: left * right}[symbol]()
    if isinstance(type_, t.Int):
        value = wrap_value(int(value), type_)
        return constant(value, type_)
    return Typed(float_sql(float(value)), type_, constant=True, value=float(value))


def wrap_value(value: int, type_: t.Int) -> int:
    """A whole number in the width of a type, as two's complement wraps it."""
    value &= (1 << type_.bits) - 1
    return value - (1 << type_.bits) if type_.signed and value >> (type_.bits - 1) else value


_operator("plus", "+")
_operator("minus", "-", signed=True)
_operator("multiply", "*")


@scalar("divide", args=2)
def divide(call: Call) -> Typed:
    for arg in call.args:
        if not t.is_number(arg.type):
            call.wrong_type()
    left, right = call.args
    return call.typed(f"(CAST({left.sql} AS DOUBLE) / CAST({right.sql} AS DOUBLE))", t.FLOAT64)
