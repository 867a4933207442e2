"""What goes wrong is told on standard error beside the event loop: a reader that does not read holds up no request."""

from __future__ import annotations

import logging
from logging.handlers import QueueHandler
from queue import Full, Queue
from threading import Thread

_LOGGERS = ("tbpy", "uvicorn")
_MOST_WAITING = 1_000
# How long the end waits for who reads what was told.
_PATIENCE = 2.0


class Telling(QueueHandler):
    """Takes the warnings of the server's loggers from `start` to `stop`; what nobody reads is forgotten."""

    def __init__(self) -> None:
        self._waiting: Queue[logging.LogRecord | None] = Queue(_MOST_WAITING)
        super().__init__(self._waiting)
        self._thread = Thread(target=self._run, name="tbpy-telling", daemon=True)

    def start(self) -> None:
        for name in _LOGGERS:
            logger = logging.getLogger(name)
            logger.addHandler(self)
            logger.propagate = False
        self._thread.start()

    def stop(self) -> None:
        for name in _LOGGERS:
            logger = logging.getLogger(name)
            logger.removeHandler(self)
            logger.propagate = True
        if self._thread.ident is not None:
            self._put(None)
            self._thread.join(_PATIENCE)

    def enqueue(self, record: logging.LogRecord) -> None:
        self._put(record)

    def _put(self, record: logging.LogRecord | None) -> None:
        try:
            self._waiting.put_nowait(record)
        except Full:
            return

    def _run(self) -> None:
        told = logging.StreamHandler()
        while (record := self._waiting.get()) is not None:
            told.handle(record)
