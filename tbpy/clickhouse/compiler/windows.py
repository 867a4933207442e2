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
        raise failures.bad_arguments(f"Window '{name}' does not exist", node)
    return window


def _partition_key(compiler: ExpressionCompiler, node: ast.Expression) -> str:
    key = compiler.compile(node)
    failures.check_varying(compiler.context, key.type, "GROUP BY", node)
    return key.exact()


def declare_windows(select: ast.Select) -> dict[str, ast.Window]:
    """The WINDOW definitions of a SELECT by name."""
    found: dict[str, ast.Window] = {}
    for name, window in select.windows:
        if name in found:
            raise failures.bad_arguments(f"Window '{name}' is already defined", window)
        found[name] = window
    return found


_ALL_ROWS = (ast.FrameBound("unbounded"), ast.FrameBound("unbounded", following=True))
_WITHOUT_FRAME = frozenset({"lag", "lead", "percent_rank", "percentRank", "cume_dist"})


def check_frame(compiler: ExpressionCompiler, function: str, window: ast.Window | str, node: ast.Node) -> None:
    """Raise BAD_ARGUMENTS (36) for a frame that the function does not take, or one that ends before it starts."""
    if isinstance(window, str):
        window = _named(compiler, window, node)
    base = _named(compiler, window.base, node) if window.base else ast.Window()
    frame = window.frame or base.frame
    if frame is not None and function in ("lag", "lead"):
        text = f"Window function '{function}' does not expect window frame to be explicitly specified"
        raise failures.bad_arguments(text, frame)
    whole = frame is None or (frame.unit == "rows" and (frame.start_bound, frame.end_bound) == _ALL_ROWS)
    ordered = bool(window.order_by or base.order_by)
    if (frame is not None and function in _WITHOUT_FRAME) or (function == "ntile" and not (whole and ordered)):
        raise failures.bad_arguments(f"Unsupported window frame type for function '{function}'", node)
    if frame is not None:
        _check_bounds(compiler, frame)


def _check_bounds(compiler: ExpressionCompiler, frame: ast.Frame) -> None:
    start, end = frame.start_bound, frame.end_bound or ast.FrameBound("current")
    if start.kind == "unbounded" and start.following:
        raise failures.bad_arguments("Frame start cannot be UNBOUNDED FOLLOWING", frame)
    if end.kind == "unbounded" and not end.following:
        raise failures.bad_arguments("Frame end cannot be UNBOUNDED PRECEDING", frame)
    if "unbounded" in (start.kind, end.kind):
        return
    first, last = _signed_offset(compiler, start), _signed_offset(compiler, end)
    if start.kind == end.kind == "offset" and first > last:
        text = "Frame start offset {} {} does not precede the frame end offset {} {}"
        words = ["FOLLOWING" if bound.following else "PRECEDING" for bound in (start, end)]
        raise failures.bad_arguments(text.format(abs(first), words[0], abs(last), words[1]), frame)
    if first > last:
        raise failures.bad_arguments("Window frame is invalid", frame)


def _signed_offset(compiler: ExpressionCompiler, bound: ast.FrameBound) -> int | float:
    if bound.kind == "current":
        return 0
    offset = bound_offset(compiler, bound)
    return offset if bound.following else -offset


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
