"""The methods of a workspace, done through Tinybird's public HTTP API: a tbpy server elsewhere, or Tinybird itself."""

from __future__ import annotations

import glob
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tbpy.client.asking import Question
from tbpy.client.http_api import HttpApi
from tbpy.client.importing import content_of, find_kind, is_url
from tbpy.errors import NotFoundError, UsageError
from tbpy.templating import Parameter
from tbpy.workspace.infos import (
    CopyInfo,
    DatasourceInfo,
    EndpointInfo,
    MaterializationInfo,
    PipeInfo,
    QuarantinedRow,
    QuarantineInfo,
)
from tbpy.workspace.ingest.report import AppendReport, Cause
from tbpy.workspace.reports import CopyReport

if TYPE_CHECKING:
    from tbpy.workspace import BuildReport
    from tbpy.workspace.reports import ReplayReport

# A line that could not be read at all has an error without a column.
_CAUSES = """
SELECT column, count() AS rows, any(error) AS example
FROM {table} ARRAY JOIN arrayResize(c__error_column, length(c__error)) AS column, c__error AS error {where}
GROUP BY column ORDER BY rows DESC, column
"""
_OWN_COLUMNS = ("c__error_column", "c__error", "c__import_id", "insertion_date")


class CloudWorkspace:
    """`rows` and the like are what the server tells. Paths are those of this machine; their content is sent."""

    def __init__(self, api: HttpApi) -> None:
        self.api = api

    def __enter__(self) -> CloudWorkspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.api.close()

    def build(self) -> BuildReport:
        raise UsageError("Only a local workspace is built", hint="`tbpy deploy` is for servers")

    def datasources(self) -> tuple[DatasourceInfo, ...]:
        return tuple(_datasource(each) for each in self.api.get("/v0/datasources")["datasources"])

    def datasource_names(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.datasources())

    def pipes(self) -> tuple[PipeInfo, ...]:
        return tuple(_pipe(each) for each in self._pipes())

    def endpoints(self) -> tuple[EndpointInfo, ...]:
        return tuple(
            EndpointInfo(each["name"], _parameters(each), each.get("description") or None)
            for each in self._pipes()
            if each.get("endpoint")
        )

    def materializations(self) -> tuple[MaterializationInfo, ...]:
        names = {each["id"]: each["name"] for each in self.api.get("/v0/datasources")["datasources"]}
        return tuple(
            MaterializationInfo(pipe["name"], node["name"], "", names.get(node["materialized"], node["materialized"]))
            for pipe in self._pipes()
            for node in pipe.get("nodes") or ()
            if node.get("materialized")
        )

    def append(
        self,
        name: str,
        source: str | Path,
        format: str | None = None,
        *,
        progress: Callable[[float], None] | None = None,
    ) -> AppendReport:
        """Each file of a pattern is an import of its own. `progress` hears the end only."""
        report = self._import("append", name, str(source), format, {})
        if progress is not None:
            progress(1.0)
        return report

    def replace(
        self, name: str, source: str | Path, format: str | None = None, *, condition: str | None = None
    ) -> AppendReport:
        files = _files(str(source))
        if len(files) > 1:
            raise UsageError("Rows are replaced with those of one file", hint="append the others afterwards")
        return self._import("replace", name, str(source), format, {"replace_condition": condition})

    def truncate(self, name: str) -> int:
        """The number of rows that went."""
        rows = self._count(f"SELECT count() FROM {_quoted(name)}")
        self.api.post(f"/v0/datasources/{quote(name)}/truncate")
        return rows

    def delete(self, name: str, condition: str) -> int:
        rows = self._count(f"SELECT count() FROM {_quoted(name)} WHERE {condition}")
        started = self.api.post(f"/v0/datasources/{quote(name)}/delete", data={"delete_condition": condition})
        job = self.api.job(started["job_id"])
        return int(job.get("rows_affected") or rows)

    def quarantine(self, name: str, sample: int = 5) -> QuarantineInfo:
        table = _quoted(f"{name}_quarantine")
        found = self.query(f"SELECT * FROM {table} ORDER BY insertion_date DESC LIMIT {sample}").document()
        rows = [dict(zip((column for column, _ in found.columns), row, strict=True)) for row in found.rows]
        return QuarantineInfo(
            name, self._count(f"SELECT count() FROM {table}"), self._causes(name), tuple(map(_quarantined, rows))
        )

    def replay(self, name: str) -> ReplayReport:
        raise UsageError(
            "Rows in quarantine are replayed where the data is", hint="run `tbpy datasource replay` on the server"
        )

    def query(self, sql: str, *, parameters: Mapping[str, Any] | None = None) -> Question:
        return Question(self.api, parameters or {}, sql=sql)

    def endpoint(self, name: str, parameters: Mapping[str, Any] | None = None, *, sql: str | None = None) -> Question:
        return Question(self.api, parameters or {}, sql=sql, endpoint=name)

    def write_parquet(
        self,
        path: Path,
        *,
        sql: str | None = None,
        endpoint: str | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        Question(self.api, parameters or {}, sql=sql, endpoint=endpoint).write(path, "Parquet")

    def copies(self) -> tuple[CopyInfo, ...]:
        names = {each["id"]: each["name"] for each in self.api.get("/v0/datasources")["datasources"]}
        return tuple(_copy(each, names) for each in self._pipes() if each.get("type") == "copy")

    def copy(self, name: str, parameters: Mapping[str, Any] | None = None, *, mode: str | None = None) -> CopyReport:
        began = time.monotonic()
        started = self.api.post(f"/v0/pipes/{quote(name)}/copy", {**(parameters or {}), "_mode": mode})
        target = started.get("copy_target_datasource") or started["tags"]["copy_target_datasource"]
        job = self.api.job(started["job"]["job_id"])
        datasource = (job.get("datasource") or {}).get("name") or target
        rows = int(job.get("rows_affected") or (job.get("statistics") or {}).get("row_count") or 0)
        done = str(job.get("mode") or mode or "append")
        warning = None
        if done == "replace" and not rows:
            warning = f"The answer was empty: {datasource} has no rows now"
        return CopyReport(name, datasource, done, rows, started["job"]["job_id"], time.monotonic() - began, warning)

    def pause_copy(self, name: str, paused: bool = True) -> None:
        self.api.post(f"/v0/pipes/{quote(name)}/copy/{'pause' if paused else 'resume'}")

    def _pipes(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api.get("/v0/pipes", dependencies="true")["pipes"]
        return found

    def _import(self, how: str, name: str, source: str, format: str | None, options: dict[str, Any]) -> AppendReport:
        if how == "append" and name not in self.datasource_names():
            raise NotFoundError(f'Data Source "{name}" does not exist')
        began = time.monotonic()
        files = _files(source)
        jobs = [self._job(how, name, file, format, options) for file in files]
        done = [processed for job in jobs for block in job.get("blocks") or () for processed in block["process_return"]]
        quarantined = sum(int(each.get("quarantine") or 0) for each in done)
        return AppendReport(
            datasource=name,
            rows=sum(int(each.get("lines") or 0) for each in done) - quarantined,
            quarantined=quarantined,
            invalid_lines=sum(int(job.get("invalid_lines") or 0) for job in jobs),
            elapsed=time.monotonic() - began,
            files=files,
            import_id=str(jobs[-1].get("import_id") or jobs[-1]["id"]),
            causes=self._causes(name, str(jobs[-1].get("import_id"))) if quarantined and len(jobs) == 1 else (),
        )

    def _job(self, how: str, name: str, file: str, format: str | None, options: dict[str, Any]) -> dict[str, Any]:
        path, kind = f"/v1/datasources/{quote(name)}/{how}", find_kind(file, format)
        if is_url(file):
            started = self.api.post(path, {**options, "format": kind, "url": file})
        else:
            with content_of(file, kind, sys.stdin.buffer) as (content, headers):
                started = self.api.post(path, {**options, "format": kind}, content=content, headers=headers)
        return self.api.job(str(started.get("job_id") or started["id"]))

    def _causes(self, name: str, import_id: str | None = None) -> tuple[Cause, ...]:
        where = "" if import_id is None else f"WHERE c__import_id = '{import_id}'"
        sql = _CAUSES.format(table=_quoted(f"{name}_quarantine"), where=where)
        return tuple(Cause(str(column), int(rows), str(example)) for column, rows, example in self.query(sql).rows)

    def _count(self, sql: str) -> int:
        return int(self.query(sql).rows[0][0])


def _files(source: str) -> tuple[str, ...]:
    """The files that a pattern stands for. Raises `UsageError` for none."""
    if source == "-" or is_url(source):
        return (source,)
    path = Path(source).expanduser()
    found = [str(path)] if path.is_file() else sorted(name for name in glob.glob(str(path), recursive=True))
    if not found:
        raise UsageError(f"no such file: {source}")
    return tuple(found)


def _quoted(name: str) -> str:
    from tbpy.clickhouse.quoting import quote_identifier

    return quote_identifier(name)


def _datasource(each: Mapping[str, Any]) -> DatasourceInfo:
    statistics = each.get("statistics") or each.get("stats") or {}
    columns = each.get("columns") or (each.get("schema") or {}).get("columns") or ()
    return DatasourceInfo(
        each["name"],
        int(statistics.get("row_count") or 0),
        int(each.get("quarantine_rows") or 0),
        int(statistics.get("bytes") or 0),
        tuple((column["name"], _type(column)) for column in columns),
    )


def _type(column: Mapping[str, Any]) -> str:
    inner = str(column["type"])
    return f"Nullable({inner})" if column.get("nullable") and not inner.startswith("Nullable(") else inner


def _pipe(each: Mapping[str, Any]) -> PipeInfo:
    kind = each.get("type")
    nodes = tuple(node["name"] for node in each.get("nodes") or ())
    return PipeInfo(each["name"], None if kind == "default" else kind, nodes, each.get("description") or None)


def _parameters(pipe: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """Each once, as the first node that uses it declares it."""
    found: dict[str, Parameter] = {}
    for node in pipe.get("nodes") or ():
        for each in node.get("params") or ():
            declared = {key: value for key, value in each.items() if key not in ("name", "type", "default")}
            parameter = Parameter(each["name"], str(each.get("type") or "String"), each.get("default"), declared)
            found.setdefault(parameter.name, parameter)
    return tuple(found.values())


def _copy(pipe: Mapping[str, Any], names: Mapping[str, str]) -> CopyInfo:
    target = str(pipe.get("copy_target_datasource") or (pipe.get("tags") or {}).get("copy_target_datasource") or "")
    schedule = pipe.get("schedule") or {}
    return CopyInfo(
        pipe["name"],
        names.get(target, target),
        str(pipe.get("copy_mode") or "append"),
        str(schedule.get("cron") or "@on-demand"),
        str(schedule.get("status") or "") == "paused",
        tuple(datetime.fromisoformat(moment) for moment in schedule.get("next_runs") or ()),
    )


def _quarantined(row: Mapping[str, Any]) -> QuarantinedRow:
    return QuarantinedRow(
        datetime.fromisoformat(str(row["insertion_date"])),
        row.get("c__import_id"),
        tuple(row.get("c__error") or ()),
        {name: value for name, value in row.items() if name not in _OWN_COLUMNS},
    )
