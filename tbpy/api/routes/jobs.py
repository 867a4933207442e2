"""`/v0/jobs`."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from tbpy.api.authentication import access_of
from tbpy.api.errors import ForbiddenError
from tbpy.api.routes.common import Route, base_url, json_answer, service_of
from tbpy.api.tokens import Access
from tbpy.errors import ConflictError

# Clients ask every two seconds, or five: a job that is nearly done is worth a moment.
_PATIENCE = 1.0


async def list_jobs(request: Request) -> Response:
    service = service_of(request)
    _require(access_of(request))
    wanted = {key: request.query_params[key] for key in ("kind", "status") if key in request.query_params}
    shown = [job.as_dict(base_url(request)) for job in service.jobs.all()]
    return json_answer({"jobs": [job for job in shown if all(job[key] == value for key, value in wanted.items())]})


async def one_job(request: Request) -> Response:
    service = service_of(request)
    _require(access_of(request))
    job = service.jobs.get(request.path_params["id"])
    if job.future is not None and not job.future.done():
        await asyncio.wait({asyncio.wrap_future(job.future)}, timeout=_PATIENCE)
    return json_answer(job.as_dict(base_url(request)))


async def cancel_job(request: Request) -> Response:
    service = service_of(request)
    _require(access_of(request))
    job = service.jobs.get(request.path_params["id"])
    if job.future is None or not job.future.cancel():
        raise ConflictError(f"Job {job.id} cannot be cancelled: it is {job.status}")
    job.status = "cancelled"
    return json_answer(job.as_dict(base_url(request)))


def _require(access: Access) -> None:
    """Whoever may start jobs may see them."""
    if not access.is_admin and not any(scope.type.startswith("DATASOURCES:") for scope in access.scopes):
        raise ForbiddenError("The token has not enough permissions to see jobs")


ROUTES: tuple[Route, ...] = (
    (("GET",), "/v0/jobs", list_jobs),
    (("GET",), "/v0/jobs/{id}", one_job),
    (("POST",), "/v0/jobs/{id}/cancel", cancel_job),
)
