"""The aggregates that every project uses: count, sum, avg, min, max."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.call import AggregateCall
from tbpy.clickhouse.aggregates.comparing import needs_key, sort_value
from tbpy.clickhouse.aggregates.registry import aggregate
from tbpy.clickhouse.aggregates.uniques import count_distinct
from tbpy.clickhouse.casting.wide import as_double, is_signed, is_wide
from tbpy.clickhouse.compiler.failures import wrong_count
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.storage import duckdb_type


@aggregate("count", args=(0, None), never_null=True, native_skip=True, insensitive=True)
def count(call: AggregateCall) -> Typed:
    if call.distinct and call.args:
        return count_distinct(call)
    if len(call.args) > 1:
        raise wrong_count(call.name, len(call.args), "zero or one", call.node)
    type_ = call.original[0].type if call.original else t.NOTHING
    nullable = t.is_nullable(type_) and not isinstance(type_, t.Dynamic)
    value = call.apply("count", call.sql() if nullable else "*", distinct=False)
    return call.typed(f"CAST({value} AS UBIGINT)", t.UINT64)


# --- sums ---


def sum_type(call: AggregateCall, type_: t.Type) -> t.Type:
    """What sum of a type gives: 64 bits of the same sign at least, Decimal of 38 digits, Float64."""
    match t.plain(type_):
        case t.Int(bits, signed):
            return t.Int(max(bits, 64), signed)
        case t.Bool():
            return t.UINT64
        case t.Float():
            return t.FLOAT64
        case t.Decimal(precision, scale):
            return t.Decimal(38 if precision <= 38 else 76, scale)
        case t.Nothing() if t.is_nullable(type_):
            return t.Nullable(t.NOTHING)
    call.wrong_type()


def wrapped(sql: str, type_: t.Type) -> str:
    """A HUGEINT as an integer of ClickHouse, which wraps around where it overflows."""
    if not isinstance(type_, t.Int) or type_.bits > 64:
        return f"CAST({sql} AS {duckdb_type(type_)})"
    size = 1 << type_.bits
    if not type_.signed:
        positive = f"CAST({sql} AS HUGEINT) % {size}"
        return f"CAST(({positive} + {size}) % {size} AS {duckdb_type(type_)})"
    half = size >> 1
    return f"CAST(((CAST({sql} AS HUGEINT) + {half}) % {size} + {size}) % {size} - {half} AS {duckdb_type(type_)})"


def sum_sql(call: AggregateCall, argument: str, from_: t.Type, type_: t.Type) -> str:
    """The sum in the storage type of `type_`, NULL where no row counts. Only 64-bit numbers can reach a wrap-around."""
    inner = t.plain(from_)
    if is_wide(inner):
        return wide_total(call, argument, inner)
    if isinstance(inner, t.Bool):
        argument = f"CAST({argument} AS UTINYINT)"
    if isinstance(inner, t.Int) and inner.bits == 128 and not inner.signed:
        argument = f"CAST({argument} AS HUGEINT)"
    total = call.apply("sum", argument)
    if isinstance(inner, t.Int) and inner.bits == 64:
        return _wrapped_sum(total, inner)
    return total if isinstance(type_, t.Float) else f"CAST({total} AS {duckdb_type(type_)})"


def wide_total(call: AggregateCall, argument: str, type_: t.Type) -> str:
    """The sum of numbers that are stored as text, NULL where no row counts."""
    values = call.apply("list", argument, where=[f"{argument} IS NOT NULL"])
    return f"{call.context.udf('tb_wide_total')}({values}, {str(is_signed(type_)).lower()})"


def _wrapped_sum(total: str, type_: t.Int) -> str:
    if not type_.signed:
        return f"CAST({total} % {1 << 64} AS UBIGINT)"
    return wrapped(total, type_)


@aggregate("sum", native_skip=True, insensitive=True)
def sum_(call: AggregateCall) -> Typed:
    type_ = sum_type(call, call.type())
    if isinstance(t.plain(type_), t.Nothing):
        return call.typed("CAST(NULL AS INTEGER)", type_)
    return call.typed(call.or_default(sum_sql(call, call.sql(), call.type(), type_), type_), type_)


@aggregate("sumKahan", native_skip=True)
def sum_kahan(call: AggregateCall) -> Typed:
    """Compensated summation for numbers as Float64; a Decimal is summed exactly."""
    type_ = sum_type(call, call.type())
    if isinstance(type_, t.Decimal):
        return call.typed(call.or_default(sum_sql(call, call.sql(), call.type(), type_), type_), type_)
    value = call.apply("fsum", f"CAST({call.sql()} AS DOUBLE)")
    return call.typed(call.or_default(value, t.FLOAT64), t.FLOAT64)


@aggregate("sumWithOverflow", native_skip=True)
def sum_with_overflow(call: AggregateCall) -> Typed:
    type_ = t.UINT8 if isinstance(call.type(), t.Bool) else call.type()
    match type_:
        case t.Int(bits) if bits <= 64:
            value = wrapped(call.apply("sum", call.sql()), type_)
        case t.Float():
            value = f"CAST({call.apply('sum', call.sql())} AS {duckdb_type(type_)})"
        case t.Decimal(precision) if precision <= 38:
            value = f"CAST({call.apply('sum', call.sql())} AS {duckdb_type(type_)})"
        case _:
            call.wrong_type()
    return call.typed(call.or_default(value, type_), type_)


@aggregate("sumCount", never_null=True)
def sum_count(call: AggregateCall) -> Typed:
    type_ = sum_type(call, call.type())
    total = sum_sql(call, call.sql(), call.type(), type_)
    if call.may_be_empty():
        total = f"coalesce({total}, CAST(0 AS {duckdb_type(type_)}))"
    pair = f"{{'1': {total}, '2': CAST({call.rows()} AS UBIGINT)}}"
    return call.typed(pair, t.Tuple((type_, t.UINT64)))


# --- averages ---


@aggregate("avg", native_skip=True, insensitive=True)
def avg(call: AggregateCall) -> Typed:
    type_ = call.type()
    if t.is_temporal(type_):
        return call.typed(_average_time(call, type_), type_)
    if isinstance(t.plain(type_), t.Nothing):
        return call.typed("CAST(NULL AS INTEGER)", t.Nullable(t.NOTHING))
    if not t.is_number(type_):
        call.wrong_type()
    if is_wide(type_):
        total = as_double(sum_sql(call, call.sql(), type_, type_), type_)
        value = f"({total} / {call.apply('count', call.sql())})"
    elif isinstance(type_, t.Int) and type_.bits >= 64:
        total = sum_sql(call, call.sql(), type_, type_)  # ClickHouse's sum wraps around here too
        value = f"(CAST({total} AS DOUBLE) / {call.apply('count', call.sql())})"
    else:
        value = call.apply("avg", f"CAST({call.sql()} AS UTINYINT)" if isinstance(type_, t.Bool) else call.sql())
    if not call.nullable and call.may_be_empty():
        value = call.or_nan(value)
    return call.typed(value, t.FLOAT64)


_EPOCH = "CAST('1970-01-01' AS {})"


def _average_time(call: AggregateCall, type_: t.Type) -> str:
    """The mean moment, rounded to the type's unit."""
    match type_:
        case t.Date() | t.Date32():
            days = call.apply("avg", f"date_diff('day', DATE '1970-01-01', {call.sql()})")
            value = f"(DATE '1970-01-01' + CAST(round_even({days}, 0) AS INTEGER))"
        case t.DateTime():
            seconds = call.apply("avg", f"epoch({call.sql()})")
            value = f"make_timestamp(CAST(round_even({seconds}, 0) AS BIGINT) * 1000000)"
        case t.DateTime64(precision) if precision <= 6:
            unit = 10 ** (6 - precision)
            ticks = call.apply("avg", f"CAST(epoch_us({call.sql()}) // {unit} AS DOUBLE)")
            value = f"make_timestamp(CAST(round_even({ticks}, 0) AS BIGINT) * {unit})"
        case _:
            call.unsupported(f"an argument of type {type_}")
    return call.or_default(value, type_, _EPOCH.format(duckdb_type(type_)))


