"""Conversions to numbers: integers wrap around, floats are cut towards zero, decimals lose digits beyond scale."""

from __future__ import annotations

import math
import struct
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting import texts, wide
from tbpy.clickhouse.casting.caster import Caster, enum_number, target
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.literals import constant, float_sql
from tbpy.clickhouse.compiler.typed import UNKNOWN, Typed
from tbpy.clickhouse.storage import duckdb_type
from tbpy.errors import QueryError


def wrap_value(value: int, type_: t.Int) -> int:
    """A whole number in the width of a type, as two's complement wraps it."""
    value &= (1 << type_.bits) - 1
    return value - (1 << type_.bits) if type_.signed and value >> (type_.bits - 1) else value


def fits(source: t.Int, target_: t.Int) -> bool:
    return target_.minimum <= source.minimum and source.maximum <= target_.maximum


def wrapped_sql(sql: str, source: t.Int, target_: t.Int) -> str:
    """An integer in another width; what does not fit wraps around."""
    storage = duckdb_type(target_)
    if fits(source, target_):
        return sql if duckdb_type(source) == storage else f"CAST({sql} AS {storage})"
    if target_.bits == 128:
        return _sign_of_128(sql, target_)
    wide = "HUGEINT" if target_.bits == 64 else "BIGINT"
    if target_.bits >= source.bits:
        sql = f"CAST({sql} AS {wide})"
    low = f"({sql} & {(1 << target_.bits) - 1})"
    if not target_.signed:
        return f"CAST({low} AS {storage})"
    if not source.signed and target_.bits < source.bits:
        low = f"CAST({low} AS {wide})"
    half = 1 << (target_.bits - 1)
    return f"CAST((xor({low}, {half}) - {half}) AS {storage})"


def _sign_of_128(sql: str, target_: t.Int) -> str:
    most = (1 << 128) - 1
    if target_.signed:
        negative = f"(-CAST({most} - {sql} AS HUGEINT) - 1)"
        return f"(CASE WHEN {sql} > {most >> 1} THEN {negative} ELSE CAST({sql} AS HUGEINT) END)"
    negative = f"({most} - CAST(-(CAST({sql} AS HUGEINT) + 1) AS UHUGEINT))"
    return f"(CASE WHEN {sql} < 0 THEN {negative} ELSE CAST({sql} AS UHUGEINT) END)"


def known_integer(value: int, type_: t.Int) -> Typed:
    return constant(value, type_) if type_.bits < 256 else Typed(f"'{value}'", type_, constant=True, value=value)


@target(t.Int)
def to_integer(caster: Caster, value: Typed, target_: t.Int) -> Typed:
    source = value.type
    if isinstance(source, t.Date | t.Date32 | t.DateTime | t.DateTime64):
        return _from_time(caster, value, target_)
    if isinstance(source, t.Enum):
        number = replace(value, sql=enum_number(value.sql, source), type=t.INT16, value=UNKNOWN, condition=None)
        if fits(t.Int(source.bits, True), target_) and target_.bits < 256:
            return caster.result(value, f"CAST({number.sql} AS {duckdb_type(target_)})", target_)
        return to_integer(caster, replace(number, sql=f"CAST({number.sql} AS SMALLINT)"), target_)
    if isinstance(source, t.Time) and target_.bits < 256:
        ticks = replace(value, sql=f"({value.sql} // {10 ** (source.precision or 0)})", type=t.INT64, value=UNKNOWN)
        return to_integer(caster, ticks, target_)
    if value.known:
        folded = _known_integer(caster, value.value, source, target_)
        if folded is not None:
            return folded
    if target_.bits == 256:
        return wide.to_wide_integer(caster, value, target_)
    if wide.is_wide(source):
        return wide.from_wide_to_integer(caster, value, target_)
    if isinstance(source, t.UUID):
        return _of_uuid(caster, value, target_)
    match source:
        case t.IPv4() | t.IPv6() if not _takes_address(source, target_):
            text = f"Conversion from {source} to {target_} is not supported"
            raise QueryError(text, code=48, name="NOT_IMPLEMENTED", place=failures.place(caster.node))
        case t.Int() | t.IPv4() | t.Interval() | t.IPv6():
            return _from_integer(caster, value, _integer_like(source), target_)
        case t.Bool():
            return caster.result(value, f"CAST({value.sql} AS {duckdb_type(target_)})", target_)
        case t.Float():
            return _from_float(caster, value, target_)
        case t.Decimal(precision) if precision <= 38:
            sql = f"{caster.try_cast}(trunc({value.sql}) AS {duckdb_type(target_)})"
            return caster.result(value, sql, target_)
        case t.String():
            pattern = texts.INTEGER_SQL if target_.signed else texts.UNSIGNED_SQL
            sql = f"{caster.try_cast}({value.sql} AS {duckdb_type(target_)})"
            return caster.checked(value, f"regexp_full_match({value.sql}, {pattern})", sql, target_)
        case t.FixedString():
            return to_integer(caster, value.as_type(t.STRING), target_)
    return caster.refuse(source, target_)


