"""The quantile family: exact by interpolation, by position, weighted, and the estimators where they are exact.

`quantile` keeps a sample of 8192 values in ClickHouse: up to there it interpolates between the exact neighbours, as it
does here. Each row gives one level (`quantile`, alias `median`) or several (`quantiles`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.call import AggregateCall
from tbpy.clickhouse.aggregates.registry import aggregate
from tbpy.clickhouse.casting.wide import is_wide
from tbpy.clickhouse.compiler.failures import bad_arguments, failure
from tbpy.clickhouse.compiler.literals import float_sql
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.storage import default_sql, duckdb_type

Result = Callable[[AggregateCall], t.Type]
Level = Callable[[AggregateCall, float], str]


@dataclass(frozen=True, slots=True)
class Family:
    """`result` is the type of one level; `level` is its SQL, NULL where no row counts."""

    name: str
    result: Result
    level: Level
    args: int | tuple[int, int] = 1
    skipped: int = 0  # parameters before the levels
    default: float = 0.5
    note: str = ""


def _register(family: Family) -> None:
    many = f"quantiles{family.name}"
    one = (f"quantile{family.name}", f"median{family.name}")

    @aggregate(*one, args=family.args, parameters=1 + family.skipped, note=family.note)
    def single(call: AggregateCall) -> Typed:
        type_ = family.result(call)
        level = _levels(call, family)[0]
        return call.typed(_finished(call, family, type_, level), type_)

    @aggregate(many, args=family.args, parameters=None, note=family.note)
    def several(call: AggregateCall) -> Typed:
        type_ = family.result(call)
        if not call.parameters:
            text = "Aggregate function for calculation of multiple quantiles require at least one parameter"
            raise failure(text, 42, "NUMBER_OF_ARGUMENTS_DOESNT_MATCH", call.node)
        call.nullable = False
        levels = _levels(call, family)
        parts = ", ".join(_finished(call, family, type_, level) for level in levels)
        return call.typed(f"CAST([{parts}] AS {duckdb_type(type_)}[])", t.Array(type_))


def _levels(call: AggregateCall, family: Family) -> list[float]:
    values = [call.parameter(position) for position in range(family.skipped, len(call.parameters))]
    if not values:
        values = [family.default]
    for value in values:
        if isinstance(value, str):
            raise failure("Cannot convert String to double", 70, "CANNOT_CONVERT_TYPE", call.node)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            text = "Quantile level is out of range [0..1]"
            raise failure(text, 12, "PARAMETER_OUT_OF_BOUND", call.node)
    return [float(value) for value in values]


def _finished(call: AggregateCall, family: Family, type_: t.Type, level: float) -> str:
    sql = family.level(call, level)
    default = f"CAST('nan' AS {duckdb_type(type_)})" if isinstance(type_, t.Float) else default_sql(type_)
    return call.or_default(sql, type_, default)


# --- what is counted ---


def _numbers(call: AggregateCall) -> list[str]:
    """NaN takes no part in quantiles."""
    return [f"NOT isnan({call.sql()})"] if isinstance(call.type(), t.Float) else []


def _sortable(call: AggregateCall) -> t.Type:
    type_ = call.type()
    if not isinstance(type_, t.Int | t.Bool | t.Float | t.Decimal | t.Date | t.DateTime | t.DateTime64):
        call.wrong_type()
    if is_wide(type_):
        call.unsupported(f"an argument of type {type_}")
    return type_


def _sorted(call: AggregateCall, value: str | None = None) -> str:
    """The values that count, in order; `value` is what is made of each and keeps that order."""
    if call.elements is not None and call.elements.kind == "ordered":
        source = call.elements.sql
        return source if value is None else f"list_transform({source}, lambda {call.elements.name}: {value})"
    return f"list_sort({call.collect(value, where=_numbers(call))})"


# --- interpolated ---


def _interpolated_type(call: AggregateCall) -> t.Type:
    type_ = _sortable(call)
    return t.FLOAT64 if isinstance(type_, t.Int | t.Bool | t.Float) else type_


def _interpolated(call: AggregateCall, level: float) -> str:
    type_ = _sortable(call)
    where = _numbers(call)
    if isinstance(type_, t.Int | t.Bool | t.Float):
        return _interpolated_number(call, level, where)
    return _from_number(call.apply("quantile_cont", _as_number(call, call.sql()), str(level)), type_)


def _as_number(call: AggregateCall, sql: str) -> str:
    """A value as the DOUBLE that is computed with: a time counts its ticks, a date its days."""
    type_ = call.type()
    match type_:
        case t.Int() | t.Bool() | t.Float() | t.Decimal():
            return f"CAST({sql} AS DOUBLE)"
        case t.Date():
            return f"CAST(date_diff('day', DATE '1970-01-01', {sql}) AS DOUBLE)"
        case t.DateTime():
            return f"epoch({sql})"
        case t.DateTime64(precision) if precision <= 6:
            return f"CAST(epoch_us({sql}) // {10 ** (6 - precision)} AS DOUBLE)"
    call.unsupported(f"an argument of type {type_}")


def _from_number(value: str, type_: t.Type) -> str:
    """What `_as_number` made, of the type that it was made of; what is between two values is cut off."""
    match type_:
        case t.Int():
            return f"CAST(trunc({value}) AS {duckdb_type(type_)})"
        case t.Decimal(precision, scale):
            return f"CAST(trunc({value} * {10**scale}e0) / {10**scale}e0 AS DECIMAL({precision}, {scale}))"
        case t.Date():
            return f"(DATE '1970-01-01' + CAST(floor({value}) AS INTEGER))"
        case t.DateTime():
            return f"make_timestamp(CAST(floor({value}) AS BIGINT) * 1000000)"
        case t.DateTime64(precision):
            return f"make_timestamp(CAST(floor({value}) AS BIGINT) * {10 ** (6 - precision)})"
    return value


def _interpolated_number(call: AggregateCall, level: float, where: list[str]) -> str:
    """The value between two neighbours in ClickHouse's own last digits.

    DuckDB interpolates by another formula: its estimate only tells the neighbour that its discrete quantile does not.
    """
    if call.elements is not None:
        return _interpolated_in_order(call, level)
    found = _by_formula(call, level, where)
    return _beside_infinity(call, level, found) if isinstance(call.type(), t.Float) else found


def _by_formula(call: AggregateCall, level: float, where: list[str]) -> str:
    value = _double(call)  # DuckDB's discrete quantile of doubles takes half the time of that of integers
    estimate = call.apply("quantile_cont", value, str(level), where=where)
    if call.window is not None or level in (0.0, 1.0):
        return estimate
    neighbour = call.apply("quantile_disc", value, str(level), where=where)
    count = call.apply("count", call.sql(), where=where)
    function = call.context.udf("tb_quantile_between")
    return f"{function}({neighbour}, {estimate}, CAST({count} AS BIGINT), CAST({level!r} AS DOUBLE))"


def _beside_infinity(call: AggregateCall, level: float, found: str) -> str:
    """NaN where the quantile is just the value below infinity: ClickHouse adds no share of infinity to it."""
    if level == 1.0:
        return found
    finite = call.apply("count", call.sql(), where=[f"{call.sql()} < CAST('inf' AS DOUBLE)"])
    count = call.apply("count", call.sql(), where=_numbers(call))
    last = f"{finite} < {count} AND {float_sql(level)} * ({count} - 1) = {finite} - 1"
    return f"(CASE WHEN {last} THEN CAST('nan' AS DOUBLE) ELSE {found} END)"


def _interpolated_in_order(call: AggregateCall, level: float) -> str:
    def between(values: str) -> str:
        spot = f"({float_sql(level)} * (len({values}) - 1))"
        low = f"CAST(floor({spot}) AS BIGINT)"
        left = f"CAST({values}[{low} + 1] AS DOUBLE) * ({low} + 1 - {spot})"
        right = f"CAST({values}[{low} + 2] AS DOUBLE) * ({spot} - {low})"
        return f"CASE WHEN {low} + 1 < len({values}) THEN {left} + {right} ELSE CAST({values}[-1] AS DOUBLE) END"

    return call.let(_sorted(call), between)


def _double(call: AggregateCall) -> str:
    argument = f"CAST({call.sql()} AS UTINYINT)" if isinstance(call.type(), t.Bool) else call.sql()
    return f"CAST({argument} AS DOUBLE)"


# --- by position ---


def _element(call: AggregateCall, position: str) -> str:
    """The element of the sorted values at a position from 0 that may use `n`, the number of values."""
    name = call.context.fresh("v")
    index = position.replace("n", f"len({name})")
    return f"list_transform([{_sorted(call)}], lambda {name}: {name}[CAST({index} AS BIGINT) + 1])[1]"


def _exact(call: AggregateCall, level: float) -> str:
    return _element(call, f"floor({float_sql(level)} * n)" if level < 1 else "n - 1")


def _exact_low(call: AggregateCall, level: float) -> str:
    return _element(call, "(n - 1) // 2") if level == 0.5 else _exact(call, level)


def _exact_high(call: AggregateCall, level: float) -> str:
    return _element(call, "n // 2") if level == 0.5 else _exact(call, level)


def _between(call: AggregateCall, place: Callable[[str], str]) -> str:
    """Interpolation at a place from 1 among the sorted values, clamped to the ends."""
    values, spot = call.context.fresh("v"), call.context.fresh("h")
    count = f"len({values})"
    low = f"CAST({values}[CAST(floor({spot}) AS BIGINT)] AS DOUBLE)"
    high = f"CAST({values}[CAST(floor({spot}) AS BIGINT) + 1] AS DOUBLE)"
    between = f"{low} + ({spot} - floor({spot})) * ({high} - {low})"
    ends = f"WHEN {spot} < 1 THEN CAST({values}[1] AS DOUBLE) WHEN {spot} >= {count} THEN CAST({values}[-1] AS DOUBLE)"
    body = f"list_transform([{place(count)}], lambda {spot}: CASE {ends} ELSE {between} END)[1]"
    return f"list_transform([{_sorted(call, _measured(call))}], lambda {values}: {body})[1]"


def _measured(call: AggregateCall) -> str:
    """The value as a number: a time counts its seconds, a date its days."""
    match call.type():
        case t.DateTime():
            return f"epoch({call.sql()})"
        case t.Date():
            return f"CAST(date_diff('day', DATE '1970-01-01', {call.sql()}) AS DOUBLE)"
    return _double(call)


def _exclusive(call: AggregateCall, level: float) -> str:
    if level in (0.0, 1.0):
        raise bad_arguments(f"{call.name} cannot interpolate for the percentiles 1 and 0", call.node)
    return _between(call, lambda count: f"{float_sql(level)} * ({count} + 1)")


def _inclusive(call: AggregateCall, level: float) -> str:
    return _between(call, lambda count: f"{float_sql(level)} * ({count} - 1) + 1")


# --- weighted ---


def _weighted_pairs(call: AggregateCall) -> str:
    """The values in order, each with its whole weight, as structs v and w; weight 0 takes no part."""
    if not isinstance(call.type(1), t.Int | t.Bool):
        call.wrong_type()
    item = f"{{'v': {call.sql()}, 'w': CAST({call.sql(1)} AS DOUBLE)}}"
    return f"list_sort({call.collect(item, where=[*_numbers(call), f'{call.sql(1)} <> 0'])})"


def _exact_weighted(call: AggregateCall, level: float) -> str:
    """The first value at which the sum of weights reaches its share of the whole."""
    _sortable(call)
    pairs, state, item = (call.context.fresh(prefix) for prefix in "vse")
    total = f"list_sum(list_transform({pairs}, lambda {item}: {item}['w']))"
    start = f"{{'v': {pairs}[1]['v'], 'w': 0e0}}"
    value = f"CASE WHEN {state}['w'] < {state}t THEN {item}['v'] ELSE {state}['v'] END"
    step = f"{{'v': {value}, 'w': {state}['w'] + {item}['w']}}"
    fold = f"list_reduce({pairs}, lambda {state}, {item}: {step}, {start})['v']"
    body = f"list_transform([ceil({total} * {float_sql(level)})], lambda {state}t: {fold})[1]"
    return f"list_transform([{_weighted_pairs(call)}], lambda {pairs}: CASE WHEN len({pairs}) > 0 THEN {body} END)[1]"


def _interpolated_weighted(call: AggregateCall, level: float) -> str:
    return _from_number(_weighted(call, "tb_quantile_interpolated_weighted", level), _sortable(call))


def _linear_weighted(call: AggregateCall, level: float) -> str:
    """Linear interpolation as if every value stood there as often as its weight says."""
    return _from_number(_weighted(call, "tb_quantile_linear_weighted", level), _interpolated_type(call))


def _weighted(call: AggregateCall, function: str, level: float) -> str:
    """A Python function over the values as numbers, in order, and their weights."""
    _sortable(call)
    name, pairs, item = call.context.udf(function), call.context.fresh("v"), call.context.fresh("e")
    number = _as_number(call, f"{item}['v']")
    values = f"list_transform({pairs}, lambda {item}: {number})"
    weights = f"list_transform({pairs}, lambda {item}: {item}['w'])"
    body = f"{name}({values}, {weights}, {float_sql(level)})"
    return f"list_transform([{_weighted_pairs(call)}], lambda {pairs}: {body})[1]"


# --- estimators ---


def _deterministic(call: AggregateCall, level: float) -> str:
    return _interpolated(call, level)


def _digest(call: AggregateCall, level: float) -> str:
    """ClickHouse's t-digest, with its centroids and in its single precision."""
    if not isinstance(_sortable(call), t.Int | t.Float):
        call.unsupported(f"an argument of type {call.type()}")
    if call.elements is not None and call.elements.kind == "digest":
        return f"{call.context.udf('tb_quantile_of_digest')}({call.elements.sql}, {float_sql(level)})"
    values = call.collect(f"CAST({call.sql()} AS FLOAT)", where=_numbers(call))
    name = call.context.udf("tb_quantile_tdigest")
    return f"{name}({values}, {float_sql(level)})"


