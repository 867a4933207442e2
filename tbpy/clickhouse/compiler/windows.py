"""Window specifications: the text inside OVER (...)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.ordering import order_sql
from tbpy.clickhouse.compiler.steady import steady
from tbpy.clickhouse.compiler.typed import Typed

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.expressions import ExpressionCompiler


@dataclass(frozen=True, slots=True)
class WindowSql:
    """The parts of a window: `rows` says which rows and in which order, `frame` is empty for the frame by default."""

    rows: str
    frame: str
    bounds: ast.Frame | None
    ordered: bool

    @property
    def sql(self) -> str:
        return f"{self.rows} {self.frame}".strip()


def window_sql(compiler: ExpressionCompiler, window: ast.Window | str, node: ast.Node) -> str:
    """A window specification in DuckDB SQL; a name is looked up among the SELECT's WINDOW definitions."""
    return window_parts(compiler, window, node).sql


def window_parts(compiler: ExpressionCompiler, window: ast.Window | str, node: ast.Node) -> WindowSql:
    if isinstance(window, str):
        window = _named(compiler, window, node)
    base = _named(compiler, window.base, node) if window.base else ast.Window()
    partition = window.partition_by or base.partition_by
    order = window.order_by or base.order_by
    frame = window.frame or base.frame
    parts = []
    if partition:
        parts.append("PARTITION BY " + ", ".join(_partition_key(compiler, item) for item in partition))
    keys = _order_keys(compiler, order, frame)
    if keys:
        parts.append("ORDER BY " + ", ".join(keys))
    text = "" if frame is None else _frame(compiler, frame, order)
    return WindowSql(steady(" ".join(parts)), text, frame, bool(keys))


def _named(compiler: ExpressionCompiler, name: str, node: ast.Node) -> ast.Window:
    window = compiler.scope.windows.get(name)
    if window is None:
        raise failures.bad_arguments(f"Window '{name}' is not defined", node)
    return window


def _partition_key(compiler: ExpressionCompiler, node: ast.Expression) -> str:
    key = compiler.compile(node)
    failures.check_varying(compiler.context, key.type, "GROUP BY", node)
    return key.exact()


def _by_distance(frame: ast.Frame | None) -> bool:
    """Whether the frame counts in distances of the ORDER BY value."""
    if frame is None or frame.unit != "range":
        return False
    return any(bound is not None and bound.kind == "offset" for bound in (frame.start_bound, frame.end_bound))


def _order_keys(compiler: ExpressionCompiler, order: tuple[ast.OrderItem, ...], frame: ast.Frame | None) -> list[str]:
    values = [(compiler.compile(item.expression), item) for item in order]
    if _by_distance(frame):
        if len(values) != 1:
            raise failures.bad_arguments("The RANGE OFFSET window frame requires exactly one ORDER BY column", frame)
        [(value, item)] = values
        if t.is_nullable(value.type):
            raise failures.unsupported("RANGE with an offset over a Nullable value", frame)
        return [_distance_key(value) + (" DESC" if item.descending else "")]
    for value, item in values:
        failures.check_varying(compiler.context, value.type, "ORDER BY", item.expression)
    varying = [(value, item) for value, item in values if not value.constant]
    return [key for value, item in varying for key in order_sql(compiler.context, value, item)]


def _distance_key(value: Typed) -> str:
    """The value in a type whose differences do not overflow."""
    inner = t.plain(value.type)
    if isinstance(inner, t.Int) and inner.bits <= 64:
        return f"CAST({value.sql} AS HUGEINT)"
    return value.sql


def _frame(compiler: ExpressionCompiler, frame: ast.Frame, order: tuple[ast.OrderItem, ...]) -> str:
    key = compiler.compile(order[0].expression) if _by_distance(frame) and order else None
    start = _bound(compiler, frame.start_bound, key)
    end = "CURRENT ROW" if frame.end_bound is None else _bound(compiler, frame.end_bound, key)
    return f"{frame.unit.upper()} BETWEEN {start} AND {end}"


def _bound(compiler: ExpressionCompiler, bound: ast.FrameBound, key: Typed | None) -> str:
    if bound.kind == "current":
        return "CURRENT ROW"
    direction = "FOLLOWING" if bound.following else "PRECEDING"
    if bound.kind == "unbounded":
        return f"UNBOUNDED {direction}"
    return f"{_offset_sql(bound_offset(compiler, bound), key)} {direction}"


def bound_offset(compiler: ExpressionCompiler, bound: ast.FrameBound) -> int | float:
    """The offset of a bound, which must be a constant number."""
    assert bound.offset is not None
    value = compiler.compile(bound.offset).value
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise failures.bad_arguments("Window frame OFFSET expression must be a constant number, not negative", bound)
    return value


def _offset_sql(offset: int | float, key: Typed | None) -> str:
    """The offset in the unit of the ORDER BY value: seconds of a DateTime, days of a Date."""
    inner = None if key is None else t.plain(key.type)
    if isinstance(inner, t.DateTime):
        return f"INTERVAL {offset} SECOND"
    if isinstance(inner, t.Date | t.Date32):
        return f"INTERVAL {offset} DAY"
    if isinstance(inner, t.DateTime64):
        raise failures.unsupported("RANGE with an offset over DateTime64", None)
    return str(offset)
