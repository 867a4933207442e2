"""Counting different values: the uniq family, exact where ClickHouse is exact and where it estimates.

ClickHouse's `uniq` is exact up to 65,536 different values, `uniqCombined` and `uniqHLL12` are exact for small sets;
beyond that they estimate, and the exact number is within their promise.
"""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.call import AggregateCall
from tbpy.clickhouse.aggregates.registry import aggregate
from tbpy.clickhouse.compiler.document_keys import one_text
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.bitmaps import combine_all
from tbpy.clickhouse.storage import duckdb_type


def distinct_key(call: AggregateCall) -> str:
    """What tells rows apart: the argument, or all of them as a struct."""
    values = [one_text(call.context, arg).sql for arg in call.args]
    if len(values) == 1:
        return values[0]
    return "{" + ", ".join(f"'{position + 1}': {value}" for position, value in enumerate(values)) + "}"


def count_distinct(call: AggregateCall) -> Typed:
    """The exact number of different rows of arguments."""
    return call.typed(f"CAST({call.apply('count', distinct_key(call), distinct=True)} AS UBIGINT)", t.UINT64)


@aggregate("uniq", args=(1, None), never_null=True, native_skip=True, note="exact, where ClickHouse may estimate")
def uniq(call: AggregateCall) -> Typed:
    return count_distinct(call)


@aggregate("uniqExact", args=(1, None), never_null=True, native_skip=True)
def uniq_exact(call: AggregateCall) -> Typed:
    return count_distinct(call)


@aggregate("uniqHLL12", args=(1, None), never_null=True, native_skip=True, note="exact, where ClickHouse may estimate")
def uniq_hll12(call: AggregateCall) -> Typed:
    return count_distinct(call)


@aggregate("uniqCombined", args=(1, None), parameters=1, note="exact, where ClickHouse may estimate")
def uniq_combined(call: AggregateCall) -> Typed:
    return _count_or_null(call)


@aggregate("uniqCombined64", args=(1, None), parameters=1, note="exact, where ClickHouse may estimate")
def uniq_combined64(call: AggregateCall) -> Typed:
    return _count_or_null(call)


def _count_or_null(call: AggregateCall) -> Typed:
    """Unlike the rest of the family this one is NULL where a Nullable argument has no value."""
    result = count_distinct(call)
    sql = call.when_rows(result.sql)
    return call.typed(f"({sql})", t.UINT64) if call.nullable else result


@aggregate("uniqUpTo", args=(1, None), never_null=True, native_skip=True, parameters=1)
def uniq_up_to(call: AggregateCall) -> Typed:
    """The number of different values up to the parameter, one more than that where there are more."""
    most = call.whole_parameter(0, 10) or 10
    exact = count_distinct(call)
    return call.typed(f"CAST(least({exact.sql}, {most + 1}) AS UBIGINT)", t.UINT64)


@aggregate("groupBitmap")
def group_bitmap(call: AggregateCall) -> Typed:
    if not isinstance(call.type(), t.Int):
        call.wrong_type()
    number = call.when_rows(f"CAST({count_distinct(call).sql} AS {duckdb_type(call.type())})")
    return call.typed(f"({number})" if call.nullable else number, call.type())


def _bitmap_items(call: AggregateCall) -> t.Type:
    """The type of the values in the bitmaps that are aggregated."""
    type_ = call.type()
    if not isinstance(type_, t.AggregateFunction) or type_.function != "groupBitmap":
        call.wrong_type()
    return t.plain(type_.arguments[0])


def _bitmaps(operation: str) -> None:
    def combined(call: AggregateCall) -> str:
        whole = call.context.fresh("b")
        return f"list_transform([{call.collect()}], lambda {whole}: {combine_all(operation, whole)})[1]"

    @aggregate(f"groupBitmap{operation}")
    def count(call: AggregateCall) -> Typed:
        """How many values there are in all bitmaps as one."""
        item = _bitmap_items(call)
        return call.typed(f"CAST(len({combined(call)}) AS {duckdb_type(item)})", item)

    @aggregate(f"groupBitmap{operation}State")
    def state(call: AggregateCall) -> Typed:
        """All bitmaps as one, which is a state of groupBitmap."""
        type_ = t.AggregateFunction("groupBitmap", (_bitmap_items(call),))
        return call.typed(f"CAST({combined(call)} AS {duckdb_type(type_)})", type_)


for _name in ("And", "Or", "Xor"):
    _bitmaps(_name)
