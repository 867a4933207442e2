"""`/v0/tokens`: static tokens, and JWTs, which are made here and kept nowhere."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tbpy.api.authentication import access_of
from tbpy.api.bodies import read_body
from tbpy.api.errors import ForbiddenError
from tbpy.api.parameters import Parameters, parse_body, single
from tbpy.api.routes.common import Route, all_parameters, json_answer, query_parameters, service_of, text_answer
from tbpy.api.tokens import Scope, Token, parse_scope, sign_jwt
from tbpy.api.tokens.scopes import TOKENS
from tbpy.errors import NotFoundError, UsageError

_UNKNOWN = "Token has not enough permissions to get information about this token"


async def list_tokens(request: Request) -> Response:
    access_of(request).require(TOKENS)
    return json_answer({"tokens": [token.as_dict() for token in service_of(request).tokens.all()]})


async def one_token(request: Request) -> Response:
    access_of(request).require(TOKENS)
    text: str = request.path_params["key"]
    token = _find(request, text.removesuffix(".token"))
    if text.endswith(".token"):
        scopes = "".join(f"SCOPE {_scope_text(scope)}\n" for scope in token.scopes)
        return text_answer(f"TOKEN {token.name}\n{scopes}")
    return json_answer(token.as_dict())


async def create_token(request: Request) -> Response:
    """With `expiration_time` a JWT, else a static token."""
    service = service_of(request)
    access_of(request).require(TOKENS)
    body = await read_body(request, service.limits.query_bytes)
    given = query_parameters(request) | parse_body(body, request.headers.get("content-type", ""))
    name = single(given, "name")
    if not name:
        raise UsageError("Missing required parameter: name")
    if single(given, "expiration_time") is not None:
        return json_answer({"token": sign_jwt(_claims(request, given, name), service.tokens.admin_token)})
    token = service.tokens.create(name, _scopes(given), single(given, "description") or "")
    return json_answer(token.as_dict())


async def change_token(request: Request) -> Response:
    service = service_of(request)
    access_of(request).require(TOKENS)
    token = _find(request, request.path_params["key"])
    given = await all_parameters(request)
    fields: dict[str, Any] = {key: value for key in ("name", "description") if (value := single(given, key))}
    if "scope" in given:
        fields["scopes"] = _scopes(given)
    return json_answer(service.tokens.change(token, **fields).as_dict())


async def refresh_token(request: Request) -> Response:
    access_of(request).require(TOKENS)
    return json_answer(service_of(request).tokens.refresh(_find(request, request.path_params["key"])).as_dict())


async def delete_token(request: Request) -> Response:
    access_of(request).require(TOKENS)
    service_of(request).tokens.delete(_find(request, request.path_params["key"]))
    return json_answer({"ok": True})


async def check_token(request: Request) -> Response:
    """What the command line asks when somebody logs in."""
    access = access_of(request)
    return json_answer({"is_valid": True, "is_user": access.is_admin})


def _find(request: Request, key: str) -> Token:
    try:
        return service_of(request).tokens.get(key)
    except NotFoundError as error:
        raise ForbiddenError(_UNKNOWN) from error


def _scopes(given: Parameters) -> tuple[Scope, ...]:
    found = given.get("scope", [])
    texts = found if isinstance(found, list) else [found]
    return tuple(parse_scope(str(text)) for text in texts)


def _scope_text(scope: Scope) -> str:
    return scope.type if scope.resource is None else f"{scope.type}:{scope.resource}"


def _claims(request: Request, given: Parameters, name: str) -> dict[str, Any]:
    text, scopes, limits = single(given, "expiration_time") or "", given.get("scopes"), given.get("limits")
    if not text.isdigit():
        raise UsageError("expiration_time must be a number of seconds since 1970")
    if not isinstance(scopes, list) or not all(isinstance(scope, dict) for scope in scopes):
        raise UsageError("scopes must be a list of objects with type and resource")
    claims = {"workspace_id": service_of(request).tokens.workspace_id, "name": name, "exp": int(text), "scopes": scopes}
    return claims | ({"limits": limits} if isinstance(limits, dict) else {})


ROUTES: tuple[Route, ...] = (
    (("GET",), "/v0/auth", check_token),
    (("GET",), "/v0/tokens", list_tokens),
    (("POST",), "/v0/tokens", create_token),
    (("GET",), "/v0/tokens/{key}", one_token),
    (("PUT",), "/v0/tokens/{key}", change_token),
    (("DELETE",), "/v0/tokens/{key}", delete_token),
    (("POST",), "/v0/tokens/{key}/refresh", refresh_token),
)
