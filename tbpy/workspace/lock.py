"""One process at a time has a workspace; another one waits its turn.

The lock is the operating system's, on `.tbpy/lock`: it ends with the process, however that ends. The file's text is the
process id of the owner, for those who wait.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, TypeVar

from tbpy.errors import ConflictError

_SAY_AFTER = 1.0
_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 0.5

OnWait = Callable[[int | None], None]
T = TypeVar("T")


def wait_for(
    attempt: Callable[[], T | None], owner: Callable[[], int | None], *, timeout: float, on_wait: OnWait | None
) -> T | None:
    """What `attempt` gives once it gives something, None when that takes longer than `timeout` seconds.

    After a second `on_wait` is told, once, which process stands in the way.
    """
    started, pause, told = time.monotonic(), _FIRST_PAUSE, False
    while (found := attempt()) is None:
        waited = time.monotonic() - started
        if waited >= timeout:
            return None
        if waited >= _SAY_AFTER and not told and on_wait is not None:
            on_wait(owner())
            told = True
        time.sleep(min(pause, timeout - waited))
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    return found


class WorkspaceLock:
    """Held from `acquire` to `release`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def acquire(self, *, timeout: float = 60.0, on_wait: OnWait | None = None) -> None:
        """Waits for the lock. After a second `on_wait` is told the process that has it (None if unknown), once.

        Raises `ConflictError` after `timeout` seconds.
        """
        file = self._path.open("a+", encoding="ascii")
        locked = wait_for(lambda: _try_lock(file) or None, self.owner, timeout=timeout, on_wait=on_wait)
        if locked is None:
            file.close()
            raise self._in_use(timeout)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def owner(self) -> int | None:
        """The process that has the lock or had it last."""
        text = self._path.read_text(encoding="ascii", errors="replace").strip()
        return int(text) if text.isdigit() else None

    def release(self) -> None:
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None

    def _in_use(self, timeout: float) -> ConflictError:
        owner = self.owner()
        process = f"process {owner}" if owner is not None else "another process"
        return ConflictError(
            f"the workspace was in use by {process} for {timeout:g} seconds", hint="wait for it to finish, or stop it"
        )


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[str]) -> bool:
        try:
            file.seek(1 << 20)  # beyond the text, which must stay readable
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: IO[str]) -> bool:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
