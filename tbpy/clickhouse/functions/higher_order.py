"""Arrays with lambdas: map, filter, sort by a key, folds and partial sums.

A lambda over several arrays is a DuckDB lambda over the first one with its index; the elements of the others are read
at that index.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.wide import as_double, is_signed, is_wide
from tbpy.clickhouse.compiler.failures import QueryError, place
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.ordering import has_own_order, sort_key
from tbpy.clickhouse.compiler.typed import Typed, condition_of
from tbpy.clickhouse.functions.arithmetic import widened, wrapped
from tbpy.clickhouse.functions.arrays import item_type, or_default, same_sizes, sorted_sql
from tbpy.clickhouse.functions.registry import Call, LambdaArgument, scalar
from tbpy.clickhouse.storage import default_sql, duckdb_type


@dataclass(frozen=True, slots=True)
class Mapped:
    """A lambda applied to arrays: the first array, the head of the DuckDB lambda, and its body."""

    source: str
    head: str  # `x1, i2`
    body: Typed
    item: t.Type  # element type of the first array
    arrays: tuple[str, ...]
    element: str  # the variable of the first array's element
    index: str

    def checked(self, sql: str, name: str) -> str:
        return same_sizes(list(self.arrays), sql, name)


def mapped(call: Call, function: LambdaArgument, arrays: tuple[Typed, ...]) -> Mapped:
    """Bind a lambda's parameters to the elements of arrays at one index."""
    first = t.plain(arrays[0].type)
    if isinstance(first, t.Map):
        call.unsupported("a Map argument")
    element, index = call.context.fresh("x"), call.context.fresh("i")
    elements = []
    for position, array in enumerate(arrays):
        type_ = t.plain(array.type)
        if not isinstance(type_, t.Array):
            call.wrong_type()
        sql = element if position == 0 else f"{array.sql}[{index}]"
        elements.append(Typed(sql, type_.item))
    body = function.apply(*elements)
    head = element if len(arrays) == 1 else f"{element}, {index}"
    assert isinstance(first, t.Array)
    return Mapped(arrays[0].sql, head, body, first.item, tuple(a.sql for a in arrays), element, index)


def _identity(call: Call, *, at: int = 0) -> Mapped:
    """No lambda given: the elements themselves."""
    item = item_type(call, at)
    element, index = call.context.fresh("x"), call.context.fresh("i")
    source = call.sql(at)
    return Mapped(source, element, Typed(element, item), item, (source,), element, index)


def prepared(call: Call) -> Mapped:
    """The lambda of a call over its arrays, or the identity where there is none."""
    function = call.lambdas[0] if call.lambdas else None
    if function is None:
        if len(call.args) > 1:
            call.wrong_count("an array, or a lambda and arrays")
        return _identity(call)
    if len(call.args) < 2:
        call.wrong_count("a lambda and at least one array")
    return mapped(call, function, call.args[1:])


def higher(*names: str, needs_lambda: bool = False) -> Callable[[Callable[[Call, Mapped], Typed]], None]:
    """Register a function whose first argument may be a lambda."""

    def register(build: Callable[[Call, Mapped], Typed]) -> None:
        @scalar(*names, args=(1, None), nulls="keep", low_cardinality=False, lambdas=True)
        def row(call: Call) -> Typed:
            if needs_lambda and len(call.args) < 2:
                text = f"Function {call.name} needs at least 2 arguments, passed {len(call.args)}"
                raise QueryError(text, code=42, name="NUMBER_OF_ARGUMENTS_DOESNT_MATCH", place=place(call.node))
            if needs_lambda and not (call.lambdas and call.lambdas[0]):
                call.wrong_type()
            plan = prepared(call)
            result = build(call, plan)
            flags = {"aggregate": plan.body.aggregate or result.aggregate, "window": result.window}
            return Typed(
                plan.checked(result.sql, call.name),
                result.type,
                condition=result.condition if len(plan.arrays) == 1 else None,
                constant=all(arg.constant for arg in call.args if arg.type != t.NOTHING) and plan.body.constant,
                **flags,
            )

    return register


def transform(plan: Mapped) -> str:
    """The list of the lambda's results."""
    if plan.body.sql == plan.element:
        return plan.source
    return f"list_transform({plan.source}, lambda {plan.head}: {plan.body.exact()})"


