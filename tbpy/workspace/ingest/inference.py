"""A `.datasource` for a file: columns and types from its beginning, and a sorting key to start with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tbpy.clickhouse.quoting import duckdb_string
from tbpy.engines import DuckDBEngine
from tbpy.errors import IngestError, QueryError
from tbpy.workspace.ingest.csv_dialect import read_rows
from tbpy.workspace.ingest.guessing import json_type, text_type
from tbpy.workspace.ingest.sources import Format, Input, detect_format, open_inputs, read_sample

_PARQUET_TYPES = {
    "TINYINT": "Int8", "SMALLINT": "Int16", "INTEGER": "Int32", "BIGINT": "Int64", "HUGEINT": "Int128",
    "UTINYINT": "UInt8", "USMALLINT": "UInt16", "UINTEGER": "UInt32", "UBIGINT": "UInt64", "FLOAT": "Float32",
    "DOUBLE": "Float64", "BOOLEAN": "Bool", "DATE": "Date", "UUID": "UUID", "TIMESTAMP_S": "DateTime",
    "TIMESTAMP_MS": "DateTime64(3)", "TIMESTAMP": "DateTime64(6)", "TIMESTAMP_NS": "DateTime64(9)",
    "TIMESTAMP WITH TIME ZONE": "DateTime64(6)",
}  # fmt: skip
_MOMENT_TYPES = ("DateTime", "DateTime64", "Date")


@dataclass(frozen=True, slots=True)
class InferredColumn:
    name: str
    type: str
    path: str
    nullable: bool = False

    def declaration(self) -> str:
        type_ = f"Nullable({self.type})" if self.nullable and not self.type.startswith("Array(") else self.type
        default = " DEFAULT []" if self.nullable and self.type.startswith("Array(") else ""
        return f"    `{self.name}` {type_} `json:{self.path}`{default}"


def infer_datasource(source: str | Path, kind: Format | None = None) -> str:
    """The text of a `.datasource` that takes the rows of a file, pattern or URL.

    A column that is missing in some row is Nullable. Raises as an append does for what cannot be read.
    """
    with open_inputs(source) as inputs:
        return describe(inputs[0], kind or detect_format(inputs, source))


def describe(source: Input, kind: Format) -> str:
    match kind:
        case Format.NDJSON:
            columns = _ndjson_columns(source)
        case Format.CSV:
            columns = _csv_columns(source)
        case Format.PARQUET:
            columns = _parquet_columns(source)
    if not columns:
        raise IngestError(f"{source.label} has no columns to infer a data source from")
    return _datafile(columns)


def _datafile(columns: Sequence[InferredColumn]) -> str:
    lines = ["SCHEMA >", ",\n".join(column.declaration() for column in columns), "", 'ENGINE "MergeTree"']
    moment = next((c.name for c in columns if c.type.partition("(")[0] in _MOMENT_TYPES and not c.nullable), None)
    if moment is not None:
        lines.append(f'ENGINE_PARTITION_KEY "toYYYYMM({moment})"')
    lines.append(f'ENGINE_SORTING_KEY "{_sorting_key(columns, moment)}"')
    return "\n".join(lines) + "\n"


def _sorting_key(columns: Sequence[InferredColumn], moment: str | None) -> str:
    """What rows are mostly looked up by: an identifier, then the time; else the first column that may be in a key."""
    usable = [c for c in columns if not c.nullable and not c.type.startswith(("Array(", "Float", "Bool"))]
    identifier = next((c.name for c in usable if re.search(r"(^|_)(id|uuid|key)$|[a-z]Id$", c.name)), None)
    key = [name for name in (identifier, moment) if name is not None] or [c.name for c in usable[:1]]
    return ", ".join(key) or "tuple()"


# --- NDJSON -----------------------------------------------------------------------------------------------------------


def _ndjson_columns(source: Input) -> list[InferredColumn]:
    rows = [row for row in map(_parsed, read_sample(source).split(b"\n")) if isinstance(row, dict)]
    if not rows:
        raise IngestError(f"{source.label} is not NDJSON: none of its first lines is a JSON object")
    values: dict[tuple[str, ...], list[Any]] = {}
    for row in rows:
        for path, value in _leaves(row, ()):
            values.setdefault(path, []).append(value)
    names = _unique(["_".join(path) for path in values])
    columns = []
    for name, (path, found) in zip(names, values.items(), strict=True):
        known = [value for value in found if value is not None]
        type_ = json_type(known) if known else "String"
        columns.append(InferredColumn(name, type_, _json_path(path, type_), len(known) < len(rows)))
    return columns


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _leaves(value: dict[str, Any], above: tuple[str, ...]) -> Iterable[tuple[tuple[str, ...], Any]]:
    """Values with the keys that lead to them; objects in objects are columns of their own, empty ones are text."""
    for key, part in value.items():
        path = (*above, key)
        if isinstance(part, dict) and part:
            yield from _leaves(part, path)
        else:
            yield path, part


def _json_path(path: tuple[str, ...], type_: str) -> str:
    steps = "".join(f".{key}" if re.fullmatch(r"\w+", key) else f'.["{key}"]' for key in path)
    return f"${steps}[:]" if type_.startswith("Array(") else f"${steps}"


# --- CSV and Parquet --------------------------------------------------------------------------------------------------


def _csv_columns(source: Input) -> list[InferredColumn]:
    sample = read_sample(source)
    if b"\0" in sample:
        raise IngestError(f"{source.label} is not CSV: it has binary data")
    _, rows = read_rows(sample, limit=10_000)
    if not rows:
        raise IngestError(f"{source.label} has no rows")
    header = _looks_like_header(rows)
    titles = rows[0] if header else [f"column_{place + 1}" for place in range(len(rows[0]))]
    data = [row for row in rows[header:] if len(row) == len(titles)]
    columns = []
    for place, name in enumerate(_unique(titles)):
        cells = [row[place] for row in data if row[place] not in ("", r"\N")]
        type_ = text_type(cells) if cells else "String"
        columns.append(InferredColumn(name, type_, f"$.{name}", type_ != "String" and len(cells) < len(data)))
    return columns


def _looks_like_header(rows: list[list[str]]) -> bool:
    """Whether the first row has nothing but words, each once: what follows it may be words too."""
    return len(set(rows[0])) == len(rows[0]) and all(cell and text_type([cell]) == "String" for cell in rows[0])


def _parquet_columns(source: Input) -> list[InferredColumn]:
    reader = f"read_parquet({duckdb_string(str(source.path))})"
    with DuckDBEngine(threads=1) as engine:
        try:
            described = engine.run(f"DESCRIBE SELECT * FROM {reader}")
            counts = ", ".join(f'count("{name.replace(chr(34), chr(34) * 2)}")' for name, *_ in described)
            total, *known = engine.run(f"SELECT count(*), {counts} FROM (SELECT * FROM {reader} LIMIT 100000)")[0]
        except QueryError as error:
            raise IngestError(f"{source.label} is not a Parquet file: {error.message}") from error
    names = _unique([name for name, *_ in described])
    return [
        InferredColumn(name, _parquet_type(type_), _json_path((original,), ""), count < total)
        for name, (original, type_, *_), count in zip(names, described, known, strict=True)
    ]


def _parquet_type(type_: str) -> str:
    if type_.endswith("[]"):
        return f"Array({_parquet_type(type_[:-2])})"
    if type_.startswith("DECIMAL"):
        return type_.replace("DECIMAL", "Decimal").replace(",", ", ")
    return _PARQUET_TYPES.get(type_, "String")


def _unique(titles: Sequence[str]) -> list[str]:
    """Names that a SCHEMA takes, each once."""
    names: list[str] = []
    for title in titles:
        name = base = re.sub(r"\W", "_", title.strip(), flags=re.ASCII) or "column"
        number = 2
        while name in names:
            name, number = f"{base}_{number}", number + 1
        names.append(name)
    return names
