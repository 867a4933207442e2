"""What a local server tells without being asked for a token: that it is there, and how to get in."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

import tbpy
from tbpy.api.authentication import access_of
from tbpy.api.routes.common import Route, base_url, json_answer, service_of, text_answer
from tbpy.api.tokens.store import ADMIN_NAME, PERSONAL_NAME, USER_NAME
from tbpy.errors import NotFoundError


async def health(request: Request) -> Response:
    return json_answer({"status": "ok"})


async def version(request: Request) -> Response:
    return text_answer(tbpy.__version__)


async def local_tokens(request: Request) -> Response:
    """The handshake of `tb` and of SDKs with Tinybird Local."""
    service = service_of(request)
    if not service.local or "origin" in request.headers or not is_local_name(request.url.hostname or ""):
        raise NotFoundError("Not found")
    names = {"user_token": USER_NAME, "admin_token": PERSONAL_NAME, "workspace_admin_token": ADMIN_NAME}
    return json_answer({key: service.tokens.get(name).token for key, name in names.items()})


def is_local_name(host: str) -> bool:
    """Whether no web page elsewhere can have this name: a page that points its own name here is not let in."""
    try:
        ip_address(host)
    except ValueError:
        return "." not in host or host == "host.docker.internal"
    return True


async def example(request: Request) -> Response:
    """The address of an endpoint, as the command line prints it."""
    access_of(request)
    given = request.query_params
    kept = {key: value for key, value in given.items() if key not in ("format", "pipe") and value}
    return text_answer(
        f"{base_url(request)}/v0/pipes/{given.get('pipe', '')}.{given.get('format', 'json')}?{urlencode(kept)}"
    )


ROUTES: tuple[Route, ...] = (
    (("GET",), "/tokens", local_tokens),
    (("GET",), "/v0/health", health),
    (("GET",), "/health", health),
    (("GET",), "/version", version),
    (("GET",), "/examples/query.http", example),
)