def kept(plan: Mapped, condition: str | None = None) -> str:
    """The elements for which the lambda is true."""
    return f"list_filter({plan.source}, lambda {plan.head}: {condition or condition_of(plan.body)})"


@higher("arrayMap", needs_lambda=True)
def array_map(call: Call, plan: Mapped) -> Typed:
    return call.typed(transform(plan), t.Array(plan.body.type))


@higher("arrayFilter", needs_lambda=True)
def array_filter(call: Call, plan: Mapped) -> Typed:
    _require_condition(call, plan)
    return call.typed(kept(plan), t.Array(plan.item))


def _require_condition(call: Call, plan: Mapped) -> None:
    """A lambda gives UInt8; without one the elements are conditions themselves."""
    if t.plain(plan.body.type) not in (t.UINT8, t.BOOL, t.NOTHING):
        text = f"Expression for function {call.name} must return UInt8 or Nullable(UInt8), found {plan.body.type}"
        raise QueryError(text, code=43, name="ILLEGAL_TYPE_OF_ARGUMENT", place=place(call.node))
    if plan.body.sql == plan.element and plan.body.type not in (t.UINT8, t.BOOL):
        call.wrong_type()


@higher("arrayCount")
def array_count(call: Call, plan: Mapped) -> Typed:
    _require_condition(call, plan)
    return call.typed(f"CAST(len({kept(plan)}) AS UINTEGER)", t.UINT32)


@higher("arrayExists")
def array_exists(call: Call, plan: Mapped) -> Typed:
    _require_condition(call, plan)
    return call.condition(f"(len({kept(plan)}) > 0)")


@higher("arrayAll")
def array_all(call: Call, plan: Mapped) -> Typed:
    _require_condition(call, plan)
    unless = f"({condition_of(plan.body)}) IS NOT TRUE"
    return call.condition(f"(len({kept(plan, unless)}) = 0)")


def _pick(name: str, index: int, *, optional: bool) -> None:
    @higher(name, needs_lambda=True)
    def build(call: Call, plan: Mapped) -> Typed:
        _require_condition(call, plan)
        if t.plain(plan.item) == t.NOTHING:
            call.wrong_type()
        sql = f"{kept(plan)}[{index}]"
        if optional:
            return call.typed(sql, t.nullable(plan.item))
        return call.typed(or_default(sql, plan.item), plan.item)


_pick("arrayFirst", 1, optional=False)
_pick("arrayLast", -1, optional=False)
_pick("arrayFirstOrNull", 1, optional=True)
_pick("arrayLastOrNull", -1, optional=True)


def _pick_index(name: str, index: int) -> None:
    @higher(name, needs_lambda=True)
    def build(call: Call, plan: Mapped) -> Typed:
        _require_condition(call, plan)
        marks = f"list_transform({plan.source}, lambda {plan.head}: ({condition_of(plan.body)}) IS TRUE)"
        places = f"list_filter(range(1, len({plan.source}) + 1), lambda p: {marks}[p])"
        return call.typed(f"CAST(coalesce({places}[{index}], 0) AS UINTEGER)", t.UINT32)


_pick_index("arrayFirstIndex", 1)
_pick_index("arrayLastIndex", -1)


# --- sums -------------------------------------------------------------------------------------------------------------


def sum_type(call: Call, type_: t.Type) -> t.Type:
    match t.plain(type_):
        case t.Int(bits, signed):
            return t.Int(max(bits, 64), signed)
        case t.Bool():
            return t.UINT64
        case t.Float():
            return t.FLOAT64
        case t.Decimal(precision, scale):
            return t.Decimal(38 if precision <= 38 else 76, scale)
    call.wrong_type()


def _refuse_nulls(call: Call, plan: Mapped) -> None:
    if t.is_nullable(plan.body.type):
        call.wrong_type()
    if plan.body.type == t.NOTHING:
        text = "array aggregation function cannot be performed on type Nothing"
        raise QueryError(text, code=43, name="ILLEGAL_TYPE_OF_ARGUMENT", place=place(call.node))


@higher("arraySum")
def array_sum(call: Call, plan: Mapped) -> Typed:
    _refuse_nulls(call, plan)
    type_ = sum_type(call, plan.body.type)
    if is_wide(type_):
        signed = str(is_signed(type_)).lower()
        total = f"{call.context.udf('tb_wide_total')}({transform(plan)}, {signed})"
        return call.typed(or_default(total, type_), type_)
    total = f"coalesce(list_sum({transform(plan)}), 0)"
    if isinstance(type_, t.Int) and type_.bits == 64 and t.plain(plan.body.type) == type_:
        return call.typed(wrapped(f"CAST({total} AS HUGEINT)", type_), type_)
    return call.typed(f"CAST({total} AS {duckdb_type(type_)})", type_)


