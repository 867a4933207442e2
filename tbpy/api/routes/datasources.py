"""`/v0/datasources`: the list, one data source, and taking rows out of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tbpy.api.authentication import access_of
from tbpy.api.describing import chosen, datasource_document, file_text, listed_datasource
from tbpy.api.identifiers import name_of, resource_id
from tbpy.api.jobs import Job
from tbpy.api.parameters import flag, single
from tbpy.api.routes.common import (
    Route,
    all_parameters,
    base_url,
    json_answer,
    refuse,
    service_of,
    text_answer,
    workspace_of,
)
from tbpy.api.running import in_thread
from tbpy.api.service import Service
from tbpy.api.tokens.scopes import CREATE, READ_DATASOURCE
from tbpy.clickhouse.quoting import quote_identifier
from tbpy.engines import Interruption
from tbpy.errors import NotFoundError, UsageError
from tbpy.workspace import Beside, DatasourceInfo, Workspace

_QUARANTINE = "_quarantine"
# What mcp-tinybird wants in each element, whatever attributes it asks for.
_ALWAYS = ("engine", "indexes", "new_columns_detected", "quarantine_rows")


async def list_datasources(request: Request) -> Response:
    access, service, workspace = access_of(request), service_of(request), await workspace_of(request)
    infos = await in_thread(service.threads, workspace.datasources)
    project, attributes = workspace.project, request.query_params.get("attrs")
    shown = [
        chosen(listed_datasource(project, info), attributes, _ALWAYS)
        for info in infos
        if info.name in project.datasources and access.may(READ_DATASOURCE, info.name)
    ]
    return json_answer({"datasources": shown})


async def one_datasource(request: Request) -> Response:
    access, service, workspace = access_of(request), service_of(request), await workspace_of(request)
    text: str = request.path_params["name"]
    as_file = text.endswith(".datasource") or request.query_params.get("format") == "datasource"
    name = find_datasource(workspace, text.removesuffix(".datasource"))
    access.require(READ_DATASOURCE, name)
    project = workspace.project
    if as_file:
        return text_answer(file_text(project.root, project.datasources[name].file))
    info = await in_thread(service.threads, info_of, workspace, name)
    document = datasource_document(project, info)
    attributes = request.query_params.get("attrs")
    if attributes:  # columns have two places: under `schema`, and for who asks for them by name
        document["columns"] = listed_datasource(project, info)["columns"]
    return json_answer(chosen(document, attributes))


def find_datasource(workspace: Workspace | Beside, text: str) -> str:
    """The name of a data source by its name or id. Raises `NotFoundError`."""
    known = workspace.datasource_names()
    name = name_of("datasource", text, known)
    if name not in known or name not in workspace.project.datasources:
        raise NotFoundError(f'Data Source "{text}" does not exist')
    return name


def info_of(workspace: Workspace | Beside, name: str) -> DatasourceInfo:
    """Raises `NotFoundError` when a build took it away meanwhile."""
    found = next((info for info in workspace.datasources() if info.name == name), None)
    if found is None:
        raise NotFoundError(f'Data Source "{name}" does not exist')
    return found


async def truncate(request: Request) -> Response:
    access, service = access_of(request), service_of(request)
    text: str = request.path_params["name"]
    base = find_datasource(service.workspace, text.removesuffix(_QUARANTINE) if text.endswith(_QUARANTINE) else text)
    access.require(CREATE)
    name = f"{base}{_QUARANTINE}" if text.endswith(_QUARANTINE) and base != text else base
    await in_thread(service.threads, service.workspace.truncate, name)
    return Response(status_code=205)


async def delete_rows(request: Request) -> Response:
    """Starts a job; `dry_run` only counts."""
    access, service = access_of(request), service_of(request)
    name = find_datasource(service.workspace, request.path_params["name"])
    access.require(CREATE)
    given = await all_parameters(request)
    condition = single(given, "delete_condition") or ""
    if not condition.strip():
        raise UsageError("Missing required parameter: delete_condition")
    if flag(given, "dry_run"):
        rows = await in_thread(service.threads, count_rows, service, name, condition)
        return json_answer({"rows_to_be_deleted": rows})
    facts = {"datasource": {"id": resource_id("datasource", name), "name": name}, "delete_condition": condition}
    job = _start_deleting(service, facts, name, condition)
    shown = job.as_dict(base_url(request))
    return json_answer(
        {
            "id": job.id,
            "job_id": job.id,
            "delete_id": job.id,
            "job_url": shown["job_url"],
            "job": shown,
            "status": "waiting",
        },
        201,
    )


async def delete_rows_v1(request: Request) -> Response:
    """As `delete_rows`; with `wait` the answer says how many rows there were."""
    access, service = access_of(request), service_of(request)
    name = find_datasource(service.workspace, request.path_params["name"])
    access.require(CREATE)
    given = await all_parameters(request)
    condition = single(given, "delete_condition") or ""
    if flag(given, "wait"):
        rows = await in_thread(service.threads, service.workspace.delete, name, condition)
        mutation = {"partitions_scanned": 0, "partitions_done": 0, "partitions_in_progress": 0}
        return json_answer({"rows_affected": rows, "mutation": mutation})
    facts: Mapping[str, Any] = {"datasource": {"id": resource_id("datasource", name), "name": name}}
    job = _start_deleting(service, facts, name, condition)
    return json_answer({"job_id": job.id, "job_url": job.as_dict(base_url(request))["job_url"]})


def _start_deleting(service: Service, facts: Mapping[str, Any], name: str, condition: str) -> Job:
    def work(interruption: Interruption) -> dict[str, int]:
        return {"rows_affected": service.workspace.delete(name, condition, interruption=interruption)}

    return service.jobs.start_stoppable("delete_data", facts, work)


def count_rows(service: Service, name: str, condition: str) -> int:
    # A line of its own, so that a comment at the end of the condition ends there.
    sql = f"SELECT count() FROM {quote_identifier(name)} WHERE (\n{condition}\n)"
    return int(service.workspace.query(sql, time_limit=service.limits.query_seconds).rows[0][0])


_refused = refuse("data sources")

ROUTES: tuple[Route, ...] = (
    (("GET",), "/v0/datasources", list_datasources),
    (("GET",), "/v0/datasources/{name}", one_datasource),
    (("GET",), "/v1/datasources/{name}", one_datasource),
    (("PUT", "DELETE"), "/v0/datasources/{name}", _refused),
    (("POST",), "/v0/datasources/{name}/truncate", truncate),
    (("POST",), "/v0/datasources/{name}/delete", delete_rows),
    (("POST",), "/v1/datasources/{name}/delete", delete_rows_v1),
    (("POST",), "/v0/datasources/{name}/alter", _refused),
    (("POST",), "/v0/datasources/exchange", _refused),
    (("POST", "DELETE"), "/v0/datasources/{name}/share", _refused),
    (("POST",), "/v0/datafiles", refuse("datafiles")),
)
