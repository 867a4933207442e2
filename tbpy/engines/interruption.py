"""Stopping work from another thread: what runs is interrupted, and nothing of it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Thread
from time import sleep

from tbpy.engines.session import Session
from tbpy.errors import QueryTimeoutError, WorkCancelledError

_BETWEEN_TRIES = 0.02


class Interruption:
    """Asked for at any time, also before the work begins. `requested` tells that it was."""

    def __init__(self) -> None:
        self.requested = False
        self._session: Session | None = None
        self._lock = Lock()

    def request(self) -> None:
        """Stops what is done `over` a session now, and lets what would be done later not begin."""
        self.requested = True
        Thread(target=self._interrupt, name="tbpy-interruption", daemon=True).start()

    @contextmanager
    def over(self, session: Session) -> Iterator[None]:
        """Around what can be stopped, in a transaction that ends later: what is done then cannot be stopped any more.

        Raises `WorkCancelledError`.
        """
        with self._lock:
            self._session = session
        try:
            self.check()
            yield
            self.check()
        except QueryTimeoutError as error:
            if self.requested:
                raise WorkCancelledError from error
            raise
        finally:
            with self._lock:
                self._session = None

    def check(self) -> None:
        """Raises `WorkCancelledError` when the work is to stop."""
        if self.requested:
            raise WorkCancelledError

    def _interrupt(self) -> None:
        """Again and again: between two statements there is nothing to interrupt."""
        while True:
            with self._lock:
                if self._session is None:
                    return
                self._session.interrupt()
            sleep(_BETWEEN_TRIES)
