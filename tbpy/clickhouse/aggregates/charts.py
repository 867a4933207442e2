"""Aggregates that draw or thin out a series: sparkbar, largestTriangleThreeBuckets."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.call import AggregateCall
from tbpy.clickhouse.aggregates.funnels import moment
from tbpy.clickhouse.aggregates.registry import aggregate
from tbpy.clickhouse.compiler.failures import bad_arguments
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.storage import duckdb_type


def _number(call: AggregateCall, position: int) -> str:
    match call.type(position):
        case t.Int() | t.Float() | t.Decimal():
            return f"CAST({call.sql(position)} AS DOUBLE)"
        case t.Date():
            return f"CAST(date_diff('day', DATE '1970-01-01', {call.sql(position)}) AS DOUBLE)"
        case t.DateTime():
            return f"epoch({call.sql(position)})"
    call.wrong_type()


@aggregate("sparkbar", "sparkBar", args=2, parameters=3)
def sparkbar(call: AggregateCall) -> Typed:
    """A bar of block characters; with two more parameters only for that range of x."""
    width = call.whole_parameter(0)
    if width is None or not 2 <= width <= 1024 or len(call.parameters) == 2:
        raise bad_arguments("sparkbar needs a width from 2 to 1024, and perhaps a range", call.node)
    if not isinstance(call.type(1), t.Int | t.Float):
        call.wrong_type()
    low, high = 1, 0
    if len(call.parameters) == 3:
        low, high = call.parameter(1), call.parameter(2)
        if not isinstance(low, int) or not isinstance(high, int) or not isinstance(call.type(), t.Int):
            call.unsupported("a range that is not of whole numbers")
    value_type = call.type(1)
    limit = value_type.maximum if isinstance(value_type, t.Int) else 0
    places, values = call.collect(moment(call)), call.collect(f"CAST({call.sql(1)} AS DOUBLE)")
    function = call.context.udf("tb_spark_bar")
    bar = f"{function}({places}, {values}, {width}, {limit}, {low}, {high})"
    return call.typed(call.when_rows(bar), t.STRING)


@aggregate("largestTriangleThreeBuckets", "lttb", args=2, parameters=1)
def largest_triangle_three_buckets(call: AggregateCall) -> Typed:
    most = call.whole_parameter(0)
    if most is None:
        raise bad_arguments(f"{call.name} needs the number of points", call.node)
    types = tuple(t.FLOAT64 if isinstance(arg.type, t.Int | t.Float | t.Decimal) else arg.type for arg in call.args)
    type_ = t.Array(t.Tuple(types))
    place = call.context.fresh("p")
    pairs = [f"CAST({arg.sql} AS {duckdb_type(item)})" for arg, item in zip(call.args, types, strict=True)]
    function = call.context.udf("tb_largest_triangles")
    places = f"{function}({call.collect(_number(call, 0))}, {call.collect(_number(call, 1))}, {most})"

    def pick(points: str) -> str:
        return f"list_transform({places}, lambda {place}: {points}[{place}])"

    points = call.collect(f"{{'1': {pairs[0]}, '2': {pairs[1]}}}")
    return call.typed(f"CAST({call.let(points, pick)} AS {duckdb_type(type_)})", type_)
