"""Rows of files: `POST /v0/datasources?mode=append|replace` at once, `/v1/datasources/<name>/append|replace` as jobs.

Source: Tinybird docs, "Data Sources API"; the places where data may be are those that published clients use.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response

from tbpy.api.authentication import access_of
from tbpy.api.bodies import spool_body
from tbpy.api.describing import datasource_document
from tbpy.api.errors import ForbiddenError
from tbpy.api.identifiers import name_of, resource_id
from tbpy.api.parameters import Parameters, parse_form, single
from tbpy.api.routes.common import ONLY_DEPLOYMENTS, Route, base_url, json_answer, query_parameters, service_of
from tbpy.api.routes.datasources import find_datasource, info_of
from tbpy.api.running import in_thread
from tbpy.api.service import Service
from tbpy.api.tokens import Access
from tbpy.api.tokens.scopes import APPEND, CREATE
from tbpy.errors import UsageError
from tbpy.workspace import AppendReport
from tbpy.workspace.ingest.csv_dialect import CsvStyle

_MODES = ("append", "replace")
_FORMATS = ("csv", "ndjson", "parquet")
_PIECE = 1 << 20
_ESCAPES = (("\\t", "\t"), ("\\r", "\r"), ("\\n", "\n"))
_FORM_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Import:
    """What to load where: `source` is a path or URL, `folder` what to remove afterwards."""

    datasource: str
    mode: str
    source: str
    format: str | None
    condition: str | None
    style: CsvStyle
    folder: tempfile.TemporaryDirectory[str]
    id: str

    @classmethod
    def of(
        cls, datasource: str, mode: str, source: str, given: Parameters, folder: tempfile.TemporaryDirectory[str]
    ) -> Import:
        condition = single(given, "replace_condition")
        return cls(
            datasource, mode, source, format_of(given, source), condition, _style(given), folder, str(uuid.uuid4())
        )

    @property
    def is_remote(self) -> bool:
        return self.source.startswith(("http://", "https://"))

    def run(self, service: Service) -> AppendReport:
        workspace, style = service.workspace, self.style
        with self.folder:
            if self.mode != "replace":
                return workspace.append(self.datasource, self.source, self.format, style=style, import_id=self.id)
            return workspace.replace(
                self.datasource, self.source, self.format, condition=self.condition, style=style, import_id=self.id
            )


async def import_v0(request: Request) -> Response:
    """Answers when the rows are stored; a URL is fetched in a job."""
    access, service = access_of(request), service_of(request)
    given = query_parameters(request)
    folder = tempfile.TemporaryDirectory(prefix="tbpy-import-")
    try:
        given, source = await receive_data(request, given, Path(folder.name))
        mode = single(given, "mode", "create") or "create"
        name = _named(service, access, given, mode)
        source = source or single(given, "url")
        if not source:
            raise UsageError("There is nothing to import: send a body, a file or a url")
        task = Import.of(name, mode, source, given, folder)
    except BaseException:
        folder.cleanup()
        raise
    if task.is_remote:
        return json_answer(_job_answer(request, service, task), 201)
    report = await in_thread(service.threads, task.run, service)
    return json_answer(await in_thread(service.threads, imported, service, report))


async def import_v1(request: Request) -> Response:
    """Always a job, as the command line of 2026 wants it."""
    access, service = access_of(request), service_of(request)
    name = find_datasource(service.workspace, request.path_params["name"])
    access.require(APPEND, name)
    mode = request.url.path.rstrip("/").rpartition("/")[2]
    folder = tempfile.TemporaryDirectory(prefix="tbpy-import-")
    try:
        given, source = await receive_data(request, query_parameters(request), Path(folder.name))
        source = source or single(given, "url")
        if not source:
            raise UsageError("There is nothing to import: send a body or a url")
        task = Import.of(name, mode, source, given, folder)
    except BaseException:
        folder.cleanup()
        raise
    return json_answer(_job_answer(request, service, task))


def _named(service: Service, access: Access, given: Parameters, mode: str) -> str:
    """The data source to load into; making one this way is refused, as in every workspace of today's Tinybird."""
    text = single(given, "name")
    if mode not in ("create", *_MODES):
        raise UsageError(f"Unknown mode {mode}: it is append or replace")
    if mode in _MODES and not text:
        raise UsageError("Missing required parameter: name")
    known = service.workspace.datasource_names()
    name = name_of("datasource", text or "", known)
    if not access.may(APPEND, name):
        access.require(CREATE)
    if mode == "create" or name not in known:
        raise ForbiddenError(ONLY_DEPLOYMENTS.format(what="data sources"))
    return name


async def receive_data(request: Request, given: Parameters, folder: Path) -> tuple[Parameters, str | None]:
    """Parameters and the file with the data, None when the body is only a form or there is none."""
    content_type = request.headers.get("content-type", "")
    limit = service_of(request).limits.file_bytes
    if content_type.startswith("multipart/form-data"):
        return await _receive_multipart(request, given, folder)
    path = folder / "body"
    size = await spool_body(request, path, limit)
    if single(given, "url"):
        return given, _checked_url(given)
    form = _form_with_url(path) if "form-urlencoded" in content_type and size < _FORM_BYTES else {}
    if "url" in form:
        return {**form, **given}, _checked_url(form)
    return given, str(path) if size else None


