"""Who asks: the token of a request, by header or by query parameter."""

from __future__ import annotations

import hmac
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from tbpy.api.errors import ForbiddenError
from tbpy.api.limiting import ALLOWANCE
from tbpy.api.service import SERVICE, Service
from tbpy.api.tokens import Access, Scope, read_jwt
from tbpy.api.tokens.scopes import ADMIN


def access_of(request: Request, *, body_token: str | None = None) -> Access:
    """What the token of a request allows. Raises `ForbiddenError` without a token that is known."""
    service: Service = request.scope[SERVICE]
    token = bearer(request.headers.get("authorization")) or request.query_params.get("token") or body_token
    return authenticate(service, token, request.scope)


def authenticate(service: Service, token: str | None, scope: MutableMapping[str, Any]) -> Access:
    """A request of a token whose rate is limited is counted, and `scope` gets what is left for its answer."""
    if not token:
        raise ForbiddenError("invalid authentication token. Missing token")
    if is_of_this_machine(service, token):
        return Access("tbpy", (Scope(ADMIN),))
    access = service.tokens.find(token)
    if access is not None:
        return access
    if token.startswith("p.") or token.count(".") != 2:
        raise ForbiddenError("invalid authentication token. Invalid token")
    access = read_jwt(token, service.tokens.admin_token, now=service.timer())
    scope[ALLOWANCE] = service.rates.count(access)
    return access


def is_of_this_machine(service: Service, token: str | None) -> bool:
    """Whether it is the token that only the owner of the workspace's files can read."""
    return hmac.compare_digest((token or "").encode("utf-8", "surrogatepass"), service.process_token.encode())


def token_of(scope: MutableMapping[str, Any]) -> str | None:
    """The token of a request that no route has seen yet: that of its header, else that of its query string."""
    header = next((value for name, value in scope["headers"] if name == b"authorization"), None)
    token = bearer(header.decode("latin-1")) if header is not None else None
    if token or b"token=" not in scope["query_string"]:
        return token
    return next((value for name, value in parse_qsl(scope["query_string"].decode("latin-1")) if name == "token"), None)


def bearer(header: str | None) -> str | None:
    """The token of an Authorization header."""
    kind, _, token = (header or "").strip().partition(" ")
    return token.strip() if kind.lower() == "bearer" else None
