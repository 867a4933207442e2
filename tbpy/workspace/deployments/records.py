"""Deployments as the catalogue keeps them, a row each in `tbpy.deployments`.

What is stored for the live one is in the catalogue's own tables; for the others it is in their rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from tbpy.engines import Session
from tbpy.workspace.catalogue import Catalogue, from_document, to_document
from tbpy.workspace.conversions import Conversion

_DDL = (
    "CREATE TABLE IF NOT EXISTS tbpy.deployments (id INTEGER, created TIMESTAMP, state VARCHAR, files VARCHAR, "
    "details VARCHAR, stored VARCHAR, following VARCHAR, errors VARCHAR, left_at TIMESTAMP)"
)
_COLUMNS = "id, created, state, files, details, stored, following, errors, left_at"
_KEPT_ROWS = 50


class Stage(StrEnum):
    """How far a deployment is. `KEPT` is one that was live and can be again."""

    MOVING = "moving"
    STAGING = "staging"
    LIVE = "live"
    KEPT = "kept"
    DELETED = "deleted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Deployment:
    """`files` are the datafiles by path, None when they are those of the project's own folder.

    `details` is what its build did, in JSON. `read` are the rows of each journal that it has taken over, `conversions`
    how, where a FORWARD_QUERY says so. `errors` say why it failed, or why it cannot be gone back to. `left` is when it
    was live last.
    """

    id: int
    created: datetime
    stage: Stage
    files: Mapping[str, str] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    stored: Catalogue = field(default_factory=Catalogue)
    read: Mapping[str, int] = field(default_factory=dict)
    conversions: Mapping[str, Conversion] = field(default_factory=dict)
    errors: tuple[str, ...] = ()
    left: datetime | None = None

    @property
    def live(self) -> bool:
        return self.stage is Stage.LIVE

    @property
    def follows(self) -> bool:
        """Whether it has tables beside the live ones."""
        return self.stage in (Stage.MOVING, Stage.STAGING, Stage.KEPT)


def prepare(session: Session, moment: datetime) -> None:
    """Makes the table where there is none. Number 0 is what nobody deployed."""
    session.execute(_DDL)
    if not session.value("SELECT count(*) FROM tbpy.deployments"):
        write(session, Deployment(0, moment, Stage.LIVE))


def read(session: Session) -> tuple[Deployment, ...]:
    """From the oldest on."""
    return tuple(_deployment(row) for row in session.rows(f"SELECT {_COLUMNS} FROM tbpy.deployments ORDER BY id"))


def write(session: Session, *deployments: Deployment) -> None:
    """Takes the place of what was known of the same ones."""
    for found in deployments:
        session.execute("DELETE FROM tbpy.deployments WHERE id = $id", {"id": found.id})
        session.execute(
            f"INSERT INTO tbpy.deployments ({_COLUMNS}) "
            "VALUES ($id, $created, $stage, $files, $details, $stored, $following, $errors, $left)",
            _row(found),
        )


def write_read(session: Session, numbers: Iterable[int], read: Mapping[str, int]) -> None:
    """How far deployments have read the journals; their conversions stay."""
    for number in numbers:
        session.execute(
            "UPDATE tbpy.deployments SET following = json_merge_patch(following, $read) WHERE id = $id",
            {"read": json.dumps({"read": dict(read)}), "id": number},
        )


def write_errors(session: Session, numbers: Iterable[int], errors: Iterable[str]) -> None:
    text = json.dumps(list(errors))
    for number in numbers:
        session.execute("UPDATE tbpy.deployments SET errors = $errors WHERE id = $id", {"errors": text, "id": number})


def forget_old(session: Session, known: Iterable[Deployment]) -> None:
    """Rows of deployments that are gone are kept for a while, to be shown."""
    gone = sorted(found.id for found in known if found.stage in (Stage.DELETED, Stage.FAILED))
    for identifier in gone[:-_KEPT_ROWS]:
        session.execute("DELETE FROM tbpy.deployments WHERE id = $id", {"id": identifier})


def _row(found: Deployment) -> dict[str, Any]:
    following = {
        "read": dict(found.read),
        "conversions": {name: asdict(how) for name, how in found.conversions.items()},
    }
    return {
        "id": found.id,
        "created": found.created,
        "stage": found.stage.value,
        "files": None if found.files is None else json.dumps(dict(found.files)),
        "details": json.dumps(dict(found.details)),
        "stored": json.dumps(to_document(found.stored)),
        "following": json.dumps(following),
        "errors": json.dumps(list(found.errors)),
        "left": found.left,
    }


def _deployment(row: tuple[Any, ...]) -> Deployment:
    identifier, created, stage, files, details, stored, following, errors, left = row
    followed = json.loads(following)
    return Deployment(
        identifier,
        created,
        Stage(stage),
        None if files is None else json.loads(files),
        json.loads(details),
        from_document(json.loads(stored)),
        followed["read"],
        {name: _conversion(data) for name, data in followed["conversions"].items()},
        tuple(json.loads(errors)),
        left,
    )


def _conversion(data: Mapping[str, Any]) -> Conversion:
    return Conversion(data["sql"], tuple(data["same"]), tuple(data["functions"]))
