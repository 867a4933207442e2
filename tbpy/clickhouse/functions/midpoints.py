"""midpoint: the middle of numbers, dates or moments; NULLs do not count."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.wide import is_wide
from tbpy.clickhouse.compiler.conversion import coerce, common_type
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.decimals import unit_of, whole_sql
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.storage import duckdb_type


@scalar("midpoint", "avg2", args=(1, None), nulls="keep", insensitive=True)
def midpoint(call: Call) -> Typed:
    """In the type that all of them share; what is finer than it is cut off."""
    given = [arg for arg in call.args if not isinstance(t.plain(arg.type), t.Nothing)]
    if not given:
        return constant(None)
    type_ = common_type([arg.type for arg in call.args], call.node)
    kind = t.plain(type_)
    if not (t.is_number(kind) or isinstance(kind, t.Date | t.Date32 | t.DateTime | t.DateTime64)) or is_wide(kind):
        call.wrong_type()
    values = [coerce(arg, t.nullable(type_) if t.is_nullable(arg.type) else kind).exact() for arg in given]
    optional = [value for value, arg in zip(values, given, strict=True) if t.is_nullable(arg.type)]
    parts = [_ticks(value, kind) for value in values]
    if not optional:
        return call.typed(_value(" + ".join(parts), str(len(parts)), kind), type_)
    total = " + ".join(f"coalesce({part}, 0)" for part in parts)
    count = " + ".join([*(f"({value} IS NOT NULL)::INTEGER" for value in optional), str(len(parts) - len(optional))])
    middle = _value(total, f"nullif({count}, 0)", kind)
    return call.typed(middle, type_)


def _ticks(value: str, kind: t.Type) -> str:
    """A value as a number that can be added up."""
    match kind:
        case t.Float():
            return f"CAST({value} AS DOUBLE)"
        case t.Decimal(_, scale):
            return whole_sql(value, scale, 0)
        case t.Date() | t.Date32():
            return f"CAST({value} - DATE '1970-01-01' AS HUGEINT)"
        case t.DateTime() | t.DateTime64():
            return f"CAST(epoch_ns({value}) AS HUGEINT)"
    return f"CAST({value} AS HUGEINT)"


def _value(total: str, count: str, kind: t.Type) -> str:
    storage, middle = duckdb_type(kind), f"(({total}) // ({count}))"
    match kind:
        case t.Float():
            return f"CAST(({total}) / ({count}) AS {storage})"
        case t.Decimal(_, scale):
            return f"CAST(CAST({middle} AS DECIMAL(38, 0)) * {unit_of(scale)} AS {storage})"
        case t.Date() | t.Date32():
            return f"(DATE '1970-01-01' + CAST({middle} AS INTEGER))"
        case t.DateTime():
            return f"make_timestamp(CAST({middle} // 1000000000 * 1000000 AS BIGINT))"
        case t.DateTime64(precision):
            step = 10 ** (9 - precision)
            cut = f"CAST({middle} // {step} * {step} AS BIGINT)"
            return f"make_timestamp_ns({cut})" if precision > 6 else f"make_timestamp({cut} // 1000)"
    return f"CAST({middle} AS {storage})"
