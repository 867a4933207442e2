"""Python's operators on template values, guarded so that no single operation can take much time or memory."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from typing import Any

from tbpy.templating.frame import MAX_BITS, MAX_ITEMS, MAX_TEXT, Frame, too_large
from tbpy.templating.values import Missing

BinaryOperation = Callable[[Frame, Any, Any], Any]

_WIDE = re.compile(r"[0-9]{4}|\*")


def _weighed(operation: Callable[[Any, Any], Any]) -> BinaryOperation:
    def apply(frame: Frame, left: Any, right: Any) -> Any:
        return frame.weigh(operation(left, right))

    return apply


def _multiply(frame: Frame, left: Any, right: Any) -> Any:
    sequence, count = (right, left) if isinstance(left, int) else (left, right)
    if isinstance(sequence, (str, list, tuple)) and isinstance(count, int):
        limit = MAX_TEXT if isinstance(sequence, str) else MAX_ITEMS
        if len(sequence) * count > limit:
            raise too_large("value")
    return frame.weigh(left * right)


def _power(frame: Frame, left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() * right > MAX_BITS:
        raise too_large("number")
    return frame.weigh(left**right)


def _shift(frame: Frame, left: Any, right: Any) -> Any:
    if right > MAX_BITS:
        raise too_large("number")
    return frame.weigh(left << right)


def _modulo(frame: Frame, left: Any, right: Any) -> Any:
    if isinstance(left, str) and _WIDE.search(left):
        raise too_large("text")
    return frame.weigh(left % right)


BINARY: dict[type[ast.operator], BinaryOperation] = {
    ast.Add: _weighed(operator.add),
    ast.Sub: _weighed(operator.sub),
    ast.Mult: _multiply,
    ast.Div: _weighed(operator.truediv),
    ast.FloorDiv: _weighed(operator.floordiv),
    ast.Mod: _modulo,
    ast.Pow: _power,
    ast.LShift: _shift,
    ast.RShift: _weighed(operator.rshift),
    ast.BitOr: _weighed(operator.or_),
    ast.BitAnd: _weighed(operator.and_),
    ast.BitXor: _weighed(operator.xor),
}

UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Invert: operator.invert,
}


def _in(left: Any, right: Any) -> bool:
    return left in right


def _not_in(left: Any, right: Any) -> bool:
    return left not in right


COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: _in,
    ast.NotIn: _not_in,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}


def charge_comparison(frame: Frame, value: Any) -> None:
    """Comparing walks through its operands: collections and ranges are charged for as if they were built anew."""
    if isinstance(value, range):
        frame.charge(len(value) >> 4)
    elif not isinstance(value, int):
        frame.weigh(value)


def format_value(frame: Frame, value: Any, spec: str) -> str:
    """`format(value, spec)` for spec widths below 1000."""
    if _WIDE.search(spec):
        raise too_large("text")
    text = str(value) if isinstance(value, Missing) else format(value, spec)
    frame.weigh(text)
    return text
