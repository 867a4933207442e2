"""`.tbpy/process.json`: which process has the workspace, for other processes to find it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """`url` is where it answers HTTP and `token` what it asks for, None for a command that only runs for a moment.

    `started` is ISO 8601, UTC.
    """

    pid: int
    started: str
    url: str | None = None
    token: str | None = field(default=None, repr=False)


class ProcessFile:
    """Written by the process that has the lock, gone with it; after a crash it names a process that is no more."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, started: datetime, url: str | None = None, token: str | None = None) -> None:
        """Only the owner of the file may read it, for the token's sake."""
        process = Process(os.getpid(), started.isoformat(timespec="seconds"), url, token)
        temporary = self._path.with_suffix(".tmp")
        temporary.unlink(missing_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(process), file)
        temporary.replace(self._path)

    def read(self) -> Process | None:
        """None when there is no such process, or nothing that can be read."""
        try:
            return Process(**json.loads(self._path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)
