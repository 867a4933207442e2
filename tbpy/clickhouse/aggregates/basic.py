"""The aggregates that every project uses: count, sum, avg, min, max, any."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.registry import AggregateCall, aggregate
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.storage import duckdb_type


@aggregate("count", args=(0, None), never_null=True, insensitive=True)
def count(call: AggregateCall) -> Typed:
    argument = ", ".join(arg.sql for arg in call.args)
    if call.args and call.distinct:
        return call.typed(f"CAST({call.apply('count', argument)} AS UBIGINT)", t.UINT64)
    nullable = bool(call.original) and t.is_nullable(call.original[0].type)
    return call.typed(f"CAST({call.apply('count', argument if nullable else '*')} AS UBIGINT)", t.UINT64)


@aggregate("sum", insensitive=True)
def sum_(call: AggregateCall) -> Typed:
    match t.plain(call.type()):
        case t.Int(bits, signed):
            type_: t.Type = t.Int(max(bits, 64), signed)
        case t.Bool():
            type_ = t.UINT64
        case t.Float():
            type_ = t.FLOAT64
        case t.Decimal(precision, scale):
            type_ = t.Decimal(38 if precision <= 38 else 76, scale)
        case _:
            call.wrong_type()
    value = f"CAST({call.apply('sum', call.sql())} AS {duckdb_type(type_)})"
    return call.typed(call.or_default(value, type_), type_)


@aggregate("avg", insensitive=True)
def avg(call: AggregateCall) -> Typed:
    if not t.is_number(call.type()):
        call.wrong_type()
    value = call.apply("avg", call.sql())
    if not call.nullable and call.may_be_empty():
        value = f"coalesce({value}, CAST('nan' AS DOUBLE))"
    return call.typed(value, t.FLOAT64)


def _extreme(name: str) -> None:
    @aggregate(name, insensitive=True)
    def build(call: AggregateCall) -> Typed:
        return call.typed(call.or_default(call.apply(name, call.sql()), call.type()), call.type())


_extreme("min")
_extreme("max")


@aggregate("any", "any_value", "first_value", "anyRespectNulls", insensitive=("any_value", "first_value"))
def any_(call: AggregateCall) -> Typed:
    return call.typed(call.or_default(call.apply("any_value", call.sql()), call.type()), call.type())
