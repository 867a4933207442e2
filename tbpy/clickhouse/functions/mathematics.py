"""Mathematical functions: of numbers, giving Float64. Source: ClickHouse documentation, "Mathematical Functions"."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.conversion import coerce, common_type
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.arithmetic import next_width
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.errors import QueryError


def _of_one(name: str, sql: str, *aliases: str, insensitive: bool = False) -> None:
    """A function of one number; `{}` stands for it as a DOUBLE."""

    @scalar(name, *aliases, insensitive=insensitive)
    def build(call: Call) -> Typed:
        return call.typed(sql.format(_double(call, 0)), t.FLOAT64)


def _double(call: Call, position: int) -> str:
    value = call.args[position]
    if not t.is_number(value.type):
        call.wrong_type()
    return value.sql if t.plain(value.type) == t.FLOAT64 else f"CAST({value.sql} AS DOUBLE)"


for _name in (
    "exp",
    "sqrt",
    "log2",
    "log10",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "tanh",
    "degrees",
    "radians",
):
    _of_one(_name, f"{_name}({{}})", insensitive=True)
for _name in ("cbrt", "sinh", "cosh", "asinh", "acosh", "atanh"):
    _of_one(_name, f"{_name}({{}})")
_of_one("lgamma", "(CASE WHEN {0} < 0 AND {0} = trunc({0}) THEN CAST('nan' AS DOUBLE) ELSE lgamma({0}) END)")
_of_one("log", "ln({})", "ln", insensitive=True)
_of_one("exp2", "pow(2e0, {})")
_of_one("exp10", "pow(10e0, {})")
_of_one("tgamma", "gamma({})")
_of_one("sigmoid", "(1e0 / (1e0 + exp(-{})))")


@scalar("log1p")
def log1p(call: Call) -> Typed:
    """By the series where adding 1 would lose digits."""
    x = _double(call, 0)
    small = f"({x} - {x} * {x} / 2 + {x} * {x} * {x} / 3)"
    return call.typed(f"(CASE WHEN abs({x}) < 1e-4 THEN {small} ELSE ln(1e0 + {x}) END)", t.FLOAT64)


for _name in ("erf", "erfc"):

    @scalar(_name)
    def error_function(call: Call, name: str = _name) -> Typed:
        return call.typed(f"{call.context.udf(f'tb_{name}')}({_double(call, 0)})", t.FLOAT64)


def _of_two(name: str, sql: str, *aliases: str) -> None:
    @scalar(name, *aliases, args=2, strict=name != "hypot", insensitive=True)
    def build(call: Call) -> Typed:
        return call.typed(sql.format(_double(call, 0), _double(call, 1)), t.FLOAT64)


_of_two("pow", "pow({0}, {1})", "power")
_of_two("atan2", "atan2({0}, {1})")
_LARGER = "greatest(abs({0}), abs({1}))"
_of_two(
    "hypot",
    f"(CASE WHEN {_LARGER} = 0 OR isinf({_LARGER}) THEN {_LARGER}"
    f" ELSE {_LARGER} * sqrt(pow({{0}} / {_LARGER}, 2) + pow({{1}} / {_LARGER}, 2)) END)",
)


@scalar("pi", args=0, insensitive=True)
def pi(call: Call) -> Typed:
    return call.typed("pi()", t.FLOAT64, constant=True)


@scalar("e", args=0)
def e(call: Call) -> Typed:
    return call.typed("exp(1e0)", t.FLOAT64, constant=True)


@scalar("factorial", strict=False, insensitive=True)
def factorial(call: Call) -> Typed:
    """Up to 20; a negative number gives 1."""
    [value] = call.args
    if not isinstance(t.plain(value.type), t.Int):
        call.wrong_type()
    if value.known and value.value > 20:
        text = "The maximum value for the input argument of function factorial is 20"
        raise QueryError(text, code=36, name="BAD_ARGUMENTS", place=failures.place(call.node))
    return call.typed(f"CAST(factorial(CAST(greatest({value.sql}, 0) AS INTEGER)) AS UBIGINT)", t.UINT64)


# --- NaN and infinity -------------------------------------------------------------------------------------------------


def _test(name: str, test: str, of_others: str) -> None:
    @scalar(name)
    def build(call: Call) -> Typed:
        [value] = call.args
        if not t.is_number(value.type):
            call.wrong_type()
        if isinstance(t.plain(value.type), t.Float):
            return call.condition(f"{test}({value.sql})")
        return call.condition(f"({value.sql} IS NOT NULL AND {of_others})")


_test("isNaN", "isnan", "false")
_test("isFinite", "isfinite", "true")
_test("isInfinite", "isinf", "false")


@scalar("sqr")
def square(call: Call) -> Typed:
    if not t.is_number(call.args[0].type):
        call.wrong_type()
    return call.compiler.call("multiply", call.args[0], call.args[0], node=call.node)


def _whole_power(name: str, base: int, most: int) -> None:
    @scalar(name)
    def build(call: Call) -> Typed:
        """A power as a UInt64: 0 of what is below it, its largest number of what is above."""
        exponent = f"CAST(trunc({_double(call, 0)}) AS BIGINT)"
        power = f"CAST(pow({base}, least(greatest({exponent}, 0), {most})) AS UHUGEINT)"
        arms = f"WHEN {exponent} < 0 THEN 0 WHEN {exponent} > {most} THEN 18446744073709551615 ELSE {power}"
        return call.typed(f"CAST((CASE {arms} END) AS UBIGINT)", t.UINT64)


_whole_power("intExp2", 2, 63)
_whole_power("intExp10", 10, 19)


@scalar("isPrime", "isProbablePrime")
def is_prime(call: Call) -> Typed:
    kind = t.plain(call.args[0].type)
    if not isinstance(kind, t.Int) or kind.signed or kind.bits > 64:
        call.wrong_type()
    return call.condition(f"{call.context.udf('tb_is_prime')}(CAST({call.sql(0)} AS UBIGINT))")


@scalar("ifNotFinite", args=2, nulls="keep")
def if_not_finite(call: Call) -> Typed:
    """The second number where the first is NaN, infinite or NULL; the result is Nullable where either is."""
    first, second = call.args
    for arg in call.args:
        if not t.is_number(arg.type) and not isinstance(t.plain(arg.type), t.Nothing):
            call.wrong_type()
    type_ = common_type([first.type, second.type], call.node)
    value, other = coerce(first, type_).exact(), coerce(second, type_).exact()
    finite = f"isfinite({first.sql})" if isinstance(t.plain(first.type), t.Float) else f"{first.sql} IS NOT NULL"
    return call.typed(f"(CASE WHEN {finite} THEN {value} ELSE {other} END)", type_)


@scalar("widthBucket", "width_bucket", args=4, insensitive=True)
def width_bucket(call: Call) -> Typed:
    """The number of the bucket of equal width that a value falls in: 0 below the first, count + 1 above the last."""
    kind = t.plain(call.args[3].type)
    if not isinstance(kind, t.Int) or kind.signed or kind.bits > 64:
        call.wrong_type()
    type_ = t.Int(min(next_width(kind.bits), 64), False)
    value, low, high = (_double(call, position) for position in range(3))
    count = call.sql(3)
    inside = f"floor(({value} - {low}) * {count} / ({high} - {low})) + 1"
    arms = f"WHEN {value} < {low} OR {low} >= {high} THEN 0 WHEN {value} >= {high} THEN {count} + 1 ELSE {inside}"
    storage = {16: "USMALLINT", 32: "UINTEGER", 64: "UBIGINT"}[type_.bits]
    return call.typed(f"CAST((CASE {arms} END) AS {storage})", type_)
