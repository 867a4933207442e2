"""What a workspace does for its tables between two builds: merges, and rows past their TTL.

A thread does it, which begins when there is something to do first: no append waits for a merge or fails by one. A data
source whose fixture is loaded is not merged, so that another fixture can take the place of its rows, and where there
are fixtures at all no TTL removes rows: fixtures are older than they would be allowed to.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from threading import Condition, Thread

from tbpy.engines import DuckDBEngine, Session
from tbpy.errors import TbpyError
from tbpy.workspace.catalogue import Catalogue
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.merging import drop_unfinished, merge_beside
from tbpy.workspace.sorting import expire_rows, has_expired

# How many rows come in, in small inserts, before tables are looked at.
ROWS_BETWEEN_LOOKS = 250
# A table whose merge took a second is left alone for so many seconds; for so long after any look.
_PAUSE = 5.0
_LEAST_PAUSE = 0.1
_BETWEEN_EXPIRIES = timedelta(minutes=10)
# A workspace that is closed waits so long for what is being done, and then lets it be.
_LAST_SECONDS = 2.0
_log = logging.getLogger("tbpy.workspace")


class Maintenance:
    """Looks after the tables of one workspace until it is closed.

    `stored` gives what is built now, `clock` naive UTC; `expires` is whether TTLs remove rows.
    """

    def __init__(
        self, engine: DuckDBEngine, stored: Callable[[], Catalogue], clock: Callable[[], datetime], expires: bool
    ) -> None:
        self.expires = expires
        self._engine = engine
        self._stored = stored
        self._clock = clock
        self._changed = Condition()
        self._waiting: dict[str, int] = {}
        self._due: dict[str, float] = {}  # data sources to look at, and from when (monotonic seconds) on
        self._rests_until: dict[str, float] = {}
        self._expired: dict[str, datetime] = {}
        self._thread: Thread | None = None
        self._session: Session | None = None
        self._closing = False

    def note(self, names: Iterable[str], rows: int) -> None:
        """Tells that up to `rows` rows came into each of some data sources."""
        stored = self._stored().datasources
        for name in names:
            if name not in stored or (stored[name].merge is None and stored[name].expiry is None):
                continue
            self._waiting[name] = self._waiting.get(name, 0) + rows
            if self._waiting[name] >= ROWS_BETWEEN_LOOKS:
                self._ask_for(name)

    def settle(self, seconds: float = 60.0) -> bool:
        """Waits until all that was asked for is done; answers whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._due, seconds)

    def close(self) -> None:
        """Looks once more where rows came in, for a moment at most: what cannot be done by then is left."""
        for name in [name for name, rows in self._waiting.items() if rows]:
            self._ask_for(name)
        if self._thread is None:
            return
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(_LAST_SECONDS)
        with self._changed:
            self._due.clear()
            if self._session is not None:
                self._session.interrupt()
        self._thread.join()

    def _ask_for(self, name: str) -> None:
        self._waiting[name] = 0
        with self._changed:
            self._due.setdefault(name, self._rests_until.get(name, 0.0))
            if self._thread is None:
                self._thread = Thread(target=self._run, name="tbpy-maintenance", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _run(self) -> None:
        self._survive(lambda: drop_unfinished(self._engine))
        while (name := self._next()) is not None:
            datasource = self._stored().datasources.get(name)
            if datasource is not None:
                started = time.monotonic()
                self._survive(lambda found=datasource: self._look_after(found))  # type: ignore[misc]
                now = time.monotonic()
                self._rests_until[name] = now + max(_LEAST_PAUSE, _PAUSE * (now - started))
            with self._changed:
                self._due.pop(name, None)
                self._changed.notify_all()

    def _next(self) -> str | None:
        """The data source whose turn it is, waited for; None when the workspace is closed and nothing is left."""
        with self._changed:
            while True:
                now = time.monotonic()
                name = min(self._due, key=self._due.__getitem__, default=None)
                if name is not None and (self._closing or self._due[name] <= now):
                    return name
                if self._closing:
                    return None
                self._changed.wait(None if name is None else self._due[name] - now)

    def _look_after(self, datasource: StoredDatasource) -> None:
        stored = self._stored()
        if datasource.merge is not None and datasource.name not in stored.fixtures:
            try:
                merge_beside(self._engine, datasource, self._begin)
            finally:
                with self._changed:
                    self._session = None
        if datasource.expiry is not None and self.expires and not stored.fixtures:
            self._expire(datasource)

    def _begin(self, session: Session) -> None:
        with self._changed:
            self._session = session

    def _expire(self, datasource: StoredDatasource) -> None:
        moment, last = self._clock(), self._expired.get(datasource.name)
        if last is not None and moment - last < _BETWEEN_EXPIRIES:
            return
        self._expired[datasource.name] = moment
        with self._engine.session() as session:  # a look first, which holds up nobody
            if not has_expired(session, datasource, moment):
                return
        with self._engine.transaction() as session:
            expire_rows(session, datasource, moment)

    def _survive(self, work: Callable[[], object]) -> None:
        """Tables that cannot be looked after now are looked after when more rows come."""
        try:
            work()
        except TbpyError as error:
            _log.info("Tables could not be looked after: %s", error.message)
        except Exception as error:
            _log.error("Tables could not be looked after", exc_info=error)
