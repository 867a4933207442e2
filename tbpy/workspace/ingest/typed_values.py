"""DuckDB SQL that reads a value of a ClickHouse type out of a typed DuckDB value: of Parquet, or of another table."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.storage import duckdb_type
from tbpy.workspace.ingest.coercion import from_json, from_text

_INTEGERS = frozenset(f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE")) | {
    "INTEGER",
    "UINTEGER",
}
_FLOATS = frozenset({"FLOAT", "DOUBLE"})


def from_typed(type_: t.Type, given: str, s: str) -> str:
    """SQL of the stored value of `s`, which has the DuckDB type `given`; NULL where `s` is NULL or is no such value.

    Direct conversions where nothing can get lost unseen; the rules of JSON for all else.
    """
    return f"CASE WHEN {s} IS NOT NULL THEN {_value(t.plain(type_), given, s)} END"


def _value(type_: t.Type, given: str, s: str) -> str:
    target = duckdb_type(type_)
    if given == "VARCHAR":
        return from_text(type_, s)
    if given == "BLOB":
        return from_text(type_, f"TRY(decode({s}))")
    match type_:
        case t.Int(bits, _) if given in _INTEGERS and bits < 256:
            return f"TRY_CAST({s} AS {target})"
        case t.Float() if given in _FLOATS or given in _INTEGERS:
            return f"TRY_CAST({s} AS {target})"
        case t.Bool() if given == "BOOLEAN":
            return s
        case t.UUID() if given == "UUID":
            return s
        case t.Date() if given == "DATE":
            return f"CASE WHEN {s} BETWEEN DATE '1970-01-01' AND DATE '2149-06-06' THEN {s} END"
        case t.Date32() if given == "DATE":
            return f"CASE WHEN {s} BETWEEN DATE '1900-01-01' AND DATE '2299-12-31' THEN {s} END"
        case t.DateTime() if given.startswith("TIMESTAMP"):
            seconds = f"TRY_CAST(epoch_us({s}) // 1000000 AS UINTEGER)"
            return f"make_timestamp(CAST({seconds} AS BIGINT) * 1000000)"
        case t.DateTime64(precision) if given.startswith("TIMESTAMP") and precision <= 6:
            unit = 10 ** (6 - precision)
            return f"make_timestamp(epoch_us({s}) // {unit} * {unit})"
        case t.Decimal(precision, scale) if given.startswith("DECIMAL") and precision <= 38:
            return f"TRY_CAST(trunc({s}, {scale}) AS {target})" if given != target else s
        case t.String() if not _is_nested(given):
            return f"CAST({s} AS VARCHAR)"
    document = f"CAST({s} AS VARCHAR)" if given == "JSON" else f"CAST(to_json({s}) AS VARCHAR)"
    return from_json(type_, document)


def _is_nested(given: str) -> bool:
    return given.endswith("]") or given.startswith(("STRUCT", "MAP", "UNION"))
