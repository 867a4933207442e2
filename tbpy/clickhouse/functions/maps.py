"""Maps: making them, asking them, and changing them with lambdas. Source: ClickHouse documentation, "Map functions"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.conversion import coerce, common_or_variant, common_type
from tbpy.clickhouse.compiler.literals import tuple_sql
from tbpy.clickhouse.compiler.typed import Typed, condition_of
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import default_sql, duckdb_type, field_names


def map_type(call: Call, position: int = 0) -> t.Map:
    kind = t.plain(call.args[position].type)
    if not isinstance(kind, t.Map):
        call.wrong_type()
    return kind


@scalar("map", args=(0, None), nulls="keep", low_cardinality=False, keeps_parts=True)
def map_(call: Call) -> Typed:
    """Keys and values in turn. A key that stands twice fails: DuckDB keeps none of them apart."""
    if len(call.args) % 2:
        call.wrong_count("an even number")
    if not call.args:
        type_ = t.Map(t.NOTHING, t.NOTHING)
        return call.typed(default_sql(type_), type_, constant=True)
    keys, values = call.original[::2], call.original[1::2]
    known = [repr(key.value) for key in keys if key.known]
    if len(set(known)) < len(known):
        call.unsupported("the same key twice")
    type_ = t.Map(
        common_type([k.type for k in keys], call.node),
        common_or_variant(call.context, [v.type for v in values], call.node),
    )
    return call.typed(f"map({_list(keys, type_.key)}, {_list(values, type_.value)})", type_)


def _list(items: Sequence[Typed], type_: t.Type) -> str:
    return f"CAST([{', '.join(coerce(item, type_).sql for item in items)}] AS {duckdb_type(t.Array(type_))})"


@scalar("mapFromArrays", args=2, low_cardinality=False, insensitive=("MAP_FROM_ARRAYS",), keeps_parts=True)
def map_from_arrays(call: Call) -> Typed:
    keys, values = (t.plain(arg.type) for arg in call.args)
    if not isinstance(keys, t.Array) or not isinstance(values, t.Array):
        call.wrong_type()
    key = t.not_nullable(keys.item) if isinstance(keys.item, t.LowCardinality) else keys.item
    type_ = t.Map(key, values.item)
    first, second = (arg.exact() for arg in call.args)
    failure = "error('SIZES_OF_ARRAYS_DONT_MATCH: Two arguments of function mapFromArrays must have equal sizes')"
    return call.typed(f"(CASE WHEN len({first}) = len({second}) THEN map({first}, {second}) ELSE {failure} END)", type_)


@scalar("mapKeys", low_cardinality=False)
def map_keys(call: Call) -> Typed:
    return call.typed(f"map_keys({call.sql(0)})", t.Array(map_type(call).key))


@scalar("mapValues", low_cardinality=False)
def map_values(call: Call) -> Typed:
    return call.typed(f"map_values({call.sql(0)})", t.Array(map_type(call).value))


def _contains(names: Sequence[str], keys: bool) -> None:
    @scalar(*names, args=2, low_cardinality=False)
    def build(call: Call) -> Typed:
        type_ = map_type(call)
        own, given = t.plain(type_.key if keys else type_.value), t.plain(call.args[1].type)
        if own != given and not (t.is_number(own) and t.is_number(given)):
            call.wrong_type()
        part = "map_keys" if keys else "map_values"
        return call.condition(f"list_contains({part}({call.sql(0)}), {call.sql(1)})")


_contains(("mapContains", "mapContainsKey"), True)
_contains(("mapContainsValue",), False)


# --- with a lambda or a pattern ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entries:
    """The pairs of a map under a lambda parameter: `name` stands for one of them."""

    name: str
    sql: str
    key: Typed
    value: Typed

    def filtered(self, condition: str) -> str:
        return f"map_from_entries(list_filter({self.sql}, lambda {self.name}: {condition}))"


def entries(call: Call, position: int) -> Entries:
    type_ = map_type(call, position)
    name = call.context.fresh("x")
    key, value = Typed(f"{name}.key", type_.key), Typed(f"{name}.value", type_.value)
    return Entries(name, f"map_entries({call.sql(position)})", key, value)


def _applied(call: Call, pairs: Entries) -> Typed:
    function = call.lambdas[0]
    if function is None:
        call.wrong_type()
    return function.apply(pairs.key, pairs.value)


@scalar("mapFilter", args=2, lambdas=True, nulls="keep", low_cardinality=False, keeps_parts=True)
def map_filter(call: Call) -> Typed:
    pairs = entries(call, 1)
    return call.typed(pairs.filtered(condition_of(_applied(call, pairs))), map_type(call, 1))


@scalar("mapApply", args=2, lambdas=True, nulls="keep", low_cardinality=False)
def map_apply(call: Call) -> Typed:
    pairs = entries(call, 1)
    result = _applied(call, pairs)
    inner = t.plain(result.type)
    if not isinstance(inner, t.Tuple) or len(inner.items) != 2:
        call.wrong_type()
    key, value = (f"{result.sql}[{duckdb_string(name)}]" for name in field_names(inner))
    entry = f"{{'key': {key}, 'value': {value}}}"
    sql = f"map_from_entries(list_transform({pairs.sql}, lambda {pairs.name}: {entry}))"
    type_ = t.Map(*inner.items)
    return call.typed(f"CAST({sql} AS {duckdb_type(type_)})", type_)


@scalar("mapExists", args=2, lambdas=True, nulls="keep", low_cardinality=False)
def map_exists(call: Call) -> Typed:
    pairs = entries(call, 1)
    return call.condition(f"(len({_matched(call, pairs, '')}) > 0)")


@scalar("mapAll", args=2, lambdas=True, nulls="keep", low_cardinality=False)
def map_all(call: Call) -> Typed:
    pairs = entries(call, 1)
    return call.condition(f"(len({_matched(call, pairs, 'NOT ')}) = 0)")


def _matched(call: Call, pairs: Entries, negation: str) -> str:
    condition = condition_of(_applied(call, pairs))
    return f"list_filter({pairs.sql}, lambda {pairs.name}: {negation}coalesce({condition}, false))"


def _like(name: str, *, keys: bool, extract: bool) -> None:
    @scalar(name, args=2, low_cardinality=False)
    def build(call: Call) -> Typed:
        pairs = entries(call, 0)
        part = pairs.key if keys else pairs.value
        found = call.compiler.call("like", part, call.args[1], node=call.node)
        if extract:
            return call.typed(pairs.filtered(condition_of(found)), map_type(call))
        matched = f"list_filter({pairs.sql}, lambda {pairs.name}: {condition_of(found)})"
        return call.condition(f"(len({matched}) > 0)")


_like("mapContainsKeyLike", keys=True, extract=False)
_like("mapContainsValueLike", keys=False, extract=False)
_like("mapExtractKeyLike", keys=True, extract=True)
_like("mapExtractValueLike", keys=False, extract=True)


def _sorted(name: str, order: str) -> None:
    @scalar(name, args=(1, 2), lambdas=True, nulls="keep", low_cardinality=False, keeps_parts=True)
    def build(call: Call) -> Typed:
        position = len(call.args) - 1
        pairs = entries(call, position)
        if position == 0:
            return call.typed(f"map_from_entries(list_sort({pairs.sql}, '{order}'))", map_type(call, 0))
        key = _applied(call, pairs)
        keyed = f"list_transform({pairs.sql}, lambda {pairs.name}: {{'by': {key.sql}, 'entry': {pairs.name}}})"
        back = f"list_transform(list_sort({keyed}, '{order}'), lambda {pairs.name}: {pairs.name}.entry)"
        return call.typed(f"map_from_entries({back})", map_type(call, position))


_sorted("mapSort", "ASC")
_sorted("mapReverseSort", "DESC")


# --- several maps -----------------------------------------------------------------------------------------------------


@scalar("mapConcat", args=(1, None), low_cardinality=False)
def map_concat(call: Call) -> Typed:
    """One after another. Of a key that stands in two of them the last value stays, as in ClickHouse's JSON."""
    types = [map_type(call, position) for position in range(len(call.args))]
    type_ = common_type(types, call.node)
    assert isinstance(type_, t.Map)
    maps = [coerce(arg, type_).exact() for arg in call.args]
    return call.typed(f"map_concat({', '.join(maps)})" if len(maps) > 1 else maps[0], type_)


