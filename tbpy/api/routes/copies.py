"""`/v0/pipes/<name>/copy`: copy pipes on demand, and the pauses of their schedules."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tbpy.api.authentication import access_of
from tbpy.api.copying import start_copy
from tbpy.api.describing import pipe_document
from tbpy.api.identifiers import name_of, resource_id
from tbpy.api.jobs import Job
from tbpy.api.parameters import of_pipe, single
from tbpy.api.routes.common import Route, all_parameters, base_url, json_answer, service_of
from tbpy.api.running import in_thread
from tbpy.api.service import Service
from tbpy.api.tokens.scopes import ADMIN
from tbpy.errors import NotFoundError, UsageError

_MODES = ("append", "replace")
_OPTIONS = ("_mode", "on_demand_compute")


async def run_copy(request: Request) -> Response:
    """Starts a job; what is no option of the route is a parameter of the pipe."""
    access_of(request).require(ADMIN)
    service, given = service_of(request), await all_parameters(request)
    name, target = _copy(service, request.path_params["file"])
    mode = single(given, "_mode")
    if mode is not None and mode not in _MODES:
        raise UsageError(f"Unknown _mode {mode}: it is append or replace")
    parameters = {key: value for key, value in of_pipe(given).items() if key not in _OPTIONS}
    job, _ = start_copy(service.jobs, service.workspace, name, parameters, mode)
    return json_answer(_started(request, service, job, name, target))


async def pause(request: Request) -> Response:
    return await _set_paused(request, True)


async def resume(request: Request) -> Response:
    return await _set_paused(request, False)


async def _set_paused(request: Request, paused: bool) -> Response:
    access_of(request).require(ADMIN)
    service = service_of(request)
    name, _ = _copy(service, request.path_params["file"])
    await in_thread(service.threads, service.workspace.pause_copy, name, paused)
    return json_answer({"id": resource_id("pipe", name), "name": name, "status": "paused" if paused else "running"})


def _copy(service: Service, text: str) -> tuple[str, str]:
    """The name of a copy pipe and that of the data source it writes. Raises `NotFoundError` for any other pipe."""
    pipes = service.workspace.project.pipes
    name = name_of("pipe", text, pipes)
    node = pipes[name].typed_node if name in pipes else None
    if node is None or node.type != "copy" or node.target is None:
        raise NotFoundError(f"There is no copy pipe '{text}'")
    return name, node.target.value


def _started(request: Request, service: Service, job: Job, name: str, target: str) -> dict[str, Any]:
    """The pipe, with the job and, as a tag, the id of the data source, which the command line then asks for."""
    project, base = service.workspace.project, base_url(request)
    document = pipe_document(project, project.pipes[name], base, service.tokens.workspace_id)
    target_id = resource_id("datasource", target)
    shown = {**job.as_dict(base), "status": "waiting"}
    return {
        **document,
        "job": shown,
        "copy_target_datasource": target_id,
        "tags": {"copy_target_datasource": target_id},
    }


ROUTES: tuple[Route, ...] = (
    (("POST",), "/v0/pipes/{file}/copy", run_copy),
    (("POST",), "/v0/pipes/{file}/copy/pause", pause),
    (("POST",), "/v0/pipes/{file}/copy/resume", resume),
)
