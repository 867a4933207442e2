"""Two values as SQL that DuckDB compares as ClickHouse does: which is read as the type of the other, and how."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting import texts
from tbpy.clickhouse.casting.caster import Caster, enum_number
from tbpy.clickhouse.casting.durations import rescaled
from tbpy.clickhouse.casting.printing import instant
from tbpy.clickhouse.casting.times import read_moment
from tbpy.clickhouse.casting.wide import is_wide, number_text, scale_of
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.binary import bytes_of, is_binary
from tbpy.clickhouse.compiler.conversion import coerce, common_type
from tbpy.clickhouse.compiler.literals import constant, float_sql
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.arithmetic import as_number, integer_sql
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.errors import QueryError

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.expressions import ExpressionCompiler

Pair = tuple[str, str]
_NUMBERS = (t.Int, t.Float, t.Decimal, t.Bool)


def comparable_sql(compiler: ExpressionCompiler, left: Typed, right: Typed, node: ast.Node | None = None) -> Pair:
    """Both sides for equality; raises code 43 or 386 where ClickHouse does not compare such types."""
    one, other = t.plain(left.type), t.plain(right.type)
    if isinstance(one, t.Enum) or isinstance(other, t.Enum):
        return _enums(left, right, one, other, node)
    if t.is_text(one) and t.is_text(other) and (is_binary(left) or is_binary(right)):
        return _digits(left), _digits(right)
    if one == other:
        return (left.sql, right.sql) if one != t.BOOL or not right.known else _bools(left, right)
    if is_wide(one) or is_wide(other):
        return _wide(left, right, node)
    if isinstance(other, t.String) and right.known:
        return left.sql, parsed_text(compiler, right, one, node)
    if isinstance(one, t.String) and left.known:
        return parsed_text(compiler, left, other, node), right.sql
    if isinstance(one, _NUMBERS) and isinstance(other, _NUMBERS):
        return _number(left, right), _number(right, left)
    if isinstance(one, t.String | t.FixedString) and isinstance(other, t.String | t.FixedString):
        return _unpadded(left), _unpadded(right)
    if t.is_temporal(one) and t.is_temporal(other):
        type_ = common_type([one, other], node)
        return _moment(left, type_), _moment(right, type_)
    if isinstance(one, t.Time) and isinstance(other, t.Time):
        scale = max(one.precision or 0, other.precision or 0)
        return rescaled(left.sql, one.precision or 0, scale), rescaled(right.sql, other.precision or 0, scale)
    if isinstance(one, t.IPv4) and isinstance(other, t.Int) and other.bits <= 64:
        return left.sql, integer_sql(right)
    if isinstance(other, t.IPv4) and isinstance(one, t.Int) and one.bits <= 64:
        return integer_sql(left), right.sql
    if {type(one), type(other)} == {t.IPv4, t.IPv6}:
        sides = [Caster(compiler, node).plain(side.as_type(t.plain(side.type)), t.IPV6).sql for side in (left, right)]
        return sides[0], sides[1]
    times, numbers = (t.DateTime, t.DateTime64), (t.Int, t.Float, t.Bool)
    if isinstance(one, times) and isinstance(other, numbers):
        return _seconds(left, right)
    if isinstance(one, numbers) and isinstance(other, times):
        second, first = _seconds(right, left)
        return first, second
    return _nested(left, right, one, other, node)


def _wide(left: Typed, right: Typed, node: ast.Node | None) -> Pair:
    """Numbers of which one is stored as text, both as texts of one scale."""
    sides = [_exact_side(left, right, node), _exact_side(right, left, node)]
    scale = max(scale_of(kind) for _, kind in sides)
    first, second = (number_text(sql, kind, scale) for sql, kind in sides)
    return first, second


def _exact_side(value: Typed, other: Typed, node: ast.Node | None) -> tuple[str, t.Type]:
    kind = t.plain(value.type)
    known: Decimal | None = None
    if isinstance(kind, t.String) and value.known and texts.read_float(value.value) is not None:
        known = Decimal(value.value)
    elif isinstance(kind, t.Float) and value.known and math.isfinite(value.value):
        known = Decimal(repr(value.value))
        if isinstance(t.plain(other.type), t.Decimal) or known == value.value:
            known = known if abs(known) < 1 << 53 else None
    if known is not None and known.is_finite():
        text = f"{known if known else abs(known):f}"
        return duckdb_string(text), t.Decimal(76, len(text.partition(".")[2]))
    if isinstance(kind, t.Int | t.Bool | t.Decimal):
        return value.sql, kind
    if isinstance(kind, t.Float):
        raise failures.unsupported(f"Comparison of {other.type} and {value.type}", node)
    raise not_comparable(t.plain(other.type), kind, node)


def _seconds(moment: Typed, number: Typed) -> Pair:
    """A time beside a number of seconds; a known one becomes a time, so that a filter stays one on the column."""
    if number.known and isinstance(number.value, int) and abs(number.value) < 1 << 38:
        return moment.sql, f"make_timestamp({int(number.value) * 1000000})"
    return f"epoch({moment.sql})", integer_sql(number)


def set_column(compiler: ExpressionCompiler, value: Typed, column: Typed) -> Pair:
    """A value and the rows of a query as the set of an IN: of the left side's type, NULL for what is none of it."""
    own, kind = t.plain(value.type), t.plain(column.type)
    if isinstance(own, t.String) and isinstance(kind, t.Int | t.Float | t.Decimal):
        return value.sql, compiler.call("toString", column).sql
    if isinstance(kind, t.String | t.FixedString) and not isinstance(own, t.String | t.FixedString | t.Enum):
        return value.sql, Caster(compiler, None, lenient=True).plain(column.as_type(kind), own).sql
    return comparable_sql(compiler, value, column)


