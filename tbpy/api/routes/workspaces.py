"""Workspaces, as clients ask for them before anything else. There is one, under whatever names clients gave it.

`tb` makes a local workspace for each git branch and test run, and then wants to find it in the list: so a name that
was made is one more name of the workspace.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tbpy.api.authentication import access_of
from tbpy.api.identifiers import resource_id
from tbpy.api.parameters import single
from tbpy.api.routes.common import Route, all_parameters, base_url, json_answer, service_of
from tbpy.api.service import Service
from tbpy.api.tokens.scopes import ADMIN
from tbpy.api.tokens.store import PERSONAL_NAME
from tbpy.errors import NotFoundError, UsageError

_EMAIL = "local_testing@tinybird.co"


async def workspace(request: Request) -> Response:
    access, service = access_of(request), service_of(request)
    found = _workspace(service, service.name)
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
            "workspaces": [_workspace(service, name) for name in service.workspace_names],
        }
    )


async def create_workspace(request: Request) -> Response:
    access_of(request).require(ADMIN)
    service, given = service_of(request), await all_parameters(request)
    name = single(given, "name")
    if not name:
        raise UsageError("Missing required parameter: name")
    if name not in service.workspace_names:
        service.workspace_names.append(name)
    return json_answer(_workspace(service, name))


async def one_workspace(request: Request) -> Response:
    access_of(request).require(ADMIN)
    return json_answer(_workspace(service_of(request), _name(request)))


async def delete_workspace(request: Request) -> Response:
    """Forgets the name; the data is the project's and stays."""
    access_of(request).require(ADMIN)
    service, name = service_of(request), _name(request)
    if name != service.name:
        service.workspace_names.remove(name)
    return json_answer({"ok": True})


async def regions(request: Request) -> Response:
    base = base_url(request)
    return json_answer({"regions": [{"name": "local", "api_host": base, "host": base, "provider": "local"}]})


async def no_environments(request: Request) -> Response:
    access_of(request)
    return json_answer({"environments": []})


async def no_connectors(request: Request) -> Response:
    access_of(request)
    return json_answer({"connectors": []})


def _name(request: Request) -> str:
    service, wanted = service_of(request), request.path_params["id"]
    found = next((name for name in service.workspace_names if wanted in (name, _id(service, name))), None)
    if found is None:
        raise NotFoundError(f"Workspace {wanted} not found")
    return found


def _id(service: Service, name: str) -> str:
    """The project's workspace has the id that is in its tokens; other names have ids of their own."""
    return service.tokens.workspace_id if name == service.name else resource_id("workspace", name)


def _workspace(service: Service, name: str) -> dict[str, Any]:
    return {
        "id": _id(service, name),
        "name": name,
        "token": service.tokens.get(PERSONAL_NAME).token,
        "role": "admin",
        "owner": service.tokens.user_id,
        "plan": "local",
        "is_branch": False,
        "is_forward": True,
        "main": None,
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
    (("GET",), "/v1/environments", no_environments),
    (("GET",), "/v0/connectors", no_connectors),
)