def _form_with_url(path: Path) -> Parameters:
    """The form, when it says where the data is. Bare `curl -d` calls any data a form."""
    body = path.read_bytes()
    try:
        form = parse_form(body) if b"url=" in body else {}
    except UsageError:
        return {}
    return form if "url" in form else {}


async def _receive_multipart(request: Request, given: Parameters, folder: Path) -> tuple[Parameters, str | None]:
    """The first file counts, whatever its part is called."""
    source: str | None = None
    try:
        async with request.form(max_files=10, max_fields=100) as form:
            for name, part in form.multi_items():
                if not isinstance(part, UploadFile):
                    given = {name: part, **given}
                elif source is None:
                    path = folder / f"upload{''.join(Path(part.filename or '').suffixes[-2:])[:20]}"
                    with path.open("wb") as file:
                        while piece := await part.read(_PIECE):
                            file.write(piece)
                    source = str(path)
    except (HTTPException, MultiPartException) as error:
        reason = error.detail if isinstance(error, HTTPException) else error.message
        raise UsageError(f"The multipart body cannot be read: {reason}") from error
    return given, source or (_checked_url(given) if single(given, "url") else None)


def _checked_url(given: Mapping[str, Any]) -> str:
    """Nothing but http(s): a path would be one of this machine."""
    url = single(given, "url") or ""
    if not url.startswith(("http://", "https://")):
        raise UsageError("url must start with http:// or https://")
    return url


def format_of(given: Parameters, source: str, *, default: str | None = "csv") -> str | None:
    """What the request says; None when the file's name says it; else the default."""
    said = single(given, "format")
    if said is not None:
        if said.lower() not in _FORMATS:
            raise UsageError(f"Unknown format {said}: it is csv, ndjson or parquet")
        return said.lower()
    named = Path(source).name.lower().removesuffix(".gz").rpartition(".")[2]
    return None if named in ("csv", "ndjson", "jsonl", "parquet") else default


def _style(given: Parameters) -> CsvStyle:
    """`dialect_delimiter`, `dialect_new_line`, `dialect_escapechar`; line ends and tabs also as `\\n`, `\\t`."""

    def said(name: str, *, longest: int = 1) -> str | None:
        text = single(given, name) or None
        for written, meant in _ESCAPES:
            text = text.replace(written, meant) if text else None
        if text is not None and len(text) > longest:
            raise UsageError(f"{name} is too long: {text!r}")
        return text

    new_line = said("dialect_new_line", longest=2)
    if new_line not in (None, "\n", "\r", "\r\n"):
        raise UsageError("dialect_new_line must be \\n, \\r or \\r\\n")
    return CsvStyle(said("dialect_delimiter"), new_line, said("dialect_escapechar"))


def _job_answer(request: Request, service: Service, task: Import) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "mode": task.mode,
        "import_id": task.id,
        "datasource": {"id": resource_id("datasource", task.datasource), "name": task.datasource},
    }
    if task.is_remote:
        facts["url"] = task.source
    # What came with the request is gone afterwards.
    job = service.jobs.start("import", facts, lambda: _facts(task.run(service)), repeatable=task.is_remote)
    shown = job.as_dict(base_url(request))
    shown.pop("error", None)
    return {
        "id": job.id,
        "job_id": job.id,
        "job_url": shown["job_url"],
        "import_id": task.id,
        "job": shown,
        "status": "waiting",
    }


def _facts(report: AppendReport) -> dict[str, Any]:
    """What a finished import adds to its job. Rows that went to quarantine are no failure."""
    return {
        "quarantine_rows": report.quarantined,
        "invalid_lines": report.invalid_lines,
        "rows_affected": report.rows,
        "progress_percentage": 100,
        "blocks": blocks(report),
        "block_log": [],
    }


def imported(service: Service, report: AppendReport) -> dict[str, Any]:
    """The answer to an import that has been done."""
    info = info_of(service.workspace, report.datasource)
    return {
        "import_id": report.import_id,
        "datasource": datasource_document(service.workspace.project, info),
        "successful_rows": report.rows,
        "quarantined_rows": report.quarantined,
        "invalid_lines": report.invalid_lines,
        "quarantine_rows": report.quarantined,
        "error": report.error_text or False,
        "blocks": blocks(report),
        "block_log": [],
    }


def blocks(report: AppendReport) -> list[dict[str, Any]]:
    """One block: everything was stored in one transaction."""
    processed = {
        "lines": report.rows + report.quarantined,
        "parser": "duckdb",
        "quarantine": report.quarantined,
        "time": report.elapsed,
        "invalid_lines": report.invalid_lines,
        "empty_lines": 0,
        "bytes": 0,
    }
    return [
        {
            "block_id": report.import_id,
            "process_return": [processed],
            "processing_time": report.elapsed,
            "processing_error": None,
        }
    ]


ROUTES: tuple[Route, ...] = (
    (("POST",), "/v0/datasources", import_v0),
    (("POST",), "/v1/datasources/{name}/append", import_v1),
    (("POST",), "/v1/datasources/{name}/replace", import_v1),
)
