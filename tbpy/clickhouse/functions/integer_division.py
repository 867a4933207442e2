"""Division of whole numbers: intDiv, modulo, gcd and their forms that give zero or NULL in place of an error."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting import wide
from tbpy.clickhouse.casting.numbers import known_float, known_integer, wrap_value, wrapped_sql
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.arithmetic import (
    addresses_as_numbers,
    as_double,
    as_number,
    integer_sql,
    next_width,
    widened,
)
from tbpy.clickhouse.functions.decimals import (
    checked_type,
    guarded,
    result_precision,
    scale_of,
    unit_of,
    whole_sql,
)
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.vector_arithmetic import array_by_number, by_number
from tbpy.clickhouse.storage import duckdb_type
from tbpy.errors import QueryError


def division_by_zero(call: Call) -> QueryError:
    return QueryError("Division by zero", code=153, name="ILLEGAL_DIVISION", place=failures.place(call.node))


def _kinds(call: Call, *, wide_integers: bool = False) -> tuple[t.Type, t.Type]:
    """The two types as numbers; a Date or DateTime counts as its number where modulo takes one."""
    addresses_as_numbers(call)
    one, other = (as_number(t.plain(arg.type)) for arg in call.args)
    for kind in (one, other):
        if not isinstance(kind, t.Int | t.Float | t.Decimal):
            call.wrong_type()
        if wide.is_wide(kind) and not (wide_integers and isinstance(kind, t.Int)):
            call.unsupported("numbers of more than 128 bits")
    return one, other


def _known(call: Call) -> tuple[Any, Any] | None:
    left, right = call.args
    if not (left.known and right.known):
        return None
    values = (left.value, right.value)
    return values if all(isinstance(value, int | float) for value in values) else None


# --- intDiv -----------------------------------------------------------------------------------------------------------


def _int_div_type(one: t.Type, other: t.Type) -> t.Int:
    """As wide as the dividend, signed when either is."""
    signed = any(not isinstance(kind, t.Int) or kind.signed for kind in (one, other))
    if isinstance(one, t.Decimal):
        return t.Int({9: 32, 18: 64}.get(_storage_digits(one), 128), True)
    assert isinstance(one, t.Int | t.Float)
    return t.Int(one.bits, signed)


def _storage_digits(type_: t.Decimal) -> int:
    return next(width for width in (9, 18, 38, 76) if type_.precision <= width)


def _int_div(call: Call) -> Typed:
    """The quotient cut off towards zero; NULL where the divisor is zero."""
    one, other = _kinds(call, wide_integers=True)
    type_ = _int_div_type(one, other)
    if wide.is_wide(one) or wide.is_wide(other):
        return _wide(call, "//", one, other, type_)
    storage = duckdb_type(type_)
    known = _known(call)
    if known is not None and known[1]:
        return _known_quotient(call, *known, type_)
    left, right = call.args
    if any(isinstance(kind, t.Decimal) for kind in (one, other)):
        if any(isinstance(kind, t.Float) for kind in (one, other)):
            call.unsupported("a decimal and a float")
        top = whole_sql(integer_sql(left), scale_of(one), max(scale_of(other) - scale_of(one), 0))
        bottom = whole_sql(integer_sql(right), scale_of(other), max(scale_of(one) - scale_of(other), 0))
        return call.typed(f"CAST({top} // {bottom} AS {storage})", type_)
    if isinstance(one, t.Float) or isinstance(other, t.Float):
        quotient = f"trunc({as_double(left, right)} / {as_double(right, left)})"
        return call.typed(f"CAST({quotient} AS {storage})", type_)
    wider = isinstance(one, t.Int) and isinstance(other, t.Int) and one.bits > other.bits
    divisor = integer_sql(right) if wider else _as_signed(right, other, type_)
    sql = f"({_as_signed(left, one, type_)} // {divisor})"
    exact = left.constant or not (one == other == type_)
    return call.typed(f"CAST({sql} AS {storage})" if exact else sql, type_)


def _wide(call: Call, symbol: str, one: t.Type, other: t.Type, type_: t.Int) -> Typed:
    """With numbers of 256 bits; what ClickHouse makes of a negative divisor beside an unsigned dividend is refused."""
    left, right = call.args
    if not isinstance(one, t.Int) or not isinstance(other, t.Int) or (other.signed and not one.signed):
        call.unsupported(f"{one} and {other}")
    if one.signed and not other.signed and other.bits == 256:
        call.unsupported(f"{one} and {other}")
    return call.typed(wide.calculated(call.context, symbol, left, right, type_), type_)


def _as_signed(value: Typed, kind: t.Type, result: t.Int) -> str:
    """Where one side has a sign, the bits of the other are read as if it had one too, but for a narrower divisor."""
    if not result.signed or not isinstance(kind, t.Int) or kind.signed:
        return integer_sql(value)
    return _signed_bits(value, kind)


def _signed_bits(value: Typed, kind: t.Int) -> str:
    signed = t.Int(kind.bits, True)
    if value.known:
        return constant(wrap_value(int(value.value), signed)).sql
    return wrapped_sql(integer_sql(value), kind, signed)


def _known_quotient(call: Call, left: Any, right: Any, type_: t.Int) -> Typed:
    if isinstance(left, float) or isinstance(right, float):
        quotient = float(left) / float(right)
        if math.isnan(quotient) or math.isinf(quotient):
            raise division_by_zero(call)
        return known_integer(wrap_value(math.trunc(quotient), type_), type_)
    if type_.signed:
        one, other = _kinds(call)
        assert isinstance(one, t.Int) and isinstance(other, t.Int)
        left = wrap_value(int(left), t.Int(one.bits, True))
        right = wrap_value(int(right), t.Int(max(one.bits, other.bits), True))
    sign = -1 if (left < 0) != (right < 0) else 1
    return known_integer(wrap_value(sign * (abs(left) // abs(right)), type_), type_)


@scalar("intDiv", args=2)
def int_div(call: Call) -> Typed:
    vector = by_number(call, "intDiv", *call.args) or array_by_number(call, "intDiv")
    if vector is not None:
        return vector
    _check_divisor(call)
    quotient = _int_div(call)
    return quotient if quotient.known else call.typed(guarded(call, quotient.sql), quotient.type)


def _check_divisor(call: Call) -> None:
    divisor = call.args[1]
    if divisor.known and isinstance(divisor.value, int | float) and not divisor.value:
        raise division_by_zero(call)


def _overflow_of_least(call: Call) -> bool | str | None:
    """Whether the least number of a signed type is divided by -1, which has no result: known, as SQL, or never."""
    one, other = (as_number(t.plain(arg.type)) for arg in call.args)
    if not isinstance(one, t.Int) or not isinstance(other, t.Int) or not (one.signed and other.signed):
        return None
    left, right = call.args
    if (right.known and right.value != -1) or (left.known and left.value != one.minimum) or one.bits > 128:
        return None
    if left.known and right.known:
        return True
    return f"{left.sql} = {one.minimum} AND {right.sql} = -1"


def _or_zero(name: str, divide: Callable[[Call], Typed]) -> None:
    @scalar(name, args=2, strict=False)
    def build(call: Call) -> Typed:
        _kinds(call)
        overflow = _overflow_of_least(call) if divide is _int_div else None
        if overflow is True:
            return constant(0, divide(call).type)
        result = divide(call)
        if result.known or isinstance(result.type, t.Float):
            return result
        if overflow is not None:
            zero = f"WHEN {call.args[1].sql} = 0 OR ({overflow}) THEN 0"
            return call.typed(f"CAST((CASE {zero} ELSE {result.sql} END) AS {duckdb_type(result.type)})", result.type)
        zero = f"WHEN {call.args[1].sql} = 0 THEN 0"
        storage = duckdb_type(result.type)
        return call.typed(f"CAST((CASE {zero} ELSE {result.sql} END) AS {storage})", result.type)


def _or_null(name: str, divide: Callable[[Call], Typed]) -> None:
    @scalar(name, args=2)
    def build(call: Call) -> Typed:
        _kinds(call)
        result = divide(call)
        type_ = t.nullable(result.type)
        if result.known and not _overflows(call):
            return result.as_type(type_)
        return call.typed(f"(CASE WHEN {call.args[1].sql} <> 0{_and_fits(call)} THEN {result.sql} END)", type_)


def _overflows(call: Call) -> bool:
    one, other = call.args
    kind = t.plain(one.type)
    return isinstance(kind, t.Int) and other.value == -1 and one.value == -(1 << (kind.bits - 1))


def _and_fits(call: Call) -> str:
    """The least number of a signed type has no quotient by -1."""
    one, other = (t.plain(arg.type) for arg in call.args)
    if not (isinstance(one, t.Int) and isinstance(other, t.Int) and one.signed and other.signed):
        return ""
    return f" AND NOT ({call.args[1].sql} = -1 AND {call.args[0].sql} = {-(1 << (one.bits - 1))})"


# --- modulo -----------------------------------------------------------------------------------------------------------


def _modulo_type(one: t.Type, other: t.Type) -> t.Int:
    """As wide as the divisor; a signed dividend makes it signed and one width wider."""
    assert isinstance(one, t.Int) and isinstance(other, t.Int)
    return t.Int(next_width(other.bits) if one.signed else other.bits, one.signed)


def _modulo(call: Call) -> Typed:
    """The rest with the sign of the dividend, of a time of the divisor's type; NULL where a whole divisor is zero."""
    of_time = t.is_temporal(call.args[0].type)
    one, other = _numbers_of_times(call)
    left, right = call.args
    if isinstance(one, t.Float) or isinstance(other, t.Float):
        return _float_modulo(call)
    if isinstance(one, t.Decimal) or isinstance(other, t.Decimal):
        return _decimal_modulo(call, one, other)
    known = _known(call)
    type_ = other if of_time and isinstance(other, t.Int) else _modulo_type(one, other)
    if wide.is_wide(one) or wide.is_wide(other):
        return _wide(call, "%", one, other, type_)
    if known is not None and known[1]:
        return known_integer(int(math.copysign(1, known[0])) * (abs(known[0]) % abs(known[1])), type_)
    sql = f"({integer_sql(left)} % {integer_sql(right)})"
    exact = left.constant or not (one == other == type_)
    return call.typed(f"CAST({sql} AS {duckdb_type(type_)})" if exact else sql, type_)


