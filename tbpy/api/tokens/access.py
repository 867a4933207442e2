"""What the token of one request may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tbpy.api.errors import ForbiddenError
from tbpy.api.identifiers import resource_id
from tbpy.api.tokens.scopes import ADMIN, READ_DATASOURCE, READ_PIPE, Scope

_KINDS = {"PIPES": "pipe", "DATASOURCES": "datasource"}
_QUARANTINE = "_quarantine"


@dataclass(frozen=True)
class Access:
    """`name` is the token's, for logs. `requests_per_second` is a JWT's limit, None without one.

    `lasts` is whether the token allows the same until tokens are changed: JWTs expire.
    """

    name: str
    scopes: tuple[Scope, ...]
    requests_per_second: int | None = None
    lasts: bool = True

    @property
    def is_admin(self) -> bool:
        return any(scope.type == ADMIN for scope in self.scopes)

    def may(self, kind: str, resource: str | None = None) -> bool:
        """Whether one of the scopes is of this kind and, where `resource` is given, for that resource."""
        return self.is_admin or self._scope(kind, resource) is not None

    def require(self, kind: str, resource: str | None = None) -> None:
        """Raises `ForbiddenError`."""
        if not self.may(kind, resource):
            wanted = kind if resource is None else f"{kind}:{resource}"
            raise ForbiddenError(f"The token has not enough permissions: it lacks the scope {wanted}")

    def may_read(self, name: str) -> bool:
        """Whether SQL may name this data source, its quarantine, or this pipe.

        A quarantine has texts for which no row filter is made: whoever may read only some rows may not read it.
        """
        datasource = name.removesuffix(_QUARANTINE)
        if self.may(READ_PIPE, name) or self.may(READ_DATASOURCE, name):
            return True
        return self.may(READ_DATASOURCE, datasource) and self.row_filter(datasource) is None

    def row_filter(self, name: str) -> str | None:
        """The SQL condition of the rows of a data source or pipe that this token may read; None when that is all."""
        if self.is_admin:
            return None
        found = [
            scope.filter for scope in self.scopes if scope.type in (READ_DATASOURCE, READ_PIPE) and _covers(scope, name)
        ]
        if not all(found):
            return None
        return " OR ".join(f"(\n{condition}\n)" for condition in found if condition) or None

    def fixed_parameters(self, pipe: str) -> Mapping[str, Any]:
        """The parameters that this token sets for a pipe, whatever the request says."""
        scope = self._scope(READ_PIPE, pipe)
        return scope.fixed_params if scope is not None else {}

    def _scope(self, kind: str, resource: str | None) -> Scope | None:
        return next((scope for scope in self.scopes if scope.type == kind and _covers(scope, resource)), None)


def _covers(scope: Scope, resource: str | None) -> bool:
    if resource is None or scope.resource is None:
        return resource is None and scope.resource is None
    return scope.resource in (resource, resource_id(_KINDS[scope.type.partition(":")[0]], resource))
