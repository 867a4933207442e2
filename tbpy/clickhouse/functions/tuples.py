"""Tuples: making them, taking them apart, and arithmetic on them as vectors.

Source: ClickHouse documentation, "Tuple functions".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.literals import tuple_sql
from tbpy.clickhouse.compiler.typed import UNKNOWN, Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.vector_arithmetic import elements, tuple_of
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import field_names
from tbpy.errors import QueryError


@scalar("tuple", args=(0, None), nulls="keep", low_cardinality=False, keeps_parts=True)
def tuple_(call: Call) -> Typed:
    if not call.original:
        return call.unsupported("no arguments")
    return tuple_of_values(call, call.original)


def tuple_of_values(call: Call, items: Sequence[Typed]) -> Typed:
    """A tuple; its value is known where all of its elements are."""
    known = all(item.known for item in items)
    type_ = t.Tuple(tuple(item.type for item in items))
    value = tuple(item.value for item in items) if known else UNKNOWN
    return call.typed(tuple_sql([item.exact() for item in items]), type_, value=value)


def _tuple_type(call: Call, position: int = 0) -> t.Tuple:
    kind = t.plain(call.args[position].type)
    if not isinstance(kind, t.Tuple):
        call.wrong_type()
    return kind


# --- elements ---------------------------------------------------------------------------------------------------------


@scalar("tupleElement", args=(2, 3), nulls="keep", low_cardinality=False, keeps_parts=True)
def tuple_element(call: Call) -> Typed:
    """By number from 1 (from the end when negative) or by name; of an array of tuples, the array of that element."""
    value, inner = call.original[0], t.plain(call.args[0].type)
    if isinstance(inner, t.Json | t.Dynamic):
        return call.compiler.call("getSubcolumn", *call.args[:2], node=call.node)
    depth = 0
    while isinstance(inner, t.Array):
        inner, depth = t.plain(inner.item), depth + 1
    if not isinstance(inner, t.Tuple):
        call.wrong_type()
    position = _position(call, inner, call.constant_value(1, "index"))
    if position is None:
        if len(call.args) == 3:
            return call.original[2]
        raise _no_element(call, call.args[1].value)
    if depth == 0:
        return elements(value)[position]
    return _of_arrays(call, value, inner, position, depth)


def _of_arrays(call: Call, value: Typed, inner: t.Tuple, position: int, depth: int) -> Typed:
    sql = "{}[" + duckdb_string(field_names(inner)[position]) + "]"
    type_: t.Type = inner.items[position]
    for _ in range(depth):
        name = call.context.fresh("x")
        sql = "list_transform({}, lambda " + name + ": " + sql.format(name) + ")"
        type_ = t.Array(type_)
    return call.typed(sql.format(value.sql), type_)


def _position(call: Call, type_: t.Tuple, index: object) -> int | None:
    if isinstance(index, str):
        names = field_names(type_)
        if index in names:
            return names.index(index)
        return int(index) - 1 if index.isdigit() and 0 < int(index) <= len(names) else None
    if not isinstance(index, int):
        call.wrong_type()
    position = index - 1 if index > 0 else len(type_.items) + index
    return position if index and 0 <= position < len(type_.items) else None


def _no_element(call: Call, index: object) -> QueryError:
    if isinstance(index, str):
        text = f"Tuple doesn't have element with name '{index}'"
        return QueryError(text, code=36, name="BAD_ARGUMENTS", place=failures.place(call.node))
    text = f"Tuple doesn't have element with index '{index}'"
    return QueryError(text, code=69, name="ARGUMENT_OUT_OF_BOUND", place=failures.place(call.node))


@scalar("tupleConcat", args=(1, None), nulls="keep", low_cardinality=False)
def tuple_concat(call: Call) -> Typed:
    for position in range(len(call.args)):
        _tuple_type(call, position)
    return tuple_of_values(call, [part for arg in call.args for part in elements(arg)])


@scalar("tupleNames", nulls="keep", low_cardinality=False)
def tuple_names(call: Call) -> Typed:
    names = field_names(_tuple_type(call))
    listed = ", ".join(duckdb_string(name) for name in names)
    return call.typed(f"[{listed}]", t.Array(t.STRING), constant=True, value=list(names))


@scalar("tupleToNameValuePairs", nulls="keep", low_cardinality=False)
def tuple_to_name_value_pairs(call: Call) -> Typed:
    type_ = _tuple_type(call)
    item = type_.items[0]
    if any(other != item for other in type_.items):
        call.wrong_type()
    parts = zip(field_names(type_), elements(call.args[0]), strict=True)
    pairs = ", ".join(tuple_sql([duckdb_string(name), part.exact()]) for name, part in parts)
    return call.typed(f"[{pairs}]", t.Array(t.Tuple((t.STRING, item))))


@scalar("flattenTuple", nulls="keep", low_cardinality=False)
def flatten_tuple(call: Call) -> Typed:
    type_ = _tuple_type(call)
    if type_.names is None:
        call.unsupported("a tuple without names")
    parts = list(_flat(call.args[0], ""))
    names = tuple(name for name, _ in parts)
    sql = tuple_sql([part.exact() for _, part in parts], names)
    return call.typed(sql, t.Tuple(tuple(part.type for _, part in parts), names))


def _flat(value: Typed, prefix: str) -> list[tuple[str, Typed]]:
    kind = t.plain(value.type)
    if not isinstance(kind, t.Tuple):
        return [(prefix, value)]
    found: list[tuple[str, Typed]] = []
    for name, part in zip(field_names(kind), elements(value), strict=True):
        found += _flat(part, f"{prefix}.{name}" if prefix else name)
    return found


# --- arithmetic -------------------------------------------------------------------------------------------------------


def _pairwise(names: Sequence[str], function: str) -> None:
    @scalar(*names, args=2, nulls="keep", low_cardinality=False)
    def build(call: Call) -> Typed:
        pairs = _pairs(call)
        return tuple_of(call, [call.compiler.call(function, one, other, node=call.node) for one, other in pairs])


def _pairs(call: Call) -> list[tuple[Typed, Typed]]:
    one, other = _tuple_type(call, 0), _tuple_type(call, 1)
    if len(one.items) != len(other.items):
        text = f"Expected tuples of the same size as arguments of function {call.name}"
        raise failures.bad_arguments(text, call.node)
    return list(zip(elements(call.args[0]), elements(call.args[1]), strict=True))


def _by_number(name: str, function: str) -> None:
    @scalar(name, args=2, nulls="keep", low_cardinality=False)
    def build(call: Call) -> Typed:
        _tuple_type(call)
        if not t.is_number(call.args[1].type):
            call.wrong_type()
        parts = elements(call.args[0])
        return tuple_of(call, [call.compiler.call(function, part, call.args[1], node=call.node) for part in parts])


for _names, _function in (
    (("tuplePlus", "vectorSum"), "plus"),
    (("tupleMinus", "vectorDifference"), "minus"),
    (("tupleMultiply",), "multiply"),
    (("tupleDivide",), "divide"),
    (("tupleIntDiv",), "intDiv"),
    (("tupleIntDivOrZero",), "intDivOrZero"),
    (("tupleModulo",), "modulo"),
):
    _pairwise(_names, _function)
    if len(_names) == 1:
        _by_number(f"{_names[0]}ByNumber", _function)
_by_number("tuplePositiveModuloByNumber", "positiveModulo")


@scalar("tupleNegate", nulls="keep", low_cardinality=False)
def tuple_negate(call: Call) -> Typed:
    _tuple_type(call)
    return tuple_of(call, [call.compiler.call("negate", part, node=call.node) for part in elements(call.args[0])])


def total(call: Call, parts: Sequence[Typed]) -> Typed:
    """The sum of values, each step in the type that plus gives."""
    first, *rest = parts
    for part in rest:
        first = call.compiler.call("plus", first, part, node=call.node)
    return first


@scalar("dotProduct", "scalarProduct", args=2, nulls="keep", low_cardinality=False)
def dot_product(call: Call) -> Typed:
    if isinstance(t.plain(call.args[0].type), t.Array):
        return call.compiler.call("arrayDotProduct", *call.args, node=call.node)
    return total(call, [call.compiler.call("multiply", one, other, node=call.node) for one, other in _pairs(call)])


@scalar("tupleHammingDistance", args=2, nulls="keep", low_cardinality=False)
def tuple_hamming_distance(call: Call) -> Typed:
    return total(call, [call.compiler.call("notEquals", one, other, node=call.node) for one, other in _pairs(call)])


# --- norms and distances ----------------------------------------------------------------------------------------------

Norm = Callable[[Call, Sequence[Typed]], Typed]


def _sum_of(function: str) -> Norm:
    return lambda call, parts: total(call, [_apply(call, function, part) for part in parts])


def _apply(call: Call, function: str, part: Typed) -> Typed:
    args = (part, part) if function == "multiply" else (part,)
    return call.compiler.call(function, *args, node=call.node)


def _root(call: Call, parts: Sequence[Typed]) -> Typed:
    squares = _sum_of("multiply")(call, parts)
    return replace(squares, sql=f"sqrt(CAST({squares.sql} AS DOUBLE))", type=t.FLOAT64, value=UNKNOWN)


def _largest(call: Call, parts: Sequence[Typed]) -> Typed:
    sides = ", ".join(f"CAST(abs({part.sql}) AS DOUBLE)" for part in parts)
    return call.typed(f"greatest({sides})", t.FLOAT64)


NORMS: dict[str, Norm] = {
    "L1": _sum_of("abs"),
    "L2": _root,
    "L2Squared": _sum_of("multiply"),
    "Linf": _largest,
}


def tuple_norm(call: Call, name: str) -> Typed:
    """The norm of a tuple, in the type that the sums of its elements have."""
    _tuple_type(call)
    return NORMS[name](call, elements(call.args[0]))


def tuple_distance(call: Call, name: str) -> Typed:
    """The norm of the difference of two tuples."""
    differences = [call.compiler.call("minus", one, other, node=call.node) for one, other in _pairs(call)]
    return NORMS[name](call, differences)


for _name in ("L1", "L2", "Linf"):

    @scalar(f"{_name}Normalize", f"normalize{_name}", nulls="keep", low_cardinality=False, insensitive=True)
    def normalize(call: Call, name: str = _name) -> Typed:
        norm = tuple_norm(call, name)
        parts = elements(call.args[0])
        return tuple_of(call, [call.compiler.call("divide", part, norm, node=call.node) for part in parts])
