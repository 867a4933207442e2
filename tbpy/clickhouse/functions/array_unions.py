"""arrayUnion and arraySymmetricDifference, in the order in which ClickHouse's hash table holds the elements."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.arrays import common_items, item_type
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.storage import duckdb_type


@scalar("arrayUnion", args=(1, None), low_cardinality=False)
def array_union(call: Call) -> Typed:
    if _nothing_but_nothing(call):
        return call.typed("[]", t.Array(t.NOTHING))
    item, arrays = common_items(call, *range(len(call.args)))
    whole = f"list_concat({', '.join(arrays)})" if len(arrays) > 1 else arrays[0]
    return _in_order(call, whole, item, _has_null(whole))


@scalar("arraySymmetricDifference", args=(1, None), low_cardinality=False)
def array_symmetric_difference(call: Call) -> Typed:
    """What is in some of the arrays, but not in all."""
    if _nothing_but_nothing(call):
        return call.typed("[]", t.Array(t.NOTHING))
    item, arrays = common_items(call, *range(len(call.args)))
    name = call.context.fresh("e")
    everywhere = " AND ".join(f"coalesce(list_contains({array}, {name}), false)" for array in arrays)
    whole = f"list_concat({', '.join(arrays)})" if len(arrays) > 1 else arrays[0]
    some = f"list_filter({whole}, lambda {name}: NOT ({everywhere}))"
    in_all = " AND ".join(_has_null(array) for array in arrays)
    return _in_order(call, some, item, f"({_has_null(whole)} AND NOT ({in_all}))")


def _nothing_but_nothing(call: Call) -> bool:
    return all(t.plain(item_type(call, position)) == t.NOTHING for position in range(len(call.args)))


def _has_null(array: str) -> str:
    return f"(len(list_filter({array}, lambda e: e IS NULL)) > 0)"


def _in_order(call: Call, values: str, item: t.Type, null: str) -> Typed:
    """The different values as the table has them; NULL, if `null` says so, behind them."""
    place, type_ = call.context.fresh("p"), duckdb_type(t.Array(item))
    present = f"list_filter({values}, lambda e: e IS NOT NULL)" if t.is_nullable(item) else values
    found = f"list_transform({_places(call, 'v', t.plain(item))}, lambda {place}: v[{place}])"
    sql = f"list_transform([{present}], lambda v: {found})[1]"
    if t.is_nullable(item):
        sql = f"({sql} || CAST(CASE WHEN {null} THEN [NULL] ELSE [] END AS {type_}))"
    return call.typed(sql, t.Array(item))


def _places(call: Call, values: str, type_: t.Type) -> str:
    """The places of the first of equal values, in the order of their hashes."""
    match type_:
        case t.String() | t.FixedString():
            return f"{call.context.udf('tb_union_texts')}({values})"
        case t.Float(bits):
            return f"{call.context.udf('tb_union_floats')}(CAST({values} AS DOUBLE[]), {bits})"
        case t.Int(bits) if bits <= 64:
            number = "e"
        case t.Date():
            number, bits = "date_diff('day', DATE '1970-01-01', e)", 16
        case t.DateTime():
            number, bits = "CAST(epoch(e) AS BIGINT)", 32
        case _:
            call.unsupported(f"elements of type {type_}")
    numbers = f"list_transform({values}, lambda e: CAST({number} AS HUGEINT))"
    return f"{call.context.udf('tb_union_numbers')}({numbers}, {bits})"