@aggregate("avgWeighted", args=2)
def avg_weighted(call: AggregateCall) -> Typed:
    if not all(t.is_number(arg.type) for arg in call.args):
        call.wrong_type()
    if any(is_wide(t.plain(arg.type)) for arg in call.args):
        call.unsupported("numbers of more than 128 bits")
    if any(isinstance(t.plain(arg.type), t.Decimal) for arg in call.args):
        call.wrong_type()
    total = f"CAST({call.apply('sum', f'CAST({call.sql(1)} AS DOUBLE)')} AS DOUBLE)"
    return call.typed(call.or_nan(f"({_weighted_sum(call)} / {total})"), t.FLOAT64)


def _weighted_sum(call: AggregateCall) -> str:
    """ClickHouse multiplies in the type of the weights: whole weights cut off the fractions of values, and wrap."""
    weight = t.plain(call.type(1))
    if not isinstance(weight, t.Int):
        return call.apply("sum", f"CAST({call.sql()} AS DOUBLE) * CAST({call.sql(1)} AS DOUBLE)")
    value = f"coalesce(TRY_CAST(trunc(CAST({call.sql()} AS DOUBLE)) AS HUGEINT), {1 << 63})"
    products = call.apply("sum", f"{value} * CAST({call.sql(1)} AS HUGEINT)")
    return f"CAST({wrapped(products, t.INT64 if weight.signed else t.UINT64)} AS DOUBLE)"


# --- extremes ---


@aggregate("min", native_skip=True, insensitive=True)
def min_(call: AggregateCall) -> Typed:
    """NaN is greater than all to DuckDB, so that it counts only where there is nothing else, as in ClickHouse."""
    return call.typed(call.or_default(_extreme(call, "min", call.sql()), call.type()), call.kept_type())


@aggregate("max", native_skip=True, insensitive=True)
def max_(call: AggregateCall) -> Typed:
    value = _extreme(call, "max", call.sql())
    if isinstance(call.type(), t.Float):
        numbers = call.apply("max", call.sql(), where=[f"NOT isnan({call.sql()})"], distinct=False)
        value = f"coalesce({numbers}, {value})"
    return call.typed(call.or_default(value, call.type()), call.kept_type())


def _extreme(call: AggregateCall, name: str, argument: str) -> str:
    type_ = t.plain(call.type())
    if needs_key(type_, name):
        return call.apply(f"arg_{name}", argument, sort_value(call.args[0], name), distinct=False)
    if isinstance(type_, t.Json):
        call.unsupported(f"type {type_}")
    if t.varies(type_) or isinstance(type_, t.AggregateFunction):
        call.wrong_type()
    return call.apply(name, argument, distinct=False)
