"""Arrays longer, shorter and turned: concatenation, pushing and popping, slices, rotation."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.conversion import coerce, common_type
from tbpy.clickhouse.compiler.failures import failure
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.array_sizes import MOST_ELEMENTS, checked_size
from tbpy.clickhouse.functions.arrays import common_items, is_null, item_type
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.storage import default_sql


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
    for position, arg in enumerate(call.args[1:], start=1):
        if not isinstance(t.plain(arg.type), t.Int | t.Bool | t.Nothing):
            text = f"Argument {position} for function {call.name} must be integer but it has type {arg.type}"
            raise failure(text, 43, "ILLEGAL_TYPE_OF_ARGUMENT", call.node)
    source = call.sql(0)
    offset = "1" if is_null(call.args[1]) else f"CAST({call.sql(1)} AS BIGINT)"
    first = f"(CASE WHEN {offset} >= 0 THEN {offset} ELSE len({source}) + {offset} + 1 END)"
    if _known_positive(call.args[1]):
        first = call.sql(1)
    start = f"greatest({first}, 1)" if not _known_positive(call.args[1]) else first
    if len(call.args) == 2 or is_null(call.args[2]):
        sliced = f"{source}[{start}:]"
    else:
        size = f"CAST({call.sql(2)} AS BIGINT)"
        last = f"(CASE WHEN {size} >= 0 THEN {first} + {size} - 1 ELSE len({source}) + {size} END)"
        if _known_positive(call.args[2]):
            last = f"({first} + {call.sql(2)} - 1)"
        sliced = f"{source}[{start}:greatest({last}, 0)]"
        sliced = f"(CASE WHEN {last} < {start} THEN {source}[2:1] ELSE {sliced} END)"
    if not _known_positive(call.args[1]):
        sliced = f"(CASE WHEN {offset} = 0 THEN {source}[2:1] ELSE {sliced} END)"
    return call.typed(sliced, call.args[0].type)


def _known_positive(arg: Typed) -> bool:
    return isinstance(arg.value, int) and not isinstance(arg.value, bool) and arg.value > 0


def _filled_up(call: Call) -> tuple[t.Type, str, str]:
    """The elements' type, the array, and what stands where it has no element: the third argument, or the default."""
    item = item_type(call, 0)
    if len(call.args) < 3:
        return item, call.sql(0), default_sql(item)
    item = common_type([item, call.args[2].type], call.node)
    return item, coerce(call.args[0], t.Array(item)).sql, coerce(call.args[2], item).exact()


@scalar("arrayResize", args=(2, 3), nulls="keep", low_cardinality=False)
def array_resize(call: Call) -> Typed:
    item, source, filler = _filled_up(call)
    size = checked_size(call, 1, lowest=-MOST_ELEMENTS)
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
        item, source, filler = _filled_up(call)
        by = f"({sign}CAST({call.sql(1)} AS BIGINT))"
        inside = f"i + {by} BETWEEN 1 AND len({source})"
        element = f"(CASE WHEN {inside} THEN {source}[i + {by}] ELSE {filler} END)"
        return call.typed(f"list_transform(range(1, len({source}) + 1), lambda i: {element})", t.Array(item))


_shift("arrayShiftLeft", "")
_shift("arrayShiftRight", "-")


@scalar("arrayShingles", args=2, low_cardinality=False)
def array_shingles(call: Call) -> Typed:
    """Every part of so many elements in a row."""
    item, size = item_type(call, 0), call.sql(1)
    if not t.is_integer(call.args[1].type):
        call.wrong_type()
    place, values = call.context.fresh("i"), call.context.fresh("v")
    parts = (
        f"list_transform(range(1, len({values}) - {size} + 2), lambda {place}: {values}[{place}:{place} + {size} - 1])"
    )
    text = "BAD_ARGUMENTS: The length of shingles must be a positive integer, and not above the size of the array"
    fits = f"{size} BETWEEN 1 AND len({values})"
    sql = f"list_transform([{call.sql(0)}], lambda {values}: CASE WHEN {fits} THEN {parts} ELSE error('{text}') END)[1]"
    return call.typed(sql, t.Array(t.Array(item)))
