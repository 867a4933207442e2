"""`/v0/pipes`: the list, one pipe, and what endpoints answer."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tbpy.api.answers import answer_query
from tbpy.api.authentication import access_of
from tbpy.api.calls import Call
from tbpy.api.describing import chosen, file_text, node_id, pipe_document
from tbpy.api.errors import NO_ENDPOINT_DOCUMENTATION, DocumentedError
from tbpy.api.identifiers import name_of
from tbpy.api.parameters import Parameters, flag, of_pipe, single
from tbpy.api.reading import allowed_reading
from tbpy.api.routes.common import (
    Route,
    all_parameters,
    base_url,
    json_answer,
    query_parameters,
    refuse,
    service_of,
    text_answer,
    workspace_of,
)
from tbpy.api.running import in_thread
from tbpy.api.service import Service
from tbpy.api.tokens import Access
from tbpy.api.tokens.scopes import ADMIN, READ_PIPE
from tbpy.clickhouse.formats import EXTENSIONS
from tbpy.datafiles import Pipe
from tbpy.errors import NotFoundError
from tbpy.project import Project
from tbpy.workspace import CopyInfo


async def list_pipes(request: Request) -> Response:
    access, service, workspace = access_of(request), service_of(request), await workspace_of(request)
    given, project = query_parameters(request), workspace.project
    documents, copies = [], await _copies(service)
    for name, pipe in sorted(project.pipes.items()):
        if access.may(READ_PIPE, name):
            document = pipe_document(project, pipe, base_url(request), service.tokens.workspace_id, copies.get(name))
            documents.append(_listed(document, given))
    return json_answer({"pipes": documents})


def _listed(document: dict[str, Any], given: Parameters) -> dict[str, Any]:
    """`attrs` choose keys, and the address comes with them; `node_attrs` ask for nodes and choose their keys."""
    of_nodes = single(given, "node_attrs")
    shown = chosen(document, single(given, "attrs"), always=("url", "nodes") if of_nodes else ("url",))
    if "nodes" in shown:
        shown["nodes"] = [chosen(node, of_nodes) for node in shown["nodes"]]
    if not flag(given, "dependencies"):
        for node in shown.get("nodes", ()):
            node.pop("dependencies", None)
    return shown


async def one_pipe(request: Request) -> Response:
    """`name.json` and its like answer what the endpoint answers, `name.pipe` the datafile, `name` what it is."""
    file: str = request.path_params["file"]
    stem, dot, extension = file.rpartition(".")
    if dot and extension in EXTENSIONS:
        return await endpoint_data(request, stem, EXTENSIONS[extension])
    access, service, workspace = access_of(request), service_of(request), await workspace_of(request)
    project = workspace.project
    as_file = extension == "pipe" or request.query_params.get("format") == "pipe"
    pipe = _pipe(project, stem if dot and extension == "pipe" else file)
    access.require(READ_PIPE, pipe.name)
    if as_file:
        return text_answer(file_text(project.root, pipe.file))
    copy = (await _copies(service)).get(pipe.name) if pipe.type == "copy" else None
    document = pipe_document(project, pipe, base_url(request), service.tokens.workspace_id, copy)
    return json_answer(chosen(document, request.query_params.get("attrs")))


async def _copies(service: Service) -> dict[str, CopyInfo]:
    """What is known of copy pipes, by their names."""
    if not any(pipe.type == "copy" for pipe in service.workspace.project.pipes.values()):
        return {}
    return {copy.name: copy for copy in await in_thread(service.threads, service.workspace.copies)}


def _pipe(project: Project, name: str) -> Pipe:
    pipe = project.pipes.get(name_of("pipe", name, project.pipes))
    if pipe is None:
        raise NotFoundError(f"Pipe '{name}' not found")
    return pipe


async def endpoint_data(request: Request, name: str, format_name: str) -> Response:
    """What an endpoint answers to the parameters of the request; with `q` a query over that."""
    access, service, workspace = access_of(request), service_of(request), await workspace_of(request)
    limit = service.limits.query_seconds
    pipe = find_endpoint(workspace.project, access, name)
    given = await all_parameters(request)
    sql = single(given, "q")
    call = Call.of(service, request, access, pipe, of_pipe(given))
    with call.failing():
        reading = allowed_reading(workspace.project, access, sql, call.parameters, pipe)
    how: dict[str, Any] = {"parameters": reading.parameters, "filters": reading.filters, "time_limit": limit}
    return await answer_query(
        request,
        call,
        lambda stop: workspace.endpoint(pipe, sql=sql, on_start=stop.on_start, **how),
        lambda path, stop: workspace.write_parquet(path, endpoint=pipe, sql=sql, on_start=stop.on_start, **how),
        format_name=format_name,
        settings=given,
    )


async def explain(request: Request) -> Response:
    """The SQL of a pipe, or of one of its nodes, for the parameters of the request, and the plan of it."""
    access_of(request).require(ADMIN)  # secrets are in a plan
    service = service_of(request)
    pipe, wanted = _pipe(service.workspace.project, request.path_params["file"]), request.path_params.get("node")
    names = {node_id(pipe, node): node.name for node in pipe.nodes}
    parameters, node = of_pipe(query_parameters(request)), names.get(wanted or "", wanted)
    found = await in_thread(service.threads, service.workspace.explain, pipe.name, parameters, node=node)
    return json_answer({"debug_query": found.query, "query_explain": found.plan})


def find_endpoint(project: Project, access: Access, name: str) -> str:
    """The name of an endpoint by its name or id. Raises `ForbiddenError` before it tells what exists."""
    found = name_of("pipe", name, project.pipes)
    access.require(READ_PIPE, found)
    pipe = project.pipes.get(found)
    if pipe is None:
        raise NotFoundError(f"The pipe '{name}' does not exist")
    if pipe.type != "endpoint":
        raise DocumentedError(f"The pipe '{found}' does not have an endpoint yet", NO_ENDPOINT_DOCUMENTATION)
    return found


_refused = refuse("pipes")

ROUTES: tuple[Route, ...] = (
    (("GET", "POST"), "/v0/pipes/{file}", one_pipe),
    (("GET",), "/v0/pipes", list_pipes),
    (("GET",), "/v1/pipes", list_pipes),
    (("POST",), "/v0/pipes", _refused),
    (("GET",), "/v1/pipes/{file}", one_pipe),
    (("PUT", "DELETE"), "/v0/pipes/{file}", _refused),
    (("GET",), "/v0/pipes/{file}/explain", explain),
    (("GET",), "/v0/pipes/{file}/nodes/{node}/explain", explain),
    (("POST", "PUT", "DELETE"), "/v0/pipes/{file}/nodes", _refused),
    (("PUT", "DELETE"), "/v0/pipes/{file}/endpoint", _refused),
    (("POST",), "/v0/pipes/{file}/population", _refused),
    (("POST", "PUT", "DELETE"), "/v0/pipes/{file}/nodes/{rest:path}", _refused),
)
