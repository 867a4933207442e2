"""Combinators: `sumIf`, `uniqArray`, `avgOrNull` and so on, composed over every aggregate, not listed.

A name is read from its end: the longest name that the catalogue has is the base, what follows are combinators, and they
apply from the outermost (last) inwards, as in ClickHouse. Around each of them rows with a NULL argument are left out:
what is inside sees none. -State, -Merge and their kin are in `state_combinators`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.call import AggregateCall, Elements
from tbpy.clickhouse.aggregates.groups import by_key
from tbpy.clickhouse.aggregates.registry import Aggregate, argument_type, build_aggregate, find_aggregate
from tbpy.clickhouse.compiler.failures import bad_arguments, failure, wrong_count
from tbpy.clickhouse.compiler.typed import Typed, condition_of
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import default_sql, duckdb_type, field_names


@dataclass(frozen=True, slots=True)
class Inner:
    """What a combinator stands around: an aggregate with the combinators that are left."""

    row: Aggregate
    suffixes: tuple[str, ...]

    def build(self, call: AggregateCall) -> Typed:
        return build_combined(self.row, self.suffixes, call)


Combinator = Callable[[AggregateCall, Inner], Typed]

COMBINATORS: dict[str, Combinator] = {}


def combinator(suffix: str) -> Callable[[Combinator], Combinator]:
    """Register what a suffix does: it gets the call and the aggregate inside."""

    def register(function: Combinator) -> Combinator:
        COMBINATORS[suffix] = function
        return function

    return register


def split_name(name: str) -> tuple[Aggregate, tuple[str, ...]] | None:
    """`sumArrayIf` → (row of sum, ("Array", "If")); None when no aggregate begins the name."""
    row = find_aggregate(name)
    if row is not None:
        return row, ()
    for suffix in sorted(COMBINATORS, key=len, reverse=True):
        if name.endswith(suffix) and len(name) > len(suffix):
            found = split_name(name[: -len(suffix)])
            if found is not None:
                return found[0], (*found[1], suffix)
    return None


#: Aggregates that are one of DuckDB's over the bare argument, which takes DISTINCT. What is put together of several, as
#: a variance of sums of powers, reads a list of the distinct values: x and -x have one square.
OF_ONE_AGGREGATE = frozenset(
    ("count", "sum", "avg", "min", "max", "any", "groupArray", "groupUniqArray", "groupConcat")
)
OF_ONE_AGGREGATE |= {"groupBitXor", "sumWithOverflow", "sumKahan"}
OF_ONE_AGGREGATE |= {"uniq", "uniqExact", "uniqHLL12", "uniqCombined", "uniqCombined64"}


def build_combined(row: Aggregate, suffixes: tuple[str, ...], call: AggregateCall) -> Typed:
    """Compile an aggregate with its combinators, the last suffix first."""
    if not suffixes:
        return build_aggregate(row, call)
    if suffixes[-1] == "OrNull" and suffixes[-2:-1] in (("State",), ("Merge",)) and not row.never_null:
        suffixes = (*suffixes[:-2], "OrNull", suffixes[-2])
    *inner, suffix = suffixes
    if inner and inner[-1] == suffix and suffix not in _NESTING:
        text = f"Nested identical combinator '{suffix}' is not supported"
        raise failure(text, 184, "ILLEGAL_AGGREGATION", call.node)
    build = COMBINATORS[suffix]
    sees_null = suffix in _SEES_NULL and inner[-1:] != ["State"]
    if sees_null or call.node.nulls == "respect" or not any(t.is_nullable(arg.type) for arg in call.args):
        return build(call, Inner(row, tuple(inner)))
    return _over_present(call, row, lambda present: build(present, Inner(row, tuple(inner))))


# Combinators that may stand around themselves.
_NESTING = ("Array", "OrNull", "OrDefault")
# Combinators that hand NULL on to the aggregate inside: it leaves out the rows, or keeps them in its state.
_SEES_NULL = ("If", "Distinct", "State", "Merge", "MergeState", "SimpleState")


def _over_present(call: AggregateCall, row: Aggregate, build: Callable[[AggregateCall], Typed]) -> Typed:
    """What a combinator makes of the rows without a NULL argument; NULL of no such row, where its type allows."""
    nullable = [arg.sql for arg in call.args if t.is_nullable(arg.type)]
    args = tuple(replace(arg, type=t.not_nullable(argument_type(arg.type))) for arg in call.args)
    present = replace(call, args=args, where=(*call.where, *(f"{sql} IS NOT NULL" for sql in nullable)))
    result = build(present)
    type_ = t.nullable(result.type)
    if type_ == result.type or (row.never_null and not isinstance(result.type, t.Tuple)):
        return result
    sql = f"(CASE WHEN {present.rows()} > 0 THEN {result.sql} END)"
    return replace(result, sql=sql, type=type_, condition=None)


# --- which rows count ---


def conditional(call: AggregateCall) -> AggregateCall:
    """The call without its last argument, which is the condition of -If."""
    if not call.args:
        raise wrong_count(call.name, 0, "at least 1", call.node)
    *rest, condition = call.args
    if t.plain(condition.type) not in (t.UINT8, t.BOOL, t.NOTHING):
        text = f"Illegal type {condition.type} of last argument for aggregate function with If suffix"
        raise failure(text, 43, "ILLEGAL_TYPE_OF_ARGUMENT", call.node)
    return replace(call, args=tuple(rest), where=(*call.where, condition_of(condition)))


@combinator("If")
def _if(call: AggregateCall, inner: Inner) -> Typed:
    result = inner.build(conditional(call))
    tuple_ = t.not_nullable(result.type)
    if tuple_ == result.type or not isinstance(tuple_, t.Tuple) or "OrNull" in inner.suffixes:
        return result
    if not any(t.is_nullable(arg.type) for arg in call.args):
        return result
    return replace(result, sql=f"coalesce({result.sql}, {default_sql(tuple_)})", type=tuple_)


@combinator("Distinct")
def _distinct(call: AggregateCall, inner: Inner) -> Typed:
    if len(call.args) <= 1 and not inner.suffixes and inner.row.name in OF_ONE_AGGREGATE:
        return inner.build(replace(call, distinct=True))
    rows = replace(call, distinct=True).collect_rows()
    return inner.build(call.over(rows, [arg.type for arg in call.args]))


def _with_extreme(best: str) -> Combinator:
    """-ArgMin and -ArgMax aggregate the rows whose last argument is the least or the greatest."""

    def build(call: AggregateCall, inner: Inner) -> Typed:
        if not call.args:
            raise wrong_count(call.name, 0, "at least 1", call.node)
        if t.varies(call.args[-1].type):
            call.wrong_type()
        rest = call.args[:-1]
        name = call.context.fresh("e")
        fields = ", ".join(f"'{index + 1}': {arg.sql}" for index, arg in enumerate(call.args))
        rows = call.collect(f"{{{fields}}}")
        where = f"{name}['{len(call.args)}'] = {name}x"
        extreme = f"list_{best}(list_transform({name}s, lambda {name}: {name}['{len(call.args)}']))"
        chosen = (
            f"list_transform([{rows}], lambda {name}s: list_transform([{extreme}], "
            f"lambda {name}x: list_filter({name}s, lambda {name}: {where}))[1])[1]"
        )
        args = tuple(Typed(f"{name}['{index + 1}']", arg.type) for index, arg in enumerate(rest))
        return inner.build(replace(call, args=args, elements=Elements(chosen, name), where=(), distinct=False))

    return build


COMBINATORS["ArgMin"] = _with_extreme("min")
COMBINATORS["ArgMax"] = _with_extreme("max")


# --- what stands where no row counts ---


@combinator("OrNull")
def _or_null(call: AggregateCall, inner: Inner) -> Typed:
    result = inner.build(call)
    type_ = t.nullable(result.type)
    if type_ == result.type and not isinstance(type_, t.Nullable):
        return _filled(call, result, _counted(call, inner))
    sql = f"CASE WHEN {_counted(call, inner)} > 0 THEN {result.sql} END"
    return replace(result, sql=f"({sql})", type=type_, condition=None)


@combinator("OrDefault")
def _or_default(call: AggregateCall, inner: Inner) -> Typed:
    """The default where there is no row at all: an -If inside does not matter."""
    return _filled(call, inner.build(call), _present(call).rows())


def _filled(call: AggregateCall, result: Typed, count: str) -> Typed:
    """The result, its type's default where the count is 0."""
    default = f"CAST({default_sql(result.type)} AS {duckdb_type(result.type)})"
    sql = f"CASE WHEN {count} > 0 THEN {result.sql} ELSE {default} END"
    return replace(result, sql=f"({sql})", condition=None)


