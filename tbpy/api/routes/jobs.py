"""`/v0/jobs`."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from tbpy.api.authentication import access_of
from tbpy.api.errors import ForbiddenError
from tbpy.api.jobs import Job
from tbpy.api.routes.common import Route, base_url, json_answer, service_of
from tbpy.api.tokens import Access
from tbpy.api.tokens.scopes import APPEND, CREATE

# Clients ask every two seconds, or five: a job that is nearly done is worth a moment.
_PATIENCE = 1.0
_FILTERS = ("kind", "status", "pipe_id", "pipe_name")


async def list_jobs(request: Request) -> Response:
    access, given = access_of(request), request.query_params
    wanted = {key: given[key] for key in _FILTERS if key in given}
    since, until = given.get("created_after", ""), given.get("created_before", "9999")
    shown = [job.as_dict(base_url(request)) for job in service_of(request).jobs.all() if _may_see(access, job)]
    jobs = [
        job
        for job in shown
        if since <= job["created_at"] <= until and all(job.get(key) == value for key, value in wanted.items())
    ]
    return json_answer({"jobs": jobs})


async def one_job(request: Request) -> Response:
    job = _job(request)
    if job.future is not None and not job.future.done():
        await asyncio.wait({asyncio.wrap_future(job.future)}, timeout=_PATIENCE)
    return json_answer(job.as_dict(base_url(request)))


async def cancel_job(request: Request) -> Response:
    """One that works is `cancelling` until it has stopped, which is waited for a moment."""
    job = _job(request)
    service_of(request).jobs.cancel(job)
    if job.future is not None and not job.future.done():
        await asyncio.wait({asyncio.wrap_future(job.future)}, timeout=_PATIENCE)
    return json_answer(job.as_dict(base_url(request)))


async def retry_job(request: Request) -> Response:
    """Starts a job that does what another one did."""
    return json_answer(service_of(request).jobs.retry(_job(request)).as_dict(base_url(request)))


def _job(request: Request) -> Job:
    """Raises `NotFoundError`, `ForbiddenError`."""
    access, job = access_of(request), service_of(request).jobs.get(request.path_params["id"])
    if not _may_see(access, job):
        raise ForbiddenError("The token has not enough permissions to see this job")
    return job


def _may_see(access: Access, job: Job) -> bool:
    """Whoever may start a job may see it: an import with the scope to append, all others with that to create."""
    datasource = job.facts.get("datasource", {}).get("name")
    imports = job.kind == "import" and datasource is not None and access.may(APPEND, datasource)
    return access.may(CREATE) or imports


ROUTES: tuple[Route, ...] = (
    (("GET",), "/v0/jobs", list_jobs),
    (("GET",), "/v0/jobs/{id}", one_job),
    (("POST",), "/v0/jobs/{id}/cancel", cancel_job),
    (("POST",), "/v0/jobs/{id}/retry", retry_job),
)
