"""Queries in threads: stopped when they take too long or when nobody waits for the answer any more."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

from starlette.requests import Request

from tbpy.errors import QueryTimeoutError

R = TypeVar("R")

# Most answers come sooner; only then is it worth to look whether the client is still there.
_PATIENCE = 0.1


class ClientGoneError(Exception):
    """The client closed its connection: there is nobody to answer."""


class Stopper:
    """Stops a query from outside, also one that has not started yet."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._interrupt: Callable[[], None] | None = None
        self._stopped = False

    def on_start(self, interrupt: Callable[[], None]) -> None:
        """What a workspace calls when the query begins. Raises `QueryTimeoutError` when it need not begin any more."""
        with self._lock:
            if self._stopped:
                raise QueryTimeoutError("The query was stopped", code=394, name="QUERY_WAS_CANCELLED")
            self._interrupt = interrupt

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            if self._interrupt is not None:
                self._interrupt()


async def in_thread(pool: Executor, work: Callable[..., R], *args: object, **options: object) -> R:
    return await asyncio.get_running_loop().run_in_executor(pool, functools.partial(work, *args, **options))


class Queries:
    """The pool of threads that queries run in, and the queries that run now."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="tbpy-query")
        self.running: set[Stopper] = set()

    async def run(self, work: Callable[[Stopper], R]) -> R:
        """What `work` answers in a thread; it is stopped when whoever waits for it is cancelled."""
        stopper = Stopper()
        self.running.add(stopper)
        task = asyncio.get_running_loop().run_in_executor(self._pool, work, stopper)
        task.add_done_callback(lambda _: self.running.discard(stopper))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            stopper.stop()
            # Its error is the answer to having been stopped.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise

    def close(self) -> None:
        for stopper in tuple(self.running):
            stopper.stop()
        self._pool.shutdown(cancel_futures=True)


async def while_connected(request: Request, queries: Queries, work: Callable[[Stopper], R]) -> R:
    """What `work` answers. Raises `ClientGoneError`, and stops the query, when the client goes away first."""
    running = asyncio.ensure_future(queries.run(work))
    try:
        done, _ = await asyncio.wait({running}, timeout=_PATIENCE)
        if not done:
            await _finish_or_leave(request, running)
        return running.result()
    finally:
        running.cancel()


async def _finish_or_leave(request: Request, running: asyncio.Future[R]) -> None:
    gone = asyncio.ensure_future(_disconnected(request))
    both: set[asyncio.Future[object]] = {running, gone}  # type: ignore[arg-type]
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            raise ClientGoneError
    finally:
        gone.cancel()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