def _counted(call: AggregateCall, inner: Inner) -> str:
    """How many rows reach the aggregate inside: its -If and NULLs leave rows out, but countIf sees every row."""
    if "If" in inner.suffixes and not _MERGING.intersection(inner.suffixes):
        call = replace(call, args=call.args[:-1]) if inner.row.name == "count" else conditional(call)
    return _present(call).rows()


_MERGING = frozenset(("Merge", "MergeState"))


def _present(call: AggregateCall) -> AggregateCall:
    """The call over the rows without NULL."""
    present = tuple(f"{arg.sql} IS NOT NULL" for arg in call.args if t.is_nullable(arg.type))
    return replace(call, where=(*call.where, *present))


# --- arguments that hold several values ---


@combinator("Array")
def _array(call: AggregateCall, inner: Inner) -> Typed:
    """The aggregate over the elements of all arrays."""
    items = _item_types(call)
    name = call.context.fresh("e")
    if len(call.args) == 1:
        elements = f"flatten({call.collect()})"
    else:
        place = call.context.fresh("i")
        fields = ", ".join(f"'{i + 1}': {arg.sql}[{place}]" for i, arg in enumerate(call.args))
        row = f"list_transform(range(1, len({call.sql()}) + 1), lambda {place}: {{{fields}}})"
        elements = f"flatten({call.collect(row)})"
    return inner.build(call.over(Elements(elements, name), items))


