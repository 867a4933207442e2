"""midpoint: the mean of values, of their own type."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.conversion import coerce, common_type
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.storage import duckdb_type


@scalar("midpoint", args=(2, None))
def midpoint(call: Call) -> Typed:
    """The part behind the point is cut off where the type has none."""
    type_ = common_type([arg.type for arg in call.args], call.node)
    values, count = [coerce(arg, type_).sql for arg in call.args], len(call.args)
    match t.plain(type_):
        case t.Float():
            return call.typed(f"(({' + '.join(values)}) / {count})", type_)
        case t.Int(bits) if bits <= 64:
            total = " + ".join(f"CAST({value} AS HUGEINT)" for value in values)
            return call.typed(f"CAST(({total}) // {count} AS {duckdb_type(type_)})", type_)
        case t.Date():
            days = " + ".join(f"date_diff('day', DATE '1970-01-01', {value})" for value in values)
            return call.typed(f"(DATE '1970-01-01' + CAST(({days}) // {count} AS INTEGER))", type_)
        case t.DateTime():
            seconds = " + ".join(f"CAST(epoch({value}) AS BIGINT)" for value in values)
            return call.typed(f"make_timestamp((({seconds}) // {count}) * 1000000)", type_)
    call.unsupported(f"arguments of type {type_}")
