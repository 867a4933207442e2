"""`/v1/deploy` and `/v1/deployments`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tbpy.api.authentication import access_of
from tbpy.api.deploying import Deploying, describe
from tbpy.api.deployments import document
from tbpy.api.parameters import flag
from tbpy.api.routes.build import attempt, failed
from tbpy.api.routes.common import Route, json_answer, query_parameters, service_of
from tbpy.api.running import in_thread
from tbpy.api.tokens.scopes import DEPLOY
from tbpy.api.uploads import read_datafiles
from tbpy.errors import TbpyError
from tbpy.project import Project
from tbpy.workspace import BuildReport, Deployment, Stage


async def deploy(request: Request) -> Response:
    """`check` changes nothing, `auto_promote` makes the deployment live, `allow_destructive_operations` permits to lose
    data sources and rows. The workspace of a developer's folder is built in place, as when its files change."""
    access_of(request).require(DEPLOY)
    service, given = service_of(request), query_parameters(request)
    files = await read_datafiles(request)
    deploying = Deploying(service, files, flag(given, "allow_destructive_operations"))
    promote = flag(given, "auto_promote")
    if flag(given, "check"):
        work = deploying.check
    elif promote and service.is_worked_in:
        work = deploying.build
    else:
        work = partial(deploying.deploy, promote=promote)
    outcome = await in_thread(service.threads, attempt, work)
    if isinstance(outcome, TbpyError):
        return json_answer(_failed(outcome, service.workspace.project, deploying.details), 400)
    if outcome.deployment is not None:
        return json_answer({"result": "success", "deployment": {**outcome.details, **document(outcome.deployment)}})
    shown = {**document(service.workspace.live), **outcome.details}
    return json_answer({"result": "success" if outcome.changed else "no_changes", "deployment": shown})


def _failed(error: TbpyError, project: Project, details: Mapping[str, Any]) -> dict[str, Any]:
    """A deployment that was never made: it has no id, but all the lists that clients go through, with what it would
    have done when that is known."""
    told = failed(error)
    nothing = {**describe(BuildReport(), project), "id": "", "status": "failed", "live": False, "feedback": []}
    return {"result": "failed", "deployment": {**nothing, **details, **told}, **told}


async def list_deployments(request: Request) -> Response:
    """The live one first, then the one beside it; with `include_deleted` all that are known, from the oldest on."""
    access_of(request).require(DEPLOY)
    known = service_of(request).workspace.deployments()
    if not flag(query_parameters(request), "include_deleted"):
        there = [found for found in known if found.stage in (Stage.LIVE, Stage.MOVING, Stage.STAGING)]
        known = tuple(sorted(there, key=lambda found: not found.live))
    return json_answer({"deployments": [document(found) for found in known]})


async def one_deployment(request: Request) -> Response:
    """Also of deleted ones: clients wait until one is."""
    access_of(request).require(DEPLOY)
    found = service_of(request).workspace.find_deployment(request.path_params["id"])
    return json_answer(_document(found))


async def set_live(request: Request) -> Response:
    """Promotes the staging deployment, or goes back to an earlier one."""
    access_of(request).require(DEPLOY)
    service = service_of(request)
    return json_answer(_document(await in_thread(service.threads, service.promote, request.path_params["id"])))


async def rollback(request: Request) -> Response:
    """Goes back to a deployment that was live, without an id to the one before the live one."""
    access_of(request).require(DEPLOY)
    service = service_of(request)
    return json_answer(_document(await in_thread(service.threads, service.rollback, request.path_params.get("id"))))


async def delete_deployment(request: Request) -> Response:
    """Discards the staging deployment. One that was live before is not there for clients any more, and stays."""
    access_of(request).require(DEPLOY)
    service, wanted = service_of(request), request.path_params["id"]
    found = service.workspace.find_deployment(wanted)
    if found.stage is not Stage.KEPT:
        found = await in_thread(service.threads, service.workspace.discard, wanted)
    return json_answer(_document(found))


def _document(found: Deployment) -> dict[str, Any]:
    return {"result": "success", "deployment": document(found, waited_for=True)}


ROUTES: tuple[Route, ...] = (
    (("POST",), "/v1/deploy", deploy),
    (("GET",), "/v1/deployments", list_deployments),
    (("GET",), "/v1/deployments/{id}", one_deployment),
    (("DELETE",), "/v1/deployments/{id}", delete_deployment),
    (("POST",), "/v1/deployments/{id}/set-live", set_live),
    (("POST",), "/v1/deployments/{id}/rollback", rollback),
    (("POST",), "/v1/deployments/rollback", rollback),
)
