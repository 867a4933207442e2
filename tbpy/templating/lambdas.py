"""`lambda` in templates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tbpy.templating.frame import MAX_CALL_DEPTH, BudgetError, Frame


class Lambda:
    """A `lambda` of a template, bound to the rendering that evaluated it."""

    __slots__ = ("_body", "_frame", "_names")

    def __init__(self, frame: Frame, names: tuple[str, ...], body: Callable[[Frame], Any]) -> None:
        self._frame = frame
        self._names = names
        self._body = body

    def __call__(self, *args: Any) -> Any:
        if len(args) != len(self._names):
            raise TypeError(f"the lambda takes {len(self._names)} values, not {len(args)}")
        frame = self._frame
        frame.charge(2)
        if frame.depth >= MAX_CALL_DEPTH:
            raise BudgetError("lambda calls are nested too deeply")
        frame.depth += 1
        outer = {name: frame.variables.get(name) for name in self._names}
        frame.variables.update(zip(self._names, args, strict=True))
        try:
            return self._body(frame)
        finally:
            frame.variables.update(outer)
            frame.depth -= 1

    def __repr__(self) -> str:
        return "lambda"
