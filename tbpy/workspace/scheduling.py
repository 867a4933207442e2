"""The scheduler of copy pipes: a thread beside a workspace that stays open."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread

from tbpy.errors import TbpyError
from tbpy.workspace.workspace import Workspace


class CopyScheduler:
    """Runs copies when they are due, from `start` to `stop`, one at a time: a run that comes while another copy still
    works waits, and runs of the same copy that come meanwhile are one.

    Looks every `period` seconds. `run` is given the name of a copy and returns when it is done; one that fails has its
    error in its job, and holds up no other one.
    """

    def __init__(self, workspace: Workspace, run: Callable[[str], object], *, period: float = 5.0) -> None:
        self._workspace = workspace
        self._run_copy = run
        self._period = period
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="tbpy-copies", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Waits for the copy that runs."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        moment = self._workspace.now()
        while not self._stopping.wait(self._period):
            # A project with mistakes says so when it is built; its copies go on when they are mended.
            with suppress(TbpyError):
                moment, names = self._workspace.due_copies(moment)
                for name in names:
                    self._run_one(name)

    def _run_one(self, name: str) -> None:
        if not self._stopping.is_set():
            with suppress(TbpyError):
                self._run_copy(name)
