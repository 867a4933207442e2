"""AND, OR, NOT, XOR: three-valued, giving UInt8."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.typed import Typed, boolean, condition_of
from tbpy.clickhouse.functions.registry import Call, scalar


def _conditions(call: Call) -> list[str]:
    for arg in call.args:
        if not isinstance(t.plain(arg.type), t.Int | t.Float | t.Bool | t.Nothing):
            call.wrong_type()
    return [condition_of(arg) for arg in call.args]


def _result(call: Call, condition: str) -> Typed:
    nullable = any(t.is_nullable(arg.type) for arg in call.args)
    return boolean(
        condition,
        nullable=nullable,
        constant=all(arg.constant for arg in call.args),
        aggregate=any(arg.aggregate for arg in call.args),
        window=any(arg.window for arg in call.args),
    )


@scalar("and", args=(2, None), nulls="keep", insensitive=True)
def and_(call: Call) -> Typed:
    return _result(call, f"({' AND '.join(_conditions(call))})")


@scalar("or", args=(2, None), nulls="keep", insensitive=True)
def or_(call: Call) -> Typed:
    return _result(call, f"({' OR '.join(_conditions(call))})")


@scalar("xor", args=(2, None), nulls="keep", insensitive=True)
def xor(call: Call) -> Typed:
    first, *rest = _conditions(call)
    for condition in rest:
        first = f"({first} <> {condition})"
    return _result(call, first)


@scalar("not", insensitive=True, nulls="keep")
def not_(call: Call) -> Typed:
    [condition] = _conditions(call)
    return _result(call, f"(NOT {condition})")
