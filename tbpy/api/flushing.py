"""Writes what a workspace has noted of its work, every few seconds."""

from __future__ import annotations

import logging
from threading import Event, Thread

from tbpy.errors import TbpyError
from tbpy.workspace.services import ServiceLog

_SECONDS = 3.0
_log = logging.getLogger("tbpy.api")


class Flusher:
    """A thread from `__init__` to `close`. What cannot be written now is tried again."""

    def __init__(self, log: ServiceLog, seconds: float = _SECONDS) -> None:
        self._noted = log
        self._seconds = seconds
        self._stop = Event()
        self._thread = Thread(target=self._run, name="tbpy-service-log", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            try:
                self._noted.measure()
                if self._noted.waiting:
                    self._noted.flush()
            except TbpyError:
                continue  # a full disk, which requests tell of
            except Exception as error:  # statistics never take a server down
                _log.error("Service data sources could not be written", exc_info=error)