def _of_uuid(caster: Caster, value: Typed, target_: t.Int) -> Typed:
    if target_ != t.UINT128:
        text = "Conversion between numeric types and UUID is not supported. Probably the passed UUID is unquoted"
        raise QueryError(text, code=48, name="NOT_IMPLEMENTED", place=failures.place(caster.node))
    return caster.result(value, f"CAST({value.sql} AS UHUGEINT)", target_)


def _takes_address(source: t.IPv4 | t.IPv6, target_: t.Int) -> bool:
    """The unsigned numbers of at least the size of an address, for IPv6 of just that size."""
    return not target_.signed and (target_.bits >= 32 if isinstance(source, t.IPv4) else target_.bits == 128)


def _integer_like(type_: t.Type) -> t.Int:
    if isinstance(type_, t.Int):
        return type_
    return {t.IPv4: t.UINT32, t.IPv6: t.UINT128}.get(type(type_), t.INT64)


def _known_integer(caster: Caster, value: Any, source: t.Type, target_: t.Int) -> Typed | None:
    if isinstance(value, str) and isinstance(source, t.String):
        read = texts.read_integer(value, target_)
        if not value:
            return caster.failed(value, target_, 32, "ATTEMPT_TO_READ_AFTER_EOF")
        if read is None and value.startswith("-"):
            return caster.failed(value, target_, 72, "CANNOT_PARSE_NUMBER")
        if read is None:
            return caster.failed(value, target_)
        if (caster.lenient or caster.accurate) and not target_.minimum <= read <= target_.maximum:
            return caster.failed(value, target_)
        return known_integer(wrap_value(read, target_), target_)
    if isinstance(value, bool | int):
        if caster.accurate and not target_.minimum <= value <= target_.maximum:
            return caster.failed(value, target_, 70, "CANNOT_CONVERT_TYPE")
        return known_integer(wrap_value(int(value), target_), target_)
    if isinstance(value, float):
        return _known_float(caster, value, target_)
    if isinstance(value, Decimal):
        whole = int(value)
        if not target_.minimum <= whole <= target_.maximum:
            return caster.failed(value, target_, 407, "DECIMAL_OVERFLOW")
        return known_integer(whole, target_)
    return None


def _known_float(caster: Caster, value: float, target_: t.Int) -> Typed | None:
    if math.isnan(value) or math.isinf(value):
        return caster.failed(value, target_, 70, "CANNOT_CONVERT_TYPE")
    whole = int(value)
    inside = target_.minimum <= whole <= target_.maximum
    if caster.accurate and (whole != value or not inside):
        return caster.failed(value, target_, 70, "CANNOT_CONVERT_TYPE")
    if inside:
        return known_integer(whole, target_)
    if target_.bits <= 16 and abs(whole) < 1 << 31:
        return known_integer(wrap_value(whole, target_), target_)
    if target_ == t.UINT32 and abs(whole) < 1 << 63:
        return known_integer(wrap_value(whole, target_), target_)
    if target_.signed and target_.bits in (32, 64):
        return known_integer(target_.minimum, target_)
    if target_ == t.UINT64 and -(1 << 63) <= whole < 0:
        return known_integer(wrap_value(whole, target_), target_)
    return None


def _from_integer(caster: Caster, value: Typed, source: t.Int, target_: t.Int) -> Typed:
    if caster.accurate and not fits(source, target_):
        inside = f"{value.sql} BETWEEN {target_.minimum} AND {target_.maximum}"
        return caster.checked(value, inside, f"CAST({value.sql} AS {duckdb_type(target_)})", target_)
    return caster.result(value, wrapped_sql(value.exact(), source, target_), target_)


def _from_float(caster: Caster, value: Typed, target_: t.Int) -> Typed:
    storage = duckdb_type(target_)
    if caster.accurate:
        sql = f"TRY_CAST({value.sql} AS {storage})"
        return caster.checked(value, f"({value.sql} = trunc({value.sql}) AND {sql} IS NOT NULL)", sql, target_)
    whole = f"trunc({value.sql})"
    if target_ in (t.INT32, t.INT64):
        limit = f"{1 << (target_.bits - 1)}e0"
        outside = f"isfinite({value.sql}) AND ({value.sql} >= {limit} OR {value.sql} < -{limit})"
        least = f"CAST('{target_.minimum}' AS {storage})"
        sql = f"(CASE WHEN {outside} THEN {least} ELSE CAST({whole} AS {storage}) END)"
        return caster.result(value, sql, target_)
    if target_.bits <= 16 or target_ == t.UINT32:
        return caster.result(value, wrapped_sql(f"CAST({whole} AS BIGINT)", t.INT64, target_), target_)
    return caster.result(value, f"CAST({whole} AS {storage})", target_)