def _float_modulo(call: Call) -> Typed:
    """What a whole number of divisors leaves, by division in floats: not the exact rest of fmod."""
    known = _known(call)
    if known is not None:
        return known_float(_float_rest(float(known[0]), float(known[1])), t.FLOAT64)
    left, right = call.args
    dividend, divisor = as_double(left, right), as_double(right, left)
    return call.typed(f"({dividend} - trunc({dividend} / {divisor}) * {divisor})", t.FLOAT64)


def _decimal_modulo(call: Call, one: t.Type, other: t.Type) -> Typed:
    """The rest of the digits as they are stored: ClickHouse does not bring both sides to one scale."""
    scale = scale_of(one) if isinstance(one, t.Decimal) else scale_of(other)
    if scale_of(other) > scale:
        text = "Decimal result's scale is less than argument's one"
        raise QueryError(text, code=69, name="ARGUMENT_OUT_OF_BOUND", place=failures.place(call.node))
    type_ = checked_type(call, result_precision(one, other), scale)
    digits = (whole_sql(integer_sql(arg), scale_of(kind), 0) for arg, kind in zip(call.args, (one, other), strict=True))
    rest = f"CAST({' % '.join(digits)} AS DECIMAL(38, 0)) * {unit_of(scale)}"
    return call.typed(f"CAST({rest} AS {duckdb_type(type_)})", type_)