@higher("arrayAvg")
def array_avg(call: Call, plan: Mapped) -> Typed:
    _refuse_nulls(call, plan)
    inner = sum_type(call, plan.body.type)
    if is_wide(inner):
        total = f"{call.context.udf('tb_wide_total')}({transform(plan)}, {str(is_signed(inner)).lower()})"
        return call.typed(f"coalesce({as_double(total, inner)} / len({transform(plan)}), 0e0)", t.FLOAT64)
    if isinstance(inner, t.Decimal):  # the quotient keeps the scale before it becomes a Float64
        values, size = transform(plan), 10**inner.scale
        whole = f"CAST(trunc(CAST(list_sum({values}) * {size} AS DOUBLE) / len({values})) AS DOUBLE)"
        return call.typed(f"coalesce({whole} / {size}e0, 0e0)", t.FLOAT64)
    return call.typed(f"coalesce(list_avg(CAST({transform(plan)} AS DOUBLE[])), 0e0)", t.FLOAT64)


@higher("arrayProduct")
def array_product(call: Call, plan: Mapped) -> Typed:
    _refuse_nulls(call, plan)
    return call.typed(f"coalesce(list_product(CAST({transform(plan)} AS DOUBLE[])), 0e0)", t.FLOAT64)


def _extreme(name: str, function: str) -> None:
    @higher(name)
    def build(call: Call, plan: Mapped) -> Typed:
        if t.plain(plan.body.type) == t.NOTHING:
            call.wrong_type()
        values = transform(plan)
        if t.is_nullable(plan.body.type):
            values = f"list_filter({values}, lambda v: v IS NOT NULL)"
        extreme = f"{function}({values})"
        if has_own_order(t.plain(plan.body.type)):
            keyed = f"{{'k': {sort_key(Typed('v', plan.body.type))}, 'v': v}}"
            extreme = f"{function}(list_transform({values}, lambda v: {keyed}))['v']"
        if isinstance(t.plain(plan.body.type), t.Float):  # NaN is the answer only where there is nothing else
            extreme = f"coalesce({function}(list_filter({values}, lambda e: NOT isnan(e))), {extreme})"
        return call.typed(or_default(extreme, plan.body.type), plan.body.type)


_extreme("arrayMin", "list_min")
_extreme("arrayMax", "list_max")


@higher("arrayCumSum")
def array_cum_sum(call: Call, plan: Mapped) -> Typed:
    _refuse_nulls(call, plan)
    item = sum_type(call, plan.body.type)
    type_, values = t.Array(item), transform(plan)
    if is_wide(item):
        total = f"{call.context.udf('tb_wide_total')}(({values})[1:p], {str(is_signed(item)).lower()})"
        return call.typed(f"list_transform({values}, lambda v, p: {total})", type_)
    sums = f"list_transform({values}, lambda v, p: list_sum(({values})[1:p]))"
    return call.typed(f"CAST({sums} AS {duckdb_type(type_)})", type_)


@higher("arrayCumSumNonNegative")
def array_cum_sum_non_negative(call: Call, plan: Mapped) -> Typed:
    _refuse_nulls(call, plan)
    item = sum_type(call, plan.body.type)
    if is_wide(item):
        call.unsupported(f"elements of type {item}")
    # The running sum that stops at zero is the sum up to here less the lowest sum so far, or less nothing.
    values = f"CAST({transform(plan)} AS {duckdb_type(t.Array(item))})"
    sums = f"list_transform({values}, lambda v, p: list_sum(({values})[1:p]))"
    lifted = f"list_transform({sums}, lambda s, p: s - least(0, list_min(({sums})[1:p])))"
    return call.typed(f"CAST({lifted} AS {duckdb_type(t.Array(item))})", t.Array(item))


