"""Results as bytes, in ClickHouse's formats and exactly as ClickHouse 26.9 prints them.

`write` streams: it reads rows in chunks and yields each as soon as it is written (the tables of Pretty need all rows).
Parquet is listed because the API offers it, but only an engine can write it: `write` refuses formats that are `binary`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tbpy.clickhouse.formats import json_formats, text_formats
from tbpy.clickhouse.formats.pretty import pretty
from tbpy.clickhouse.formats.prometheus import prometheus
from tbpy.clickhouse.formats.python_values import converter, to_python
from tbpy.clickhouse.formats.result import Column, Result, ResultColumn, Row, Statistics, Writer
from tbpy.errors import QueryError

__all__ = [
    "EXTENSIONS",
    "FORMATS",
    "Column",
    "Format",
    "Statistics",
    "converter",
    "find_format",
    "to_python",
    "write",
]


@dataclass(frozen=True, slots=True)
class Format:
    """A format by its ClickHouse name. `writer` is None for one that an engine writes."""

    name: str
    content_type: str
    writer: Writer | None

    @property
    def binary(self) -> bool:
        return self.writer is None


_JSON = "application/json; charset=utf-8"
_NDJSON = "application/x-ndjson; charset=utf-8"
_CSV = "text/csv; charset=utf-8"
_TSV = "text/tab-separated-values; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"


def _pretty_formats() -> Iterator[Format]:
    for name, kind in (("Pretty", "full"), ("PrettyCompact", "compact"), ("PrettySpace", "space")):
        for suffix in ("", "NoEscapes", "MonoBlock", "NoEscapesMonoBlock"):
            yield Format(name + suffix, _TEXT, pretty(kind))


def _nothing(result: Result) -> Iterator[bytes]:
    for _ in result.rows:
        pass
    yield b""


FORMATS: Mapping[str, Format] = {
    found.name: found
    for found in (
        Format("JSON", _JSON, json_formats.json()),
        Format("JSONCompact", _JSON, json_formats.json(compact=True)),
        Format("JSONStrings", _JSON, json_formats.json(strings=True)),
        Format("JSONCompactStrings", _JSON, json_formats.json(compact=True, strings=True)),
        Format("JSONColumns", _JSON, json_formats.json_columns),
        Format("JSONCompactColumns", _JSON, json_formats.json_compact_columns),
        Format("JSONColumnsWithMetadata", _JSON, json_formats.json_columns_with_metadata),
        Format("JSONObjectEachRow", _JSON, json_formats.json_object_each_row),
        Format("JSONEachRow", _NDJSON, json_formats.json_each_row()),
        Format("PrettyJSONEachRow", _NDJSON, json_formats.json_each_row(pretty=True)),
        Format("JSONStringsEachRow", _NDJSON, json_formats.json_each_row(strings=True)),
        Format("JSONCompactEachRow", _NDJSON, json_formats.json_compact_each_row()),
        Format("JSONCompactEachRowWithNames", _NDJSON, json_formats.json_compact_each_row(names=True)),
        Format(
            "JSONCompactEachRowWithNamesAndTypes", _NDJSON, json_formats.json_compact_each_row(names=True, types=True)
        ),
        Format("JSONCompactStringsEachRow", _NDJSON, json_formats.json_compact_each_row(strings=True)),
        Format(
            "JSONCompactStringsEachRowWithNames", _NDJSON, json_formats.json_compact_each_row(strings=True, names=True)
        ),
        Format(
            "JSONCompactStringsEachRowWithNamesAndTypes",
            _NDJSON,
            json_formats.json_compact_each_row(strings=True, names=True, types=True),
        ),
        Format("CSV", _CSV, text_formats.csv()),
        Format("CSVWithNames", _CSV, text_formats.csv(names=True)),
        Format("CSVWithNamesAndTypes", _CSV, text_formats.csv(names=True, types=True)),
        Format("TabSeparated", _TSV, text_formats.tsv()),
        Format("TabSeparatedWithNames", _TSV, text_formats.tsv(names=True)),
        Format("TabSeparatedWithNamesAndTypes", _TSV, text_formats.tsv(names=True, types=True)),
        Format("TabSeparatedRaw", _TSV, text_formats.tsv(raw=True)),
        Format("TabSeparatedRawWithNames", _TSV, text_formats.tsv(raw=True, names=True)),
        Format("TabSeparatedRawWithNamesAndTypes", _TSV, text_formats.tsv(raw=True, names=True, types=True)),
        Format("LineAsString", _TEXT, text_formats.tsv(raw=True)),
        Format("Values", _TEXT, text_formats.values),
        Format("SQLInsert", _TEXT, text_formats.sql_insert),
        Format("Markdown", "text/markdown; charset=utf-8", text_formats.markdown),
        Format("Vertical", _TEXT, text_formats.vertical),
        *_pretty_formats(),
        Format("Prometheus", "text/plain; version=0.0.4; charset=utf-8", prometheus),
        Format("Null", _TEXT, _nothing),
        Format("Parquet", "application/vnd.apache.parquet", None),
    )
}

EXTENSIONS: Mapping[str, str] = {
    "json": "JSON",
    "csv": "CSVWithNames",
    "csvwithnames": "CSVWithNames",
    "ndjson": "JSONEachRow",
    "parquet": "Parquet",
    "prometheus": "Prometheus",
}
"""File extensions of the HTTP API, and the formats they stand for."""

_ALIASES = {"ndjson": "JSONEachRow", "jsonlines": "JSONEachRow", "raw": "TabSeparatedRaw"}
_BY_LOWER_NAME = {name.lower(): found for name, found in FORMATS.items()}


def find_format(name: str) -> Format:
    """The format that a FORMAT clause names, in any case and by any alias.

    Raises `QueryError` (73, UNKNOWN_FORMAT).
    """
    key = name.lower()
    key = _ALIASES.get(key, key).lower()
    if key.startswith("tsv"):
        key = "tabseparated" + key[3:]
    if key not in _BY_LOWER_NAME:
        raise QueryError(f"Unknown format {name}", code=73, name="UNKNOWN_FORMAT")
    return _BY_LOWER_NAME[key]


def write(
    format: str,
    columns: Sequence[ResultColumn],
    rows: Iterable[Row],
    *,
    statistics: Statistics | None = None,
    rows_before_limit_at_least: int | None = None,
    totals: Row | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Iterator[bytes]:
    """The result in a format, as chunks of bytes.

    Values are as DuckDB's client gives them for the storage types of `tbpy.clickhouse.storage`. Of the settings,
    `output_format_json_quote_64bit_integers` and `output_format_json_quote_denormals` count. Raises `QueryError` when
    there is no such format, or an engine has to write it.
    """
    found = find_format(format)
    if found.writer is None:
        raise QueryError(f"Format {found.name} is written by an engine", code=73, name="UNKNOWN_FORMAT")
    result = Result(columns, rows, statistics, rows_before_limit_at_least, totals, settings or {})
    return found.writer(result)