def _digest_weighted(call: AggregateCall, level: float) -> str:
    if not isinstance(_sortable(call), t.Int | t.Float) or not t.is_integer(call.type(1)):
        call.wrong_type()
    rows = call.collect_rows()
    whole = call.over(rows, [arg.type for arg in call.args])
    values = whole.collect(f"CAST({whole.sql()} AS FLOAT)")
    weights = whole.collect(f"CAST({whole.sql(1)} AS BIGINT)")
    return f"{call.context.udf('tb_quantile_tdigest_weighted')}({values}, {weights}, {float_sql(level)})"


def _timing(call: AggregateCall, level: float) -> str:
    """Exact below 1024, then in steps of 16, at most 30000; see ClickHouse's documentation of quantileTiming."""
    if not isinstance(call.type(), t.Int | t.Bool | t.Float | t.DateTime | t.Date):
        call.wrong_type()
    number = _as_number(call, call.sql())
    values = call.collect(number, where=[*_numbers(call), f"{number} BETWEEN 0 AND 9223372036854775807"])
    return f"{call.context.udf('tb_quantile_timing')}({values}, {float_sql(level)})"


def _brief(call: AggregateCall, level: float) -> str:
    """Over values cut to bfloat16: the upper half of a Float32."""
    if not isinstance(_sortable(call), t.Int | t.Float):
        call.wrong_type()
    values = call.collect(f"CAST({call.sql()} AS DOUBLE)", where=_numbers(call))
    return f"{call.context.udf('tb_quantile_bfloat16')}({values}, {float_sql(level)})"


