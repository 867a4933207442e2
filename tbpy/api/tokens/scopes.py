"""Scopes of tokens, as Tinybird's docs list them ("Token scopes")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tbpy.errors import UsageError

ADMIN = "ADMIN"
READ_PIPE = "PIPES:READ"
READ_DATASOURCE = "DATASOURCES:READ"
APPEND = "DATASOURCES:APPEND"
CREATE = "DATASOURCES:CREATE"
DROP = "DATASOURCES:DROP"
DEPLOY = "WORKSPACE:DEPLOY"
TOKENS = "TOKENS"

_PLAIN = frozenset(
    {
        ADMIN,
        "ADMIN_USER",
        TOKENS,
        CREATE,
        "PIPES:CREATE",
        "WORKSPACE:READ_ALL",
        DEPLOY,
        "ORG_DATASOURCES:READ",
    }
)
_OF_RESOURCE = frozenset({READ_PIPE, "PIPES:DROP", READ_DATASOURCE, APPEND, DROP})


@dataclass(frozen=True, slots=True)
class Scope:
    """`resource` is a name or id, None for scopes of the whole workspace; `fixed_params` come from JWTs only."""

    type: str
    resource: str | None = None
    fixed_params: Mapping[str, Any] = field(default_factory=dict)
    filter: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The shape in which the API shows it; a scope of a resource always has that key."""
        shown: dict[str, Any] = {"type": self.type}
        if self.resource is not None:
            shown["resource"] = self.resource
        if self.type in _OF_RESOURCE:
            shown["filter"] = self.filter or ""
        return shown


def parse_scope(text: str) -> Scope:
    """`TYPE` or `TYPE:resource`. Raises `UsageError` for a scope that does not exist."""
    if text in _PLAIN:
        return Scope(text)
    parts = text.split(":", 3)
    kind = ":".join(parts[:2])
    if kind not in _OF_RESOURCE or len(parts) < 3 or not parts[2]:
        raise UsageError(f"Invalid scope {text}", hint=f"scopes are {', '.join(sorted(_PLAIN | _OF_RESOURCE))}")
    if len(parts) == 4 and parts[3]:
        raise UsageError(f"Invalid scope {text}: row filters of static tokens are not supported")
    return Scope(kind, parts[2])
