"""Windows of time: tumble, whose windows follow one another, and hop, whose windows may overlap.

A window starts where `toStartOfInterval` rounds to. Source: ClickHouse documentation, "Time window functions".
"""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.parts import part
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import failure

Window = tuple[Typed, Typed]


def _moment(call: Call, *intervals: int) -> None:
    """Checks a moment and the intervals that follow it."""
    if not isinstance(call.args[0].type, t.DateTime) or not all(
        isinstance(call.args[place].type, t.Interval) for place in intervals
    ):
        call.wrong_type()


def _rounded(call: Call, interval: Typed, zone: tuple[Typed, ...]) -> Window:
    start = call.compiler.call("toStartOfInterval", call.args[0], interval, *zone, node=call.node)
    return start, call.compiler.call("plus", start, interval, node=call.node)


def _tumble(call: Call) -> Window:
    _moment(call, 1)
    return _rounded(call, call.args[1], call.args[2:])


def _hop(call: Call) -> Window:
    _moment(call, 1, 2)
    if call.args[1].type != call.args[2].type:
        text = f"Illegal type of window and hop column of function {call.name}, must be same"
        raise failure(call, text, 44, "ILLEGAL_COLUMN")
    _, end = _rounded(call, call.args[1], call.args[3:])
    return call.compiler.call("minus", end, call.args[2], node=call.node), end


def _windows(name: str, least: int) -> None:
    find = _tumble if name == "tumble" else _hop

    @scalar(name, args=(least, least + 1))
    def whole(call: Call) -> Typed:
        return call.compiler.call("tuple", *find(call), node=call.node)

    def bound(place: int) -> None:
        @scalar(f"{name}{('Start', 'End')[place]}", args=(1, least + 1))
        def build(call: Call) -> Typed:
            """Of a moment, or of the window that another function found."""
            if len(call.args) == 1:
                if not isinstance(call.args[0].type, t.Tuple) or len(call.args[0].type.items) != 2:
                    call.wrong_type()
                return part(call.args[0], place)
            if len(call.args) < least:
                call.wrong_count(f"from {least} to {least + 1}")
            return find(call)[place]

    bound(0)
    bound(1)


_windows("tumble", 2)
_windows("hop", 3)
