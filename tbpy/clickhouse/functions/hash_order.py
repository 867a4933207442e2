"""The order in which a hash table of ClickHouse holds different values, where users see it."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.context import Context


def hash_order(context: Context, values: str, type_: t.Type, degree: int, *, stored_dates: bool = False) -> str | None:
    """SQL of the different values of a list without NULL as a table of 2 ** degree buckets at first has them.

    `stored_dates`: dates and times are hashed as their bytes are, not as numbers. None where the order is not known.
    """
    item, place = context.fresh("e"), context.fresh("p")
    places = _places(context, "v", type_, degree, item, stored_dates)
    if places is None:
        return None
    return f"list_transform([{values}], lambda v: list_transform({places}, lambda {place}: v[{place}]))[1]"


def _places(context: Context, values: str, type_: t.Type, degree: int, item: str, stored_dates: bool) -> str | None:
    """The places of the first of equal values, in the order of their hashes."""
    match type_:
        case t.String() | t.FixedString():
            return f"{context.udf('tb_hashed_texts')}({values}, {degree})"
        case t.Float(bits):
            return f"{context.udf('tb_hashed_floats')}(CAST({values} AS DOUBLE[]), {bits}, {degree})"
        case t.Int(bits) if bits <= 64:
            number = item
        case t.Date():
            number, bits = f"date_diff('day', DATE '1970-01-01', {item})", 16
        case t.DateTime():
            number, bits = f"CAST(epoch({item}) AS BIGINT)", 32
        case _:
            return None
    numbers = f"list_transform({values}, lambda {item}: CAST({number} AS HUGEINT))"
    stored = stored_dates and not isinstance(type_, t.Int)
    return f"{context.udf('tb_hashed_stored' if stored else 'tb_hashed_numbers')}({numbers}, {bits}, {degree})"
