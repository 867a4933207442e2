"""Questions to a server: a query or an endpoint, answered in the form that is asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tbpy.client.http_api import HttpApi
from tbpy.errors import UsageError

# What the API answers for an endpoint, by ClickHouse's name of the format.
_ENDINGS = {
    "JSON": "json",
    "CSVWithNames": "csv",
    "JSONEachRow": "ndjson",
    "Parquet": "parquet",
    "Prometheus": "prometheus",
}
_SELECT = re.compile(r"\s*(SELECT|WITH)\b", re.IGNORECASE)
_END = re.compile(r"(\bFORMAT\s+\w+\s*)?;?\s*\Z", re.IGNORECASE)  # the form is asked for apart from the question


@dataclass(frozen=True, slots=True)
class Document:
    """An answer of FORMAT JSON. `columns` are (name, type); values are those of JSON. `elapsed` in seconds."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Any, ...], ...]
    elapsed: float
    rows_read: int


@dataclass(frozen=True, slots=True)
class Question:
    """SQL over a workspace, or an endpoint, perhaps with SQL over its answer. Asked when the form is known."""

    api: HttpApi
    parameters: Mapping[str, Any]
    sql: str | None = None
    endpoint: str | None = None

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        return list(self.document().rows)

    def document(self, limit: int | None = None) -> Document:
        """At most `limit` rows, where the statement lets itself be limited."""
        path, values = self._request("JSON", limit)
        found = self.api.answer(path, values).json()
        columns = tuple((each["name"], each["type"]) for each in found["meta"])
        statistics = found.get("statistics") or {}
        return Document(
            columns,
            tuple(tuple(row.get(name) for name, _ in columns) for row in found["data"]),
            float(statistics.get("elapsed") or 0),
            int(statistics.get("rows_read") or 0),
        )

    def text(self, format: str) -> bytes:
        path, values = self._request(format, None)
        return self.api.answer(path, values).content

    def write(self, path: Path, format: str) -> int:
        """Writes the answer to a file as it comes, and returns its size in bytes."""
        address, values = self._request(format, None)
        with self.api.stream(address, values) as pieces, path.open("wb") as file:
            return sum(file.write(piece) for piece in pieces)

    def _request(self, format: str, limit: int | None) -> tuple[str, dict[str, Any]]:
        if self.endpoint is None:
            statement = _limited(self.sql or "", limit)
            return "/v0/sql", {**self.parameters, "q": f"{statement} FORMAT {format}"}
        if format not in _ENDINGS:
            raise UsageError(f"An endpoint of a server does not answer {format}", hint=f"it answers {_formats()}")
        sql = None if self.sql is None and limit is None else _limited(self.sql or "SELECT * FROM _", limit)
        return f"/v0/pipes/{quote(self.endpoint)}.{_ENDINGS[format]}", {**self.parameters, "q": sql}


def _limited(sql: str, limit: int | None) -> str:
    """The line break ends a comment that the statement may end with."""
    bare = _END.sub("", sql, count=1)
    if limit is None or not _SELECT.match(bare):
        return f"{bare}\n"
    return f"SELECT * FROM ({bare}\n) LIMIT {limit}"


def _formats() -> str:
    return ", ".join(_ENDINGS.values())
