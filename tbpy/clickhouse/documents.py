"""How text becomes the stored text of a JSON column: what conversions and ingestion share.

A document without dates, long numbers and dots in keys is stored as it stands, any other as `udf.json_documents` makes
it.
"""

from __future__ import annotations

from collections.abc import Iterable

from tbpy.clickhouse import types as t
from tbpy.clickhouse.quoting import duckdb_string

#: Before the name of a type: a Dynamic value of a type that its JSON does not tell is an object `{"::UInt8": 5}`.
TAG = "::"

#: The Python functions that `document_sql` calls: one fails at what is no document, the other makes it NULL.
STORED, STORED_OR_NULL = "tb_json_stored", "tb_json_stored_or_null"
PRINTED = "tb_json_printed"

#: What may have to be written otherwise: dates, times and numbers of many digits in values, and dots in keys.
_CHANGED = duckdb_string(r'"[^"]*[0-9]{1,4}[-/ ][^"]*"|[0-9]{19}|"[^"]*[.][^"]*"\s*:')


def document_sql(sql: str, type_: t.Json, function: str) -> str:
    """DuckDB SQL of the text of a document as a column of the type stores it; `function` is one of the two above."""
    stored = f"{function}({sql}, {duckdb_string(str(type_))})"
    if not type_.is_free:
        return stored
    plain = f"starts_with(ltrim({sql}), '{{') AND json_valid({sql}) AND NOT regexp_matches({sql}, {_CHANGED})"
    return f"(CASE WHEN {plain} THEN {sql} ELSE {stored} END)"


def printed_sql(sql: str, type_: t.Json | t.Dynamic, function: str) -> str:
    """DuckDB SQL of a stored document, or of a value below a path, as ClickHouse prints it; `function` is `PRINTED`."""
    whole = isinstance(type_, t.Json) and not type_.is_free
    return f"{function}(CAST({sql} AS VARCHAR), {str(whole).lower()})"


def reading_functions(types: Iterable[t.Type]) -> tuple[str, ...]:
    """The Python functions that reading values of some types on their way in calls."""
    return (STORED_OR_NULL,) if any(map(holds_json, types)) else ()


def holds_json(type_: t.Type) -> bool:
    """Whether a JSON value is somewhere in values of the type."""
    match type_:
        case t.Json():
            return True
        case t.Nullable(item) | t.LowCardinality(item) | t.Array(item) | t.SimpleAggregateFunction(_, item):
            return holds_json(item)
        case t.Map(_, item):
            return holds_json(item)
        case t.Tuple(items):
            return any(map(holds_json, items))
    return False