@higher("arrayDifference")
def array_difference(call: Call, plan: Mapped) -> Typed:
    _refuse_nulls(call, plan)
    plan = _of_numbers(call, plan)
    inner = t.plain(plan.body.type)
    if is_wide(inner):
        return _wide_difference(call, plan, inner)
    item = inner if isinstance(inner, t.Decimal) else widened(inner, inner, signed=True)
    if item is None:
        call.wrong_type()
    values = f"CAST({transform(plan)} AS {duckdb_type(t.Array(item))})"
    steps = f"list_transform({values}, lambda v, p: CASE WHEN p = 1 THEN 0 ELSE v - ({values})[p - 1] END)"
    return call.typed(f"CAST({steps} AS {duckdb_type(t.Array(item))})", t.Array(item))


_NUMBERS_OF_TIMES = {t.Date: "toUInt16", t.Date32: "toInt32", t.DateTime: "toUInt32"}


def _of_numbers(call: Call, plan: Mapped) -> Mapped:
    """Dates and times as days, seconds, and decimals of seconds."""
    kind = t.plain(plan.body.type)
    name = _NUMBERS_OF_TIMES.get(type(kind))
    if name is not None:
        return replace(plan, body=call.compiler.call(name, plan.body, node=call.node))
    if isinstance(kind, t.DateTime64):
        scale = constant(kind.precision)
        return replace(plan, body=call.compiler.call("toDecimal64", plan.body, scale, node=call.node))
    return plan


def _wide_difference(call: Call, plan: Mapped, type_: t.Type) -> Typed:
    values, place = transform(plan), call.context.fresh("p")
    this, before = (Typed(f"({values})[{spot}]", type_) for spot in (place, f"{place} - 1"))
    step = call.compiler.call("minus", this, before, node=call.node)
    first = default_sql(step.type)
    steps = f"list_transform({values}, lambda v, {place}: CASE WHEN {place} = 1 THEN {first} ELSE {step.exact()} END)"
    return call.typed(steps, t.Array(step.type))


# --- order ------------------------------------------------------------------------------------------------------------


def _sort(name: str, *, descending: bool) -> None:
    @higher(name)
    def build(call: Call, plan: Mapped) -> Typed:
        if plan.body.sql == plan.element and not has_own_order(t.plain(plan.item)):
            return call.typed(sorted_sql(plan.source, plan.item, descending=descending), t.Array(plan.item))
        return call.typed(sorted_by_key(plan, descending), t.Array(plan.item))


def sorted_by_key(plan: Mapped, descending: bool, *, without_null: bool = False) -> str:
    """Elements in order of their keys; equal keys keep the order they had. Perhaps without NULL, and keys that are."""
    direction = "DESC" if descending else "ASC"
    place = f"-{plan.index}" if descending else plan.index
    missing = f"({plan.body.sql}) IS NULL"
    if isinstance(t.plain(plan.body.type), t.Float):
        missing = f"({missing} OR isnan({plan.body.sql}))"
    last = f"NOT {missing}" if descending else missing
    key = sort_key(plan.body) if has_own_order(t.plain(plan.body.type)) else plan.body.exact()
    record = f"{{'n': {last}, 'k': {key}, 'p': {place}, 'v': {plan.element}}}"
    records = f"list_transform({plan.source}, lambda {plan.element}, {plan.index}: {record})"
    if without_null:
        records = f"list_filter({records}, lambda r: r.v IS NOT NULL AND r.k IS NOT NULL)"
    return f"list_transform(list_sort({records}, '{direction}', 'NULLS LAST'), lambda r: r.v)"


_sort("arraySort", descending=False)
_sort("arrayReverseSort", descending=True)


def with_lambda(call: Call) -> tuple[Mapped, int]:
    """What sorts by a lambda that may be missing: its plan, and the place of the number of elements before arrays."""
    function = call.lambdas[0] if call.lambdas else None
    place = 1 if function else 0
    if not t.is_integer(call.args[place].type):
        call.wrong_type()
    return (_identity(call, at=1) if function is None else mapped(call, function, call.args[2:])), place


def _partial_sort(name: str, *, descending: bool) -> None:
    note = "what follows the sorted elements is sorted, too, where ClickHouse leaves its order open"

    @scalar(name, args=(2, None), nulls="keep", low_cardinality=False, lambdas=True, note=note)
    def build(call: Call) -> Typed:
        """A lambda, the number of elements to sort, and the array; all of them are sorted."""
        plan, _ = with_lambda(call)
        return call.typed(plan.checked(sorted_by_key(plan, descending), name), t.Array(plan.item))


_partial_sort("arrayPartialSort", descending=False)
_partial_sort("arrayPartialReverseSort", descending=True)


