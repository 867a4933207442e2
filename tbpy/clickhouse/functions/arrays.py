"""Arrays: making them and reading their elements, and what all functions of arrays share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.conversion import coerce, common_or_variant, common_type
from tbpy.clickhouse.compiler.failures import QueryError, place
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.typed import UNKNOWN, Typed
from tbpy.clickhouse.functions.array_sizes import MOST_ELEMENTS, checked_size
from tbpy.clickhouse.functions.json_values import elements
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.storage import default_sql, duckdb_type


def item_type(call: Call, position: int) -> t.Type:
    """The type of the elements of an array argument; refuses anything else as ClickHouse does."""
    type_ = t.plain(call.args[position].type)
    if not isinstance(type_, t.Array):
        call.wrong_type()
    return type_.item


def or_default(sql: str, type_: t.Type) -> str:
    """An element that may not be there: NULL where the type has it, otherwise the default."""
    return sql if t.is_nullable(type_) else f"coalesce({sql}, {default_sql(type_)})"


def common_items(call: Call, *positions: int) -> tuple[t.Type, list[str]]:
    """Several arrays as arrays of their common element type."""
    item = common_type([item_type(call, position) for position in positions], call.node)
    arrays = [coerce(call.args[position], t.Array(item)).sql for position in positions]
    return item, arrays


def same_sizes(arrays: list[str], sql: str, name: str) -> str:
    """An expression over several arrays that fails, as ClickHouse does, when they differ in size."""
    if len(arrays) < 2:
        return sql
    equal = " AND ".join(f"len({arrays[0]}) = len({other})" for other in arrays[1:])
    text = f"SIZES_OF_ARRAYS_DONT_MATCH: Sizes of array arguments of function {name} do not match"
    return f"(CASE WHEN {equal} THEN {sql} ELSE error('{text}') END)"


def is_null(value: Typed) -> bool:
    return isinstance(t.plain(value.type), t.Nothing)


def sorted_sql(source: str, item: t.Type, *, descending: bool) -> str:
    """Sorted values with NaN and NULL at the end in both directions."""
    direction = "DESC" if descending else "ASC"
    if descending and isinstance(t.plain(item), t.Float):
        numbers = f"list_filter({source}, lambda e: NOT isnan(e))"
        odd = f"list_sort(list_filter({source}, lambda e: e IS NULL OR isnan(e)), 'ASC', 'NULLS LAST')"
        return f"(list_sort({numbers}, 'DESC', 'NULLS LAST') || {odd})"
    return f"list_sort({source}, '{direction}', 'NULLS LAST')"


@scalar("array", args=(0, None), nulls="keep", low_cardinality=False, keeps_parts=True)
def array(call: Call) -> Typed:
    if not call.args:
        return call.typed("[]", t.Array(t.NOTHING), constant=True, value=[])
    item = _item_type(call)
    inside = ", ".join(coerce(arg, item).sql for arg in call.args)
    known = all(arg.known for arg in call.args)
    sql = f"[{inside}]"
    if any(arg.constant for arg in call.args) or isinstance(t.plain(item), t.Int | t.Float):
        sql = f"CAST({sql} AS {duckdb_type(t.Array(item))})"
    return call.typed(sql, t.Array(item), value=[arg.value for arg in call.args] if known else UNKNOWN)


def _item_type(call: Call) -> t.Type:
    """ClickHouse reads an array of literals as one value, whose elements must be of one type."""
    types = [arg.type for arg in call.original]
    if _is_literal(call.node):
        return common_type(types, call.node)
    return common_or_variant(call.context, types, call.node)


def _is_literal(node: ast.Expression) -> bool:
    if isinstance(node, ast.Function) and node.syntax in ("array", "tuple"):
        return all(map(_is_literal, node.arguments))
    return isinstance(node, ast.Literal)


@scalar("arrayElement", args=2, nulls="keep", low_cardinality=False)
def array_element(call: Call) -> Typed:
    container = t.plain(call.args[0].type)
    if isinstance(container, t.Map):
        return _map_element(call, container)
    if isinstance(container, t.Dynamic) and t.is_integer(call.args[1].type):
        return call.typed(f"{elements(call.sql(0))}[{call.args[1].sql}]", container)
    if isinstance(container, t.Json | t.Dynamic):
        return call.compiler.call("getSubcolumn", *call.args, node=call.node)
    item = item_type(call, 0)
    return _elements(call, item, lambda place: or_default(f"{call.sql(0)}[{place}]", item))


def _elements(call: Call, item: t.Type, at: Callable[[str], str]) -> Typed:
    """The element at a place, or those at an array of places."""
    places = t.full(call.args[1].type)
    several = isinstance(places, t.Array)
    kind = t.plain(places.item if isinstance(places, t.Array) else places)
    if isinstance(kind, t.Nothing) and not several:
        return constant(None)
    if not t.is_integer(kind):
        call.wrong_type()
    place = call.context.fresh("p") if several else call.sql(1)
    found = at(f"TRY_CAST({place} AS BIGINT)" if kind == t.UINT64 else place)
    if not several and t.is_nullable(places):
        return call.typed(f"(CASE WHEN {place} IS NOT NULL THEN {found} END)", t.nullable(item))
    if not several:
        return call.typed(found, item)
    return call.typed(f"list_transform({call.sql(1)}, lambda {place}: {found})", t.Array(item))


def _map_element(call: Call, container: t.Map) -> Typed:
    return call.typed(or_default(_map_value(call, container), container.value), container.value)


def _map_value(call: Call, container: t.Map) -> str:
    key = call.args[1]
    if not _may_be_key(t.plain(key.type), t.plain(container.key)):
        text = f"Illegal types of arguments: {container}, {key.type} for function {call.name}"
        raise QueryError(text, code=43, name="ILLEGAL_TYPE_OF_ARGUMENT", place=place(call.node))
    if t.plain(key.type) != t.plain(container.key):
        key = _converted_key(call, key, t.plain(container.key))
    return f"{call.sql(0)}[{key.sql}]"


def _may_be_key(type_: t.Type, wanted: t.Type) -> bool:
    """Whether a value of a type can be looked up among the keys of a map: text among texts, numbers among numbers."""
    if isinstance(wanted, t.Int | t.Bool):
        return isinstance(type_, t.Int | t.Bool | t.Nothing)
    if isinstance(wanted, t.String | t.FixedString):
        return isinstance(type_, t.String | t.FixedString | t.Enum | t.Nothing)
    return type_ == wanted or not isinstance(wanted, t.Date | t.DateTime | t.Float)


def _converted_key(call: Call, key: Typed, type_: t.Type) -> Typed:
    """A key of another type; whole numbers wrap around where the keys of the map are narrower."""
    if isinstance(type_, t.Int) and not t.is_text(key.type):
        return call.compiler.call(f"to{type_}", replace(key, type=t.plain(key.type)), node=call.node)
    return replace(key, sql=f"CAST({key.sql} AS {duckdb_type(type_)})")


@scalar("arrayElementOrNull", args=2, low_cardinality=False)
def array_element_or_null(call: Call) -> Typed:
    container = t.plain(call.args[0].type)
    if isinstance(container, t.Map):
        value = _map_value(call, container)
        gives = t.nullable(container.value)
        return call.typed(value if t.is_nullable(gives) else f"coalesce({value}, {default_sql(gives)})", gives)
    return _elements(call, t.nullable(item_type(call, 0)), lambda place: f"{call.sql(0)}[{place}]")


@scalar("arrayReverse")
def array_reverse(call: Call) -> Typed:
    item_type(call, 0)
    return call.typed(f"list_reverse({call.sql(0)})", call.args[0].type)


@scalar("range", args=(1, 3), low_cardinality=False)
def range_(call: Call) -> Typed:
    if not all(t.is_integer(arg.type) for arg in call.args):
        call.wrong_type()
    item = common_type([t.plain(arg.type) for arg in call.args], call.node)
    bounds = ", ".join(f"CAST({arg.sql} AS BIGINT)" for arg in call.args)
    made = f"CAST(range({bounds}) AS {duckdb_type(t.Array(item))})"
    first, last = ("0", call.sql(0)) if len(call.args) == 1 else (call.sql(0), call.sql(1))
    step = call.sql(2) if len(call.args) == 3 else "1"
    if all(isinstance(arg.value, int) for arg in call.args):
        return call.typed(made if _short(call) else _too_long(call), t.Array(item))
    size = f"abs(CAST({last} AS DOUBLE) - {first}) / abs({step})"
    failure = "error('ARGUMENT_OUT_OF_BOUND: A call to function range would produce too many array elements')"
    return call.typed(f"(CASE WHEN {size} > {MOST_ELEMENTS} THEN {failure} ELSE {made} END)", t.Array(item))


def _short(call: Call) -> bool:
    below = len(call.args) == 1 and call.args[0].value < 0
    return not below and bool(_step(call)) and len(range(*_bounds(call), _step(call))) <= MOST_ELEMENTS


def _bounds(call: Call) -> tuple[int, int]:
    return (0, call.args[0].value) if len(call.args) == 1 else (call.args[0].value, call.args[1].value)


def _step(call: Call) -> int:
    return int(call.args[2].value) if len(call.args) == 3 else 1


def _too_long(call: Call) -> NoReturn:
    if len(call.args) == 1 and call.args[0].value < 0:
        text = "A call to function range overflows, only support positive values when only end is provided"
    elif not _step(call):
        text = "A call to function range underflows, the 3rd argument step can't be less or equal to zero"
    else:
        first, last = _bounds(call)
        count = -((first - last) // _step(call))
        text = f"A call to function range would produce {count} array elements, which is greater than the allowed "
        text += f"maximum of {MOST_ELEMENTS}"
    raise QueryError(text, code=69, name="ARGUMENT_OUT_OF_BOUND", place=place(call.node))


@scalar("arrayWithConstant", args=2, nulls="keep")
def array_with_constant(call: Call) -> Typed:
    item = call.args[1].type
    sql = f"list_transform(range({checked_size(call, 0, lowest=0)}), lambda i: {call.args[1].exact()})"
    return call.typed(sql, t.Array(item))


@scalar("replicate", args=(2, None), nulls="keep")
def replicate(call: Call) -> Typed:
    item_type(call, 1)
    name = call.context.fresh("i")
    return call.typed(
        f"list_transform({call.sql(1)}, lambda {name}: {call.args[0].exact()})", t.Array(call.args[0].type)
    )


_EMPTY = {
    **{f"{prefix}Int{bits}": t.Int(bits, not prefix) for prefix in ("", "U") for bits in (8, 16, 32, 64)},
    "Float32": t.FLOAT32,
    "Float64": t.FLOAT64,
    "Date": t.DATE,
    "DateTime": t.DATETIME,
    "String": t.STRING,
}


def _empty_array(name: str, item: t.Type) -> None:
    @scalar(f"emptyArray{name}", args=0)
    def build(call: Call) -> Typed:
        return call.typed(default_sql(t.Array(item)), t.Array(item), constant=True, value=[])


for _name, _item in _EMPTY.items():
    _empty_array(_name, _item)


@scalar("emptyArrayToSingle")
def empty_array_to_single(call: Call) -> Typed:
    item = item_type(call, 0)
    if item == t.NOTHING:
        raise QueryError("Cannot get value from Nothing", code=48, name="NOT_IMPLEMENTED", place=place(call.node))
    single = f"CAST([{default_sql(item)}] AS {duckdb_type(call.args[0].type)})"
    return call.typed(f"(CASE WHEN len({call.sql(0)}) = 0 THEN {single} ELSE {call.sql(0)} END)", call.args[0].type)


@scalar("arrayZip", args=(1, None), low_cardinality=False)
def array_zip(call: Call) -> Typed:
    items = tuple(item_type(call, position) for position in range(len(call.args)))
    fields = ", ".join(f"'{position + 1}': {arg.sql}[i]" for position, arg in enumerate(call.args))
    zipped = f"list_transform(range(1, len({call.sql(0)}) + 1), lambda i: {{{fields}}})"
    return call.typed(same_sizes([arg.sql for arg in call.args], zipped, call.name), t.Array(t.Tuple(items)))


@scalar("arrayZipUnaligned", args=(1, None), low_cardinality=False)
def array_zip_unaligned(call: Call) -> Typed:
    """As long as the longest array; NULL stands where another is shorter."""
    items = tuple(t.nullable(item_type(call, position)) for position in range(len(call.args)))
    if any(isinstance(t.plain(item), t.Array | t.Map | t.Tuple) for item in items):
        call.wrong_type()
    fields = ", ".join(f"'{position + 1}': {arg.sql}[i]" for position, arg in enumerate(call.args))
    longest = f"greatest({', '.join(f'len({arg.sql})' for arg in call.args)})"
    return call.typed(f"list_transform(range(1, {longest} + 1), lambda i: {{{fields}}})", t.Array(t.Tuple(items)))


@scalar("arrayFlatten", "flatten", low_cardinality=False, insensitive=("flatten",))
def array_flatten(call: Call) -> Typed:
    type_, sql = call.args[0].type, call.sql(0)
    item_type(call, 0)
    while isinstance(type_, t.Array) and isinstance(type_.item, t.Array):
        sql, type_ = f"flatten({sql})", type_.item
    return call.typed(sql, type_)
