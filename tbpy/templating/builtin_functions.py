"""Python's own functions that a template may call, guarded like the operators.

Each takes the frame first. Those that give an iterator in Python give a list here, so that all work is charged for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tbpy.templating.frame import BUDGET, Frame, too_large
from tbpy.templating.values import Missing

BuiltinFunction = Callable[..., Any]

TYPES: dict[str, type] = {
    "bool": bool,
    "dict": dict,
    "float": float,
    "frozenset": frozenset,
    "int": int,
    "list": list,
    "set": set,
    "str": str,
    "tuple": tuple,
}
_MAX_DIGITS = 400


def _light(function: Callable[..., Any]) -> BuiltinFunction:
    def call(frame: Frame, *args: Any, **kwargs: Any) -> Any:
        return frame.weigh(function(*args, **kwargs))

    return call


def _walking(function: Callable[..., Any]) -> BuiltinFunction:
    """For functions that walk through their arguments."""

    def call(frame: Frame, *args: Any, **kwargs: Any) -> Any:
        for arg in args:
            if isinstance(arg, (range, str)):
                frame.take(arg)
            else:
                frame.weigh(arg)
        return frame.weigh(function(*args, **kwargs))

    return call


def _length(frame: Frame, value: Any) -> int:
    return len(value)


def _range(frame: Frame, *bounds: int) -> range:
    steps = range(*bounds)
    if _range_length(steps) > BUDGET:
        raise too_large("range")
    return steps


def _range_length(steps: range) -> int:
    """`len` itself refuses ranges of more than 2**63 steps."""
    span = (steps.stop - steps.start) // steps.step
    return max(span, 0)


def _round(frame: Frame, value: Any, digits: Any = None) -> Any:
    if digits is not None and abs(digits) > _MAX_DIGITS:
        raise too_large("number")
    return round(value, digits)


def _sum(frame: Frame, values: Any, start: Any = 0) -> Any:
    items = [start, *frame.take(values)]
    if any(not isinstance(item, (int, float, Missing)) for item in items):
        raise TypeError("sum() adds numbers only")
    return frame.weigh(sum(items))


def _string(frame: Frame, value: Any = "") -> str:
    frame.weigh(value)
    text = str(value)
    frame.weigh(text)
    return text


def _enumerate(frame: Frame, values: Any, start: int = 0) -> list[tuple[int, Any]]:
    return list(enumerate(frame.take(values), start))


def _zip(frame: Frame, *columns: Any) -> list[tuple[Any, ...]]:
    return list(zip(*[frame.take(column) for column in columns], strict=False))


def _map(frame: Frame, function: Callable[..., Any], *columns: Any) -> list[Any]:
    return [function(*row) for row in _zip(frame, *columns)]


def _filter(frame: Frame, function: Callable[..., Any] | None, values: Any) -> list[Any]:
    return [value for value in frame.take(values) if (value if function is None else function(value))]


def _reversed(frame: Frame, values: Any) -> list[Any]:
    frame.take(values)
    return list(reversed(values))


def _isinstance(frame: Frame, value: Any, types: Any) -> bool:
    return isinstance(value, types)


BUILTINS: dict[str, BuiltinFunction] = {
    "abs": _light(abs),
    "all": _walking(all),
    "any": _walking(any),
    "bool": _light(bool),
    "chr": _light(chr),
    "dict": _walking(dict),
    "divmod": _light(divmod),
    "enumerate": _enumerate,
    "filter": _filter,
    "float": _light(float),
    "int": _light(int),
    "isinstance": _isinstance,
    "len": _length,
    "list": _walking(list),
    "map": _map,
    "max": _walking(max),
    "min": _walking(min),
    "ord": _light(ord),
    "range": _range,
    "reversed": _reversed,
    "round": _round,
    "set": _walking(set),
    "sorted": _walking(sorted),
    "str": _string,
    "sum": _sum,
    "tuple": _walking(tuple),
    "zip": _zip,
}
# What `{{ }}` may call; everything is open to control blocks.
OUTPUT_BUILTINS = frozenset(("float", "int", "len", "list", "max", "min"))