def _bools(left: Typed, right: Typed) -> Pair:
    return left.sql, "true" if right.value else "false"


def not_comparable(one: t.Type, other: t.Type, node: ast.Node | None) -> QueryError:
    text = f"Illegal types of arguments (`{one}`, `{other}`) of a comparison"
    return QueryError(text, code=43, name="ILLEGAL_TYPE_OF_ARGUMENT", place=failures.place(node))


def _nested(left: Typed, right: Typed, one: t.Type, other: t.Type, node: ast.Node | None) -> Pair:
    """Arrays, maps and tuples as their common type."""
    kinds = (t.Array, t.Map, t.Tuple)
    texts_ = [isinstance(kind, t.String) for kind in (one, other)]
    if any(texts_) and not isinstance(one, kinds) and not isinstance(other, kinds):
        raise failures.no_common_type([one, other], node)
    if type(one) is not type(other) or not isinstance(one, kinds):
        raise not_comparable(one, other, node)
    type_ = common_type([one, other], node)
    return coerce(left, type_).sql, coerce(right, type_).sql


# --- texts ------------------------------------------------------------------------------------------------------------


def parsed_text(compiler: ExpressionCompiler, text: Typed, type_: t.Type, node: ast.Node | None) -> str:
    """A known text beside a value of another type, read as such a value."""
    value = text.value
    match type_:
        case t.FixedString(length):
            return duckdb_string(value + "\0" * (length - len(value.encode())))
        case t.Int() | t.Bool():
            found = _number_text(value, type_)
        case t.Float() | t.Decimal():
            read = texts.read_float(value)
            found = None if read is None else (_decimal(value) if isinstance(type_, t.Decimal) else float_sql(read))
        case t.Date() | t.Date32():
            whole = len(value) <= 10
            found = Caster(compiler, node).plain(text.as_type(t.STRING), type_).sql if whole else None
        case t.DateTime() | t.DateTime64():
            return _moment_text(compiler, text, type_, node)
        case t.UUID() | t.IPv4() | t.IPv6() | t.Time():
            return Caster(compiler, node).plain(text.as_type(t.STRING), type_).sql
        case _:
            raise not_comparable(type_, t.STRING, node)
    if found is None and isinstance(type_, t.Bool):
        message = f"Cannot parse boolean value here: '{value}', should be 'true' or 'false'"
        raise QueryError(message, code=467, name="CANNOT_PARSE_BOOL", place=failures.place(node))
    if found is None and isinstance(type_, t.Float):
        message = f"Cannot read floating point value here: {value}"
        raise QueryError(message, code=72, name="CANNOT_PARSE_NUMBER", place=failures.place(node))
    if found is None:
        message = f"Cannot convert string '{value}' to type {type_}"
        raise QueryError(message, code=53, name="TYPE_MISMATCH", place=failures.place(node))
    return found


def _number_text(value: str, type_: t.Type) -> str | None:
    if isinstance(type_, t.Bool):
        read = texts.read_bool(value)
        return None if read is None else str(read).lower()
    assert isinstance(type_, t.Int)
    number = texts.read_integer(value, type_)
    if number is None:
        return None
    return constant(number).sql if type_.bits < 256 else f"'{number}'"


