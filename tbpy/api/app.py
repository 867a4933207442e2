"""The ASGI application: routes, CORS, and errors as the JSON that Tinybird's clients read."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tbpy.api import errors
from tbpy.api.access_log import AccessLog
from tbpy.api.admission import Admissions
from tbpy.api.authentication import token_of
from tbpy.api.compressing import compress
from tbpy.api.events import take_events
from tbpy.api.hosting import Hosting
from tbpy.api.limiting import ALLOWANCE, Allowance
from tbpy.api.observing import ROUTE, Observation
from tbpy.api.routes import ROUTES
from tbpy.api.routes.common import Handler
from tbpy.api.running import BrokenAnswerError, ClientGoneError, in_thread
from tbpy.api.service import Service
from tbpy.errors import TbpyError, no_room

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_log = logging.getLogger("tbpy.api")

_JSON = b"application/json; charset=UTF-8"
_CORS = (
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After, X-DB-Exception-Code",
    ),
)
_PREFLIGHT = (
    (b"access-control-allow-methods", b"GET, POST, PUT, DELETE, OPTIONS"),
    (b"access-control-allow-headers", b"Authorization, Content-Type, Content-Encoding, User-Agent"),
    (b"access-control-max-age", b"86400"),
)
_EVENTS = ("/v0/events", "/v0/events/")


class Api:
    """Serves a workspace, and those that clients make beside it, each to who has a token of it."""

    def __init__(self, service: Service, access_log: AccessLog | None = None) -> None:
        self.service = service
        self._access_log = access_log
        self._hosting = Hosting(service, lambda other: _Single(other, self._hosting))
        self._own = _Single(service, self._hosting)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._own(scope, receive, send)
            return
        seen = Observation(scope, send)
        try:
            await self._answer(scope, receive, seen.send)
        except BrokenAnswerError:
            pass  # the server closes the connection of an answer that has no end
        finally:
            seen.end(self.service.metrics, self._access_log)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await _send(send, 204, b"", _PREFLIGHT)
        elif self._hosting.has_others and self._hosting.is_other(token := token_of(scope)):
            await self._other(token, scope, receive, send)
        else:
            await self._own(scope, receive, send)

    async def _other(self, token: str | None, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            app = await in_thread(self.service.threads, self._hosting.app, token)
        except Exception as error:
            status, document, _ = describe(error)
            await _send(send, status, json.dumps(document).encode(), ((b"content-type", _JSON),))
            return
        await (app or self._own)(scope, receive, send)


class _Single:
    """One workspace. Events are answered here, everything else by the routes."""

    def __init__(self, service: Service, hosting: Hosting) -> None:
        self.service = service
        self._admissions = Admissions(service)
        self._routes = _application(service, hosting)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._routes(scope, receive, send)
        elif scope["path"] in _EVENTS:
            scope[ROUTE] = _EVENTS[0]
            await self._events(scope, receive, send)
        else:
            await self._routes(scope, receive, _with_common_headers(scope, send))

    async def _events(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: dict[str, str] = {}
        try:
            if scope["method"] != "POST":
                raise errors.MethodError("Method Not Allowed")
            status, body = await take_events(self.service, self._admissions, scope, receive)
        except Exception as error:
            status, document, headers = describe(error)
            body = json.dumps(document).encode()
        extra = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await _send(send, status, body, ((b"content-type", _JSON), *extra, *_allowance(scope)))


def _application(service: Service, hosting: Hosting) -> Starlette:
    app = Starlette(
        routes=list(_routes()),
        exception_handlers={Exception: _failed, TbpyError: _failed, HTTPException: _failed, ClientGoneError: _failed},
    )
    app.router.redirect_slashes = False
    app.state.service, app.state.hosting = service, hosting
    return app


def _routes() -> list[Route]:
    """Each path with and without a slash at its end. One route for a path, so that a wrong method is a 405."""
    methods: dict[str, dict[str, Handler]] = {}
    for names, path, handler in ROUTES:
        methods.setdefault(path, {}).update(dict.fromkeys(names, handler))
    return [
        Route(variant, _dispatch(path, handlers), methods=list(handlers))
        for path, handlers in methods.items()
        for variant in (path, f"{path}/")
    ]


def _dispatch(path: str, handlers: dict[str, Handler]) -> Handler:
    async def handle(request: Request) -> Response:
        request.scope[ROUTE] = path
        return compress(request, await handlers["GET" if request.method == "HEAD" else request.method](request))

    return handle


async def _failed(request: Request, error: Exception) -> Response:
    status, document, headers = describe(error)
    return Response(json.dumps(document).encode(), status, headers, _JSON.decode())


def describe(error: Exception) -> tuple[int, Any, dict[str, str]]:
    """Status, body and headers of the answer to an error. A mistake of tbpy's own is told without its traceback."""
    error = no_room(error) or error
    if isinstance(error, TbpyError):
        return errors.status_of(error), errors.body_of(error), errors.headers_of(error)
    if isinstance(error, HTTPException):
        return error.status_code, {"error": error.detail}, dict(error.headers or {})
    if isinstance(error, ClientGoneError):
        return 499, {"error": "The client closed the connection"}, {}
    _log.error("A request failed", exc_info=error)
    return 500, {"error": f"{type(error).__name__}: {error}"}, {}


def _allowance(scope: Scope) -> list[tuple[bytes, bytes]]:
    """The headers that tell a token whose rate is limited what is left. An error that tells it has its own."""
    allowance: Allowance | None = scope.get(ALLOWANCE)
    if allowance is None:
        return []
    return [(name.lower().encode(), value.encode()) for name, value in allowance.headers().items()]


def _with_common_headers(scope: Scope, send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *_allowance(scope), *_CORS]
        await send(message)

    return with_headers


async def _send(send: Send, status: int, body: bytes, headers: tuple[tuple[bytes, bytes], ...]) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length, *_CORS]})
    await send({"type": "http.response.body", "body": body})
