"""Parquet into a table: columns by name, typed values converted as strictly as JSON's."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.quoting import duckdb_name, duckdb_string
from tbpy.clickhouse.storage import duckdb_type
from tbpy.errors import IngestError, QueryError
from tbpy.workspace.ingest.coercion import from_json, from_text
from tbpy.workspace.ingest.insertion import Loading
from tbpy.workspace.ingest.paths import extract
from tbpy.workspace.ingest.quarantine import Verdict, settle, wrong_value
from tbpy.workspace.ingest.readings import Reading
from tbpy.workspace.ingest.scan import Scan
from tbpy.workspace.ingest.sources import Input
from tbpy.workspace.ingest.target import TargetColumn

_INTEGERS = frozenset(f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE")) | {
    "INTEGER",
    "UINTEGER",
}
_FLOATS = frozenset({"FLOAT", "DOUBLE"})


def load_parquet(loading: Loading, source: Input) -> Verdict:
    """Raises `IngestError` for a file that is not Parquet, or is compressed as a whole."""
    scan = _scan(loading, source)
    rows, bad = loading.insert_good(scan)
    verdict = Verdict(rows)
    if bad:
        columns = loading.target.columns
        raw = ", ".join(f"{_raw(f's{i}')} AS r{i}" for i in range(len(columns)))
        again = Scan(f"SELECT *, {raw}, NULL::VARCHAR AS line FROM ({scan.relation})", scan.readings)
        left = Scan(f"SELECT * FROM ({again.relation}) WHERE true", scan.readings)
        verdict += _settle_bad(loading, left)
    return verdict


def _settle_bad(loading: Loading, scan: Scan) -> Verdict:
    cells = ", ".join(f"s{i}, r{i}" for i in range(len(scan.readings)))
    bad = f"SELECT {cells}, line FROM ({scan.converted}) WHERE NOT ({scan.good})"
    absent = [wrong_value(column, "''") for column in loading.target.columns]
    return settle(loading.session, loading.target, Scan(bad, scan.readings), absent, loading.import_)


def _scan(loading: Loading, source: Input) -> Scan:
    reader = f"read_parquet({duckdb_string(str(source.path))})"
    if source.compression != "none":
        raise IngestError(f"{source.label} is compressed as a whole", hint="Parquet compresses its pages itself")
    try:
        described = loading.session.rows(f"DESCRIBE SELECT * FROM {reader}")
    except QueryError as error:
        raise IngestError(f"{source.label} is not a Parquet file: {error.message}") from error
    types = {name: type_ for name, type_, *_ in described}
    parts, readings = [], []
    for i, column in enumerate(loading.target.columns):
        cell, type_ = _cell(column, types)
        parts.append(f"{cell} AS s{i}")
        readings.append(_reading(column, type_, f"s{i}", f"v{i}"))
    return Scan(f"SELECT {', '.join(parts)} FROM {reader}", tuple(readings))


def _cell(column: TargetColumn, types: dict[str, str]) -> tuple[str, str]:
    """SQL and DuckDB type of what the file has for a column: by its JSON path, else by its name; NULL when nothing."""
    keys = column.path.keys
    if len(keys) == 1 and not column.path.rest and keys[0] in types:
        return duckdb_name(keys[0]), types[keys[0]]
    if keys and keys[0] in types and (len(keys) > 1 or column.path.rest):
        document = f"to_json({duckdb_name(keys[0])})"
        return extract(document, column.path.steps[1:], text=False), "JSON"
    if column.name in types:
        return duckdb_name(column.name), types[column.name]
    return "NULL::VARCHAR", "VARCHAR"


def _reading(column: TargetColumn, given: str, s: str, v: str) -> Reading:
    value = column.store(
        f"CASE WHEN {s} IS NOT NULL THEN {_value(t.plain(column.type), given, s)} END", f"{s} IS NOT NULL"
    )
    good = f"({s} IS NULL OR {v} IS NOT NULL)" if column.may_be_absent else f"{v} IS NOT NULL"
    return Reading(given, value, good)


def _value(type_: t.Type, given: str, s: str) -> str:
    """Direct conversions where neither side has more than the other can hold; the rules of JSON for all else."""
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


def _raw(s: str) -> str:
    return f"CASE WHEN {s} IS NOT NULL THEN CAST({s} AS VARCHAR) END"


def _is_nested(given: str) -> bool:
    return given.endswith("]") or given.startswith(("STRUCT", "MAP", "UNION"))
