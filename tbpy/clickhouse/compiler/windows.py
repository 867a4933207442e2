"""The text inside OVER (...)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tbpy.clickhouse import ast
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.ordering import order_sql

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.expressions import ExpressionCompiler


def window_sql(compiler: ExpressionCompiler, window: ast.Window | str, node: ast.Node) -> str:
    """A window specification in DuckDB SQL; a name is looked up among the SELECT's WINDOW definitions."""
    if isinstance(window, str):
        window = _named(compiler, window, node)
    base = _named(compiler, window.base, node) if window.base else ast.Window()
    partition = window.partition_by or base.partition_by
    order = window.order_by or base.order_by
    frame = window.frame or base.frame
    parts = []
    if partition:
        parts.append("PARTITION BY " + ", ".join(compiler.compile(item).sql for item in partition))
    if order:
        keys = [key for item in order for key in order_sql(compiler.compile(item.expression), item)]
        parts.append("ORDER BY " + ", ".join(keys))
    if frame is not None:
        parts.append(_frame(compiler, frame))
    return " ".join(parts)


def _named(compiler: ExpressionCompiler, name: str, node: ast.Node) -> ast.Window:
    window = compiler.scope.windows.get(name)
    if window is None:
        raise failures.bad_arguments(f"Window '{name}' is not defined", node)
    return window


def _frame(compiler: ExpressionCompiler, frame: ast.Frame) -> str:
    start = _bound(compiler, frame.start_bound)
    end = "CURRENT ROW" if frame.end_bound is None else _bound(compiler, frame.end_bound)
    return f"{frame.unit.upper()} BETWEEN {start} AND {end}"


def _bound(compiler: ExpressionCompiler, bound: ast.FrameBound) -> str:
    if bound.kind == "current":
        return "CURRENT ROW"
    direction = "FOLLOWING" if bound.following else "PRECEDING"
    if bound.kind == "unbounded":
        return f"UNBOUNDED {direction}"
    assert bound.offset is not None
    return f"{compiler.compile(bound.offset).sql} {direction}"
