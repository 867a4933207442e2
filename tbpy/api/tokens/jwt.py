"""JSON web tokens, HS256, signed with the workspace's admin token (Tinybird docs, "JWTs")."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from tbpy.api.errors import ForbiddenError
from tbpy.api.tokens.access import Access
from tbpy.api.tokens.scopes import APPEND, READ_DATASOURCE, READ_PIPE, Scope

_GRANTED = (READ_PIPE, READ_DATASOURCE, APPEND)
_HEADER = {"alg": "HS256", "typ": "JWT"}


def sign_jwt(claims: Mapping[str, Any], key: str) -> str:
    head = f"{_encode(json.dumps(_HEADER).encode())}.{_encode(json.dumps(claims).encode())}"
    return f"{head}.{_encode(_signature(head, key))}"


def read_jwt(token: str, key: str, *, now: float) -> Access:
    """What a JWT allows at `now` (seconds since 1970). Raises `ForbiddenError` for every JWT that is not in order.

    Scopes of other types than reading and appending are not granted.
    """
    head, _, signature = token.rpartition(".")
    try:
        header, claims = (json.loads(_decode(part)) for part in head.split("."))
        signed = _decode(signature)
    except (ValueError, RecursionError) as error:
        raise _invalid() from error
    if not (isinstance(header, dict) and isinstance(claims, dict) and header.get("alg") == "HS256"):
        raise _invalid()
    if not hmac.compare_digest(signed, _signature(head, key)):
        raise _invalid()
    expires = claims.get("exp")
    if isinstance(expires, bool) or not isinstance(expires, int | float):
        raise _invalid()
    if expires <= now:
        raise ForbiddenError("invalid authentication token. The JWT has expired")
    return Access(str(claims.get("name", "")), _scopes(claims.get("scopes")), _rate(claims.get("limits")), lasts=False)


def workspace_of_jwt(token: str) -> str | None:
    """The workspace that a JWT says it is for, whoever signed it; None for what is no JWT."""
    if token.startswith("p.") or token.count(".") != 2:
        return None
    try:
        claims = json.loads(_decode(token.split(".")[1]))
    except (ValueError, RecursionError):
        return None
    found = claims.get("workspace_id") if isinstance(claims, dict) else None
    return found if isinstance(found, str) else None


def _scopes(found: object) -> tuple[Scope, ...]:
    return tuple(scope for item in (found if isinstance(found, list) else ()) if (scope := _scope(item)) is not None)


def _scope(item: object) -> Scope | None:
    """None for what is no scope that a JWT may have: nothing is granted by what is not understood."""
    if not isinstance(item, dict) or item.get("type") not in _GRANTED or not isinstance(item.get("resource"), str):
        return None
    fixed, condition = item.get("fixed_params") or {}, item.get("filter") or None
    if not isinstance(fixed, dict) or not isinstance(condition, str | None) or (condition and item["type"] == APPEND):
        return None
    return Scope(item["type"], item["resource"], fixed, condition)


def _rate(limits: object) -> int | None:
    rate = limits.get("rps") if isinstance(limits, dict) else None
    return rate if isinstance(rate, int) and rate > 0 else None


def _invalid() -> ForbiddenError:
    return ForbiddenError("invalid authentication token. Invalid token")


def _signature(head: str, key: str) -> bytes:
    return hmac.new(key.encode(), head.encode(), hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
