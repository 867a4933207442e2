"""Search in arrays: has, hasAll, hasAny, hasSubstr, indexOf, countEqual, arrayRemove."""

from __future__ import annotations

import math
from dataclasses import replace

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.conversion import coerce, common_type
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.arrays import common_items, is_null, item_type
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.quoting import duckdb_string


def _needle(call: Call) -> tuple[str, str, str]:
    """An array, a value to look for in it, and a variable name: both sides as the same type."""
    item, needle = item_type(call, 0), _named(call, item_type(call, 0), call.args[1])
    if {t.plain(item), t.plain(needle.type)} > {t.UINT64} and t.is_integer(item) and t.is_integer(needle.type):
        return f"CAST({call.sql(0)} AS HUGEINT[])", f"CAST({needle.sql} AS HUGEINT)", call.context.fresh("e")
    if isinstance(needle.value, float) and math.isnan(needle.value):
        call.unsupported("NaN")  # it equals nothing, but DuckDB finds it
    wanted = common_type([t.not_nullable(item), needle.type], call.node) if not _text_needle(item, needle) else item
    value = coerce(needle, wanted).sql if not _text_needle(item, needle) else needle.sql
    return call.sql(0), value, call.context.fresh("e")


def _named(call: Call, item: t.Type, needle: Typed) -> Typed:
    """A number looked for among members of an Enum is the name of one; NULL for none."""
    inner = t.plain(item)
    if not isinstance(inner, t.Enum) or not t.is_integer(needle.type):
        if isinstance(inner, t.Enum) and call.args[0].constant and t.is_text(needle.type):
            call.unsupported("a text and a constant array of Enum")  # ClickHouse finds nothing there
        return needle
    names = " ".join(f"WHEN {number} THEN {duckdb_string(name)}" for name, number in inner.members)
    return replace(needle, sql=f"(CASE {needle.sql} {names} ELSE '' END)", type=inner)


def _text_needle(item: t.Type, needle: Typed) -> bool:
    return isinstance(t.plain(item), t.Enum) or t.plain(item) == t.plain(needle.type)


@scalar("has", args=2, nulls="keep", low_cardinality=False)
def has(call: Call) -> Typed:
    container = t.plain(call.args[0].type)
    if isinstance(container, t.Map):
        return call.compiler.call("mapContainsKey", *call.args, node=call.node)
    source, value, name = _needle(call)
    if is_null(call.args[1]):
        return call.condition(f"(len(list_filter({source}, lambda {name}: {name} IS NULL)) > 0)")
    if t.is_nullable(call.args[1].type):
        return call.condition(
            f"(CASE WHEN {value} IS NULL THEN len(list_filter({source}, lambda {name}: {name} IS NULL)) > 0 "
            f"ELSE list_contains({source}, {value}) END)"
        )
    return call.condition(f"list_contains({source}, {value})")


@scalar("indexOf", args=2, nulls="keep", low_cardinality=False)
def index_of(call: Call) -> Typed:
    source, value, _ = _needle(call)
    return call.typed(f"CAST(coalesce(list_position({source}, {value}), 0) AS UBIGINT)", t.UINT64)


@scalar("countEqual", args=2, nulls="keep", low_cardinality=False)
def count_equal(call: Call) -> Typed:
    source, value, name = _needle(call)
    same = f"list_filter({source}, lambda {name}: {name} IS NOT DISTINCT FROM {value})"
    return call.typed(f"CAST(len({same}) AS UBIGINT)", t.UINT64)


def _containment(name: str, function: str, nulls: str) -> None:
    @scalar(name, args=2, low_cardinality=False)
    def build(call: Call) -> Typed:
        item, (one, other) = common_items(call, 0, 1)
        plain = f"{function}({one}, {other})"
        if not t.is_nullable(item):
            return call.condition(plain)
        missing = [f"(len(list_filter({side}, lambda e: e IS NULL)) > 0)" for side in (one, other)]
        return call.condition(nulls.format(plain=plain, one=missing[0], other=missing[1]))


_containment("hasAll", "list_has_all", "({plain} AND ({one} OR NOT {other}))")
_containment("hasAny", "list_has_any", "({plain} OR ({one} AND {other}))")


@scalar("hasSubstr", args=2, low_cardinality=False)
def has_substr(call: Call) -> Typed:
    _, (one, other) = common_items(call, 0, 1)
    starts = f"range(1, len({one}) - len({other}) + 2)"
    same = f"{one}[i : i + len({other}) - 1] IS NOT DISTINCT FROM {other}"
    return call.condition(f"(len({other}) = 0 OR len(list_filter({starts}, lambda i: {same})) > 0)")


@scalar("arrayRemove", args=2, nulls="keep", low_cardinality=False)
def array_remove(call: Call) -> Typed:
    source, value, name = _needle(call)
    kept = f"list_filter({source}, lambda {name}: {name} IS DISTINCT FROM {value})"
    return call.typed(kept, call.args[0].type)
