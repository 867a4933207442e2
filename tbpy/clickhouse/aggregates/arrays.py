"""Aggregates that give arrays or text of the values: groupArray and its kin, groupConcat."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.basic import sum_type
from tbpy.clickhouse.aggregates.call import AggregateCall
from tbpy.clickhouse.aggregates.comparing import sort_value
from tbpy.clickhouse.aggregates.groups import by_key, field
from tbpy.clickhouse.aggregates.registry import aggregate
from tbpy.clickhouse.compiler.conversion import coerce
from tbpy.clickhouse.compiler.failures import bad_arguments
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import default_sql, duckdb_type


def _array(call: AggregateCall, sql: str, item: t.Type) -> Typed:
    if call.elements is None and sql.endswith(", [])"):
        sql = f"CAST({sql} AS {duckdb_type(item)}[])"
    return call.typed(sql, t.Array(item))


@aggregate("groupArray", "array_agg", parameters=1, insensitive=("array_agg",), order="listed")
def group_array(call: AggregateCall) -> Typed:
    most = call.whole_parameter(0)
    return _array(call, call.collect() if most is None else f"{call.collect()}[1:{most}]", call.type())


@aggregate("array_concat_agg", insensitive=True, order="listed")
def array_concat_agg(call: AggregateCall) -> Typed:
    if not isinstance(t.plain(call.type()), t.Array):
        call.wrong_type()
    return call.typed(f"flatten({call.collect()})", call.type())


@aggregate("groupArrayLast", parameters=1, order="listed")
def group_array_last(call: AggregateCall) -> Typed:
    """The last values, in the order of the ring that ClickHouse keeps them in."""
    most = call.whole_parameter(0)
    if most is None:
        raise bad_arguments("groupArrayLast needs the number of values", call.node)
    place = call.context.fresh("i")

    def ring(values: str) -> str:
        last = f"len({values}) - 1 - (len({values}) - 1 - {place}) % {most}"
        places = f"range(0, least(len({values}), {most}))"
        return f"list_transform({places}, lambda {place}: {values}[CAST({last} + 1 AS BIGINT)])"

    return _array(call, call.let(call.collect(), ring), call.type())


@aggregate("groupUniqArray", parameters=1)
def group_uniq_array(call: AggregateCall) -> Typed:
    """The different values in the order of ClickHouse's hash sets; tuples and the like in the order that they come."""
    most = call.whole_parameter(0) or -1
    place, item = call.context.fresh("p"), call.context.fresh("e")

    def unique(values: str) -> str:
        places = _unique_places(call, values, item, most)
        return f"list_transform({places}, lambda {place}: {values}[{place}])"

    call.distinct = False
    item_type = t.DATETIME if isinstance(call.type(), t.DateTime) else call.type()  # the zone is lost
    return _array(call, call.let(call.collect(), unique), item_type)


def _unique_places(call: AggregateCall, values: str, item: str, most: int) -> str:
    """Where the different values of a list come first, as SQL."""
    number, bits = _number_of(item, call.type())
    stored, width = _stored_number(item, call.type())
    if stored:
        numbers = f"list_transform({values}, lambda {item}: CAST({stored} AS HUGEINT))"
        return f"{call.context.udf('tb_unique_stored')}({numbers}, {width}, {most})"
    if isinstance(call.type(), t.String | t.FixedString):
        return f"{call.context.udf('tb_unique_texts')}({values}, {most})"
    if isinstance(call.type(), t.IPv4):
        numbers = f"list_transform({values}, lambda {item}: CAST({item} AS HUGEINT))"
        return f"{call.context.udf('tb_unique_addresses')}({numbers}, {most})"
    if isinstance(call.type(), t.Float):
        numbers = f"list_transform({values}, lambda {item}: CAST({item} AS DOUBLE))"
        return f"{call.context.udf('tb_unique_floats')}({numbers}, {bits}, {most})"
    if number:
        numbers = f"list_transform({values}, lambda {item}: CAST({number} AS HUGEINT))"
        return f"{call.context.udf('tb_unique_numbers')}({numbers}, {bits}, {most})"
    texts = f"list_transform({values}, lambda {item}: CAST({item} AS VARCHAR))"
    return f"{call.context.udf('tb_first_places')}({texts}){f'[1:{most}]' if most > 0 else ''}"


