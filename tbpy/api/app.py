"""The ASGI application: routes, CORS, and errors as the JSON that Tinybird's clients read."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tbpy.api import errors
from tbpy.api.access_log import AccessLog
from tbpy.api.admission import Admissions
from tbpy.api.authentication import token_of
from tbpy.api.compressing import compress
from tbpy.api.events import take_events
from tbpy.api.hosting import HOSTING, Hosting
from tbpy.api.limiting import ALLOWANCE, Allowance
from tbpy.api.observing import ROUTE, Observation
from tbpy.api.routes import ROUTES
from tbpy.api.routing import NoMethodError, Router
from tbpy.api.running import BrokenAnswerError, ClientGoneError, in_thread
from tbpy.api.service import SERVICE, Service
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
_ROUTER = Router(ROUTES)


class Api:
    """Serves a workspace, and those that clients make beside it, each to who has a token of it."""

    def __init__(self, service: Service, access_log: AccessLog | None = None) -> None:
        self.service = service
        self._access_log = access_log
        self._hosting = Hosting(service, lambda other: _Single(other, self._hosting))
        self._own = _Single(service, self._hosting)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"{scope['type']} is not served")
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
        self._hosting = hosting
        self._admissions = Admissions(service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in _EVENTS:
            scope[ROUTE] = _EVENTS[0]
            await self._events(scope, receive, send)
        else:
            await self._route(scope, receive, _with_common_headers(scope, send))

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[SERVICE], scope[HOSTING] = self.service, self._hosting
        request = Request(scope, receive)
        try:
            found = _ROUTER.find(scope["method"], scope["path"])
            scope[ROUTE], scope["path_params"] = found.route, dict(found.parameters)
            response = compress(request, await found.handler(request))
        except Exception as error:
            status, document, headers = describe(error)
            response = Response(json.dumps(document).encode(), status, headers, _JSON.decode())
        await response(scope, receive, send)

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


def describe(error: Exception) -> tuple[int, Any, dict[str, str]]:
    """Status, body and headers of the answer to an error. A mistake of tbpy's own is told without its traceback."""
    error = no_room(error) or error
    if isinstance(error, NoMethodError):
        return 405, {"error": error.message}, {"Allow": ", ".join(error.allowed)}
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
