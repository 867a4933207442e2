"""Trees made comparable: what the formatter does not keep is taken out of both sides."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from tbpy.clickhouse import ast


def meaning(node: Any) -> Any:
    """A tree without the way it was written: DISTINCT and FILTER are combinators, literals are their values."""
    if isinstance(node, tuple):
        return tuple(map(meaning, node))
    if not isinstance(node, ast.Node):
        return node
    if isinstance(node, ast.Literal):
        return ast.Literal(None, f"{type(node.value).__name__} {node.value!r}")
    parts = {field.name: meaning(getattr(node, field.name)) for field in fields(node) if field.name not in _PLACES}
    if isinstance(node, ast.Function):
        _as_combinators(parts)
    elif isinstance(node, ast.Select) and node.distinct_on:
        parts["limit_by"] = meaning(ast.LimitBy(ast.Literal(1, "1"), node.distinct_on))
        parts["distinct"], parts["distinct_on"] = False, ()
    elif isinstance(node, ast.Frame):
        parts["end_bound"] = parts["end_bound"] or ast.FrameBound("current")
    elif isinstance(node, ast.Interpolate):
        parts["expression"] = parts["expression"] or ast.Identifier((node.name,))
    return type(node)(**parts)


_PLACES = ("start", "end")


def _as_combinators(parts: dict[str, Any]) -> None:
    parts["syntax"] = "call"
    if parts["distinct"]:
        parts["name"], parts["distinct"] = parts["name"] + "Distinct", False
    if parts["filter"] is not None:
        parts["name"], parts["arguments"] = parts["name"] + "If", (*parts["arguments"], parts["filter"])
        parts["filter"] = None
