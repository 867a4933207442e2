"""The paths that the documents of a JSON column have."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.call import AggregateCall
from tbpy.clickhouse.aggregates.registry import aggregate
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.quoting import duckdb_string


def _found(call: AggregateCall) -> str:
    """All paths with the types of their values, as a list of structs."""
    type_ = call.type()
    if not isinstance(type_, t.Json):
        call.wrong_type()
    if type_.max_dynamic_paths != t.Json().max_dynamic_paths:
        call.unsupported(f"an argument of type {type_}")  # what is beyond the limit is ClickHouse's affair
    texts = call.collect(f"CAST({call.sql()} AS VARCHAR)")
    return f"{call.context.udf('tb_json_distinct_paths')}({texts}, {duckdb_string(str(type_))})"


@aggregate("distinctJSONPaths", never_null=True)
def distinct_paths(call: AggregateCall) -> Typed:
    name = call.context.fresh("p")
    return call.typed(f"list_transform({_found(call)}, lambda {name}: {name}.path)", t.Array(t.STRING))


@aggregate("distinctJSONPathsAndTypes", never_null=True)
def distinct_paths_and_types(call: AggregateCall) -> Typed:
    return call.typed(f"map_from_entries({_found(call)})", t.Map(t.STRING, t.Array(t.STRING)))
