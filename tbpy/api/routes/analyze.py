"""`POST /v0/analyze`: the columns that a file seems to have, and its first rows.

The file goes into a workspace of its own, so what is told is what an append would store.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tbpy.api.authentication import access_of
from tbpy.api.parameters import single
from tbpy.api.routes.common import Route, json_answer, query_parameters, service_of
from tbpy.api.routes.imports import format_of, receive_data
from tbpy.api.running import in_thread
from tbpy.api.tokens.scopes import CREATE
from tbpy.clickhouse.formats import Statistics, write
from tbpy.clickhouse.quoting import quote_identifier, quote_identifier_if_needed
from tbpy.datafiles import Column, parse_datasource
from tbpy.errors import UsageError
from tbpy.project import load_project
from tbpy.workspace import Workspace
from tbpy.workspace.ingest.inference import infer_datasource
from tbpy.workspace.ingest.sources import Format

_NAME = "analyzed"
_PREVIEW = 10


async def analyze(request: Request) -> Response:
    access_of(request).require(CREATE)
    with tempfile.TemporaryDirectory(prefix="tbpy-analyze-") as folder:
        given, source = await receive_data(request, query_parameters(request), Path(folder))
        source = source or single(given, "url")
        if not source:
            raise UsageError("There is nothing to analyze: send a body, a file or a url")
        kind = format_of(given, source, default=None)
        return json_answer(await in_thread(service_of(request).threads, analyzed, Path(folder), source, kind))


def analyzed(folder: Path, source: str, kind: str | None) -> dict[str, Any]:
    """What a file holds. `folder` is one to work in. Raises as an append does for what cannot be read."""
    text = infer_datasource(source, Format(kind) if kind else None)
    columns = parse_datasource(text, name=_NAME).columns
    project = folder / "project"
    (project / "datasources").mkdir(parents=True)
    (project / "datasources" / f"{_NAME}.datasource").write_text(text, encoding="utf-8")
    with Workspace.in_memory(project) as workspace:
        workspace.build(load_project(project))
        workspace.append(_NAME, source, kind)
        present = _present(workspace, columns)
        preview = workspace.query(f"SELECT * FROM {_NAME} LIMIT {_PREVIEW}")
        rows, counted = preview.rows, preview.statistics
        statistics = Statistics(counted.elapsed, counted.rows_read, counted.bytes_read)
        shown = json.loads(b"".join(write("JSON", preview.columns, rows, statistics=statistics)))
    return {
        "analysis": {
            "columns": [
                {
                    "path": column.jsonpath or column.name,
                    "name": column.name,
                    "recommended_type": column.declared_type,
                    "present_pct": part,
                }
                for column, part in zip(columns, present, strict=True)
            ],
            "schema": ", ".join(map(_declared, columns)),
        },
        "preview": shown,
    }


def _declared(column: Column) -> str:
    path = f" `json:{column.jsonpath}`" if column.jsonpath else ""
    return f"{quote_identifier_if_needed(column.name)} {column.declared_type}{path}"


def _present(workspace: Workspace, columns: tuple[Column, ...]) -> list[float]:
    """For each column the part of the rows that have a value."""
    counts = ", ".join(f"count({quote_identifier(column.name)})" for column in columns)
    rows, *known = workspace.query(f"SELECT count(), {counts} FROM {_NAME}").rows[0]
    return [round(count / rows, 4) if rows else 1.0 for count in known]


ROUTES: tuple[Route, ...] = ((("POST",), "/v0/analyze", analyze),)
