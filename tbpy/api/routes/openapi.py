"""`/v0/openapi`: the endpoints that a token may read."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tbpy.api.authentication import access_of
from tbpy.api.openapi import openapi_document
from tbpy.api.routes.common import Route, base_url, json_answer, service_of
from tbpy.api.running import in_thread
from tbpy.api.tokens.scopes import READ_PIPE


async def openapi(request: Request) -> Response:
    access, service = access_of(request), service_of(request)
    project = service.workspace.project
    pipes = [
        pipe for name, pipe in sorted(project.pipes.items()) if pipe.type == "endpoint" and access.may(READ_PIPE, name)
    ]
    return json_answer(await in_thread(service.threads, openapi_document, project, pipes, base_url(request)))


ROUTES: tuple[Route, ...] = (
    (("GET",), "/v0/pipes/openapi.json", openapi),
    (("GET",), "/v0/openapi", openapi),
    (("GET",), "/v0/openapi.json", openapi),
)