@scalar("mapUpdate", args=2, low_cardinality=False)
def map_update(call: Call) -> Typed:
    """What the second map does not have of the first, then the second."""
    type_ = common_type([map_type(call, 0), map_type(call, 1)], call.node)
    first, second = (coerce(arg, type_).exact() for arg in call.args)
    name = call.context.fresh("x")
    kept = f"list_filter(map_entries({first}), lambda {name}: NOT list_contains(map_keys({second}), {name}.key))"
    return call.typed(f"map_from_entries(list_concat({kept}, map_entries({second})))", type_)


def _combined(name: str, symbol: str) -> None:
    @scalar(name, args=(2, None), low_cardinality=False)
    def build(call: Call) -> Typed:
        """Sums or differences of the values of each key, keys in order; maps, or tuples of keys and values."""
        parts = [_keys_and_values(call, position) for position in range(len(call.args))]
        key = common_type([part[2] for part in parts], call.node)
        item = _promoted(call, [part[3] for part in parts])
        listed = ", ".join(f"CAST({part[0]} AS {duckdb_type(t.Array(key))})" for part in parts)
        keys = f"list_sort(list_distinct(list_concat({listed})))"
        value = _total(call, parts, item, symbol)
        if isinstance(t.plain(call.args[0].type), t.Map):
            return call.typed(f"map({keys}, {value.format(keys)})", t.Map(key, item))
        type_ = t.Tuple((t.Array(key), t.Array(item)))
        return call.typed(tuple_sql([keys, value.format(keys)]), type_)


