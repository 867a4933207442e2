"""Bitmaps: states of groupBitmap, which are lists of different values.

ClickHouse keeps up to 32 values in the order in which they came, more of them in the order of the numbers.
"""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import failure

_SMALL = 32


def _item(call: Call, position: int) -> t.Type:
    """The type of the values of a bitmap argument."""
    type_ = call.args[position].type
    if not isinstance(type_, t.AggregateFunction) or type_.function != "groupBitmap":
        call.wrong_type()
    return t.plain(type_.arguments[0])


def _bitmap(item: t.Type) -> t.AggregateFunction:
    return t.AggregateFunction("groupBitmap", (item,))


def _values(call: Call, position: int) -> str:
    _item(call, position)
    return call.sql(position)


@scalar("bitmapBuild")
def bitmap_build(call: Call) -> Typed:
    type_ = call.args[0].type
    if not isinstance(type_, t.Array) or not isinstance(type_.item, t.Int) or type_.item.bits > 64:
        call.wrong_type()
    return call.typed(_built(call.args[0].exact()), _bitmap(type_.item))


def _built(array: str) -> str:
    """The different values of a list, few of them in their order."""
    kept = f"list_filter({array}, lambda e, i: list_position({array}, e) = i)"
    small = f"len(list_distinct({array})) <= {_SMALL}"
    return f"(CASE WHEN {small} THEN {kept} ELSE list_sort(list_distinct({array})) END)"


@scalar("bitmapToArray")
def bitmap_to_array(call: Call) -> Typed:
    return call.typed(_values(call, 0), t.Array(_item(call, 0)))


@scalar("bitmapCardinality")
def bitmap_cardinality(call: Call) -> Typed:
    return call.typed(f"CAST(len({_values(call, 0)}) AS UBIGINT)", t.UINT64)


def _extreme(name: str, function: str, nothing: int) -> None:
    @scalar(name)
    def build(call: Call) -> Typed:
        return call.typed(f"CAST(coalesce({function}({_values(call, 0)}), {nothing}) AS UBIGINT)", t.UINT64)


_extreme("bitmapMin", "list_min", (1 << 32) - 1)
_extreme("bitmapMax", "list_max", 0)


def _pair(call: Call) -> tuple[str, str, t.Type]:
    """Two bitmaps of the same type of values."""
    one, other = _item(call, 0), _item(call, 1)
    if one != other:
        message = f"The nested type in bitmaps must be the same, but one is {one}, and the other is {other}"
        raise failure(call, message, 43, "ILLEGAL_TYPE_OF_ARGUMENT")
    return call.sql(0), call.sql(1), one


def _without(left: str, right: str) -> str:
    return f"list_filter({left}, lambda e: NOT list_contains({right}, e))"


def _combined(operation: str, left: str, right: str) -> str:
    match operation:
        case "And":
            return f"list_filter({left}, lambda e: list_contains({right}, e))"
        case "Or":
            return f"list_concat({left}, {_without(right, left)})"
        case "Xor":
            return f"list_sort(list_concat({_without(left, right)}, {_without(right, left)}))"
    return _without(left, right)


def combine_all(operation: str, bitmaps: str) -> str:
    """All bitmaps of a list as one; nothing where there is none."""
    if operation == "Or":
        return _built(f"flatten({bitmaps})")
    folded = f"list_reduce({bitmaps}, lambda a, b: {_combined(operation, 'a', 'b')})"
    held = f"CASE WHEN len({folded}) <= {_SMALL} THEN {folded} ELSE list_sort({folded}) END"
    return f"(CASE WHEN len({bitmaps}) = 0 THEN [] ELSE {held} END)"


def _operation(operation: str) -> None:
    @scalar(f"bitmap{operation}", args=2)
    def build(call: Call) -> Typed:
        left, right, item = _pair(call)
        values = _combined(operation, left, right)
        return call.typed(
            f"(CASE WHEN len({values}) <= {_SMALL} THEN {values} ELSE list_sort({values}) END)", _bitmap(item)
        )

    @scalar(f"bitmap{operation}Cardinality", args=2)
    def cardinality(call: Call) -> Typed:
        left, right, _ = _pair(call)
        return call.typed(f"CAST(len({_combined(operation, left, right)}) AS UBIGINT)", t.UINT64)


for _name in ("And", "Or", "Xor", "Andnot"):
    _operation(_name)


@scalar("bitmapContains", args=2)
def bitmap_contains(call: Call) -> Typed:
    if not t.is_integer(call.args[1].type):
        call.wrong_type()
    return call.condition(f"list_contains(CAST({_values(call, 0)} AS HUGEINT[]), CAST({call.sql(1)} AS HUGEINT))")


@scalar("bitmapHasAny", args=2)
def bitmap_has_any(call: Call) -> Typed:
    left, right, _ = _pair(call)
    return call.condition(f"list_has_any({left}, {right})")


@scalar("bitmapHasAll", args=2)
def bitmap_has_all(call: Call) -> Typed:
    left, right, _ = _pair(call)
    return call.condition(f"list_has_all({left}, {right})")


def _part(name: str, sql: str) -> None:
    @scalar(name, args=3)
    def build(call: Call) -> Typed:
        if not all(t.is_integer(arg.type) for arg in call.args[1:]):
            call.wrong_type()
        bounds = [f"CAST({arg.sql} AS HUGEINT)" for arg in call.args[1:]]
        return call.typed(sql.format(_values(call, 0), *bounds), _bitmap(_item(call, 0)))


_part("bitmapSubsetInRange", "list_filter({0}, lambda e: e >= {1} AND e < {2})")
#: ClickHouse fills a small set anew here: in which order is only known where the values came in order.
_UNORDERED = "error('Function bitmapSubsetLimit of an unordered bitmap is not supported by tbpy yet')"
_LIMITED = f"(CASE WHEN len({{0}}) <= 32 AND {{0}} <> list_sort({{0}}) THEN {_UNORDERED} ELSE {{0}} END)"

_part("bitmapSubsetLimit", f"list_slice(list_filter({_LIMITED}, lambda e: e >= {{1}}), 1, CAST({{2}} AS BIGINT))")
_part("subBitmap", "list_slice(list_sort({0}), CAST({1} AS BIGINT) + 1, CAST({1} + {2} AS BIGINT))")
