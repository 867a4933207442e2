"""Arrays of arrays, the greatest and the least elements of arrays, and how alike two arrays are."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.arrays import item_type
from tbpy.clickhouse.functions.higher_order import sorted_by_key, with_lambda
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import failure, integer


@scalar("arrayFlattenedLength", low_cardinality=False)
def array_flattened_length(call: Call) -> Typed:
    sql, item = call.sql(0), t.plain(item_type(call, 0))
    while isinstance(item, t.Array):
        sql, item = f"flatten({sql})", t.plain(item.item)
    return call.typed(f"CAST(len({sql}) AS UBIGINT)", t.UINT64)


@scalar("arrayTranspose", low_cardinality=False)
def array_transpose(call: Call) -> Typed:
    type_, source = call.args[0].type, call.sql(0)
    if not isinstance(type_, t.Array) or not isinstance(type_.item, t.Array):
        call.wrong_type()
    row, column = call.context.fresh("r"), call.context.fresh("c")
    text = f"All inner arrays in argument of function {call.name} must have equal sizes"
    failed = f"error('SIZES_OF_ARRAYS_DONT_MATCH: {text}')"
    uneven = f"len(list_distinct(list_transform({source}, lambda {row}: len({row})))) > 1"
    columns = f"range(1, coalesce(len({source}[1]), 0) + 1)"
    turned = f"list_transform({columns}, lambda {column}: list_transform({source}, lambda {row}: {row}[{column}]))"
    return call.typed(f"(CASE WHEN {uneven} THEN {failed} ELSE {turned} END)", type_)


def _extremes(name: str, *, descending: bool) -> None:
    @scalar(name, args=(2, None), nulls="keep", low_cardinality=False, lambdas=True)
    def build(call: Call) -> Typed:
        """A lambda, how many elements, and the arrays; elements that are NULL, or whose key is, are left out."""
        plan, place = with_lambda(call)
        count = call.args[place]
        if isinstance(count.value, int) and count.value < 0:
            raise failure(
                call, f"Argument K of function {name} must be non-negative, got {count.value}", 36, "BAD_ARGUMENTS"
            )
        type_ = t.Array(t.not_nullable(plan.item))
        if isinstance(t.plain(plan.item), t.Nothing):
            return call.typed("[]", type_)
        found = f"{sorted_by_key(plan, descending, without_null=True)}[1:{integer(call, place)}]"
        return call.typed(plan.checked(found, name), type_)


_extremes("arrayTopK", descending=True)
_extremes("arrayBottomK", descending=False)


@scalar("notHas", args=2, nulls="keep", low_cardinality=False)
def not_has(call: Call) -> Typed:
    found = call.compiler.call("has", *call.original, node=call.node)
    return call.compiler.call("not", found, node=call.node)


# --- statistics of arrays ---


def _doubles(call: Call, position: int) -> str:
    if not isinstance(t.plain(item_type(call, position)), t.Int | t.Float | t.Decimal):
        call.wrong_type()
    if t.is_nullable(item_type(call, position)):
        call.wrong_type()
    return f"CAST({call.sql(position)} AS DOUBLE[])"


@scalar("arrayAutocorrelation", args=(1, 2), low_cardinality=False)
def array_autocorrelation(call: Call) -> Typed:
    values = _doubles(call, 0)
    lags = integer(call, 1) if len(call.args) == 2 else f"len({call.sql(0)})"
    if len(call.args) == 2 and isinstance(call.args[1].value, int) and call.args[1].value < 0:
        raise failure(call, f"{call.name}: max_lag must be non-negative", 36, "BAD_ARGUMENTS")
    return call.typed(f"{call.context.udf('tb_autocorrelation')}({values}, CAST({lags} AS BIGINT))", t.Array(t.FLOAT64))


@scalar("arrayNormalizedGini", args=2, low_cardinality=False)
def array_normalized_gini(call: Call) -> Typed:
    values = f"{call.context.udf('tb_normalized_gini')}({_doubles(call, 0)}, {_doubles(call, 1)})"
    name = call.context.fresh("g")
    record = f"{{'1': {name}[1], '2': {name}[2], '3': {name}[3]}}"
    return call.typed(f"list_transform([{values}], lambda {name}: {record})[1]", t.Tuple((t.FLOAT64,) * 3))


# --- edits ---


def _kind(type_: t.Type) -> object:
    """What elements must share to be equal."""
    match t.plain(type_):
        case t.Int(bits, signed) if bits <= 64:
            return signed
        case t.String() | t.FixedString():
            return t.STRING
    return t.plain(type_)


def _texts(call: Call) -> str:
    """Both arrays as texts; elements of different kinds are never equal, so that one side is marked."""
    same = _kind(item_type(call, 0)) == _kind(item_type(call, 1))
    name = call.context.fresh("e")
    left = f"CAST({call.sql(0)} AS VARCHAR[])"
    if not same:
        left = f"list_transform({left}, lambda {name}: coalesce('<' || {name}, '<'))"
    return f"{left}, CAST({call.sql(1)} AS VARCHAR[])"


@scalar("arrayLevenshteinDistance", args=2, low_cardinality=False)
def array_levenshtein_distance(call: Call) -> Typed:
    return call.typed(f"CAST({call.context.udf('tb_list_levenshtein')}({_texts(call)}) AS UINTEGER)", t.UINT32)


def _weighted(name: str, udf: str) -> None:
    @scalar(name, args=4, low_cardinality=False)
    def build(call: Call) -> Typed:
        weights = f"{_doubles(call, 2)}, {_doubles(call, 3)}"
        text = f"SIZES_OF_ARRAYS_DONT_MATCH: Arguments of function {name} must be arrays of the same size"
        pairs = ((0, 2), (1, 3))
        equal = " AND ".join(f"len({call.sql(one)}) = len({call.sql(other)})" for one, other in pairs)
        found = f"{call.context.udf(udf)}({_texts(call)}, {weights})"
        return call.typed(f"(CASE WHEN {equal} THEN {found} ELSE error('{text}') END)", t.FLOAT64)


_weighted("arrayLevenshteinDistanceWeighted", "tb_list_levenshtein_weighted")
_weighted("arraySimilarity", "tb_list_similarity")
