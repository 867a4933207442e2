"""Where a workspace is: in a process that serves it, or free to be opened here."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

from tbpy.client.remote import RemoteWorkspace
from tbpy.client.target import Target
from tbpy.client.transport import Server
from tbpy.errors import ConflictError

W = TypeVar("W", covariant=True)

_PROCESS_FILE = Path(".tbpy") / "process.json"
_LOOK_AGAIN = 1.0  # seconds after which a process that has the workspace may have begun to serve it


class Open(Protocol[W]):
    """Opens the workspace here; waits `timeout` seconds at most, then raises `ConflictError`."""

    def __call__(self, *, timeout: float) -> W: ...


def connect(root: Path, *, now: datetime | None = None) -> RemoteWorkspace | None:
    """The workspace in the process that serves it; None when there is no such process."""
    target = find_server(root)
    return RemoteWorkspace(root, Server(target.host, target.token), now=now) if target else None


def find_server(root: Path) -> Target | None:
    """The process of this machine that serves a project, with the token that it has for this machine's commands."""
    try:
        found = json.loads((root / _PROCESS_FILE).read_text(encoding="utf-8"))
        url, token = found["url"], found["token"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not url or not token or not Server(url, token).is_there():
        return None
    return Target("local server", url, token)


def open_workspace(
    root: Path,
    open_here: Open[W],
    *,
    now: datetime | None = None,
    timeout: float = 60.0,
    on_wait: Callable[[int | None], None] | None = None,
) -> W | RemoteWorkspace:
    """A server's workspace, else one opened here. While a process has it that serves nothing, waits up to `timeout`
    seconds, and tells `on_wait` once which process that is."""
    until, told = time.monotonic() + timeout, False
    while True:
        remote = connect(root, now=now)
        if remote is not None:
            return remote
        try:
            return open_here(timeout=min(_LOOK_AGAIN, timeout))
        except ConflictError:
            if time.monotonic() >= until:
                raise
        if not told and on_wait is not None:
            on_wait(_owner(root))
            told = True


def _owner(root: Path) -> int | None:
    text = (root / ".tbpy" / "lock").read_text(encoding="ascii", errors="replace").strip()
    return int(text) if text.isdigit() else None
