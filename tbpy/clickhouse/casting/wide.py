"""Numbers that DuckDB has no type for: Int256, UInt256, and decimals of more than 38 digits, all stored as text.

A whole number is its digits, a decimal has all digits of its scale, and zero has no sign: so equal numbers are equal
texts. `order_key` is what sorts them by value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting import texts
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.storage import duckdb_type

if TYPE_CHECKING:
    from tbpy.clickhouse.casting.caster import Caster
    from tbpy.clickhouse.compiler.context import Context


def is_wide(type_: t.Type) -> bool:
    """Whether a plain type is a number stored as text."""
    return (isinstance(type_, t.Int) and type_.bits == 256) or (isinstance(type_, t.Decimal) and type_.precision > 38)


def is_signed(type_: t.Type) -> bool:
    return not isinstance(type_, t.Int) or type_.signed


def scale_of(type_: t.Type) -> int:
    return type_.scale if isinstance(type_, t.Decimal) else 0


def number_text(sql: str, type_: t.Type, scale: int | None = None) -> str:
    """A whole number, Bool or decimal as text, with so many digits after the point, no fewer than it has."""
    if isinstance(type_, t.Bool):
        sql = f"CAST({sql} AS UTINYINT)"
    text = sql if is_wide(type_) else f"CAST({sql} AS VARCHAR)"
    own = scale_of(type_)
    more = (own if scale is None else scale) - own
    if not more:
        return text
    return f"({text} || '{'' if own else '.'}{'0' * more}')"


def order_key(sql: str) -> str:
    """A text that sorts as the number does: negative ones by the complement of their digits."""
    negative = f"'0' || translate(lpad(substr({sql}, 2), 80, '0'), '0123456789', '9876543210')"
    return f"(CASE WHEN starts_with({sql}, '-') THEN {negative} ELSE '1' || lpad({sql}, 80, '0') END)"


def as_double(sql: str, type_: t.Type) -> str:
    """As a DOUBLE: the digits of a decimal divided by its power of ten, as ClickHouse does it."""
    scale = scale_of(type_)
    if not scale:
        return f"CAST({sql} AS DOUBLE)"
    return f"(CAST(replace({sql}, '.', '') AS DOUBLE) / 1e{scale})"


def calculated(context: Context, symbol: str, left: Typed, right: Typed, type_: t.Int) -> str:
    one, other = (number_text(side.sql, t.plain(side.type)) for side in (left, right))
    function = context.udf("tb_wide_calculated")
    text = f"{function}('{symbol}', {one}, {other}, {type_.bits}, {str(type_.signed).lower()})"
    return text if type_.bits == 256 else f"CAST({text} AS {duckdb_type(type_)})"


def calculated_decimal(context: Context, symbol: str, left: Typed, right: Typed, type_: t.Decimal) -> str:
    one, other = (number_text(side.sql, t.plain(side.type)) for side in (left, right))
    return f"{context.udf('tb_wide_decimals')}('{symbol}', {one}, {other}, {type_.scale})"


# --- conversions ------------------------------------------------------------------------------------------------------


def to_wide_integer(caster: Caster, value: Typed, target: t.Int) -> Typed:
    source, context = value.type, caster.compiler.context
    signed = str(target.signed).lower()
    match source:
        case t.Bool():
            return caster.result(value, number_text(value.sql, source), target)
        case t.IPv4() if not target.signed:
            return caster.result(value, f"CAST({value.sql} AS VARCHAR)", target)
        case t.Int() if source.minimum >= target.minimum and source.maximum <= target.maximum:
            return caster.result(value, number_text(value.sql, source), target)
        case t.Int() | t.Decimal() if not caster.accurate:
            text = number_text(value.sql, source)
            return caster.result(value, f"{context.udf('tb_wide_integer')}({text}, 256, {signed})", target)
        case t.String():
            pattern = texts.INTEGER_SQL if target.signed else texts.UNSIGNED_SQL
            sql = f"{context.udf('tb_wide_integer')}({value.sql}, 256, {signed})"
            return caster.checked(value, f"regexp_full_match({value.sql}, {pattern})", sql, target)
        case t.Float() if not caster.accurate:
            function = context.udf("tb_wide_of_float")
            return caster.result(value, f"{function}(CAST({value.sql} AS DOUBLE), 0, {signed})", target)
    return caster.refuse(source, target)


def from_wide_to_integer(caster: Caster, value: Typed, target: t.Int) -> Typed:
    """To at most 128 bits: the fraction is cut off, and what does not fit wraps around."""
    if caster.accurate or (isinstance(value.type, t.Decimal) and caster.lenient):
        caster.refuse(value.type, target)
    if isinstance(value.type, t.Decimal):  # out of range, ClickHouse fails: so does the cast
        whole = f"split_part({value.sql}, '.', 1)"
        return caster.result(value, f"CAST({whole} AS {duckdb_type(target)})", target)
    function = caster.compiler.context.udf("tb_wide_integer")
    text = f"{function}({value.sql}, {target.bits}, {str(target.signed).lower()})"
    return caster.result(value, f"CAST({text} AS {duckdb_type(target)})", target)


def to_decimal(caster: Caster, value: Typed, target: t.Decimal) -> Typed:
    """Where either side is stored as text."""
    source, context = value.type, caster.compiler.context
    function = context.udf("tb_wide_decimal")
    match source:
        case t.Int() | t.Bool() | t.Decimal():
            text = number_text(value.sql, source)
            if not (is_wide(target) and scale_of(source) == target.scale):
                text = f"{function}({text}, {target.scale})"
        case t.String() if is_wide(target):
            read = f"{context.udf('tb_wide_decimal_read')}({value.sql}, {target.precision}, {target.scale})"
            number = f"regexp_full_match({value.sql}, {texts.DECIMAL_SQL})"
            return caster.checked(value, f"{number} AND {read} IS NOT NULL", read, target)
        case t.Float() if is_wide(target) and source.bits == 64:
            text = f"{context.udf('tb_wide_of_float')}({value.sql}, {target.scale}, true)"
        case _:
            caster.refuse(source, target)
    sql = text if is_wide(target) else f"{caster.try_cast}({text} AS {duckdb_type(target)})"
    return caster.result(value, sql, target)