def _float_rest(left: float, right: float) -> float:
    quotient = left / right if right else math.nan
    return left - math.trunc(quotient) * right if math.isfinite(quotient) and math.isfinite(right) else math.nan


def _numbers_of_times(call: Call) -> tuple[t.Type, t.Type]:
    """The dividend may be a date or time, which is its number of days or seconds; never beside a decimal."""
    left, right = call.args
    kind = t.plain(left.type)
    if isinstance(kind, t.Date | t.DateTime):
        if isinstance(t.plain(right.type), t.Decimal):
            call.wrong_type()
        name = "toUInt16" if isinstance(kind, t.Date) else "toUInt32"
        call.args = (call.compiler.call(name, left, node=call.node), right)
    return _kinds(call, wide_integers=True)


@scalar("modulo", "mod", args=2, insensitive=("mod",))
def modulo(call: Call) -> Typed:
    vector = by_number(call, "modulo", *call.args) or array_by_number(call, "modulo")
    if vector is not None:
        return vector
    _check_whole_divisor(call)
    rest = _modulo(call)
    if rest.known or isinstance(rest.type, t.Float):
        return rest
    return call.typed(guarded(call, rest.sql), rest.type)


def _check_whole_divisor(call: Call) -> None:
    if not any(isinstance(t.plain(arg.type), t.Float) for arg in call.args):
        _check_divisor(call)


