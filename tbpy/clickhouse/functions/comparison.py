"""The comparison operators: three-valued, with NaN equal to nothing and larger or smaller than nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.wide import is_wide, order_key
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.ordering import document_key, uuid_key
from tbpy.clickhouse.compiler.parts import parts
from tbpy.clickhouse.compiler.typed import Typed, condition_of
from tbpy.clickhouse.functions.comparable import comparable_sql, not_comparable, ordered_enum
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.errors import QueryError

_Test = Callable[[Any, Any], bool]

_OPERATORS: dict[str, tuple[str, _Test]] = {
    "equals": ("=", lambda one, other: one == other),
    "notEquals": ("<>", lambda one, other: one != other),
    "less": ("<", lambda one, other: one < other),
    "greater": (">", lambda one, other: one > other),
    "lessOrEquals": ("<=", lambda one, other: one <= other),
    "greaterOrEquals": (">=", lambda one, other: one >= other),
}
_STRICT = {"<": "less", "<=": "less", ">": "greater", ">=": "greater"}


def _comparison(operator: str) -> None:
    symbol, test = _OPERATORS[operator]

    @scalar(operator, args=2)
    def compare(call: Call) -> Typed:
        left, right = call.args
        known = _known(left, right, test)
        if known is not None:
            return known
        one, other = t.plain(left.type), t.plain(right.type)
        if isinstance(one, t.Dynamic) or isinstance(other, t.Dynamic):
            return _dynamic(call, symbol)
        if isinstance(one, t.Tuple) and isinstance(other, t.Tuple) and not (one.items and _simple(one, other)):
            return _tuples(call, symbol)
        return call.condition(condition(call, left, right, symbol))


def _known(left: Typed, right: Typed, test: _Test) -> Typed | None:
    """Two known values of one kind."""
    if not (left.known and right.known):
        return None
    one, other = left.value, right.value
    numbers = all(isinstance(value, bool | int | float) for value in (one, other))
    strings = all(isinstance(value, str) for value in (one, other))
    plain = all(isinstance(t.plain(side.type), t.String) for side in (left, right))
    if (not numbers and not (strings and plain)) or _of_different_units(left.type, right.type):
        return None
    if strings:
        one, other = one.encode(), other.encode()
    result = test(one, other)
    sql = "true" if result else "false"
    return Typed(str(int(result)), t.UINT8, condition=sql, constant=True, value=int(result))


def _simple(one: t.Tuple, other: t.Tuple) -> bool:
    """Whether DuckDB's own order of STRUCTs is ClickHouse's: no NULL, no float, no enum in them, the same types."""
    kinds = (t.Int, t.String, t.Date, t.DateTime, t.Bool)
    return one == other and all(isinstance(item, kinds) and not is_wide(item) for item in one.items)


def condition(call: Call, left: Typed, right: Typed, symbol: str) -> str:
    """The comparison as a DuckDB BOOLEAN."""
    one, other = t.plain(left.type), t.plain(right.type)
    _check_order(call, one, other, symbol)
    if isinstance(one, t.Interval) and isinstance(other, t.Interval) and one != other:
        first, second = _in_one_unit(call, left, one.unit, right, other.unit)
        return f"({first} {symbol} {second})"
    if symbol in _STRICT and (isinstance(one, t.Enum) or isinstance(other, t.Enum)):
        return f"({ordered_enum(left, right, call.node)} {symbol} {ordered_enum(right, left, call.node)})"
    if isinstance(one, t.Json):
        keys = [document_key(call.context, side.sql, one) for side in (left, right)]
        return f"({keys[0]} {symbol} {keys[1]})"
    first, second = _comparable(call, left, right, symbol)
    if symbol in _STRICT and (isinstance(one, t.UUID) or isinstance(other, t.UUID)):
        first, second = uuid_key(first), uuid_key(second)
    elif symbol in _STRICT and (is_wide(one) or is_wide(other)):
        return f"({order_key(first)} {symbol} {order_key(second)})"
    return _with_nan(f"{first} {symbol} {second}", symbol, _can_be_nan(left) and first, _can_be_nan(right) and second)


_NAMES = {"=": "equals", "<>": "notEquals", "<": "less", ">": "greater", "<=": "lessOrEquals", ">=": "greaterOrEquals"}


def _comparable(call: Call, left: Typed, right: Typed, symbol: str) -> tuple[str, str]:
    """Both sides for DuckDB; types that ClickHouse does not compare are told with the name of the comparison."""
    try:
        return comparable_sql(call.compiler, left, right, call.node)
    except QueryError as error:
        parts = isinstance(t.plain(left.type), t.Array) and isinstance(t.plain(right.type), t.Array)
        if error.code != 43 and not (error.code == 386 and parts):
            raise
        text = f"Illegal types of arguments (`{left.type}`, `{right.type}`) of function `{_NAMES.get(symbol, symbol)}`"
        raise failures.failure(text, 43, "ILLEGAL_TYPE_OF_ARGUMENT", call.node) from None


def _of_different_units(one: t.Type, other: t.Type) -> bool:
    return isinstance(t.plain(one), t.Interval) and isinstance(t.plain(other), t.Interval) and one != other


_NANOSECONDS = {
    "Nanosecond": 1, "Microsecond": 10**3, "Millisecond": 10**6, "Second": 10**9, "Minute": 60 * 10**9,
    "Hour": 3600 * 10**9, "Day": 86400 * 10**9, "Week": 7 * 86400 * 10**9,
}  # fmt: skip
_MONTHS = {"Month": 1, "Quarter": 3, "Year": 12}


def _in_one_unit(call: Call, left: Typed, one: str, right: Typed, other: str) -> tuple[str, str]:
    """Two intervals as numbers of what both are multiples of; a month has no fixed number of days."""
    sizes = next((sizes for sizes in (_NANOSECONDS, _MONTHS) if one in sizes and other in sizes), None)
    if sizes is None:
        text = (
            f"Cannot compare intervals {t.plain(left.type)} and {t.plain(right.type)} "
            "because the number of days in a month is not fixed"
        )
        raise failures.failure(text, 386, "NO_COMMON_TYPE", call.node)
    shared = math.gcd(sizes[one], sizes[other])
    first, second = (
        f"CAST({side.sql} AS HUGEINT) * {sizes[unit] // shared}" for side, unit in ((left, one), (right, other))
    )
    return first, second


def _check_order(call: Call, one: t.Type, other: t.Type, symbol: str) -> None:
    if symbol in _STRICT and isinstance(one, t.Map):
        call.unsupported("maps")
    if isinstance(one, t.Json) and isinstance(other, t.Json) and (one == other or (one.is_free and other.is_free)):
        return
    if isinstance(one, t.Json | t.Dynamic | t.Variant) or isinstance(other, t.Json | t.Dynamic | t.Variant):
        call.unsupported(f"{one} and {other}")
    if isinstance(one, t.AggregateFunction) or isinstance(other, t.AggregateFunction):
        raise not_comparable(one, other, call.node)


def _dynamic(call: Call, symbol: str) -> Typed:
    """A path of a JSON value beside a number or text, read as one; NULL where it is none or there is nothing."""
    sides = list(call.args)
    if all(isinstance(t.plain(side.type), t.Dynamic) for side in sides):
        left, right = (f"CAST({side.sql} AS VARCHAR)" for side in sides)
        result = call.condition(f"({call.context.udf('tb_json_compare')}({left}, {right}) {symbol} 0)")
        return result.as_type(t.Nullable(t.UINT8))
    for position, side in enumerate(sides):
        if not isinstance(t.plain(side.type), t.Dynamic):
            continue
        beside = t.plain(sides[1 - position].type)
        if not isinstance(beside, t.Int | t.Float | t.Bool | t.String):
            call.unsupported(f"{side.type} and {beside}")
        wanted = beside if isinstance(beside, t.String | t.Bool) else t.FLOAT64
        read = call.compiler.call("accurateCastOrNull", side, constant(str(wanted)), node=call.node)
        sides[position] = read.as_type(wanted)
    result = call.condition(condition(call, sides[0], sides[1], symbol))
    return result.as_type(t.Nullable(t.UINT8))


def _can_be_nan(value: Typed) -> bool:
    if not isinstance(t.plain(value.type), t.Float):
        return False
    return not value.known or (isinstance(value.value, float) and math.isnan(value.value))


def _with_nan(sql: str, symbol: str, left: str | bool, right: str | bool) -> str:
    """DuckDB calls NaN equal to itself and larger than all; ClickHouse has every comparison with it false, but `<>`."""
    if symbol == "<>":
        return f"({sql} OR isnan({left}))" if left and right else f"({sql})"
    guarded: list[str] = []
    if left and (symbol in (">", ">=") or right):
        guarded.append(str(left))
    if right and symbol in ("<", "<="):
        guarded.append(str(right))
    if symbol in ("<", "<=") and left and right:
        guarded = [str(right)]
    return f"({' AND '.join([sql, *(f'NOT isnan({side})' for side in guarded)])})"


# --- tuples -----------------------------------------------------------------------------------------------------------


def _tuples(call: Call, symbol: str) -> Typed:
    """Element by element: equal where all are, ordered by the first that differs."""
    ones, others = parts(call.args[0]), parts(call.args[1])
    if len(ones) != len(others):
        text = f"Illegal types of arguments (`{call.args[0].type}`, `{call.args[1].type}`) of function `{call.name}`"
        raise failures.failure(text, 43, "ILLEGAL_TYPE_OF_ARGUMENT", call.node)
    if not ones:
        text = "Comparison of zero-sized tuples is not implemented"
        raise QueryError(text, code=48, name="NOT_IMPLEMENTED", place=failures.place(call.node))
    nothing = any(isinstance(t.plain(part.type), t.Nothing) for part in (*ones, *others))
    if nothing and (symbol in _STRICT or all(arg.constant for arg in call.args)):
        return call.typed("CAST(NULL AS UTINYINT)", t.Nullable(t.UINT8))
    pairs = list(zip(ones, others, strict=True))
    if symbol in ("=", "<>"):
        equal = [call.compiler.call("equals", one, other, node=call.node) for one, other in pairs]
        joined = " AND ".join(condition_of(part) for part in equal)
        return _result(call, f"({joined})" if symbol == "=" else f"(NOT ({joined}))", equal)
    tests: list[Typed] = []
    text = _ordered(call, pairs, symbol, tests)
    return _result(call, text, tests)


def _ordered(call: Call, pairs: list[tuple[Typed, Typed]], symbol: str, tests: list[Typed]) -> str:
    (one, other), *rest = pairs
    if not rest:
        names = {"<": "less", "<=": "lessOrEquals", ">": "greater", ">=": "greaterOrEquals"}
        last = call.compiler.call(names[symbol], one, other, node=call.node)
        tests.append(last)
        return condition_of(last)
    strict = call.compiler.call(_STRICT[symbol], one, other, node=call.node)
    equal = call.compiler.call("equals", one, other, node=call.node)
    tests += [strict, equal]
    return f"({condition_of(strict)} OR ({condition_of(equal)} AND {_ordered(call, rest, symbol, tests)}))"


def _result(call: Call, text: str, tests: list[Typed]) -> Typed:
    result = call.condition(text)
    if any(t.is_nullable(part.type) for part in tests):
        return replace(result, type=t.Nullable(t.UINT8))
    return result


for _name in _OPERATORS:
    _comparison(_name)