def _sketch(call: AggregateCall, level: float) -> str:
    """DDSketch: a value within the relative accuracy that the first parameter asks for."""
    accuracy = call.parameter(0)
    if not isinstance(accuracy, float) or not 0 < accuracy < 1:
        raise bad_arguments(f"{call.name} needs a relative accuracy between 0 and 1", call.node)
    if not isinstance(_sortable(call), t.Int | t.Float):
        call.wrong_type()
    values = call.collect(f"CAST({call.sql()} AS DOUBLE)", where=_numbers(call))
    return f"{call.context.udf('tb_quantile_dd')}({values}, {float_sql(accuracy)}, {float_sql(level)})"


def _float64(call: AggregateCall) -> t.Type:
    if not isinstance(_sortable(call), t.Int | t.Bool | t.Float | t.Date | t.DateTime):
        call.wrong_type()
    return t.FLOAT64


def _float32(call: AggregateCall) -> t.Type:
    return t.FLOAT32


_SAMPLED = "over all values, where ClickHouse takes a sample of 8192"
_ESTIMATED = "ClickHouse's own estimate, which depends on the order of rows"

_FAMILIES = (
    Family("", _interpolated_type, _interpolated, note=_SAMPLED),
    Family("Exact", _sortable, _exact),
    Family("ExactLow", _sortable, _exact_low),
    Family("ExactHigh", _sortable, _exact_high),
    Family("ExactExclusive", _float64, _exclusive),
    Family("ExactInclusive", _float64, _inclusive),
    Family("ExactWeighted", _sortable, _exact_weighted, args=2),
    Family("InterpolatedWeighted", _sortable, _interpolated_weighted, args=2),
    Family("ExactWeightedInterpolated", _interpolated_type, _linear_weighted, args=2),
    Family("Deterministic", _interpolated_type, _deterministic, args=2, note=_SAMPLED),
    Family("TDigest", _float32, _digest, note=_ESTIMATED),
    Family("TDigestWeighted", _float32, _digest_weighted, args=2, note=_ESTIMATED),
    Family("Timing", _float32, _timing),
    Family("BFloat16", _float64, _brief),
    Family("DD", _float64, _sketch, skipped=1),
)

for _family in _FAMILIES:
    _register(_family)
