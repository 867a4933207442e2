"""The larger and the smaller of values: greatest, least, clamp, max2, min2."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.conversion import coerce, common_type
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.ordering import has_own_order
from tbpy.clickhouse.compiler.typed import Typed, condition_of
from tbpy.clickhouse.functions.arithmetic import as_number
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.storage import duckdb_type
from tbpy.errors import QueryError


def _extreme(name: str) -> None:
    @scalar(name, args=(1, None), nulls="keep", insensitive=True)
    def build(call: Call) -> Typed:
        """NULLs count only where all are NULL."""
        given = [arg for arg in call.args if not isinstance(t.plain(arg.type), t.Nothing)]
        if not given:
            return constant(None)
        if len(call.args) == 1:
            return call.args[0]
        type_ = _type(call, given, name)
        if len(given) < len(call.args) or any(t.is_nullable(arg.type) for arg in given):
            type_ = t.nullable(type_)
        if len(given) == 1:
            return coerce(given[0], type_)
        if _of_both_signs(given):
            listed = ", ".join(coerce(arg, t.INT128).exact() for arg in given)
            return call.typed(f"CAST({name}({listed}) AS {duckdb_type(type_)})", type_)
        sides = [coerce(arg, type_) for arg in given]
        if isinstance(t.plain(type_), t.Array | t.Tuple) or has_own_order(t.plain(type_)):
            return call.typed(_by_comparison(call, sides, name), type_)
        if isinstance(t.plain(type_), t.Map):
            call.unsupported(str(t.plain(type_)))
        return call.typed(_sql(name, sides, type_), type_)


def _of_both_signs(given: list[Typed]) -> bool:
    """Whether it is UInt64 and Int64, of which the greater is in the one and the lesser in the other."""
    return {t.plain(arg.type) for arg in given} == {t.UINT64, t.INT64}


def _by_comparison(call: Call, sides: list[Typed], name: str) -> str:
    """For values whose order is not DuckDB's: each is compared with the best one so far."""
    best, *rest = (Typed(side.exact(), side.type) for side in sides)
    for side in rest:
        better = condition_of(call.compiler.call(_BETTER[name], best, side, node=call.node))
        arms = f"WHEN {best.sql} IS NULL THEN {side.sql} WHEN {side.sql} IS NULL OR {better} THEN {best.sql}"
        best = Typed(f"(CASE {arms} ELSE {side.sql} END)", side.type)
    return best.sql


_BETTER = {"greatest": "greater", "least": "less"}


def _type(call: Call, given: list[Typed], name: str) -> t.Type:
    types = [arg.type for arg in given]
    if any(isinstance(t.plain(type_), t.Interval) for type_ in types) and len({*map(t.plain, types)}) > 1:
        raise failures.no_common_type(types, call.node)
    if len(given) < len(call.args) or any(map(t.is_nullable, types)):
        return t.not_nullable(common_type(types, call.node))
    kinds = [as_number(t.plain(arg.type)) for arg in given]
    signs = {kind.signed for kind in kinds if isinstance(kind, t.Int) and kind.bits == 64}
    whole = [kind for kind in kinds if isinstance(kind, t.Int)]
    if len(kinds) == 2 and len(whole) == 2 and signs == {True, False}:
        return t.UINT64 if name == "greatest" else t.INT64
    if len(whole) == 2 and t.UINT64 in whole and any(kind.signed and kind.bits <= 64 for kind in whole):
        return t.INT128
    if any(isinstance(kind, t.Float) for kind in kinds) and any(kind.bits == 64 for kind in whole):
        call.wrong_type()
    if len(kinds) == 2 and {type(kind) for kind in kinds} == {t.Decimal, t.Float}:
        return t.FLOAT64
    if len(kinds) == 2 and len(whole) == 1 and isinstance(kinds[0], t.Decimal):
        return kinds[0]
    if len(kinds) == 2 and len(whole) == 1 and isinstance(kinds[1], t.Decimal):
        return kinds[1]
    return t.not_nullable(common_type(kinds, call.node))


def _sql(name: str, sides: list[Typed], type_: t.Type) -> str:
    listed = ", ".join(side.exact() for side in sides)
    if not isinstance(t.plain(type_), t.Float):
        return f"{name}({listed})"
    # ClickHouse compares NaN as false, so the second of two wins when the first is NaN; DuckDB calls NaN the largest.
    result = sides[0].exact()
    symbol = ">" if name == "greatest" else "<"
    for side in sides[1:]:
        other = side.exact()
        test = f"{result} {symbol} {other} AND NOT isnan({result})"
        arms = f"WHEN {result} IS NULL THEN {other} WHEN {other} IS NULL OR ({test}) THEN {result}"
        result = f"(CASE {arms} ELSE {other} END)"
    return result


_extreme("greatest")
_extreme("least")


@scalar("clamp", args=3, strict=False)
def clamp(call: Call) -> Typed:
    type_, (value, low, high) = call.common(0, 1, 2)
    if has_own_order(t.plain(type_)):
        call.unsupported(str(type_))
    if low.known and high.known and low.value > high.value:
        text = "The minimum value cannot be greater than the maximum value for function clamp"
        raise QueryError(text, code=36, name="BAD_ARGUMENTS", place=failures.place(call.node))
    held = f"greatest(least({value.exact()}, {high.exact()}), {low.exact()})"
    if low.known and high.known:
        return call.typed(held, type_)
    message = "'BAD_ARGUMENTS: The minimum value cannot be greater than the maximum value for function clamp'"
    return call.typed(f"(CASE WHEN {low.exact()} > {high.exact()} THEN error({message}) ELSE {held} END)", type_)


def _of_two(name: str, function: str) -> None:
    @scalar(name, args=2, strict=False, insensitive=True)
    def build(call: Call) -> Typed:
        for arg in call.args:
            if not isinstance(t.plain(arg.type), t.Int | t.Float | t.Bool):
                call.wrong_type()
        left, right = (f"CAST({arg.sql} AS DOUBLE)" for arg in call.args)
        return call.typed(f"{function}({left}, {right})", t.FLOAT64)


_of_two("max2", "greatest")
_of_two("min2", "least")
