"""The scheduler of copy pipes: a thread beside a workspace that stays open."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread

from tbpy.errors import TbpyError
from tbpy.workspace.reports import CopyReport
from tbpy.workspace.workspace import Workspace


class CopyScheduler:
    """Runs copies when they are due, from `start` to `stop`, one at a time: a run that comes while another copy still
    works waits, and runs of the same copy that come meanwhile are one.

    Looks every `period` seconds. `on_copied` is told of each run; what a failed one says is in its job.
    """

    def __init__(
        self, workspace: Workspace, *, period: float = 5.0, on_copied: Callable[[CopyReport], None] | None = None
    ) -> None:
        self._workspace = workspace
        self._period = period
        self._on_copied = on_copied or (lambda report: None)
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
                moment, reports = self._workspace.run_due_copies(moment)
                for report in reports:
                    self._on_copied(report)
