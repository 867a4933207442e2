"""Which events are let in: by token, data source and format.

Clients send the same query string and token again and again: who was let in is let in again without another look,
until tokens or data sources change.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from tbpy.api.authentication import authenticate, bearer
from tbpy.api.identifiers import name_of
from tbpy.api.parameters import flag, parse_form, single
from tbpy.api.service import Service
from tbpy.api.tokens.scopes import APPEND
from tbpy.errors import NotFoundError, UsageError

_MOST_KEPT = 1024


@dataclass(frozen=True, slots=True)
class Admitted:
    """Where events go and how they are written. `status` is that of an answer without errors."""

    datasource: str
    format: str
    status: int


class Admissions:
    """Only the event loop's thread asks. JWTs are looked at every time: they expire, and are counted."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._kept: dict[tuple[bytes, bytes], Admitted] = {}
        self._state: tuple[object, object] = (None, None)

    def admit(self, scope: MutableMapping[str, Any], authorization: bytes) -> Admitted:
        """By query string and header. Raises `ForbiddenError`, `NotFoundError`, `RateLimitError`, `UsageError`."""
        tokens, names = self._service.tokens.state, self._service.workspace.datasource_names()
        if self._state[0] is not tokens or self._state[1] is not names or len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
            self._state = tokens, names
        key = scope["query_string"], authorization
        found = self._kept.get(key)
        if found is None:
            found, lasting = self._judge(scope, authorization.decode("latin-1"), names)
            if lasting:
                self._kept[key] = found
        return found

    def _judge(
        self, scope: MutableMapping[str, Any], authorization: str, names: tuple[str, ...]
    ) -> tuple[Admitted, bool]:
        """Whom to let in, and whether that lasts."""
        given = parse_form(scope["query_string"])
        text = single(given, "name")
        if not text:
            raise UsageError("Missing required parameter: name")
        access = authenticate(self._service, bearer(authorization) or single(given, "token"), scope)
        name = name_of("datasource", text, names)
        access.require(APPEND, name)
        if name not in names:
            raise NotFoundError(f'Data Source "{name}" does not exist')
        status = 200 if flag(given, "wait") else 202
        return Admitted(name, single(given, "format") or "ndjson", status), access.lasts
