"""One thread that stores events. A commit takes whatever queued while the last one ran, so there is no waiting window.

Everything that came together commits together: one transaction, one write to disk. When that fails, each data source is
tried alone, then each request, so that one request never fails its neighbours.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Condition, Thread

from tbpy.api.errors import BusyError, MaterializationError
from tbpy.errors import NotFoundError, QueryError, StorageFullError, TbpyError

# Nothing is dropped: what does not fit is refused.
QUEUE_BYTES = 256 << 20
_MOST_LINES = 20_000
# Failures of the database, not of what it was asked.
_PASSING = ("STD_EXCEPTION", "MEMORY_LIMIT_EXCEEDED")

Store = Callable[[Mapping[str, Sequence[str]]], Mapping[str, frozenset[int]]]


@dataclass(frozen=True, slots=True)
class Stored:
    """How many events of a request landed, and how many went to quarantine."""

    successful: int
    quarantined: int


@dataclass(slots=True)
class _Request:
    datasource: str
    lines: list[str]
    size: int
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Stored]
    outcome: Stored | TbpyError | None = None


class EventWriter:
    """`store` keeps the events of several data sources in one transaction (`Workspace.append_events`).

    `on_failure` is told, in the writer's thread, of each data source whose events were refused, and why.
    """

    def __init__(
        self,
        store: Store,
        *,
        queue_bytes: int = QUEUE_BYTES,
        on_failure: Callable[[str, TbpyError], None] = lambda datasource, error: None,
    ) -> None:
        self._store = store
        self._on_failure = on_failure
        self._capacity = queue_bytes
        self._queue: deque[_Request] = deque()
        self._queued_bytes = 0
        self._changed = Condition()
        self._closed = False
        self._thread = Thread(target=self._run, name="tbpy-events", daemon=True)
        self._thread.start()

    async def submit(self, datasource: str, lines: list[str], size: int) -> Stored:
        """Answers after the commit. `size` is the number of bytes. Raises `BusyError` when the queue is full."""
        loop = asyncio.get_running_loop()
        request = _Request(datasource, lines, size, loop, loop.create_future())
        with self._changed:
            if self._closed:
                raise BusyError("The server is stopping")
            if self._queue and self._queued_bytes + size > self._capacity:
                raise BusyError("Too many events are waiting to be stored, try again")
            self._queue.append(request)
            self._queued_bytes += size
            self._changed.notify()
        return await request.answer

    @property
    def queued_requests(self) -> int:
        return len(self._queue)

    @property
    def queued_bytes(self) -> int:
        return self._queued_bytes

    def close(self) -> None:
        """Stores what is queued, then ends."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while batch := self._take():
            self._settle(batch)
            _answer(batch)

    def _take(self) -> list[_Request]:
        """What is queued, up to a size that one statement takes well; empty at the end."""
        batch: list[_Request] = []
        lines = 0
        with self._changed:
            while not self._queue and not self._closed:
                self._changed.wait()
            while self._queue and (not batch or lines + len(self._queue[0].lines) <= _MOST_LINES):
                request = self._queue.popleft()
                self._queued_bytes -= request.size
                lines += len(request.lines)
                batch.append(request)
        return batch

    def _settle(self, batch: list[_Request]) -> None:
        error = self._try(batch)
        if error is None:
            return
        if len(batch) == 1 or isinstance(error, BusyError | StorageFullError):
            # What stands in the way of one stands in the way of all.
            for request in batch:
                request.outcome = error
            for name in _by_datasource(batch):
                self._on_failure(name, error)
            return
        groups = _by_datasource(batch)
        for part in groups.values() if len(groups) > 1 else [[request] for request in batch]:
            self._settle(part)

    def _try(self, batch: list[_Request]) -> TbpyError | None:
        groups = _by_datasource(batch)
        events = {name: [line for request in group for line in request.lines] for name, group in groups.items()}
        try:
            quarantined = self._store(events)
        except Exception as error:  # the thread must outlive whatever happens in a commit
            return _as_answer(error)
        for name, group in groups.items():
            _share(group, quarantined[name])
        return None


def _by_datasource(batch: Sequence[_Request]) -> dict[str, list[_Request]]:
    groups: dict[str, list[_Request]] = {}
    for request in batch:
        groups.setdefault(request.datasource, []).append(request)
    return groups


def _share(group: Sequence[_Request], quarantined: frozenset[int]) -> None:
    """Tells each request of its own lines, whose positions follow one another."""
    places = sorted(quarantined)
    first = passed = 0
    for request in group:
        first += len(request.lines)
        seen = bisect_left(places, first)
        request.outcome = Stored(len(request.lines) - (seen - passed), seen - passed)
        passed = seen


def _answer(batch: Sequence[_Request]) -> None:
    """One call into each event loop for all of its requests."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Request]] = {}
    for request in batch:
        by_loop.setdefault(request.loop, []).append(request)
    for loop, requests in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, requests)


def _resolve(requests: Sequence[_Request]) -> None:
    for request in requests:
        if request.answer.done():
            continue
        if isinstance(request.outcome, Stored):
            request.answer.set_result(request.outcome)
        else:
            request.answer.set_exception(request.outcome or BusyError("The events were not stored, try again"))


def _as_answer(error: Exception) -> TbpyError:
    """A failed materialization is the project's mistake; any other failure of a commit may pass."""
    if isinstance(error, NotFoundError | StorageFullError):
        return error
    if isinstance(error, QueryError) and error.name not in _PASSING:
        return MaterializationError(f"Nothing was stored, a materialization failed: {error.message}")
    return BusyError(f"The events could not be stored: {getattr(error, 'message', error)}")
