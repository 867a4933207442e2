"""AND, OR, NOT, XOR: three-valued, giving UInt8, or Bool where a Bool takes part."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.typed import Typed, boolean, condition_of
from tbpy.clickhouse.functions.registry import Call, scalar

_Fold = Callable[[Sequence[bool]], bool]


def _conditions(call: Call) -> list[str]:
    for arg in call.args:
        if not isinstance(t.plain(arg.type), t.Int | t.Float | t.Bool | t.Nothing):
            call.wrong_type()
    return [condition_of(arg) for arg in call.args]


def _result(call: Call, condition: str, fold: _Fold, bools: bool) -> Typed:
    nullable = any(t.is_nullable(arg.type) for arg in call.args)
    if not nullable and all(arg.known for arg in call.args):
        return _known(fold([bool(arg.value) for arg in call.args]), bools)
    flags = {
        "constant": all(arg.constant for arg in call.args),
        "aggregate": any(arg.aggregate for arg in call.args),
        "window": any(arg.window for arg in call.args),
    }
    if not bools:
        return boolean(condition, nullable=nullable, **flags)
    return Typed(condition, t.Nullable(t.BOOL) if nullable else t.BOOL, condition=condition, **flags)


def _known(value: bool, bools: bool) -> Typed:
    text = "true" if value else "false"
    if bools:
        return Typed(text, t.BOOL, condition=text, constant=True, value=value)
    return Typed(str(int(value)), t.UINT8, condition=text, constant=True, value=int(value))


def _any_bool(call: Call) -> bool:
    """Whether AND and OR give Bool: one argument is Bool, and not Nullable(Bool)."""
    return any(t.without_low_cardinality(arg.type) == t.BOOL for arg in call.args)


def _any_optional_bool(call: Call) -> bool:
    return any(t.plain(arg.type) == t.BOOL for arg in call.args)


@scalar("and", args=(2, None), nulls="keep", low_cardinality=False, insensitive=True)
def and_(call: Call) -> Typed:
    return _result(call, f"({' AND '.join(_conditions(call))})", all, _any_bool(call))


@scalar("or", args=(2, None), nulls="keep", low_cardinality=False, insensitive=True)
def or_(call: Call) -> Typed:
    return _result(call, f"({' OR '.join(_conditions(call))})", any, _any_bool(call))


@scalar("xor", args=(2, None), nulls="keep", low_cardinality=False, insensitive=True)
def xor(call: Call) -> Typed:
    if any(isinstance(t.plain(arg.type), t.Nothing) for arg in call.args):
        return constant(None)
    first, *rest = _conditions(call)
    for condition in rest:
        first = f"({first} <> {condition})"
    return _result(call, first, lambda values: sum(values) % 2 == 1, _any_optional_bool(call))


@scalar("not", insensitive=True, nulls="keep")
def not_(call: Call) -> Typed:
    if isinstance(t.plain(call.args[0].type), t.Nothing):
        return constant(None)
    [condition] = _conditions(call)
    return _result(call, f"(NOT {condition})", lambda values: not values[0], _any_optional_bool(call))
