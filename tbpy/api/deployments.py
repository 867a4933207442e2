"""What was deployed: one live deployment at a time, each with the datafiles that were sent for it.

A deployment is written down before its build is committed, in the transaction: after a crash in between, the start
builds what is written down, so that nothing of it is lost.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

from tbpy.api.uploads import write_datafiles
from tbpy.errors import ConflictError, NotFoundError

_KEPT = 20


@dataclass(frozen=True, slots=True)
class Deployment:
    """`created` is ISO 8601 in UTC. `details` are what its build did, in the shape that clients read."""

    id: int
    created: str
    live: bool
    details: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "status": "data_ready" if self.live else "deleted",
            "live": self.live,
            "created_at": self.created,
            "updated_at": self.created,
            "errors": [],
            **self.details,
        }


class DeploymentStore:
    """Deployments of a workspace, in a folder of their own. The first is number 0, which nobody sent."""

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        self._path = path
        self._clock = clock
        self.deploying = Lock()
        self._deployments = _read(path) or [Deployment(0, self._now(), True)]

    @property
    def live(self) -> Deployment:
        return next(found for found in self._deployments if found.live)

    @property
    def folder(self) -> Path | None:
        """The datafiles of the live deployment; None when they are those of the project's own folder."""
        folder = self._folder(self.live.id)
        return folder if folder.is_dir() else None

    def all(self, *, deleted: bool = False) -> tuple[Deployment, ...]:
        """From the oldest on; without `deleted` only the live one."""
        return tuple(found for found in self._deployments if found.live or deleted)

    def get(self, identifier: str) -> Deployment:
        """Raises `NotFoundError`."""
        found = next((one for one in self._deployments if str(one.id) == identifier), None)
        if found is None:
            raise NotFoundError(f"Deployment {identifier} not found")
        return found

    def receive(self, files: Mapping[str, str]) -> Path:
        """The files that were sent, in the folder of the next deployment. Only while `deploying` is held."""
        folder = self._folder(self._next_id())
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_datafiles(folder, files)
        return folder

    def promote(self, details: Mapping[str, Any]) -> Deployment:
        """A new live deployment; its files are those that were received last."""
        new = Deployment(self._next_id(), self._now(), True, details)
        before = [replace(found, live=False) for found in self._deployments]
        self._write([*before, new][-_KEPT:])
        return new

    def take_back(self, deployment: Deployment, live: Deployment) -> None:
        """As if `deployment` had not been; `live` is what was live before it."""
        kept = [found for found in self._deployments if found.id != deployment.id]
        self._write([replace(found, live=found.id == live.id) for found in kept])
        self.tidy()

    def tidy(self) -> None:
        """Removes files that are not those of the live deployment."""
        for folder in self._path.iterdir() if self._path.is_dir() else ():
            if folder.is_dir() and folder != self._folder(self.live.id):
                shutil.rmtree(folder, ignore_errors=True)

    def _folder(self, identifier: int) -> Path:
        return self._path / str(identifier)

    def _next_id(self) -> int:
        return self._deployments[-1].id + 1

    def _now(self) -> str:
        return f"{self._clock():%Y-%m-%dT%H:%M:%S}"

    def _write(self, deployments: list[Deployment]) -> None:
        self._path.mkdir(parents=True, exist_ok=True)
        temporary = self._path / "deployments.tmp"
        with temporary.open("w", encoding="utf-8") as file:
            json.dump([asdict(found) for found in deployments], file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(_file(self._path))
        self._deployments = deployments


def _file(path: Path) -> Path:
    return path / "deployments.json"


def _read(path: Path) -> list[Deployment]:
    if not _file(path).exists():
        return []
    try:
        return [Deployment(**item) for item in json.loads(_file(path).read_text(encoding="utf-8"))]
    except (ValueError, TypeError) as error:
        raise ConflictError(f"{_file(path)} is damaged: {error}", hint="remove it and deploy again") from error
