"""`/metrics`, for Prometheus. A server for others tells them only to its admin."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tbpy.api.authentication import access_of
from tbpy.api.metrics import CONTENT_TYPE, exposition
from tbpy.api.routes.common import Route, service_of
from tbpy.api.running import in_thread
from tbpy.api.tokens.scopes import ADMIN


async def metrics(request: Request) -> Response:
    service = service_of(request)
    if not service.local:
        access_of(request).require(ADMIN)
    text = await in_thread(service.threads, exposition, service)
    return Response(text.encode(), headers={"content-type": CONTENT_TYPE})


ROUTES: tuple[Route, ...] = ((("GET",), "/metrics", metrics),)
