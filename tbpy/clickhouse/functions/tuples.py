"""Tuples: making them, taking them apart, and arithmetic on them as vectors.

Source: ClickHouse documentation, "Tuple functions".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.context import Context
from tbpy.clickhouse.compiler.literals import tuple_sql
from tbpy.clickhouse.compiler.parts import part, parts
from tbpy.clickhouse.compiler.typed import UNKNOWN, Typed
from tbpy.clickhouse.functions.json_paths import only_value, path_below
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.vector_arithmetic import tuple_of
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import default_sql, field_names
from tbpy.errors import QueryError


@scalar("tuple", args=(0, None), nulls="keep", low_cardinality=False, keeps_parts=True)
def tuple_(call: Call) -> Typed:
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
    if t.is_document(inner):
        return _of_document(call)
    while isinstance(inner, t.Array):
        inner = t.plain(inner.item)
    if not isinstance(inner, t.Tuple):
        call.wrong_type()
    position = _position(call, inner, call.constant_value(1, "index"))
    if position is None:
        if len(call.args) == 3:
            return call.original[2]
        raise _no_element(call, call.args[1].value)
    return part_of_each(call.context, value, position)


def _of_document(call: Call) -> Typed:
    """`(json).a.b`: the steps of one path, each of which is a tupleElement of the one before."""
    document, keys = call.node.arguments[0], [str(call.constant_value(1, "index"))]
    while isinstance(document, ast.Function) and document.name == "tupleElement" and len(document.arguments) == 2:
        document, key = document.arguments
        keys.insert(0, str(key.value) if isinstance(key, ast.Literal) else "")
    value = call.args[0] if len(keys) == 1 else call.compiler.compile(document)
    if not t.is_document(value.type):
        value, keys = call.args[0], keys[-1:]
    return only_value(path_below(replace(call, args=(value,)), value, tuple(keys)))


def part_of_each(context: Context, value: Typed, position: int) -> Typed:
    """The element of a tuple, or of each tuple in an array of them."""
    kind = t.plain(value.type)
    if not isinstance(kind, t.Array):
        return part(value, position)
    name = context.fresh("x")
    inside = part_of_each(context, Typed(name, kind.item), position)
    sql = f"list_transform({value.sql}, lambda {name}: {inside.sql})"
    return replace(value, sql=sql, type=t.Array(inside.type), condition=None, value=UNKNOWN)


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


@scalar("tupleConcat", args=(1, None), low_cardinality=False)
def tuple_concat(call: Call) -> Typed:
    for position in range(len(call.args)):
        _tuple_type(call, position)
    return tuple_of_values(call, [item for arg in call.args for item in parts(arg)])


@scalar("tupleNames", nulls="keep", low_cardinality=False)
def tuple_names(call: Call) -> Typed:
    names = field_names(_tuple_type(call))
    listed = ", ".join(duckdb_string(name) for name in names)
    return call.typed(f"[{listed}]", t.Array(t.STRING), constant=True, value=list(names))


@scalar("tupleToNameValuePairs", nulls="keep", low_cardinality=False)
def tuple_to_name_value_pairs(call: Call) -> Typed:
    type_, items = _tuple_type(call), parts(call.args[0])
    if not items or any(item.type != items[0].type for item in items):
        call.wrong_type()
    pairs = (
        tuple_sql([duckdb_string(name), item.exact()]) for name, item in zip(field_names(type_), items, strict=True)
    )
    return call.typed(f"[{', '.join(pairs)}]", t.Array(t.Tuple((t.STRING, items[0].type))))


@scalar("flattenTuple", low_cardinality=False)
def flatten_tuple(call: Call) -> Typed:
    """A tuple of tuples as one, `a.b`; of an array of tuples each element as an array of its own."""
    type_ = _tuple_type(call)
    if not type_.names:
        call.wrong_type()
    flat = list(_flat(call.context, call.args[0]))
    names = tuple(".".join(path) for path, _ in flat)
    sql = tuple_sql([item.exact() for _, item in flat], names)
    return call.typed(sql, t.Tuple(tuple(item.type for _, item in flat), names))


def _flat(context: Context, value: Typed, *path: str) -> Iterator[tuple[tuple[str, ...], Typed]]:
    inner = t.plain(value.type)
    while isinstance(inner, t.Array):
        inner = t.plain(inner.item)
    if not isinstance(inner, t.Tuple):
        yield path, value
        return
    bare = _always_there(value)
    for position, name in enumerate(field_names(inner)):
        yield from _flat(context, part_of_each(context, bare, position), *path, name)


def _always_there(value: Typed) -> Typed:
    """A tuple inside another: the elements of one that is NULL are the defaults of their types."""
    if not isinstance(value.type, t.Nullable):
        return value
    inside = value.type.item
    return replace(value, sql=f"coalesce({value.sql}, {default_sql(inside)})", type=inside)


# --- arithmetic -------------------------------------------------------------------------------------------------------


def _pairwise(names: Sequence[str], function: str) -> None:
    @scalar(*names, args=(2, None), low_cardinality=False)
    def build(call: Call) -> Typed:
        """Several tuples are taken one after another."""
        if len(call.args) > 2:
            first = call.compiler.call(call.name, *call.args[:2], node=call.node)
            return call.compiler.call(call.name, first, *call.args[2:], node=call.node)
        pairs = _pairs(call)
        return tuple_of(call, [call.compiler.call(function, one, other, node=call.node) for one, other in pairs])


def _pairs(call: Call) -> list[tuple[Typed, Typed]]:
    one, other = _tuple_type(call, 0), _tuple_type(call, 1)
    if len(one.items) != len(other.items):
        text = f"Expected tuples of the same size as arguments of function {call.name}"
        raise failures.bad_arguments(text, call.node)
    return list(zip(parts(call.args[0]), parts(call.args[1]), strict=True))


def _by_number(name: str, function: str) -> None:
    @scalar(name, args=2, low_cardinality=False)
    def build(call: Call) -> Typed:
        _tuple_type(call)
        if not t.is_number(call.args[1].type):
            call.wrong_type()
        items = parts(call.args[0])
        return tuple_of(call, [call.compiler.call(function, item, call.args[1], node=call.node) for item in items])


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


@scalar("tupleNegate", low_cardinality=False)
def tuple_negate(call: Call) -> Typed:
    _tuple_type(call)
    return tuple_of(call, [call.compiler.call("negate", item, node=call.node) for item in parts(call.args[0])])


def total(call: Call, items: Sequence[Typed]) -> Typed:
    """The sum of values, each step in the type that plus gives."""
    first, *rest = items
    for item in rest:
        first = call.compiler.call("plus", first, item, node=call.node)
    return first


@scalar("dotProduct", "scalarProduct", args=2, low_cardinality=False)
def dot_product(call: Call) -> Typed:
    if isinstance(t.plain(call.args[0].type), t.Array):
        return call.compiler.call("arrayDotProduct", *call.args, node=call.node)
    return total(call, [call.compiler.call("multiply", one, other, node=call.node) for one, other in _pairs(call)])


@scalar("tupleHammingDistance", args=2, low_cardinality=False)
def tuple_hamming_distance(call: Call) -> Typed:
    return total(call, [call.compiler.call("notEquals", one, other, node=call.node) for one, other in _pairs(call)])


# --- norms and distances ----------------------------------------------------------------------------------------------

Norm = Callable[[Call, Sequence[Typed]], Typed]


def _sum_of(function: str) -> Norm:
    return lambda call, items: total(call, [_apply(call, function, item) for item in items])


def _apply(call: Call, function: str, item: Typed) -> Typed:
    args = (item, item) if function == "multiply" else (item,)
    return call.compiler.call(function, *args, node=call.node)


def _root(call: Call, items: Sequence[Typed]) -> Typed:
    squares = _sum_of("multiply")(call, items)
    return replace(squares, sql=f"sqrt(CAST({squares.sql} AS DOUBLE))", type=t.FLOAT64, value=UNKNOWN)


def _largest(call: Call, items: Sequence[Typed]) -> Typed:
    sides = ", ".join(f"CAST(abs({item.sql}) AS DOUBLE)" for item in items)
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
    return NORMS[name](call, parts(call.args[0]))


def tuple_distance(call: Call, name: str) -> Typed:
    """The norm of the difference of two tuples."""
    differences = [call.compiler.call("minus", one, other, node=call.node) for one, other in _pairs(call)]
    return NORMS[name](call, differences)


for _name in ("L1", "L2", "Linf"):

    @scalar(f"{_name}Normalize", f"normalize{_name}", low_cardinality=False, insensitive=True)
    def normalize(call: Call, name: str = _name) -> Typed:
        norm = tuple_norm(call, name)
        items = parts(call.args[0])
        return tuple_of(call, [call.compiler.call("divide", item, norm, node=call.node) for item in items])
