"""`/v0/dependencies`: the data sources that are filled from another one, and the pipes that fill them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tbpy.api.authentication import access_of
from tbpy.api.parameters import flag, single
from tbpy.api.routes.common import Route, json_answer, query_parameters, service_of
from tbpy.api.routes.datasources import find_datasource
from tbpy.api.tokens.scopes import READ_DATASOURCE
from tbpy.datafiles import Kind
from tbpy.errors import UsageError
from tbpy.project import Key, Project


async def dependencies(request: Request) -> Response:
    """With `recursive` also what is filled from those in turn."""
    access, given, service = access_of(request), query_parameters(request), service_of(request)
    wanted = single(given, "datasource")
    if not wanted:
        raise UsageError("Missing required parameter: datasource")
    name = find_datasource(service.workspace, wanted)
    access.require(READ_DATASOURCE, name)
    found = filled_from(service.workspace.project, name, recursive=flag(given, "recursive"))
    seen = {target: pipes for target, pipes in found.items() if access.may(READ_DATASOURCE, target)}
    return json_answer({"dependencies": seen, "incompatible_datasources": {}, "incompatible_partitions": {}})


def filled_from(project: Project, datasource: str, *, recursive: bool) -> dict[str, list[str]]:
    """The names of materialized pipes by the data source that they fill with rows of `datasource`."""
    found: dict[str, list[str]] = {}
    waiting = [datasource]
    for source in waiting:
        for pipe in _readers(project, Key(Kind.DATASOURCE, source)):
            target = _target(project, pipe)
            if target is None or target in (source, datasource):
                continue
            if target not in found and recursive:
                waiting.append(target)
            if pipe not in found.setdefault(target, []):
                found[target].append(pipe)
    return found


def _readers(project: Project, key: Key) -> list[str]:
    """The pipes that read a data source, also by way of other pipes."""
    found: dict[Key, None] = {}
    waiting = [key]
    for one in waiting:
        for reader in project.graph.dependents(one):
            if reader.kind is Kind.PIPE and reader not in found:
                found[reader] = None
                waiting.append(reader)
    return [reader.name for reader in found]


def _target(project: Project, pipe: str) -> str | None:
    node = project.pipes[pipe].typed_node
    return node.target.value if node is not None and node.type == "materialized" and node.target else None


ROUTES: tuple[Route, ...] = ((("GET",), "/v0/dependencies", dependencies),)