def _positive_modulo(call: Call) -> Typed:
    """The rest that is not negative."""
    rest = _modulo(call)
    right = call.args[1]
    if isinstance(rest.type, t.Float):
        size = f"abs({as_double(right, rest)})"
        return call.typed(f"(CASE WHEN {rest.sql} < 0 THEN {rest.sql} + {size} ELSE {rest.sql} END)", rest.type)
    if isinstance(rest.type, t.Decimal):
        call.unsupported("decimals")
    kind = as_number(t.plain(right.type))
    assert isinstance(kind, t.Int)
    type_ = t.Int(kind.bits, False)
    if rest.known and right.known:
        return known_integer(rest.value + abs(right.value) if rest.value < 0 else rest.value, type_)
    size = f"abs(CAST({integer_sql(right)} AS HUGEINT))" if not right.known else str(abs(right.value))
    sql = f"(CASE WHEN {rest.sql} < 0 THEN {rest.sql} + {size} ELSE {rest.sql} END)"
    return call.typed(f"CAST({sql} AS {duckdb_type(type_)})", type_)


@scalar("positiveModulo", "positive_modulo", "pmod", args=2, insensitive=True)
def positive_modulo(call: Call) -> Typed:
    _check_whole_divisor(call)
    rest = _positive_modulo(call)
    if rest.known or isinstance(rest.type, t.Float):
        return rest
    return call.typed(guarded(call, rest.sql), rest.type)


_or_zero("intDivOrZero", _int_div)
_or_zero("moduloOrZero", _modulo)
_or_null("intDivOrNull", _int_div)
for _name in ("moduloOrNull", "modOrNull"):
    _or_null(_name, _modulo)
for _name in ("positiveModuloOrNull", "positive_modulo_or_null", "pmodOrNull"):
    _or_null(_name, _positive_modulo)


# --- common divisors --------------------------------------------------------------------------------------------------


def _divisors(name: str, fold: Callable[[int, int], int]) -> None:
    @scalar(name, args=2)
    def build(call: Call) -> Typed:
        one, other = _kinds(call)
        type_ = widened(one, other)
        if not isinstance(type_, t.Int):
            call.wrong_type()
        if type_.bits > 64:
            call.unsupported("numbers of more than 64 bits")
        known = _known(call)
        if known is not None:
            if not all(known):
                raise division_by_zero(call)
            return known_integer(wrap_value(fold(abs(known[0]), abs(known[1])), type_), type_)
        left, right = (f"CAST({integer_sql(arg)} AS HUGEINT)" for arg in call.args)
        zero = f"{left} = 0 OR {right} = 0"
        value = f"CAST({name}({left}, {right}) AS {duckdb_type(type_)})"
        return call.typed(
            f"(CASE WHEN {zero} THEN error('ILLEGAL_DIVISION: Division by zero') ELSE {value} END)", type_
        )


_divisors("gcd", math.gcd)
_divisors("lcm", math.lcm)