Part = tuple[str, str, t.Type, t.Type]  # SQL of keys and values, their types


def _keys_and_values(call: Call, position: int) -> Part:
    value, kind = call.args[position], t.plain(call.args[position].type)
    if isinstance(kind, t.Map):
        return f"map_keys({value.sql})", f"map_values({value.sql})", kind.key, kind.value
    if isinstance(kind, t.Tuple) and len(kind.items) == 2:
        keys, values = (t.plain(item) for item in kind.items)
        if isinstance(keys, t.Array) and isinstance(values, t.Array):
            first, second = (f"{value.sql}[{duckdb_string(name)}]" for name in field_names(kind))
            return first, second, keys.item, values.item
    call.wrong_type()


def _promoted(call: Call, items: Sequence[t.Type]) -> t.Type:
    """Values are summed in 64 bits or more, all signed or none."""
    kinds = {_wide(t.plain(item)) for item in items}
    if len(kinds) != 1 or None in kinds:
        call.wrong_type()
    [kind] = kinds
    assert kind is not None
    return kind


def _wide(kind: t.Type) -> t.Type | None:
    if isinstance(kind, t.Float):
        return t.FLOAT64
    if isinstance(kind, t.Int) and kind.bits <= 128:
        return t.Int(max(64, kind.bits), kind.signed)
    return None


def _total(call: Call, parts: Sequence[Part], item: t.Type, symbol: str) -> str:
    """The values in the order of the keys, which `{}` stands for."""
    from tbpy.clickhouse.functions.arithmetic import wrapped

    name, number = call.context.fresh("x"), "DOUBLE" if isinstance(item, t.Float) else "HUGEINT"
    terms = []
    for keys, values, _, _ in parts:
        found = f"{values}[list_position({keys}, {name})]"
        terms.append(f"coalesce(CAST({found} AS {number}), 0)")
    total = f"({f' {symbol} '.join(terms)})"
    body = wrapped(total, item) if isinstance(item, t.Int) else total
    return "list_transform({}, lambda " + name + ": " + body.replace("{", "{{").replace("}", "}}") + ")"


_combined("mapAdd", "+")
_combined("mapSubtract", "-")


@scalar("mapPopulateSeries", args=(1, 3), low_cardinality=False)
def map_populate_series(call: Call) -> Typed:
    """All whole numbers from the smallest key to the largest, or to a given one, with 0 where there was none."""
    keys, values, key, item = _series_parts(call)
    given = 1 if isinstance(t.plain(call.args[0].type), t.Map) else 2
    last = call.sql(given) if len(call.args) > given else f"list_max({keys})"
    if not isinstance(t.plain(key), t.Int) or not isinstance(t.plain(item), t.Int | t.Float):
        call.wrong_type()
    name = call.context.fresh("x")
    first = f"CAST(list_min({keys}) AS HUGEINT)"
    count = f"CAST(greatest(CAST({last} AS HUGEINT) - {first} + 1, 0) AS BIGINT)"
    numbers = f"list_transform(range({count}), lambda {name}: {first} + {name})"
    series = f"coalesce(CAST({numbers} AS {duckdb_type(t.Array(key))}), [])"
    found = f"coalesce({values}[list_position({keys}, {name})], {default_sql(item)})"
    filled = f"list_transform({series}, lambda {name}: {found})"
    if given == 1:
        return call.typed(f"map({series}, {filled})", t.Map(key, item))
    return call.typed(tuple_sql([series, filled]), t.Tuple((t.Array(key), t.Array(item))))


def _series_parts(call: Call) -> Part:
    if isinstance(t.plain(call.args[0].type), t.Map):
        return _keys_and_values(call, 0)
    kinds = [t.plain(arg.type) for arg in call.args[:2]]
    if len(kinds) < 2 or not isinstance(kinds[0], t.Array) or not isinstance(kinds[1], t.Array):
        call.wrong_type()
    keys, values = kinds
    assert isinstance(keys, t.Array) and isinstance(values, t.Array)
    return call.sql(0), call.sql(1), keys.item, values.item