def _from_time(caster: Caster, value: Typed, target_: t.Int) -> Typed:
    match value.type:
        case t.Date():
            number, source = f"({value.sql} - DATE '1970-01-01')", t.UINT16
        case t.Date32():
            number, source = f"({value.sql} - DATE '1970-01-01')", t.INT32
        case t.DateTime():
            number, source = f"(epoch_us({value.sql}) // 1000000)", t.UINT32
        case _:
            number, source = whole_seconds(value), t.INT64
    if target_.bits == 256:
        whole = caster.result(value, f"CAST({number} AS BIGINT)", t.INT64)
        return wide.to_wide_integer(caster, whole, target_)
    if fits(source, target_):
        return caster.result(value, f"CAST({number} AS {duckdb_type(target_)})", target_)
    return caster.result(value, wrapped_sql(number, t.INT64, target_), target_)


def whole_seconds(value: Typed) -> str:
    """Seconds since the epoch of a DateTime64, the fraction cut off."""
    return f"CAST(trunc(epoch({value.sql})) AS BIGINT)"


# --- floats -----------------------------------------------------------------------------------------------------------


def known_float(value: float, type_: t.Float) -> Typed:
    if type_.bits == 64:
        return Typed(float_sql(value), type_, constant=True, value=value)
    try:
        single = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        single = math.copysign(math.inf, value)
    return Typed(f"CAST({float_sql(value)} AS FLOAT)", type_, constant=True, value=single)


def _loses_digits(source: t.Int | t.Float, target_: t.Float) -> bool:
    if isinstance(source, t.Float):
        return source.bits > target_.bits
    return source.bits > (32 if target_.bits == 64 else 16)


def _no_float(text: str) -> tuple[int, str]:
    """The code of a text that is no float: another one where it begins like one."""
    return (6, "CANNOT_PARSE_TEXT") if text[:1].isdigit() else (72, "CANNOT_PARSE_NUMBER")


@target(t.Float)
def to_float(caster: Caster, value: Typed, target_: t.Float) -> Typed:
    source, storage = value.type, duckdb_type(target_)
    if value.known and isinstance(value.value, str) and isinstance(source, t.String):
        read = texts.read_float(value.value)
        return (
            caster.failed(value.value, target_, *_no_float(value.value)) if read is None else known_float(read, target_)
        )
    if value.known and isinstance(value.value, bool | int | float | Decimal):
        found = known_float(float(value.value), target_)
        exact = isinstance(value.value, Decimal) or found.value == value.value or found.value != found.value
        return found if exact or not caster.accurate else caster.failed(value.value, target_, 70, "CANNOT_CONVERT_TYPE")
    if caster.accurate and isinstance(source, t.Int | t.Float) and _loses_digits(source, target_):
        sql = f"CAST({value.sql} AS {storage})"
        return caster.checked(value, f"CAST({sql} AS {duckdb_type(source)}) = {value.sql}", sql, target_)
    match source:
        case t.Int() | t.Decimal() if wide.is_wide(source):
            return caster.result(value, f"CAST({wide.as_double(value.sql, source)} AS {storage})", target_)
        case t.Int():
            return caster.result(value, f"CAST({value.sql} AS {storage})", target_)
        case t.Float() | t.Bool() | t.Decimal() | t.Interval():
            return caster.result(value, f"CAST({value.sql} AS {storage})", target_)
        case t.Enum():
            return caster.result(value, f"CAST({enum_number(value.sql, source)} AS {storage})", target_)
        case t.Time(precision):
            return caster.result(value, f"CAST({value.sql} / {10 ** (precision or 0)} AS {storage})", target_)
        case t.Date() | t.Date32():
            return caster.result(value, f"CAST({value.sql} - DATE '1970-01-01' AS {storage})", target_)
        case t.DateTime() | t.DateTime64():
            return caster.result(value, f"CAST(epoch({value.sql}) AS {storage})", target_)
        case t.String():
            condition = f"regexp_full_match({value.sql}, {texts.FLOAT_SQL})"
            return caster.checked(value, condition, f"{caster.try_cast}({value.sql} AS {storage})", target_)
        case t.FixedString():
            return to_float(caster, value.as_type(t.STRING), target_)
    return caster.refuse(source, target_)


# --- decimals ---------------------------------------------------------------------------------------------------------


def known_decimal(value: Decimal, type_: t.Decimal) -> Typed:
    if type_.precision > 38:
        return Typed(f"'{value if value else abs(value):f}'", type_, constant=True, value=value)
    return Typed(f"CAST('{value:f}' AS {duckdb_type(type_)})", type_, constant=True, value=value)


