"""Arrays as sets: distinct elements, their numbers, intersection and difference; and random order."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.typed import UNKNOWN, Typed
from tbpy.clickhouse.functions.arrays import common_items, item_type
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import constant_integer, failure
from tbpy.clickhouse.storage import duckdb_type


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


def _ranked(name: str, udf: str) -> None:
    @scalar(name, args=(1, 3), low_cardinality=False)
    def build(call: Call) -> Typed:
        """Perhaps the level whose arrays are counted apart, the array, and perhaps how deep its elements are."""
        place = 0 if isinstance(call.args[0].type, t.Array) else 1
        array = call.args[place : place + 1]
        if not array or not isinstance(array[0].type, t.Array):
            raise failure(call, f"Incorrect arguments for function {name}: no array")
        if len(call.args) > place + 2:
            call.unsupported("several arrays")
        depth = _depth(array[0].type)
        deepest = _level(call, place + 1) if len(call.args) > place + 1 else depth
        clear = _level(call, 0) if place else 1
        if deepest > depth:
            text = f"Required depth '{deepest}' is larger than the array depth ({depth})"
            raise failure(call, f"Incorrect argument {place + 2} of function {name}. {text}")
        if clear > deepest:
            text = f"clear_depth ({clear}) can't be larger than max_array_depth ({deepest})"
            raise failure(call, f"Incorrect arguments for function {name}: {text}")
        texts = f"to_json(CAST({array[0].sql} AS VARCHAR{'[]' * deepest}))"
        numbers = f"{call.context.udf(udf)}(CAST({texts} AS VARCHAR), {clear}, {deepest})"
        type_: t.Type = t.UINT32
        for _ in range(deepest):
            type_ = t.Array(type_)
        return call.typed(f"CAST(CAST({numbers} AS JSON) AS {duckdb_type(type_)})", type_)


def _depth(type_: t.Type) -> int:
    return 1 + _depth(type_.item) if isinstance(type_, t.Array) else 0


def _level(call: Call, position: int) -> int:
    value = constant_integer(call, position, "depth")
    if value < 1:
        raise failure(call, f"Argument {position + 1} of {call.name} must be a positive integer")
    return value


_ranked("arrayEnumerateUniqRanked", "tb_enumerate_uniq")
_ranked("arrayEnumerateDenseRanked", "tb_enumerate_dense")


@scalar("arrayIntersect", args=(1, None), low_cardinality=False)
def array_intersect(call: Call) -> Typed:
    if any(item_type(call, position) == t.NOTHING for position in range(len(call.args))):
        return call.typed("[]", t.Array(t.NOTHING))
    item, (first, *rest) = common_items(call, *range(len(call.args)))
    name = call.context.fresh("e")
    inside = "".join(f" AND list_contains({other}, {name})" for other in rest)
    kept = f"list_filter({first}, lambda {name}, i: list_position({first}, {name}) = i{inside})"
    types = [item_type(call, position) for position in range(len(call.args))]
    if all(map(t.is_nullable, types)):
        call.unsupported("Nullable elements")
    narrow = _narrowest(call, types)
    sql = kept if narrow == item else f"CAST({kept} AS {duckdb_type(t.Array(narrow))})"
    return call.typed(sql, t.Array(narrow), value=UNKNOWN)


def _narrowest(call: Call, types: list[t.Type]) -> t.Type:
    """What is in all arrays fits the narrowest of their types: whole numbers before floats, unsigned before signed."""
    plain = [t.plain(type_) for type_ in types]
    whole = [type_ for type_ in plain if isinstance(type_, t.Int)]
    floats = [type_ for type_ in plain if isinstance(type_, t.Float)]
    if len(set(plain)) == 1:
        return plain[0]
    if len(whole) + len(floats) < len(plain):
        call.unsupported(f"elements of types {', '.join(map(str, dict.fromkeys(plain)))}")
    return min(whole, key=lambda type_: (type_.bits, type_.signed)) if whole else t.FLOAT32


@scalar("arrayJaccardIndex", args=2, low_cardinality=False)
def array_jaccard_index(call: Call) -> Typed:
    _, (one, other) = common_items(call, 0, 1)
    shared = f"len(list_intersect(list_distinct({one}), list_distinct({other})))"
    together = f"len(list_distinct({one} || {other}))"
    return call.typed(f"(CAST({shared} AS DOUBLE) / {together})", t.FLOAT64)


@scalar("arrayExcept", args=2, low_cardinality=False)
def array_except(call: Call) -> Typed:
    if (item_type(call, 0) == t.NOTHING) != (item_type(call, 1) == t.NOTHING):
        call.wrong_type()
    _, (one, other) = common_items(call, 0, 1)
    name = call.context.fresh("e")
    unknown = f"{name} IS NULL AND len(list_filter({other}, lambda x: x IS NULL)) > 0"
    kept = f"list_filter({one}, lambda {name}: NOT (coalesce(list_contains({other}, {name}), false) OR {unknown}))"
    return call.typed(kept, call.args[0].type)


@scalar("arrayShuffle", "arrayPartialShuffle", args=(1, 3), low_cardinality=False)
def array_shuffle(call: Call) -> Typed:
    """In random order; with one element at the most there is only one. What a seed gives is ClickHouse's own."""
    if len(call.args) == (3 if call.name == "arrayPartialShuffle" else 2):
        call.unsupported("a seed")
    item_type(call, 0)
    name = call.context.fresh("e")
    records = f"list_transform({call.sql(0)}, lambda {name}: {{'r': random(), 'v': {name}}})"
    return call.typed(f"list_transform(list_sort({records}), lambda r: r.v)", call.args[0].type)
