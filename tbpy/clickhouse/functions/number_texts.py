"""Numbers and their digits: conv, countDigits, isDecimalOverflow, toDecimalString."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.storage import duckdb_type
from tbpy.errors import QueryError

_EXACT = (t.Int, t.Decimal)


def _digits(call: Call) -> str:
    """How many digits a whole number has, or a decimal without its point."""
    kind = t.plain(call.args[0].type)
    if not isinstance(kind, _EXACT):
        call.wrong_type()
    text = f"CAST(CAST({call.sql(0)} AS {duckdb_type(kind)}) AS VARCHAR)"
    return f"greatest(length(ltrim(replace({text}, '.', ''), '-0')), 1)"


@scalar("countDigits")
def count_digits(call: Call) -> Typed:
    return call.typed(f"CAST({_digits(call)} AS UTINYINT)", t.UINT8)


@scalar("isDecimalOverflow", args=(1, 2))
def is_decimal_overflow(call: Call) -> Typed:
    """Whether a decimal has more digits than a precision, its own where none is given."""
    kind = t.plain(call.args[0].type)
    if not isinstance(kind, t.Decimal):
        call.wrong_type()
    precision = call.constant_value(1, "precision") if len(call.args) == 2 else kind.precision
    if not isinstance(precision, int):
        call.wrong_type()
    digits = _digits(call) if precision else f"length(ltrim(CAST({call.args[0].exact()} AS VARCHAR), '-0.'))"
    return call.condition(f"({digits} > {precision})")


@scalar("toDecimalString", args=2, insensitive=True)
def to_decimal_string(call: Call) -> Typed:
    """A number with so many digits after the point, rounded half away from zero."""
    kind = t.plain(call.args[0].type)
    if not isinstance(kind, (*_EXACT, t.Float)):
        call.wrong_type()
    digits = call.constant_value(1, "number of digits")
    most, family = (60, "Float") if isinstance(kind, t.Float) else (77, "Decimal")
    if not isinstance(digits, int):
        call.wrong_type()
    if digits < 0:
        text = f"Illegal column {call.args[1].type} of second argument of function formatDecimal"
        raise QueryError(text, code=44, name="ILLEGAL_COLUMN", place=failures.place(call.node))
    if digits > most:
        text = f"Too high precision requested for {family}, must not be more than {most}, got {digits}"
        raise QueryError(text, code=28, name="CANNOT_PRINT_FLOAT_OR_DOUBLE_NUMBER", place=failures.place(call.node))
    if kind == t.FLOAT32:
        call.unsupported("Float32")
    number = f"CAST(CAST({call.sql(0)} AS {duckdb_type(kind)}) AS VARCHAR)"
    if isinstance(kind, t.Decimal) and not digits:
        call.unsupported("a decimal and no digits")
    exact = "false" if isinstance(kind, t.Float) else "true"
    return call.typed(f"{call.context.udf('tb_decimal_string')}({number}, {digits}, {exact})", t.STRING)


@scalar("conv", args=3)
def conv(call: Call) -> Typed:
    """A number in one base written in another, as MySQL does it."""
    number, kind = call.sql(0), t.plain(call.args[0].type)
    if not isinstance(kind, t.Int | t.String):
        call.unsupported(f"an argument of type {kind}")
    bases = [call.constant_value(position, "base") for position in (1, 2)]
    if not all(isinstance(base, int) and 2 <= base <= 36 for base in bases):
        text = "Base is less than 2 or greater than 36 which is not supported"
        raise failures.bad_arguments(text, call.node)
    sql = f"{call.context.udf('tb_conv')}(CAST({number} AS VARCHAR), {bases[0]}, {bases[1]})"
    return call.typed(sql, t.STRING)
