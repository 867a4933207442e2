"""Arithmetic of tuples and arrays: element by element, or every element with one number."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.failures import wrong_type
from tbpy.clickhouse.compiler.literals import tuple_sql
from tbpy.clickhouse.compiler.parts import parts
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call
from tbpy.clickhouse.storage import duckdb_type

_FUNCTIONS = {"+": "plus", "-": "minus", "*": "multiply", "/": "divide"}


def tuple_of(call: Call, items: list[Typed]) -> Typed:
    type_ = t.Tuple(tuple(item.type for item in items))
    return call.typed(tuple_sql([item.exact() for item in items]), type_)


def vector_sum(call: Call, symbol: str) -> Typed | None:
    """The result where a tuple or array takes part as a vector; None where none does."""
    kinds = [t.plain(arg.type) for arg in call.args]
    if any(isinstance(kind, t.Tuple) for kind in kinds):
        return _tuples(call, symbol, kinds)
    if any(isinstance(kind, t.Array) for kind in kinds):
        return _arrays(call, symbol, kinds)
    return None


def _tuples(call: Call, symbol: str, kinds: list[t.Type]) -> Typed | None:
    if len(call.args) == 1:
        return tuple_of(call, [call.compiler.call("negate", item, node=call.node) for item in parts(call.args[0])])
    name = _FUNCTIONS[symbol]
    left, right = call.args
    if all(isinstance(kind, t.Tuple) for kind in kinds) and symbol in "+-":
        ones, others = parts(left), parts(right)
        if len(ones) != len(others):
            call.wrong_type()
        pairs = zip(ones, others, strict=True)
        return tuple_of(call, [call.compiler.call(name, one, other, node=call.node) for one, other in pairs])
    if symbol == "*" and all(isinstance(kind, t.Tuple) for kind in kinds):
        return call.compiler.call("dotProduct", left, right, node=call.node)
    if symbol == "*" and t.is_number(left.type):
        left, right = right, left
    return by_number(call, name, left, right) if symbol in "*/" else None


def by_number(call: Call, name: str, left: Typed, right: Typed) -> Typed | None:
    """Each element of a tuple with one number; None for anything else."""
    if not isinstance(t.plain(left.type), t.Tuple) or not t.is_number(right.type):
        return None
    return tuple_of(call, [call.compiler.call(name, item, right, node=call.node) for item in parts(left)])


def _arrays(call: Call, symbol: str, kinds: list[t.Type]) -> Typed | None:
    elements = [kind.item if isinstance(kind, t.Array) else kind for kind in kinds]
    if t.NOTHING in elements:
        raise wrong_type(_FUNCTIONS[symbol], elements, call.node)
    if len(call.args) == 2 and symbol in "*/":
        return array_by_number(call, _FUNCTIONS[symbol])
    if len(call.args) != 2 or symbol not in "+-" or not all(isinstance(kind, t.Array) for kind in kinds):
        return None
    left, right = call.args
    items = [kind.item for kind in kinds if isinstance(kind, t.Array)]
    one, other = Typed("z[1]", items[0]), Typed("z[2]", items[1])
    result = call.compiler.call(_FUNCTIONS[symbol], one, other, node=call.node)
    body = f"list_transform(list_zip({left.sql}, {right.sql}), lambda z: {result.sql})"
    empty = f"CAST([] AS {duckdb_type(t.Array(result.type))})"
    same = f"len({left.sql}) = len({right.sql})"
    failure = "error('SIZES_OF_ARRAYS_DONT_MATCH: The arguments have different array sizes')"
    sql = f"(CASE WHEN {same} THEN coalesce({body}, {empty}) ELSE {failure} END)"
    return call.typed(sql, t.Array(result.type))


def array_by_number(call: Call, name: str) -> Typed | None:
    """Each element of an array with one number; None for anything else."""
    array, number = call.args
    number_first = t.is_number(array.type)
    if number_first:
        array, number = number, array
    type_, element = t.plain(array.type), call.context.fresh("e")
    if not isinstance(type_, t.Array) or not t.is_number(number.type) or t.is_nullable(type_.item):
        return None
    item = Typed(element, type_.item)
    sides = (number, item) if number_first and name != "multiply" else (item, number)
    result = call.compiler.call(name, *sides, node=call.node)
    return call.typed(f"list_transform({array.sql}, lambda {element}: {result.exact()})", t.Array(result.type))
