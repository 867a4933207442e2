"""arrayUnion and arraySymmetricDifference, in the order in which ClickHouse's hash table holds the elements."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.arrays import common_items, item_type
from tbpy.clickhouse.functions.hash_order import hash_order
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.storage import duckdb_type

_DEGREE = 6  # their tables have 64 buckets at first


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
    type_ = duckdb_type(t.Array(item))
    present = f"list_filter({values}, lambda e: e IS NOT NULL)" if t.is_nullable(item) else values
    sql = hash_order(call.context, present, t.plain(item), _DEGREE)
    if sql is None:
        call.unsupported(f"elements of type {t.plain(item)}")
    if t.is_nullable(item):
        sql = f"({sql} || CAST(CASE WHEN {null} THEN [NULL] ELSE [] END AS {type_}))"
    return call.typed(sql, t.Array(item))
