"""Arrays without lambdas: construction, access, search, slicing, sets and order."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.binary import by_bytes, bytes_of, is_binary, text_of
from tbpy.clickhouse.compiler.conversion import coerce, common_type
from tbpy.clickhouse.compiler.failures import QueryError, place
from tbpy.clickhouse.compiler.typed import UNKNOWN, Typed
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


# --- construction and access ------------------------------------------------------------------------------------------


@scalar("array", args=(0, None), nulls="keep", low_cardinality=False)
def array(call: Call) -> Typed:
    if not call.args:
        return call.typed("[]", t.Array(t.NOTHING), constant=True, value=[])
    item = common_type([arg.type for arg in call.original], call.node)
    inside = ", ".join(coerce(arg, item).sql for arg in call.args)
    known = all(arg.known for arg in call.args)
    sql = f"[{inside}]"
    if any(arg.constant for arg in call.args) or isinstance(t.plain(item), t.Int | t.Float):
        sql = f"CAST({sql} AS {duckdb_type(t.Array(item))})"
    return call.typed(sql, t.Array(item), value=[arg.value for arg in call.args] if known else UNKNOWN)


@scalar("arrayElement", args=2, nulls="keep", low_cardinality=False)
def array_element(call: Call) -> Typed:
    container = t.plain(call.args[0].type)
    if isinstance(container, t.Map):
        return _map_element(call, container)
    if isinstance(container, t.Json | t.Dynamic):
        return call.compiler.call("getSubcolumn", *call.args, node=call.node)
    item = item_type(call, 0)
    index = call.args[1]
    if not t.is_integer(index.type):
        call.wrong_type()
    place = f"CAST({index.sql} AS BIGINT)" if t.plain(index.type) == t.UINT64 and not index.known else index.sql
    return call.typed(or_default(f"{call.sql(0)}[{place}]", item), item)


def _map_element(call: Call, container: t.Map) -> Typed:
    key = call.args[1]
    if t.plain(key.type) != t.plain(container.key):
        key = replace(key, sql=f"CAST({key.sql} AS {duckdb_type(container.key)})")
    return call.typed(or_default(f"{call.sql(0)}[{key.sql}]", container.value), container.value)


@scalar("arrayElementOrNull", args=2, low_cardinality=False)
def array_element_or_null(call: Call) -> Typed:
    item = item_type(call, 0)
    return call.typed(f"{call.sql(0)}[{call.sql(1)}]", t.nullable(item))


@scalar("length", "OCTET_LENGTH", insensitive=True)
def length(call: Call) -> Typed:
    match call.args[0].type:
        case t.Array():
            sql = f"len({call.sql(0)})"
        case t.Map():
            sql = f"cardinality({call.sql(0)})"
        case t.String():
            sql = f"octet_length({bytes_of(call.args[0])})" if is_binary(call.args[0]) else f"strlen({call.sql(0)})"
        case t.FixedString(size):
            return call.typed(str(size), t.UINT64)
        case _:
            call.wrong_type()
    return call.typed(f"CAST({sql} AS UBIGINT)", t.UINT64)


def _emptiness(name: str, operator: str) -> None:
    @scalar(name)
    def build(call: Call) -> Typed:
        sql = call.sql(0)
        match call.args[0].type:
            case t.Array():
                return call.condition(f"(len({sql}) {operator} 0)")
            case t.Map():
                return call.condition(f"(cardinality({sql}) {operator} 0)")
            case t.String() | t.UUID() | t.IPv4() | t.IPv6():
                return call.condition(f"({sql} {operator} {default_sql(call.args[0].type)})")
            case t.FixedString():
                return call.condition(f"(rtrim({sql}, chr(0)) {operator} '')")
        call.wrong_type()


_emptiness("empty", "=")
_emptiness("notEmpty", "<>")


@scalar("reverse", insensitive=True)
def reverse(call: Call) -> Typed:
    type_ = call.args[0].type
    if isinstance(type_, t.Array):
        return call.typed(f"list_reverse({call.sql(0)})", type_)
    if isinstance(type_, t.String | t.FixedString):
        arg = call.args[0]
        bytes_ = text_of(f"{call.context.udf('tb_reverse_bytes')}({bytes_of(arg)})")
        return call.typed(by_bytes(arg, f"reverse({arg.sql})", bytes_), type_)
    call.wrong_type()


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
    return call.typed(f"(CASE WHEN {size} > {RANGE_LIMIT} THEN {failure} ELSE {made} END)", t.Array(item))


#: ClickHouse allows 500 million elements in a block of rows; one value of that size would take 4 GB here.
RANGE_LIMIT = 50_000_000


def _short(call: Call) -> bool:
    first, last, step = (0, call.args[0].value, 1) if len(call.args) == 1 else (*(a.value for a in call.args), 1)[:3]
    return step != 0 and len(range(first, last, step)) <= RANGE_LIMIT


def _too_long(call: Call) -> NoReturn:
    text = "A call to function range would produce too many array elements, or its step is zero"
    raise QueryError(text, code=69, name="ARGUMENT_OUT_OF_BOUND", place=place(call.node))


@scalar("arrayWithConstant", args=2, nulls="keep")
def array_with_constant(call: Call) -> Typed:
    item = call.args[1].type
    sql = f"list_transform(range(CAST({call.sql(0)} AS BIGINT)), lambda i: {call.args[1].exact()})"
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
    single = f"CAST([{default_sql(item)}] AS {duckdb_type(call.args[0].type)})"
    return call.typed(f"(CASE WHEN len({call.sql(0)}) = 0 THEN {single} ELSE {call.sql(0)} END)", call.args[0].type)


# --- search -----------------------------------------------------------------------------------------------------------


def _needle(call: Call) -> tuple[str, str, str]:
    """An array, a value to look for in it, and a variable name: both sides as the same type."""
    item, needle = item_type(call, 0), call.args[1]
    if {t.plain(item), t.plain(needle.type)} > {t.UINT64} and t.is_integer(item) and t.is_integer(needle.type):
        return f"CAST({call.sql(0)} AS HUGEINT[])", f"CAST({needle.sql} AS HUGEINT)", call.context.fresh("e")
    wanted = common_type([t.not_nullable(item), needle.type], call.node) if not _text_needle(item, needle) else item
    value = coerce(needle, wanted).sql if not _text_needle(item, needle) else needle.sql
    return call.sql(0), value, call.context.fresh("e")


def _text_needle(item: t.Type, needle: Typed) -> bool:
    return isinstance(t.plain(item), t.Enum) or t.plain(item) == t.plain(needle.type)


def _is_null(value: Typed) -> bool:
    return isinstance(t.plain(value.type), t.Nothing)


@scalar("has", args=2, nulls="keep", low_cardinality=False)
def has(call: Call) -> Typed:
    container = t.plain(call.args[0].type)
    if isinstance(container, t.Map):
        return call.compiler.call("mapContainsKey", *call.args, node=call.node)
    source, value, name = _needle(call)
    if _is_null(call.args[1]):
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


# --- slices and ends --------------------------------------------------------------------------------------------------


@scalar("arrayConcat", args=(1, None), low_cardinality=False)
def array_concat(call: Call) -> Typed:
    item, arrays = common_items(call, *range(len(call.args)))
    return call.typed(f"({' || '.join(arrays)})", t.Array(item))


def _push(name: str, pattern: str) -> None:
    @scalar(name, args=2, nulls="keep", low_cardinality=False)
    def build(call: Call) -> Typed:
        item = common_type([item_type(call, 0), call.args[1].type], call.node)
        source, value = coerce(call.args[0], t.Array(item)).sql, coerce(call.args[1], item).exact()
        return call.typed(pattern.format(source, value), t.Array(item))


_push("arrayPushBack", "list_append({0}, {1})")
_push("arrayPushFront", "list_prepend({1}, {0})")


def _unary(name: str, pattern: str) -> None:
    @scalar(name)
    def build(call: Call) -> Typed:
        item_type(call, 0)
        return call.typed(pattern.format(call.sql(0)), call.args[0].type)


_unary("arrayPopBack", "{0}[:-2]")
_unary("arrayPopFront", "{0}[2:]")


@scalar("arraySlice", args=(2, 3), nulls="keep", low_cardinality=False)
def array_slice(call: Call) -> Typed:
    """`offset` from 1, or from the end when negative; a negative `length` leaves out that many at the end."""
    item_type(call, 0)
    source = call.sql(0)
    offset = "1" if _is_null(call.args[1]) else f"CAST({call.sql(1)} AS BIGINT)"
    first = f"(CASE WHEN {offset} >= 0 THEN {offset} ELSE len({source}) + {offset} + 1 END)"
    if _known_positive(call.args[1]):
        first = call.sql(1)
    start = f"greatest({first}, 1)" if not _known_positive(call.args[1]) else first
    if len(call.args) == 2 or _is_null(call.args[2]):
        sliced = f"{source}[{start}:]"
    else:
        size = f"CAST({call.sql(2)} AS BIGINT)"
        last = f"(CASE WHEN {size} >= 0 THEN {first} + {size} - 1 ELSE len({source}) + {size} END)"
        if _known_positive(call.args[2]):
            last = f"({first} + {call.sql(2)} - 1)"
        sliced = f"{source}[{start}:greatest({last}, 0)]"
        sliced = f"(CASE WHEN {last} < {start} THEN {source}[2:1] ELSE {sliced} END)"
    if call.args[1].known and call.args[1].value == 0:
        sliced = f"{source}[2:1]"
    return call.typed(sliced, call.args[0].type)


def _known_positive(arg: Typed) -> bool:
    return isinstance(arg.value, int) and not isinstance(arg.value, bool) and arg.value > 0


@scalar("arrayResize", args=(2, 3), nulls="keep", low_cardinality=False)
def array_resize(call: Call) -> Typed:
    item = item_type(call, 0)
    if len(call.args) == 3:
        item = common_type([item, call.args[2].type], call.node)
    filler = coerce(call.args[2], item).exact() if len(call.args) == 3 else default_sql(item)
    source, size = coerce(call.args[0], t.Array(item)).sql, f"CAST({call.sql(1)} AS BIGINT)"
    grown = f"list_resize({source}, {size}, {filler})"
    missing = f"list_transform(range(-{size} - len({source})), lambda i: {filler})"
    shrunk = f"({missing} || {source}[greatest(len({source}) + {size} + 1, 1):])"
    if _known_positive(call.args[1]):
        return call.typed(grown, t.Array(item))
    return call.typed(f"(CASE WHEN {size} >= 0 THEN {grown} ELSE {shrunk} END)", t.Array(item))


def _rotate(name: str, sign: str) -> None:
    @scalar(name, args=2, low_cardinality=False)
    def build(call: Call) -> Typed:
        item_type(call, 0)
        source, count = call.sql(0), f"({sign}CAST({call.sql(1)} AS BIGINT))"
        size = f"greatest(len({source}), 1)"
        by = f"(({count} % {size} + {size}) % {size})"
        return call.typed(
            f"({source}[{by} + 1:] || (CASE WHEN {by} = 0 THEN {source}[2:1] ELSE {source}[:{by}] END))",
            call.args[0].type,
        )


_rotate("arrayRotateLeft", "")
_rotate("arrayRotateRight", "-")


def _shift(name: str, sign: str) -> None:
    @scalar(name, args=(2, 3), nulls="keep", low_cardinality=False)
    def build(call: Call) -> Typed:
        item = item_type(call, 0)
        if len(call.args) == 3:
            item = common_type([item, call.args[2].type], call.node)
        filler = coerce(call.args[2], item).exact() if len(call.args) == 3 else default_sql(item)
        source, by = coerce(call.args[0], t.Array(item)).sql, f"({sign}CAST({call.sql(1)} AS BIGINT))"
        inside = f"i + {by} BETWEEN 1 AND len({source})"
        element = f"(CASE WHEN {inside} THEN {source}[i + {by}] ELSE {filler} END)"
        return call.typed(f"list_transform(range(1, len({source}) + 1), lambda i: {element})", t.Array(item))


_shift("arrayShiftLeft", "")
_shift("arrayShiftRight", "-")


# --- sets and numbering -----------------------------------------------------------------------------------------------


@scalar("arrayDistinct", low_cardinality=False)
def array_distinct(call: Call) -> Typed:
    item = item_type(call, 0)
    name = call.context.fresh("e")
    source = call.sql(0)
    kept = f"list_filter({source}, lambda {name}, i: {name} IS NOT NULL AND list_position({source}, {name}) = i)"
    return call.typed(kept, t.Array(t.not_nullable(item)))


@scalar("arrayUniq", args=(1, None), low_cardinality=False)
def array_uniq(call: Call) -> Typed:
    items = [item_type(call, position) for position in range(len(call.args))]
    if len(items) > 1:
        return call.typed(f"CAST(len(list_distinct({_zipped(call)})) AS UINTEGER)", t.UINT32)
    missing = f" + CAST(len(list_filter({call.sql(0)}, lambda e: e IS NULL)) > 0 AS UINTEGER)"
    extra = missing if t.is_nullable(items[0]) else ""
    return call.typed(f"CAST(len(list_distinct({call.sql(0)})){extra} AS UINTEGER)", t.UINT32)


def _zipped(call: Call) -> str:
    return f"list_zip({', '.join(arg.sql for arg in call.args)})" if len(call.args) > 1 else call.sql(0)


@scalar("arrayCompact", low_cardinality=False)
def array_compact(call: Call) -> Typed:
    item_type(call, 0)
    source = call.sql(0)
    kept = f"list_filter({source}, lambda e, i: i = 1 OR e IS DISTINCT FROM {source}[i - 1])"
    return call.typed(kept, call.args[0].type)


@scalar("arrayEnumerate", low_cardinality=False)
def array_enumerate(call: Call) -> Typed:
    item_type(call, 0)
    return call.typed(f"CAST(range(1, len({call.sql(0)}) + 1) AS UINTEGER[])", t.Array(t.UINT32))


@scalar("arrayEnumerateUniq", args=(1, None), low_cardinality=False)
def array_enumerate_uniq(call: Call) -> Typed:
    source, name = _zipped(call), call.context.fresh("e")
    same = f"list_filter({source}[1:i], lambda o: o IS NOT DISTINCT FROM {name})"
    return call.typed(f"CAST(list_transform({source}, lambda {name}, i: len({same})) AS UINTEGER[])", t.Array(t.UINT32))


@scalar("arrayEnumerateDense", args=(1, None), low_cardinality=False)
def array_enumerate_dense(call: Call) -> Typed:
    source = _zipped(call)
    firsts = f"list_filter({source}, lambda e, i: list_position({source}, e) = i)"
    return call.typed(
        f"CAST(list_transform({source}, lambda e: list_position({firsts}, e)) AS UINTEGER[])", t.Array(t.UINT32)
    )


@scalar("arrayIntersect", args=(1, None), low_cardinality=False)
def array_intersect(call: Call) -> Typed:
    if any(item_type(call, position) == t.NOTHING for position in range(len(call.args))):
        return call.typed("[]", t.Array(t.NOTHING))
    item, (first, *rest) = common_items(call, *range(len(call.args)))
    name = call.context.fresh("e")
    inside = "".join(f" AND list_contains({other}, {name})" for other in rest)
    kept = f"list_filter({first}, lambda {name}, i: list_position({first}, {name}) = i{inside})"
    if t.is_nullable(item):
        call.unsupported("Nullable elements")
    return call.typed(kept, t.Array(item), value=UNKNOWN)


@scalar("arrayZip", args=(1, None), low_cardinality=False)
def array_zip(call: Call) -> Typed:
    items = tuple(item_type(call, position) for position in range(len(call.args)))
    fields = ", ".join(f"'{position + 1}': {arg.sql}[i]" for position, arg in enumerate(call.args))
    zipped = f"list_transform(range(1, len({call.sql(0)}) + 1), lambda i: {{{fields}}})"
    return call.typed(same_sizes([arg.sql for arg in call.args], zipped, call.name), t.Array(t.Tuple(items)))


def same_sizes(arrays: list[str], sql: str, name: str) -> str:
    """An expression over several arrays that fails, as ClickHouse does, when they differ in size."""
    if len(arrays) < 2:
        return sql
    equal = " AND ".join(f"len({arrays[0]}) = len({other})" for other in arrays[1:])
    text = f"SIZES_OF_ARRAYS_DONT_MATCH: Sizes of array arguments of function {name} do not match"
    return f"(CASE WHEN {equal} THEN {sql} ELSE error('{text}') END)"


@scalar("arrayFlatten", "flatten", low_cardinality=False, insensitive=("flatten",))
def array_flatten(call: Call) -> Typed:
    type_, sql = call.args[0].type, call.sql(0)
    item_type(call, 0)
    while isinstance(type_, t.Array) and isinstance(type_.item, t.Array):
        sql, type_ = f"flatten({sql})", type_.item
    return call.typed(sql, type_)


# --- order ------------------------------------------------------------------------------------------------------------


def sorted_sql(source: str, item: t.Type, *, descending: bool) -> str:
    """Sorted values with NaN and NULL at the end in both directions."""
    direction = "DESC" if descending else "ASC"
    if descending and isinstance(t.plain(item), t.Float):
        numbers = f"list_filter({source}, lambda e: NOT isnan(e))"
        odd = f"list_sort(list_filter({source}, lambda e: e IS NULL OR isnan(e)), 'ASC', 'NULLS LAST')"
        return f"(list_sort({numbers}, 'DESC', 'NULLS LAST') || {odd})"
    return f"list_sort({source}, '{direction}', 'NULLS LAST')"


@scalar("arrayUnion", args=(1, None), low_cardinality=False)
def array_union(call: Call) -> Typed:
    call.unsupported("a result order that ClickHouse leaves open; use arrayDistinct(arrayConcat(...))")


@scalar("arrayJaccardIndex", args=2, low_cardinality=False)
def array_jaccard_index(call: Call) -> Typed:
    _, (one, other) = common_items(call, 0, 1)
    shared = f"len(list_intersect(list_distinct({one}), list_distinct({other})))"
    together = f"len(list_distinct({one} || {other}))"
    return call.typed(f"(CAST({shared} AS DOUBLE) / {together})", t.FLOAT64)


def array_error(call: Call, message: str, code: int, name: str) -> QueryError:
    return QueryError(message, code=code, name=name, place=place(call.node))


@scalar("arrayExcept", args=2, low_cardinality=False)
def array_except(call: Call) -> Typed:
    _, (one, other) = common_items(call, 0, 1)
    name = call.context.fresh("e")
    kept = f"list_filter({one}, lambda {name}: NOT coalesce(list_contains({other}, {name}), false))"
    return call.typed(kept, call.args[0].type)


@scalar("arrayRemove", args=2, nulls="keep", low_cardinality=False)
def array_remove(call: Call) -> Typed:
    source, value, name = _needle(call)
    kept = f"list_filter({source}, lambda {name}: {name} IS DISTINCT FROM {value})"
    return call.typed(kept, call.args[0].type)


@scalar("arrayShuffle", "arrayPartialShuffle", args=(1, 3), low_cardinality=False)
def array_shuffle(call: Call) -> Typed:
    """In random order; with one element at the most there is only one."""
    item_type(call, 0)
    name = call.context.fresh("e")
    records = f"list_transform({call.sql(0)}, lambda {name}: {{'r': random(), 'v': {name}}})"
    return call.typed(f"list_transform(list_sort({records}), lambda r: r.v)", call.args[0].type)


@scalar("arrayPartialSort", "arrayPartialReverseSort", args=(2, 3), low_cardinality=False)
def array_partial_sort(call: Call) -> Typed:
    call.unsupported("an order that ClickHouse leaves open; use arraySlice(arraySort(...))")
