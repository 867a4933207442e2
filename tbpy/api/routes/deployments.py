"""`/v1/deploy` and `/v1/deployments`. A deployment is live when its request is answered, or it is not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tbpy.api.authentication import access_of
from tbpy.api.deploying import describe
from tbpy.api.parameters import flag
from tbpy.api.routes.build import attempt, failed
from tbpy.api.routes.common import Route, json_answer, query_parameters, service_of
from tbpy.api.running import in_thread
from tbpy.api.tokens.scopes import DEPLOY
from tbpy.api.uploads import read_datafiles
from tbpy.errors import ConflictError, TbpyError, UsageError
from tbpy.project import Project
from tbpy.workspace import BuildReport

_NO_STAGING = (
    "There are no staging deployments here: a deployment becomes live at once. Deploy with auto-promotion "
    "(`tb deploy --wait --auto`), or only validate (`tb deploy --check`)"
)


async def deploy(request: Request) -> Response:
    """`check` changes nothing, `allow_destructive_operations` permits to lose data sources and rows."""
    access_of(request).require(DEPLOY)
    service, given = service_of(request), query_parameters(request)
    check = flag(given, "check")
    files = await read_datafiles(request)
    if not check and not flag(given, "auto_promote"):
        raise UsageError(_NO_STAGING)
    destructive = flag(given, "allow_destructive_operations")
    outcome = await in_thread(service.threads, attempt, service, files, check=check, destructive=destructive)
    if isinstance(outcome, TbpyError):
        return json_answer(_failed(outcome, service.workspace.project), 400)
    if outcome.deployment is not None:
        return json_answer({"result": "success", "deployment": outcome.deployment.as_dict()})
    live = service.deployments.live
    shown = {**live.as_dict(), **outcome.details}
    return json_answer({"result": "success" if outcome.changed else "no_changes", "deployment": shown})


def _failed(error: TbpyError, project: Project) -> dict[str, Any]:
    """A deployment that was never made: it has no id, but all the lists that clients go through."""
    told = failed(error)
    nothing = {**describe(BuildReport(), project), "id": "", "status": "failed", "live": False, "feedback": []}
    return {"result": "failed", "deployment": {**nothing, **told}, **told}


async def list_deployments(request: Request) -> Response:
    access_of(request).require(DEPLOY)
    deleted = flag(query_parameters(request), "include_deleted")
    shown = [found.as_dict() for found in service_of(request).deployments.all(deleted=deleted)]
    return json_answer({"deployments": shown})


async def one_deployment(request: Request) -> Response:
    """Also of deleted ones: clients wait until one is."""
    access_of(request).require(DEPLOY)
    found = service_of(request).deployments.get(request.path_params["id"])
    return json_answer(_document(found.as_dict()))


async def set_live(request: Request) -> Response:
    access_of(request).require(DEPLOY)
    found = service_of(request).deployments.get(request.path_params["id"])
    if not found.live:
        raise ConflictError(f"Deployment {found.id} was deleted: deploy its files again")
    return json_answer(_document(found.as_dict()))


async def delete_deployment(request: Request) -> Response:
    access_of(request).require(DEPLOY)
    found = service_of(request).deployments.get(request.path_params["id"])
    if found.live:
        raise ConflictError("The live deployment cannot be deleted")
    return json_answer(_document(found.as_dict()))


def _document(deployment: Mapping[str, Any]) -> dict[str, Any]:
    return {"result": "success", "deployment": deployment}


ROUTES: tuple[Route, ...] = (
    (("POST",), "/v1/deploy", deploy),
    (("GET",), "/v1/deployments", list_deployments),
    (("GET",), "/v1/deployments/{id}", one_deployment),
    (("DELETE",), "/v1/deployments/{id}", delete_deployment),
    (("POST",), "/v1/deployments/{id}/set-live", set_live),
)
