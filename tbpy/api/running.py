"""Queries in threads: stopped when they take too long or when nobody waits for the answer any more."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar

from starlette.requests import Request

from tbpy.api.errors import RateLimitError
from tbpy.api.priorities import Worker
from tbpy.api.workers import Workers
from tbpy.errors import QueryTimeoutError, TbpyError

R = TypeVar("R")

# Most answers come sooner; only then is it worth to look whether the client is still there, and to let others go first.
_PATIENCE = 0.02
# The seconds of a processor that a query has before the others, and those of the clock: where DuckDB does the work in
# threads of its own, the one of the query uses no processor.
_SHORT = 0.015
_LONG = 0.2


class ClientGoneError(Exception):
    """The client closed its connection: there is nobody to answer."""


class BrokenAnswerError(BaseException):
    """An answer that failed after its beginning was sent: the connection is closed, so that nobody takes it for whole.

    No `Exception`: what has a status to tell it by must not catch it.
    """


class Stopper:
    """Stops a query from outside, also one that has not started yet. `stopped` tells that it was."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._interrupt: Callable[[], None] | None = None
        self._worker: Worker | None = None
        self.stopped = False

    def on_start(self, interrupt: Callable[[], None]) -> None:
        """What a workspace calls when the query begins. Raises `QueryTimeoutError` when it need not begin any more."""
        with self._lock:
            if self.stopped:
                raise QueryTimeoutError("The query was stopped", code=394, name="QUERY_WAS_CANCELLED")
            self._interrupt = interrupt

    def stop(self) -> None:
        with self._lock:
            self.stopped = True
            if self._interrupt is not None:
                self._interrupt()

    @contextmanager
    def here(self) -> Iterator[None]:
        """The query runs in this thread."""
        self._worker = Worker()
        try:
            yield
        finally:
            with self._lock:
                self._worker = None

    def step_back(self) -> bool:
        """Lets a query that has used much time go on behind the others; answers whether it does."""
        with self._lock:
            if self._worker is None or (self._worker.seconds < _SHORT and self._worker.age < _LONG):
                return False
            self._worker.step_back()
            return True


async def in_thread(pool: Executor, work: Callable[..., R], *args: object, **options: object) -> R:
    return await asyncio.get_running_loop().run_in_executor(pool, functools.partial(work, *args, **options))


class Queries:
    """The threads that queries run in, and the queries that run now.

    `most` are as many as run at once. The next one is refused: behind slow queries it would wait for all of their time.
    """

    def __init__(self, threads: int) -> None:
        self.most = threads
        self.running: set[Stopper] = set()
        self._workers = Workers(threads, "tbpy-query")

    async def run(self, work: Callable[[Stopper], R], stopper: Stopper | None = None) -> R:
        """What `work` answers in a thread; it is stopped when whoever waits for it is cancelled."""
        stopper = stopper or Stopper()
        self.running.add(stopper)

        def stopped() -> R:
            try:
                with stopper.here():
                    return work(stopper)
            finally:
                self.running.discard(stopper)

        try:
            return await self._workers.run(stopped)
        except asyncio.CancelledError:
            stopper.stop()
            raise

    def close(self) -> None:
        for stopper in tuple(self.running):
            stopper.stop()
        self._workers.close()


async def while_connected(request: Request, queries: Queries, work: Callable[[Stopper], R]) -> R:
    """What `work` answers. Raises `ClientGoneError`, and stops the query, when the client goes away first.

    Raises `RateLimitError` when as many queries run as may.
    """
    if len(queries.running) >= queries.most:
        raise RateLimitError("Too many queries are running, try again", limit=queries.most)
    stopper = Stopper()
    watching: list[asyncio.Task[None]] = []

    loop = asyncio.get_running_loop()
    timer: asyncio.TimerHandle

    def look() -> None:
        nonlocal timer
        if not watching:
            watching.append(asyncio.ensure_future(_stop_when_gone(request, stopper)))
        if not stopper.step_back():
            timer = loop.call_later(_PATIENCE, look)

    timer = loop.call_later(_PATIENCE, look)
    try:
        return await queries.run(work, stopper)
    except TbpyError as error:
        if stopper.stopped:
            raise ClientGoneError from error
        raise
    finally:
        timer.cancel()
        for task in watching:
            task.cancel()


async def _stop_when_gone(request: Request, stopper: Stopper) -> None:
    await _disconnected(request)
    stopper.stop()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