def _item_types(call: AggregateCall) -> list[t.Type]:
    if not call.args:
        raise wrong_count(call.name, 0, "at least 1", call.node)
    items = []
    for arg in call.args:
        array = t.plain(arg.type)
        if not isinstance(array, t.Array):
            call.wrong_type()
        items.append(array.item)
    return items


@combinator("ForEach")
def _for_each(call: AggregateCall, inner: Inner) -> Typed:
    """The aggregate for every position of the arrays; shorter arrays do not take part further on."""
    items = _item_types(call)
    rows = call.collect_rows()
    place, arrays = call.context.fresh("i"), call.context.fresh("v")
    whole = call.over(replace(rows, sql=arrays), [arg.type for arg in call.args])
    longest = whole.args[0].sql
    here = Elements(f"list_filter({arrays}, lambda {rows.name}: len({longest}) >= {place})", rows.name)
    args = tuple(Typed(f"{arg.sql}[{place}]", item) for arg, item in zip(whole.args, items, strict=True))
    result = inner.build(replace(whole, args=args, elements=here))
    count = f"coalesce(list_max(list_transform({arrays}, lambda {rows.name}: len({longest}))), 0)"
    body = f"list_transform(range(1, {count} + 1), lambda {place}: {result.sql})"
    return call.typed(f"list_transform([{rows.sql}], lambda {arrays}: {body})[1]", t.Array(result.type))


@combinator("Map")
def _map(call: AggregateCall, inner: Inner) -> Typed:
    """The aggregate for every key of the maps, keys in order."""
    map_ = t.plain(call.type()) if len(call.args) == 1 else None
    if not isinstance(map_, t.Map):
        call.wrong_type()
    name, item = call.context.fresh("e"), call.context.fresh("e")
    results: list[Typed] = []

    def each(run: str) -> str:
        value = Typed(f"{name}['v']", map_.value)
        over = replace(call, args=(value,), elements=Elements(run, name), where=(), distinct=False)
        results.append(inner.build(over))
        return f"{{'k': {run}[1]['k'], 'v': {results[-1].sql}}}"

    pairs = f"list_transform(map_entries({call.sql()}), lambda {item}: {{'k': {item}['key'], 'v': {item}['value']}})"
    groups = by_key(call.context, f"flatten({call.collect(pairs)})", each)
    type_ = t.Map(t.without_low_cardinality(map_.key), results[0].type)
    return call.typed(f"CAST(map_from_entries(list_sort({groups})) AS {duckdb_type(type_)})", type_)


@combinator("Tuple")
def _tuple(call: AggregateCall, inner: Inner) -> Typed:
    """The aggregate for every field of a tuple, or for the fields at the same place of several ones."""
    tuples = [t.plain(arg.type) for arg in call.args]
    first = tuples[0] if tuples else None
    if not isinstance(first, t.Tuple) or not all(isinstance(one, t.Tuple) for one in tuples):
        call.wrong_type()
    if any(len(one.items) != len(first.items) for one in tuples if isinstance(one, t.Tuple)):
        call.wrong_type()
    results = []
    for place in range(len(first.items)):
        parts = [
            _field(arg, one, place) for arg, one in zip(call.args, tuples, strict=True) if isinstance(one, t.Tuple)
        ]
        results.append(inner.build(replace(call, args=tuple(parts))))
    fields = ", ".join(f"{duckdb_string(n)}: {r.sql}" for n, r in zip(field_names(first), results, strict=True))
    return call.typed(f"{{{fields}}}", t.Tuple(tuple(result.type for result in results), first.names))


def _field(value: Typed, type_: t.Tuple, place: int) -> Typed:
    return Typed(f"{value.sql}[{duckdb_string(field_names(type_)[place])}]", type_.items[place])


# --- buckets ---

_MOST_BUCKETS = 1000


@combinator("Resample")
def _resample(call: AggregateCall, inner: Inner) -> Typed:
    """`(start, end, step)` and a last argument: an array of the aggregate over each bucket of that argument."""
    *own, start, end, step = (call.parameter(position) for position in range(len(call.parameters)))
    if not call.args or not all(isinstance(value, int) for value in (start, end, step)) or step <= 0:
        raise bad_arguments(
            f"Aggregate function {call.name} needs whole numbers (start, end, step) and a key", call.node
        )
    count = max(0, -(-(end - start) // step))
    if count > _MOST_BUCKETS:
        call.unsupported(f"more than {_MOST_BUCKETS} buckets")
    *rest, key = call.args
    if not t.is_integer(key.type):
        call.wrong_type()
    results = []
    for index in range(count):
        low = start + index * step
        high = min(low + step, end)
        where = (*call.where, f"({key.sql} >= {low} AND {key.sql} < {high})")
        bucket = replace(call, args=tuple(rest), where=where, parameters=call.parameters[: len(own)])
        results.append(inner.build(bucket))
    if not results:
        call.unsupported("no bucket")
    return call.typed(f"[{', '.join(result.sql for result in results)}]", t.Array(results[0].type))
