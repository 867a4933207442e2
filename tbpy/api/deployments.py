"""Deployments as clients read them. Source: what published clients read of `/v1/deploy` and `/v1/deployments`."""

from __future__ import annotations

from typing import Any

from tbpy.workspace import Deployment, Stage

_STATUS = {
    Stage.MOVING: "creating_schema",
    Stage.STAGING: "data_ready",
    Stage.LIVE: "data_ready",
    # Clients wait for what was live before to be deleted; that it can be gone back to is told beside.
    Stage.KEPT: "deleted",
    Stage.DELETED: "deleted",
    Stage.FAILED: "failed",
}


def document(found: Deployment, *, waited_for: bool = False) -> dict[str, Any]:
    """`created_at` is ISO 8601 in UTC. One that failed has no tables any more: who waits for it is told that it is
    deleted, as published clients go on waiting for one that only failed."""
    status = "deleted" if waited_for and found.stage is Stage.FAILED else _STATUS[found.stage]
    created = f"{found.created:%Y-%m-%dT%H:%M:%S}"
    return {
        **found.details,
        "id": str(found.id),
        "status": status,
        "live": found.live,
        "created_at": created,
        "updated_at": created,
        "errors": list(found.errors),
        "can_be_live": found.stage in (Stage.KEPT, Stage.STAGING) and not found.errors,
    }
