"""What the routes share: the service behind a request, its parameters, and answers in JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response

from tbpy.api.bodies import read_body
from tbpy.api.errors import ForbiddenError
from tbpy.api.parameters import Parameters, collect, parse_body
from tbpy.api.running import in_thread
from tbpy.api.service import SERVICE, Service
from tbpy.workspace import Beside, Workspace

Handler = Callable[[Request], Awaitable[Response]]
Route = tuple[tuple[str, ...], str, Handler]

JSON = "application/json; charset=UTF-8"
ONLY_DEPLOYMENTS = "Adding or modifying {what} to this workspace can only be done via deployments"


def service_of(request: Request) -> Service:
    service: Service = request.scope[SERVICE]
    return service


async def workspace_of(request: Request) -> Workspace | Beside:
    """What a request reads: the live deployment, or the one that `__tb__deployment` names (its number, or `staging`).

    Raises `NotFoundError` and `ConflictError`.
    """
    service, query = service_of(request), request.scope["query_string"]
    if b"__tb__deployment" not in query and b"%" not in query:  # most requests, which need not be read for it
        return service.workspace
    wanted = request.query_params.get("__tb__deployment", "")
    if wanted in ("", "live"):
        return service.workspace
    return await in_thread(service.threads, service.workspace.beside, wanted) or service.workspace


def json_answer(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(document, default=str), status, headers, JSON)


def text_answer(text: str) -> Response:
    """Bare `text/plain`: the official command line does not know it with a charset."""
    return Response(text.encode(), headers={"content-type": "text/plain"})


def base_url(request: Request) -> str:
    """The address that the client called us by."""
    host = request.headers.get("host") or f"localhost:{(request.scope.get('server') or ('', 7181))[1]}"
    return f"{request.url.scheme}://{host}"


def query_parameters(request: Request) -> Parameters:
    return collect(parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True))


async def all_parameters(request: Request) -> Parameters:
    """Those of the query string, and over them those of the body."""
    given = query_parameters(request)
    if request.method == "GET":
        return given
    body = await read_body(request, service_of(request).limits.query_bytes)
    return given | parse_body(body, request.headers.get("content-type", ""))


def refuse(what: str) -> Handler:
    """A route for what only a deployment may change."""

    async def handler(request: Request) -> Response:
        raise ForbiddenError(ONLY_DEPLOYMENTS.format(what=what))

    return handler
