"""What a deployment changes of the tokens that datafiles declare."""

from __future__ import annotations

from typing import Any

from tbpy.api.tokens.scopes import Scope
from tbpy.api.tokens.store import declared_tokens
from tbpy.project import Project

_KINDS = {"DATASOURCES": "datasource", "PIPES": "pipe"}


def token_changes(before: Project, after: Project) -> list[dict[str, Any]]:
    """In the shape that clients read, in order of the tokens' names."""
    old, new = declared_tokens(before), declared_tokens(after)
    changes = []
    for name in sorted({*old, *new}):
        added = [scope for scope in new.get(name, ()) if scope not in old.get(name, ())]
        removed = [scope for scope in old.get(name, ()) if scope not in new.get(name, ())]
        if added or removed:
            kind = "added" if name not in old else "removed" if name not in new else "changed"
            permissions = {
                "added_permissions": list(map(_permission, added)),
                "removed_permissions": list(map(_permission, removed)),
            }
            changes.append({"token_name": name, "change_type": kind, "permission_changes": permissions})
    return changes


def _permission(scope: Scope) -> dict[str, str]:
    kind, _, permission = scope.type.partition(":")
    return {"resource_name": scope.resource or "", "resource_type": _KINDS.get(kind, kind), "permission": permission}