@target(t.Decimal)
def to_decimal(caster: Caster, value: Typed, target_: t.Decimal) -> Typed:
    source, storage = value.type, duckdb_type(target_)
    folds = value.known and source != t.FLOAT32 and not isinstance(source, t.Enum)
    if folds and isinstance(value.value, str | int | float | Decimal):
        return _known_decimal(caster, value.value, target_)
    if wide.is_wide(source) or wide.is_wide(target_):
        return wide.to_decimal(caster, value, target_)
    cast, scale = caster.try_cast, target_.scale
    match source:
        case t.Int(bits) if bits < 256:
            return caster.result(value, f"{cast}({value.sql} AS {storage})", target_)
        case t.Bool():
            return caster.result(value, f"CAST(CAST({value.sql} AS UTINYINT) AS {storage})", target_)
        case t.Decimal(precision, digits) if precision <= 38:
            cut = value.sql if scale >= digits else f"trunc({value.sql}, {scale})"
            return caster.result(value, f"{cast}({cut} AS {storage})", target_)
        case t.Float():
            power = 10**scale
            own = duckdb_type(source)  # a Float32 is scaled as one
            sql = f"(trunc({value.sql} * CAST({power} AS {own})) / {power}e0)" if scale else f"trunc({value.sql})"
            return caster.result(value, f"{cast}({sql} AS {storage})", target_)
        case t.String():
            digits_ = f"[.]?[0-9]{{0,{scale}}}"
            cut = f"regexp_extract({value.sql}, '^[+-]?[0-9]*{digits_}')"
            read = caster.compiler.context.udf("tb_wide_decimal_read")
            other = f"TRY_CAST({read}({value.sql}, {target_.precision}, {scale}) AS {storage})"  # with an exponent
            plain = f"regexp_full_match({value.sql}, {texts.DECIMAL_SQL})"
            sql = f"(CASE WHEN {plain} THEN {cast}({cut} AS {storage}) ELSE {other} END)"
            return caster.checked(value, f"{plain} OR {other} IS NOT NULL", sql, target_)
        case t.DateTime64():
            return caster.result(
                value, f"{cast}(CAST(epoch_us({value.sql}) AS DECIMAL(38, 6)) / 1000000 AS {storage})", target_
            )
    return caster.refuse(source, target_)


def _known_decimal(caster: Caster, value: Any, target_: t.Decimal) -> Typed:
    if isinstance(value, str):
        read = texts.read_decimal(value, target_)
        if read is not None:
            return known_decimal(read, target_)
        number = texts.read_float(value) is not None
        return caster.failed(value, target_, *((69, "ARGUMENT_OUT_OF_BOUND") if number else (6, "CANNOT_PARSE_TEXT")))
    if isinstance(value, float):
        if math.isnan(value) or math.isinf(value):
            return caster.failed(value, target_, 407, "DECIMAL_OVERFLOW")
        digits = int(value * 10.0**target_.scale)
        if target_.precision > 38 and abs(digits) >= 1 << 63:
            caster.refuse(t.FLOAT64, target_)
        exact = Decimal(digits).scaleb(-target_.scale)
    else:
        exact = Decimal(int(value)) if isinstance(value, int) else value
    fitted = texts.fit_decimal(exact, target_)
    return caster.failed(value, target_, 407, "DECIMAL_OVERFLOW") if fitted is None else known_decimal(fitted, target_)


@target(t.Bool)
def to_bool(caster: Caster, value: Typed, target_: t.Bool) -> Typed:
    source = value.type
    if value.known and isinstance(value.value, str) and isinstance(source, t.String):
        read = texts.read_bool(value.value)
        if read is None:
            return caster.failed(value.value, target_, 467, "CANNOT_PARSE_BOOL")
        return constant(read, t.BOOL)
    if value.known and isinstance(value.value, int | float | Decimal):
        return constant(bool(value.value), t.BOOL)
    match source:
        case t.Int() if value.condition is not None:
            return caster.result(value, value.condition, target_)
        case t.Int() | t.Decimal() if wide.is_wide(source):
            return caster.result(value, f"(rtrim({value.sql}, '0.') <> '')", target_)
        case t.Int() | t.Float() | t.Decimal():
            return caster.result(value, f"({value.sql} <> 0)", target_)
        case t.String():
            true, false = (", ".join(f"'{word}'" for word in words) for words in (texts.TRUE_WORDS, texts.FALSE_WORDS))
            word = f"lower({value.sql})"
            return caster.checked(value, f"{word} IN ({true}, {false})", f"({word} IN ({true}))", target_)
    return caster.refuse(source, target_)


@target(t.Interval)
def to_interval(caster: Caster, value: Typed, target_: t.Interval) -> Typed:
    """Whole numbers of the unit; a fraction is cut off."""
    number = caster.plain(value, t.INT64)
    return replace(number, type=target_)