def _decimal(value: str) -> str:
    exact = Decimal(value)
    return f"CAST('{exact:f}' AS DECIMAL(38, {max(-int(exact.as_tuple().exponent), 0)}))"


def _moment_text(
    compiler: ExpressionCompiler, text: Typed, type_: t.DateTime | t.DateTime64, node: ast.Node | None
) -> str:
    """In full precision: a fraction that the other side cannot have makes them differ."""
    known = read_moment(text.value)
    if known is None:
        return Caster(compiler, node).plain(text.as_type(t.STRING), type_).sql
    moment, fraction = known
    if isinstance(type_, t.DateTime) and fraction.strip("0"):
        return instant(f"TIMESTAMP '{moment.isoformat(' ')}.{fraction[:6]}'", type_.zone)
    return Caster(compiler, node).plain(text.as_type(t.STRING), type_).sql


# --- numbers, times, enums --------------------------------------------------------------------------------------------


def _number(value: Typed, other: Typed) -> str:
    """Numbers of different types compare by value; a decimal beside a float counts as Float64."""
    own, kind = as_number(t.plain(value.type)), as_number(t.plain(other.type))
    if isinstance(own, t.Float) and isinstance(kind, t.Int) and _whole(value):
        return constant(int(value.value)).sql
    if isinstance(kind, t.Decimal) and isinstance(own, t.Int) and _exceeds(value, kind):
        return "CAST('inf' AS DOUBLE)" if value.value > 0 else "CAST('-inf' AS DOUBLE)"
    if isinstance(own, t.Decimal) and isinstance(kind, t.Float):
        return f"CAST({value.sql} AS DOUBLE)"
    if isinstance(own, t.Int) and isinstance(kind, t.Float) and not _whole(other):
        return integer_sql(value) if value.known else f"CAST({integer_sql(value)} AS DOUBLE)"
    return integer_sql(value)


def _exceeds(value: Typed, type_: t.Decimal) -> bool:
    """Whether a known whole number is beyond all values of a decimal type."""
    return value.known and abs(value.value) >= 10 ** (type_.precision - type_.scale)


def _whole(value: Typed) -> bool:
    return value.known and isinstance(value.value, float) and value.value.is_integer()


def _digits(value: Typed) -> str:
    """The bytes of a text as hex digits, without the zero bytes that pad a FixedString."""
    digits = f"hex({bytes_of(value)})"
    return f"regexp_replace({digits}, '(00)+$', '')" if isinstance(t.plain(value.type), t.FixedString) else digits


def _unpadded(value: Typed) -> str:
    return f"rtrim({value.sql}, chr(0))" if isinstance(t.plain(value.type), t.FixedString) else value.sql


def _moment(value: Typed, type_: t.Type) -> str:
    """A date or time as the common type of both; a date is the start of its day in the zone of the other."""
    own = t.plain(value.type)
    if isinstance(own, t.Date | t.Date32):
        if isinstance(type_, t.Date | t.Date32):
            return value.sql
        zone = type_.zone if isinstance(type_, t.DateTime | t.DateTime64) else None
        return instant(f"CAST({value.sql} AS TIMESTAMP)", zone)
    return value.sql


def _enums(left: Typed, right: Typed, one: t.Type, other: t.Type, node: ast.Node | None) -> Pair:
    """An enum equals a text by its name and a number by its number."""
    if isinstance(one, t.Enum | t.String | t.FixedString) and isinstance(other, t.Enum | t.String | t.FixedString):
        return _unpadded(left), _unpadded(right)
    sides = []
    for value, kind in ((left, one), (right, other)):
        if not isinstance(kind, t.Enum | t.Int | t.Float | t.Bool):
            raise not_comparable(one, other, node)
        sides.append(enum_number(value.sql, kind) if isinstance(kind, t.Enum) else integer_sql(value))
    return sides[0], sides[1]


def ordered_enum(value: Typed, other: Typed, node: ast.Node | None) -> str:
    """A side of an order comparison in which an enum takes part, as the number that enums are ordered by."""
    own, kind = t.plain(value.type), t.plain(other.type)
    if isinstance(own, t.Enum):
        return enum_number(value.sql, own)
    if isinstance(own, t.String) and isinstance(kind, t.Enum):
        if value.known:
            numbers = dict(kind.members)
            if value.value not in numbers:
                text = f"Unknown element '{value.value}' for enum"
                raise QueryError(text, code=691, name="UNKNOWN_ELEMENT_OF_ENUM", place=failures.place(node))
            return str(numbers[value.value])
        raise failures.unsupported("Order of an enum and a text that is not constant", node)
    return integer_sql(value)