def _stored_number(item: str, type_: t.Type) -> tuple[str, int]:
    """The number whose bytes ClickHouse hashes for decimals and fine times, and how many bytes; '' for other types."""
    match type_:
        case t.Decimal(precision, scale) if precision + scale <= 38:
            return f"{item} * {10**scale}", 4 if precision <= 9 else 8 if precision <= 18 else 16
        case t.DateTime64(precision) if precision <= 6:
            return f"epoch_us({item}) // {10 ** (6 - precision)}", 8
    return "", 0


def _number_of(item: str, type_: t.Type) -> tuple[str, int]:
    """The whole number that ClickHouse keeps the value as, and its width in bits; '' where it is not one."""
    match type_:
        case t.Int(bits) if bits <= 64:
            return item, bits
        case t.Float(bits):
            return "", bits
        case t.Bool():
            return f"CAST({item} AS UTINYINT)", 8
        case t.Date():
            return f"date_diff('day', DATE '1970-01-01', {item})", 16
        case t.Date32():
            return f"date_diff('day', DATE '1970-01-01', {item})", 32
        case t.DateTime():
            return f"CAST(epoch({item}) AS BIGINT)", 32
        case t.Enum(bits, members):
            cases = "".join(f" WHEN {duckdb_string(name)} THEN {number}" for name, number in members)
            return f"CASE {item}{cases} END", bits
    return "", 0


@aggregate("groupArraySample", parameters=2, note="only where the sample holds all values", order="listed")
def group_array_sample(call: AggregateCall) -> Typed:
    """All values where they fit; which ones ClickHouse would draw otherwise is not known, so that is an error."""
    most = call.whole_parameter(0)
    if most is None:
        raise bad_arguments("groupArraySample needs the number of values", call.node)
    refusal = duckdb_string("groupArraySample of more values than its sample holds is not supported by tbpy")

    def sample(values: str) -> str:
        if call.args[0].constant:
            return f"{values}[1:{most}]"
        return f"CASE WHEN len({values}) <= {most} THEN {values} ELSE error({refusal}) END"

    return _array(call, call.let(call.collect(), sample), call.type())


@aggregate("groupArraySorted", parameters=1)
def group_array_sorted(call: AggregateCall) -> Typed:
    most = call.whole_parameter(0)
    if most is None:
        raise bad_arguments("groupArraySorted needs the number of values", call.node)
    key = sort_value(call.args[0])
    if key == call.sql():
        return _array(call, f"list_sort({call.collect()})[1:{most}]", call.type())
    item, place = call.context.fresh("e"), call.context.fresh("i")
    pairs = call.collect(f"{{'k': {key}, 'v': {call.sql()}}}")
    numbered = f"list_transform({pairs}, lambda {item}, {place}: {{'k': {item}['k'], 'i': {place}, 'v': {item}['v']}})"
    return call.typed(field(call.context, f"list_sort({numbered})[1:{most}]", "v"), t.Array(call.type()))


@aggregate("groupArrayInsertAt", args=2, parameters=2, order="listed")
def group_array_insert_at(call: AggregateCall) -> Typed:
    """Values at given places; the first one that comes to a place stays, a default fills the gaps."""
    if not t.is_integer(call.type(1)):
        call.wrong_type()
    type_ = call.type()
    filler = default_sql(type_)
    if call.parameters and call.parameter(0) is not None:
        filler = coerce(call.parameters[0], type_).exact()
    size = call.whole_parameter(1)
    place = call.context.fresh("i")

    def spread(firsts: str) -> str:
        longest = f"list_max(map_keys({firsts})) + 1"
        length = str(size) if size is not None else f"coalesce({longest}, 0)"
        value = f"CASE WHEN map_contains({firsts}, {place}) THEN {firsts}[{place}] ELSE {filler} END"
        return f"list_transform(range(0, CAST({length} AS BIGINT)), lambda {place}: {value})"

    rows = call.collect(f"{{'k': CAST({call.sql(1)} AS BIGINT), 'v': {call.sql()}}}")
    firsts = by_key(call.context, rows, lambda run: f"{{'k': {run}[1]['k'], 'v': {run}[1]['v']}}")
    return _array(call, call.let(f"map_from_entries({firsts})", spread), type_)