@higher("arrayCompact")
def array_compact(call: Call, plan: Mapped) -> Typed:
    """Of elements in a row for which the lambda gives the same the first one."""
    keys, place = transform(plan), call.context.fresh("i")

    def first(values: str) -> str:
        same = f"{values}[{place}] IS DISTINCT FROM {values}[{place} - 1]"
        return f"list_filter({plan.source}, lambda {plan.element}, {place}: {place} = 1 OR {same})"

    return call.typed(f"list_transform([{keys}], lambda k: {first('k')})[1]", t.Array(plan.item))


# --- runs -------------------------------------------------------------------------------------------------------------


def _fill(name: str, *, backwards: bool) -> None:
    @higher(name, needs_lambda=True)
    def build(call: Call, plan: Mapped) -> Typed:
        flags = f"list_transform({plan.source}, lambda {plan.head}: ({condition_of(plan.body)}) IS TRUE)"
        size = f"len({plan.source})"
        if backwards:
            places = f"list_filter(range(p, {size} + 1), lambda q: {flags}[q] OR q = {size})[1]"
        else:
            places = f"list_filter(range(1, p + 1), lambda q: {flags}[q] OR q = 1)[-1]"
        return call.typed(
            f"list_transform(range(1, {size} + 1), lambda p: ({plan.source})[{places}])", t.Array(plan.item)
        )


_fill("arrayFill", backwards=False)
_fill("arrayReverseFill", backwards=True)


def _split(name: str, *, after: bool) -> None:
    @higher(name, needs_lambda=True)
    def build(call: Call, plan: Mapped) -> Typed:
        flags = f"list_transform({plan.source}, lambda {plan.head}: ({condition_of(plan.body)}) IS TRUE)"
        size = f"len({plan.source})"
        if after:
            ends = f"list_filter(range(1, {size} + 1), lambda p: {flags}[p] OR p = {size})"
            begin = f"(CASE WHEN k = 1 THEN 1 ELSE ({ends})[k - 1] + 1 END)"
            cut = f"list_transform({ends}, lambda b, k: ({plan.source})[{begin}:b])"
        else:
            starts = f"list_filter(range(1, {size} + 1), lambda p: {flags}[p] OR p = 1)"
            cut = (
                f"list_transform({starts}, lambda b, k: "
                f"({plan.source})[b:(CASE WHEN k = len({starts}) THEN {size} ELSE ({starts})[k + 1] - 1 END)])"
            )
        return call.typed(cut, t.Array(t.Array(plan.item)))


_split("arraySplit", after=False)
_split("arrayReverseSplit", after=True)


@scalar("arrayFold", args=(3, None), nulls="keep", low_cardinality=False, lambdas=True)
def array_fold(call: Call) -> Typed:
    function = call.lambdas[0]
    if function is None:
        call.wrong_type()
    arrays, start = call.args[1:-1], call.original[-1]
    accumulator, element = call.context.fresh("a"), call.context.fresh("x")
    # list_reduce wants one type for elements and accumulator, so both travel in one struct.
    fields = [t.plain(array.type) for array in arrays]
    inputs = [
        Typed(f"{element}.e{position}", type_.item)
        for position, type_ in enumerate(fields)
        if isinstance(type_, t.Array)
    ]
    body = function.apply(Typed(f"{accumulator}.a", start.type), *inputs)
    if body.type != start.type:
        text = (
            "Return type of lambda function must be the same as the accumulator type, inferred return type of lambda:"
            f" {body.type}, inferred type of accumulator: {start.type}"
        )
        raise QueryError(text, code=53, name="TYPE_MISMATCH", place=place(call.node))
    target = duckdb_type(start.type)
    record = ", ".join(f"e{position}: {array.sql}[i]" for position, array in enumerate(arrays))
    records = f"list_transform(range(1, len({arrays[0].sql}) + 1), lambda i: {{a: CAST(NULL AS {target}), {record}}})"
    nothing = ", ".join(f"e{position}: CAST(NULL AS {duckdb_type(v.type)})" for position, v in enumerate(inputs))
    first = f"{{a: CAST({start.sql} AS {target}), {nothing}}}"
    step = f"{{a: CAST({body.sql} AS {target}), {nothing}}}"
    folded = f"list_reduce({records}, lambda {accumulator}, {element}: {step}, {first}).a"
    return call.typed(same_sizes([array.sql for array in arrays], f"({folded})", call.name), start.type)
