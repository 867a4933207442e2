"""Functions that read other rows of the block: runningDifference and neighbor.

ClickHouse calls them error-prone, since they depend on the order of rows, and asks for a setting; so does tbpy.
"""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.conversion import coerce, common_type
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.storage import default_sql, duckdb_type

_SETTING = "allow_deprecated_error_prone_window_functions"


def require_deprecated(call: Call) -> None:
    """Raise DEPRECATED_FUNCTION (721) unless the query allows such functions."""
    if not call.context.enabled(_SETTING):
        text = (
            f"Function {call.name} is deprecated since its usage is error-prone. Please use a window function or set"
            f" `{_SETTING}` to enable it"
        )
        raise failures.failure(text, 721, "DEPRECATED_FUNCTION", call.node)


def _difference(call: Call) -> tuple[Typed, str]:
    """The value less that of the row before, and how to tell the first row."""
    require_deprecated(call)
    value = call.args[0]
    if not (t.is_number(value.type) or t.is_temporal(value.type)):
        call.wrong_type()
    before = Typed(f"coalesce(lag({value.sql} IGNORE NULLS) OVER (), {value.sql})", value.type)
    difference = call.compiler.call("minus", value, before, node=call.node)
    if isinstance(t.plain(value.type), t.DateTime):
        type_ = t.nullable(t.INT64) if t.is_nullable(value.type) else t.INT64
        difference = Typed(f"CAST({difference.sql} AS BIGINT)", type_)
    return difference, "row_number() OVER () = 1"


@scalar("runningDifference", nulls="keep", low_cardinality=False)
def running_difference(call: Call) -> Typed:
    difference, _ = _difference(call)
    return call.typed(difference.sql, difference.type, window=True)


@scalar("runningDifferenceStartingWithFirstValue", nulls="keep", low_cardinality=False)
def running_difference_from_first(call: Call) -> Typed:
    difference, first = _difference(call)
    start = f"CAST({call.sql(0)} AS {duckdb_type(difference.type)})"
    return call.typed(f"(CASE WHEN {first} THEN {start} ELSE {difference.sql} END)", difference.type, window=True)


@scalar("neighbor", args=(2, 3), nulls="keep", low_cardinality=False)
def neighbor(call: Call) -> Typed:
    """The value so many rows further on, or before for a negative number; a default beyond the ends."""
    require_deprecated(call)
    offset = call.constant_value(1, "offset")
    if not isinstance(offset, int):
        call.wrong_type()
    value = call.args[0]
    type_ = value.type if len(call.args) < 3 else common_type([value.type, call.args[2].type], call.node)
    default = default_sql(type_) if len(call.args) < 3 else coerce(call.args[2], type_).exact()
    function = "lead" if offset >= 0 else "lag"
    moved = f"{function}({coerce(value, type_).exact()}, {abs(offset)}, {default}) OVER ()"
    return call.typed(moved, type_, window=True)
