"""Parquet into a table: columns by name, typed values converted as strictly as JSON's."""

from __future__ import annotations

from tbpy.clickhouse.quoting import duckdb_name, duckdb_string
from tbpy.errors import IngestError, QueryError
from tbpy.workspace.ingest.insertion import Loading
from tbpy.workspace.ingest.paths import extract
from tbpy.workspace.ingest.quarantine import Verdict, settle, wrong_value
from tbpy.workspace.ingest.readings import Reading
from tbpy.workspace.ingest.scan import Scan
from tbpy.workspace.ingest.sources import Input
from tbpy.workspace.ingest.target import TargetColumn
from tbpy.workspace.ingest.typed_values import from_typed


def load_parquet(loading: Loading, source: Input) -> Verdict:
    """Raises `IngestError` for a file that is not Parquet, or is compressed as a whole."""
    scan = _scan(loading, source)
    rows, bad = loading.insert_good(scan, dictionaries=loading.dictionaries_pay(scan))
    verdict = Verdict(rows)
    if bad:
        verdict += _settle_bad(loading, scan)
    return verdict


def _settle_bad(loading: Loading, scan: Scan) -> Verdict:
    """The rows that were not inserted, read again with the text of what they have."""
    places = range(len(scan.readings))
    raw = ", ".join(f"CASE WHEN s{i} IS NOT NULL THEN CAST(s{i} AS VARCHAR) END AS r{i}" for i in places)
    given = ", ".join(f"s{i}" for i in places)
    bad = f"SELECT {given}, {raw}, NULL::VARCHAR AS line FROM ({scan.converted}) WHERE NOT ({scan.good})"
    absent = [wrong_value(column, "''") for column in scan.columns]
    again = Scan(bad, scan.columns, scan.readings)
    return settle(loading.session, loading.target, again, absent, loading.import_)


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
    return Scan(f"SELECT {', '.join(parts)} FROM {reader}", loading.target.columns, tuple(readings))


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
    value = from_typed(column.type, given, s)
    good = f"({s} IS NULL OR {v} IS NOT NULL)" if column.may_be_absent else f"{v} IS NOT NULL"
    return Reading(given, value, good)
