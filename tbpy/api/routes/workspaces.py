"""Workspaces, as clients ask for them before anything else: `tb` makes one for each git branch and test run."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tbpy.api.authentication import access_of
from tbpy.api.errors import ForbiddenError
from tbpy.api.hosting import HOSTING, Hosting, Listed
from tbpy.api.identifiers import resource_id
from tbpy.api.parameters import single
from tbpy.api.routes.common import Route, all_parameters, base_url, json_answer, refuse, service_of
from tbpy.api.running import in_thread
from tbpy.api.service import Service
from tbpy.api.tokens.scopes import ADMIN
from tbpy.errors import NotFoundError, UsageError

_EMAIL = "local_testing@tinybird.co"


async def workspace(request: Request) -> Response:
    access, service = access_of(request), service_of(request)
    found = _workspace(service, hosting_of(request).find(service.tokens.workspace_id))
    if not access.is_admin:
        found.pop("token")
    return json_answer(
        {**found, "user_id": service.tokens.user_id, "user_email": _EMAIL, "scope": "admin", "is_forward": True}
    )


async def user_workspaces(request: Request) -> Response:
    access_of(request).require(ADMIN)
    service = service_of(request)
    return json_answer(
        {
            "organization_id": resource_id("organization", service.tokens.workspace_id),
            "organization_name": service.name,
            "email": _EMAIL,
            "id": service.tokens.user_id,
            "workspaces": [_workspace(service, one) for one in hosting_of(request).seen_by(service)],
        }
    )


async def create_workspace(request: Request) -> Response:
    access_of(request).require(ADMIN)
    service, given = service_of(request), await all_parameters(request)
    name = single(given, "name")
    if not name:
        raise UsageError("Missing required parameter: name")
    _require_owner(request)
    return json_answer(_workspace(service, await in_thread(service.threads, hosting_of(request).create, name)))


async def one_workspace(request: Request) -> Response:
    access_of(request).require(ADMIN)
    found = hosting_of(request).find(request.path_params["id"])
    if found not in hosting_of(request).seen_by(service_of(request)):
        raise NotFoundError(f"Workspace {found.name} not found")
    return json_answer(_workspace(service_of(request), found))


async def delete_workspace(request: Request) -> Response:
    """With its data; the served project's own workspace stays and only forgets the name."""
    access_of(request).require(ADMIN)
    _require_owner(request)
    await in_thread(service_of(request).threads, hosting_of(request).delete, request.path_params["id"])
    return json_answer({"ok": True})


async def regions(request: Request) -> Response:
    base = base_url(request)
    return json_answer({"regions": [{"name": "local", "api_host": base, "host": base, "provider": "local"}]})


async def list_branches(request: Request) -> Response:
    access_of(request).require(ADMIN)
    hosting, service = hosting_of(request), service_of(request)
    seen = hosting.seen_by(service)
    return json_answer({"environments": [_branch(one) for one in hosting.branches() if one in seen]})


async def create_branch(request: Request) -> Response:
    """A branch is there at once; the job is for who waits for one."""
    access_of(request).require(ADMIN)
    service, given = service_of(request), await all_parameters(request)
    name = single(given, "name")
    if not name:
        raise UsageError("Missing required parameter: name")
    if single(given, "data"):
        raise UsageError("Branches begin without data: leave out the parameter data")
    _require_owner(request)
    branch = await in_thread(service.threads, hosting_of(request).create_branch, name)
    job = service.jobs.start("branch", {"workspace_id": branch.id}, lambda: {"progress_percentage": 100})
    return json_answer({"job": job.as_dict(base_url(request)), "workspace": {"id": branch.id}})


async def one_branch(request: Request) -> Response:
    access_of(request).require(ADMIN)
    hosting, service = hosting_of(request), service_of(request)
    found = hosting.find_branch(request.path_params["id"])
    if found not in hosting.seen_by(service):
        raise NotFoundError(f"Branch {found.name} not found")
    return json_answer(_branch(found) | {"token": found.token})


async def delete_branch(request: Request) -> Response:
    access_of(request).require(ADMIN)
    _require_owner(request)
    hosting = hosting_of(request)
    branch = hosting.find_branch(request.path_params["id"])
    await in_thread(service_of(request).threads, hosting.delete, branch.id)
    return json_answer({"ok": True})


async def list_tags(request: Request) -> Response:
    """The tags of datafiles, each with the resources that have it."""
    access_of(request).require(ADMIN)
    project = service_of(request).workspace.project
    found: dict[str, list[dict[str, str]]] = {}
    for kind, resources in (("datasource", project.datasources), ("pipe", project.pipes)):
        for resource in resources.values():
            for tag in resource.tags.names:
                shown = {"id": resource_id(kind, resource.name), "name": resource.name, "type": kind}
                found.setdefault(tag, []).append(shown)
    return json_answer({"tags": [{"name": tag, "resources": having} for tag, having in sorted(found.items())]})


async def no_connectors(request: Request) -> Response:
    access_of(request)
    return json_answer({"connectors": []})


def hosting_of(request: Request) -> Hosting:
    hosting: Hosting = request.scope[HOSTING]
    return hosting


def _require_owner(request: Request) -> None:
    """On a server for others, workspaces are made and removed with the token of its first one."""
    service = service_of(request)
    if not service.local and not hosting_of(request).is_first(service):
        raise ForbiddenError("Only the admin token of the server makes and removes workspaces")


def _branch(listed: Listed) -> dict[str, Any]:
    return {"id": listed.id, "name": listed.name, "main": listed.main, "created_at": listed.created}


def _workspace(service: Service, listed: Listed) -> dict[str, Any]:
    return {
        "id": listed.id,
        "name": listed.name,
        "token": listed.token,
        "role": "admin",
        "owner": service.tokens.user_id,
        "plan": "local",
        "is_branch": listed.main is not None,
        "is_forward": True,
        "main": listed.main,
        "members": [],
    }


ROUTES: tuple[Route, ...] = (
    (("GET",), "/v0/workspace", workspace),
    (("GET",), "/v1/workspace", workspace),
    (("GET",), "/v0/workspaces", user_workspaces),
    (("GET",), "/v1/workspaces", user_workspaces),
    (("POST",), "/v0/workspaces", create_workspace),
    (("POST",), "/v1/workspaces", create_workspace),
    (("GET",), "/v0/workspaces/{id}", one_workspace),
    (("GET",), "/v1/workspaces/{id}", one_workspace),
    (("DELETE",), "/v0/workspaces/{id}", delete_workspace),
    (("DELETE",), "/v1/workspaces/{id}", delete_workspace),
    (("GET",), "/v0/user/workspaces", user_workspaces),
    (("GET",), "/v1/user/workspaces", user_workspaces),
    (("GET",), "/v0/regions", regions),
    (("GET",), "/v1/environments", list_branches),
    (("POST",), "/v1/environments", create_branch),
    (("GET",), "/v0/environments/{id}", one_branch),
    (("DELETE",), "/v0/environments/{id}", delete_branch),
    (("GET",), "/v0/tags", list_tags),
    (("POST",), "/v0/tags", refuse("tags")),
    (("PUT", "DELETE"), "/v0/tags/{name}", refuse("tags")),
    (("GET",), "/v0/connectors", no_connectors),
)
