"""How long an array may become: nothing could stop a query that makes longer ones."""

from __future__ import annotations

from tbpy.clickhouse.compiler.failures import failure
from tbpy.clickhouse.functions.registry import Call
from tbpy.clickhouse.functions.texts import integer, integer_value

#: ClickHouse allows 500 million elements and more in a block of rows; one value of that size would take 4 GB here.
MOST_ELEMENTS = 50_000_000


def checked_size(call: Call, position: int, *, lowest: int) -> str:
    """A size given as an argument, as BIGINT: refused where it is outside of `lowest` and what arrays may have."""
    size, value = integer(call, position), integer_value(call, position)
    if value is None:
        told = f"'TOO_LARGE_ARRAY_SIZE: ' || {_complaint(call)} || {size}"
        inside = f"{size} BETWEEN {lowest} AND {MOST_ELEMENTS}"
        return f"(CASE WHEN {inside} OR {size} IS NULL THEN {size} ELSE CAST(error({told}) AS BIGINT) END)"
    if lowest <= value <= MOST_ELEMENTS:
        return size if value >= 0 else f"({size})"
    if value < 0 <= lowest:
        raise failure(f"Array size {value} cannot be negative", 128, "TOO_LARGE_ARRAY_SIZE", call.node)
    raise failure(f"Too large array size: {value}, maximum: {MOST_ELEMENTS}", 128, "TOO_LARGE_ARRAY_SIZE", call.node)


def _complaint(call: Call) -> str:
    return f"'Array size in function {call.name} is negative or too large: '"