@aggregate("groupArrayIntersect")
def group_array_intersect(call: AggregateCall) -> Typed:
    if not isinstance(t.plain(call.type()), t.Array):
        call.wrong_type()
    left, right, item, place = (call.context.fresh(prefix) for prefix in "abei")

    def common(rows: str) -> str:
        kept = f"list_filter({left}, lambda {item}: list_contains({right}, {item}))"
        both = f"list_reduce({rows}, lambda {left}, {right}: {kept})"
        first = f"list_position({left}, {item}) = {place}"
        unique = f"list_transform([{both}], lambda {left}: list_filter({left}, lambda {item}, {place}: {first}))[1]"
        return f"CASE WHEN len({rows}) > 0 THEN {unique} ELSE [] END"

    return call.typed(call.let(call.collect(), common), call.type())


# --- moving ---


def _moving(call: AggregateCall, item: t.Type, finish: str) -> Typed:
    """For every place the sum of the values of the window that ends there; `finish` makes the result of it."""
    window = call.whole_parameter(0)
    argument = f"CAST({call.sql()} AS UTINYINT)" if isinstance(call.type(), t.Bool) else call.sql()
    unit = 10**item.scale if isinstance(item, t.Decimal) else 1
    whole = isinstance(call.type(), t.Int | t.Bool | t.Decimal)
    number = "HUGEINT" if whole else "DOUBLE"
    name = call.context.udf("tb_moving_sum" if whole else "tb_moving_sum_float")
    total = call.context.fresh("e")

    def slide(values: str) -> str:
        value = finish.format(total, window or f"len({values})", unit)
        sums = f"{name}({values}, {window or 0})"
        return f"list_transform({sums}, lambda {total}: CAST({value} AS {duckdb_type(item)}))"

    scaled = f"CAST({argument} * {unit} AS {number})" if unit > 1 else f"CAST({argument} AS {number})"
    return _array(call, call.let(call.collect(scaled), slide), item)


@aggregate("groupArrayMovingSum", parameters=1, order="listed")
def group_array_moving_sum(call: AggregateCall) -> Typed:
    item = sum_type(call, call.type())
    return _moving(call, item, "{0} / {2}" if isinstance(item, t.Decimal) else "{0}")


@aggregate("groupArrayMovingAvg", parameters=1, order="listed")
def group_array_moving_avg(call: AggregateCall) -> Typed:
    item = sum_type(call, call.type())
    if isinstance(item, t.Decimal):
        return _moving(call, item, "CAST({0} // {1} AS DECIMAL(38, 0)) / {2}")
    return _moving(call, t.FLOAT64, "{0} / {1}")


# --- text ---


@aggregate(
    "groupConcat",
    "group_concat",
    "string_agg",
    args=(1, 2),
    parameters=2,
    insensitive=("group_concat", "string_agg"),
    order="listed",
)
def group_concat(call: AggregateCall) -> Typed:
    """The values as text, one after the other; the separator is a parameter or a second, constant argument."""
    separator = call.parameter(0, "")
    if len(call.args) == 2:
        separator = call.args[1].value
    if not isinstance(separator, str):
        raise bad_arguments(f"The delimiter of {call.name} must be a constant string", call.node)
    text = call.args[0]
    if not isinstance(text.type, t.String):
        text = call.compiler.call("toString", text, node=call.node)
    most = call.whole_parameter(1)
    if most is None:
        joined = call.apply("string_agg", text.sql, duckdb_string(separator))
    else:
        joined = f"array_to_string({call.collect(text.sql)}[1:{most}], {duckdb_string(separator)})"
    return call.typed(call.or_default(joined, t.STRING), t.STRING)
