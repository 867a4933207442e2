"""Sessions of queries, used again: a connection that is new to DuckDB costs a short query a twentieth of its time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock

from tbpy.engines.session import Session

_MOST_IDLE = 16


class Lease:
    """A session of one query, from `Readers.take` to `end`."""

    def __init__(self, readers: Readers, session: Session) -> None:
        self.session = session
        self._readers = readers
        self._lock = Lock()
        self._ended = False

    def interrupt(self) -> None:
        """Stops the query; called from another thread. Never stops what the session does after the lease."""
        with self._lock:
            if not self._ended:
                self.session.interrupt()

    def end(self, *, reusable: bool) -> None:
        """`reusable` promises that the session has nothing left of the query: no rows to fetch, and few in memory."""
        with self._lock:
            ended, self._ended = self._ended, True
        if not ended:
            self._readers.take_back(self.session, reusable)


class Readers:
    """The idle sessions of one opened database. `make` opens one more."""

    def __init__(self, make: Callable[[], Session]) -> None:
        self._make = make
        self._idle: deque[Session] = deque()
        self._closed = False

    def take(self) -> Lease:
        try:
            session = self._idle.pop()
        except IndexError:
            session = self._make()
        return Lease(self, session)

    def take_back(self, session: Session, reusable: bool) -> None:
        if reusable and not self._closed and len(self._idle) < _MOST_IDLE:
            self._idle.append(session)
        else:
            session.close()

    def close(self) -> None:
        """When the database is closed: what comes back later belongs to it no more."""
        self._closed = True
        self._idle.clear()
