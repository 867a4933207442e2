"""Functions that exist in windows only: row numbers, ranks, and values of neighbouring rows."""

from __future__ import annotations

import math
from dataclasses import replace

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.call import AggregateCall
from tbpy.clickhouse.aggregates.registry import aggregate
from tbpy.clickhouse.compiler.conversion import coerce, common_type
from tbpy.clickhouse.compiler.failures import bad_arguments
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.compiler.windows import WindowSql, bound_offset, window_parts
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import default_sql


def _number(names: tuple[str, ...], function: str, type_: t.Type, insensitive: tuple[str, ...]) -> None:
    @aggregate(*names, args=0, window_only=True, insensitive=insensitive)
    def build(call: AggregateCall) -> Typed:
        value = call.apply(function)
        return call.typed(value if isinstance(type_, t.Float) else f"CAST({value} AS UBIGINT)", type_)


_number(("row_number",), "row_number", t.UINT64, ("row_number",))
_number(("rank",), "rank", t.UINT64, ("rank",))
_number(("denseRank", "dense_rank"), "dense_rank", t.UINT64, ("dense_rank",))
_number(("percentRank", "percent_rank"), "percent_rank", t.FLOAT64, ("percent_rank",))
_number(("cume_dist",), "cume_dist", t.FLOAT64, ())


@aggregate("ntile", window_only=True)
def ntile(call: AggregateCall) -> Typed:
    buckets = call.args[0].value
    if not isinstance(buckets, int) or buckets <= 0:
        raise bad_arguments("ntile needs a positive number of buckets", call.node)
    return call.typed(f"CAST({call.apply('ntile', str(buckets))} AS UBIGINT)", t.UINT64)


@aggregate("nth_value", args=2, nulls="keep", window_only=True, insensitive=True)
def nth_value(call: AggregateCall) -> Typed:
    place = call.args[1].value
    if not isinstance(place, int) or place < 0:
        raise bad_arguments("nth_value needs a constant place", call.node)
    if place == 0:
        text = "The offset for function nth_value must be in (1, 9223372036854775807], 0 given"
        raise bad_arguments(text, call.node)
    type_ = call.type()
    return call.typed(call.or_default(call.apply("nth_value", call.sql(), str(place)), type_), type_)


# --- neighbours ---


def _neighbour(name: str, function: str, insensitive: bool) -> None:
    """`lag` and `lead` see all rows of the partition."""

    @aggregate(name, args=(1, 3), nulls="keep", window_only=True, insensitive=insensitive)
    def build(call: AggregateCall) -> Typed:
        value, offset, default = _arguments(call)
        return call.typed(_moved(call, function, value, offset, default), value.type)


def _neighbour_in_frame(name: str, function: str) -> None:
    """`lagInFrame` and `leadInFrame` see the rows of the frame only."""

    @aggregate(name, args=(1, 3), nulls="keep", window_only=True)
    def build(call: AggregateCall) -> Typed:
        value, offset, default = _arguments(call)
        moved = _moved(call, function, value, offset, default)
        inside = _inside_frame(call, -offset if function == "lag" else offset)
        if inside == "true":
            return call.typed(moved, value.type)
        if inside == "false":
            return call.typed(default, value.type)
        return call.typed(f"(CASE WHEN {inside} THEN {moved} ELSE {default} END)", value.type)


def _arguments(call: AggregateCall) -> tuple[Typed, int, str]:
    """The value, how many rows away it is, and what stands where there is no such row."""
    value = call.args[0]
    offset = call.args[1].value if len(call.args) > 1 else 1
    if len(call.args) > 1 and not t.is_integer(call.args[1].type):
        raise bad_arguments(f"Offset must be an integer, '{call.args[1].type}' given", call.node)
    if not isinstance(offset, int) or isinstance(offset, bool) or offset < 0:
        call.unsupported("an offset that is not a constant whole number")
    if len(call.args) < 3:
        return value, offset, _absent(value.type)
    shared = common_type([value.type, call.args[2].type], call.node)
    if shared != value.type:
        text = f"The supertype '{shared}' for the argument and the default value is not the same as the argument type"
        raise bad_arguments(text, call.node)
    return value, offset, coerce(call.args[2], value.type).exact()


def _absent(type_: t.Type) -> str:
    """What stands for a row that is not there: of an enum the member with the number 0, where it has one."""
    if isinstance(t.plain(type_), t.Enum) and not t.is_nullable(type_):
        members = t.plain(type_)
        assert isinstance(members, t.Enum)
        zero = next((name for name, number in members.members if number == 0), members.members[0][0])
        return duckdb_string(zero)
    return default_sql(type_)


def _parts(call: AggregateCall) -> WindowSql:
    assert call.node.window is not None
    return window_parts(call.compiler, call.node.window, call.node)


def _moved(call: AggregateCall, function: str, value: Typed, offset: int, default: str) -> str:
    plain = replace(call, window=_parts(call).rows)
    return plain.apply(function, value.exact(), str(offset), default)


def _inside_frame(call: AggregateCall, distance: int) -> str:
    """Whether the row so far from the current one is in its frame, as SQL; a frame in rows tells without looking."""
    window = _parts(call)
    if window.bounds is not None and window.bounds.unit == "rows":
        low, high = _row_bounds(call, window.bounds)
        return "true" if low <= distance <= high else "false"
    start = window.bounds.start_bound if window.bounds is not None else None
    if start is not None and not (start.kind == "unbounded" and not start.following):
        call.unsupported("this frame")
    if distance <= 0:
        return "true"
    if (
        window.bounds is not None
        and window.bounds.end_bound is not None
        and window.bounds.end_bound.kind == "unbounded"
    ):
        return "true"
    last = f"count(*) OVER ({window.sql})"
    return f"row_number() OVER ({window.rows}) + {distance} <= {last}"


def _row_bounds(call: AggregateCall, frame: ast.Frame) -> tuple[float, float]:
    ends = []
    for bound in (frame.start_bound, frame.end_bound or ast.FrameBound("current")):
        if bound.kind == "current":
            ends.append(0.0)
            continue
        size = math.inf if bound.kind == "unbounded" else float(bound_offset(call.compiler, bound))
        ends.append(size if bound.following else -size)
    return ends[0], ends[1]


_neighbour_in_frame("lagInFrame", "lag")
_neighbour_in_frame("leadInFrame", "lead")
_neighbour("lag", "lag", insensitive=True)
_neighbour("lead", "lead", insensitive=True)
