"""Arithmetic of decimals: exact, in the precision of the wider operand, cut off where a quotient has more digits.

Source: ClickHouse documentation, "Decimal". Sums keep the larger scale, products add the scales, a quotient keeps the
scale of the dividend; beside a float, a decimal counts as Float64.
"""

from __future__ import annotations

from decimal import Decimal

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting import wide
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.conversion import decimal_width
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call
from tbpy.clickhouse.storage import duckdb_type
from tbpy.errors import QueryError


def _operands(call: Call) -> tuple[t.Type, t.Type]:
    one, other = (t.plain(arg.type) for arg in call.args)
    return one, other


def result_precision(one: t.Type, other: t.Type) -> int:
    """Of two decimals, the widest storage of the wider one; beside a whole number, a decimal keeps its own."""
    decimals = [kind for kind in (one, other) if isinstance(kind, t.Decimal)]
    if len(decimals) == 1:
        return decimals[0].precision
    return max(decimal_width(kind.precision) for kind in decimals)


def scale_of(type_: t.Type) -> int:
    return type_.scale if isinstance(type_, t.Decimal) else 0


def decimal_sum(call: Call, symbol: str) -> Typed | None:
    """A sum, difference or product in which a decimal takes part; None where none does."""
    one, other = _operands(call)
    kinds = (one, other)
    if not any(isinstance(kind, t.Decimal) for kind in kinds):
        return None
    if any(isinstance(kind, t.Float) for kind in kinds):
        left, right = (_double(arg) for arg in call.args)
        return call.typed(f"({left} {symbol} {right})", t.FLOAT64)
    if not all(isinstance(kind, t.Decimal | t.Int | t.Bool) for kind in kinds):
        return None
    precision = result_precision(one, other)
    scale = scale_of(one) + scale_of(other) if symbol == "*" else max(scale_of(one), scale_of(other))
    type_ = checked_type(call, precision, scale)
    if wide.is_wide(type_):
        return call.typed(wide.calculated_decimal(call.context, symbol, call.args[0], call.args[1], type_), type_)
    return call.typed(f"CAST({_exact(call, 0)} {symbol} {_exact(call, 1)} AS {duckdb_type(type_)})", type_)


def _double(value: Typed) -> str:
    kind = t.plain(value.type)
    return wide.as_double(value.sql, kind) if wide.is_wide(kind) else f"CAST({value.sql} AS DOUBLE)"


def checked_type(call: Call, precision: int, scale: int) -> t.Decimal:
    if precision <= 38 and any(wide.is_wide(t.plain(arg.type)) for arg in call.args):
        call.unsupported("a decimal and a number of 256 bits")
    if scale > precision:
        text = f"Scale {scale} is out of bounds (max scale: {precision})"
        raise QueryError(text, code=69, name="ARGUMENT_OUT_OF_BOUND", place=failures.place(call.node))
    return t.Decimal(precision, scale)


def _exact(call: Call, position: int) -> str:
    value = call.args[position]
    if isinstance(t.plain(value.type), t.Bool):
        return f"CAST({value.sql} AS UTINYINT)"
    return value.sql


def decimal_quotient(call: Call) -> Typed:
    """The quotient cut off at the scale of the dividend. A decimal divided by one of larger scale is refused."""
    one, other = _operands(call)
    scale = scale_of(one)
    if isinstance(one, t.Decimal) and scale_of(other) > scale:
        text = "Decimal result's scale is less than argument's one"
        raise QueryError(text, code=69, name="ARGUMENT_OUT_OF_BOUND", place=failures.place(call.node))
    if not isinstance(one, t.Decimal):
        scale = scale_of(other)
    type_ = checked_type(call, result_precision(one, other), scale)
    if wide.is_wide(type_):
        quotient = wide.calculated_decimal(call.context, "/", call.args[0], call.args[1], type_)
        return call.typed(_guarded_wide(call, quotient), type_)
    if isinstance(one, t.Decimal) and isinstance(other, t.Int) and one.precision <= 18 and call.args[1].known:
        return call.typed(_by_integer(call, one, int(call.args[1].value)), type_)
    dividend = whole_sql(_exact(call, 0), scale_of(one), scale + scale_of(other) - scale_of(one))
    quotient = f"({dividend} // {whole_sql(_exact(call, 1), scale_of(other), 0)})"
    sql = f"CAST(CAST({quotient} AS DECIMAL(38, 0)) * {unit_of(scale)} AS {duckdb_type(type_)})"
    return call.typed(guarded(call, sql), type_)


def _guarded_wide(call: Call, sql: str) -> str:
    """A quotient that is NULL where its divisor is zero: ClickHouse's error there."""
    left, right = call.args
    sides = f"{left.sql} IS NOT NULL AND {right.sql} IS NOT NULL"
    return f"coalesce({sql}, (CASE WHEN {sides} THEN error('ILLEGAL_DIVISION: Division by zero') END))"


def _by_integer(call: Call, type_: t.Decimal, divisor: int) -> str:
    """Divided by a known whole number: what is divisible of it gives an exact double, up to fifteen digits."""
    if not divisor:
        raise QueryError("Division by zero", code=153, name="ILLEGAL_DIVISION", place=failures.place(call.node))
    value, storage, scale = call.sql(0), duckdb_type(type_), type_.scale
    slow = f"({whole_sql(value, scale, 0)} // {divisor})"
    exact = f"CAST(CAST({slow} AS DECIMAL(38, 0)) * {unit_of(scale)} AS {storage})"
    if abs(divisor) >= 1000000 or scale > 9:
        return exact
    step = f"{abs(divisor) * Decimal(10) ** -scale:.{scale}f}"
    fast = f"CAST(({value} - {value} % {step}) / {divisor} AS {storage})"
    return f"(CASE WHEN abs({value}) < {10 ** (15 - scale)} THEN {fast} ELSE {exact} END)"


def whole_sql(sql: str, scale: int, more: int) -> str:
    """A decimal as its digits, a whole number, with so many zeros more."""
    digits = (
        f"CAST({sql} AS HUGEINT)"
        if not scale
        else f"CAST(CAST({sql} AS DECIMAL(38, {scale})) * {10**scale} AS HUGEINT)"
    )
    return f"({digits} * {10**more})" if more else digits


def unit_of(scale: int) -> str:
    return f"CAST('{10**-scale:.{scale}f}' AS DECIMAL({max(scale, 1)}, {scale}))" if scale else "1"


def guarded(call: Call, sql: str) -> str:
    """A quotient whose divisor must not be zero: ClickHouse's error 153 where it is."""
    divisor = call.args[1]
    if divisor.known and divisor.value:
        return sql
    zero = "'0'" if wide.is_wide(t.plain(divisor.type)) else "0"
    return f"(CASE WHEN {divisor.sql} = {zero} THEN error('ILLEGAL_DIVISION: Division by zero') ELSE {sql} END)"
