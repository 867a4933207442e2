"""byteSize: how many bytes values take in ClickHouse's memory. Source: ClickHouse documentation, and its answers."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.context import Context
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.memory import width

_LENGTH = 8  # of the length of a text, of the offset of an array


@scalar("byteSize", args=(0, None), nulls="keep", low_cardinality=False)
def byte_size(call: Call) -> Typed:
    sizes = [_size(call, arg.sql, arg.type) for arg in call.args]
    return call.typed(f"CAST({' + '.join(sizes) or '0'} AS UBIGINT)", t.UINT64)


def _size(call: Call, sql: str, type_: t.Type) -> str:
    match type_:
        case t.String():
            return f"({_LENGTH} + strlen({sql}))"
        case t.Nullable(t.Nothing()):
            return "1"
        case t.Nullable(item):
            default = str(_LENGTH) if isinstance(item, t.String) else _size(call, sql, item)
            return f"(1 + coalesce({_size(call, sql, item)}, {default}))"
        case t.LowCardinality(item):
            return _size(call, sql, item)
        case t.Array(item):
            return _of_items(call, call.context, sql, item)
        case t.Map(key, value):
            return _of_items(call, call.context, f"map_entries({sql})", t.Tuple((key, value), ("key", "value")))
        case t.Tuple(items):
            names = type_.names or [str(place) for place in range(1, len(items) + 1)]
            sizes = [_size(call, f"{sql}['{name}']", item) for name, item in zip(names, items, strict=True)]
            return f"({' + '.join(sizes) or '0'})"
        case t.Json() | t.Dynamic() | t.Variant() | t.AggregateFunction():
            call.unsupported(f"an argument of type {type_}")
    return str(width(type_))


def _of_items(call: Call, context: Context, sql: str, item: t.Type) -> str:
    name = context.fresh("e")
    size = _size(call, name, item)
    return f"({_LENGTH} + coalesce(list_sum(list_transform({sql}, lambda {name}: {size})), 0))"
