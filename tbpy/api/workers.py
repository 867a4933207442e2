"""Threads for short work of an event loop: what comes back goes straight to who waits for it.

Through `concurrent.futures`, with its locks and a future for each side, work of a millisecond takes a tenth longer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Lock, Thread, current_thread
from typing import Any, TypeVar

from tbpy.api.priorities import has_stepped_back

R = TypeVar("R")


@dataclass(slots=True)
class _Task:
    work: Callable[[], Any]
    loop: asyncio.AbstractEventLoop
    answered: asyncio.Future[Any]

    def give(self, value: Any, error: BaseException | None) -> None:
        with suppress(RuntimeError):  # a loop that has ended
            self.loop.call_soon_threadsafe(self._settle, value, error)

    def _settle(self, value: Any, error: BaseException | None) -> None:
        if self.answered.done():  # nobody waits any more
            return
        if error is None:
            self.answered.set_result(value)
        elif isinstance(error, asyncio.CancelledError):
            self.answered.cancel()
        else:
            self.answered.set_exception(error)


class Workers:
    """Up to `most` threads, made when they are needed; one that has stepped back ends with its work."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._lock = Lock()
        # How many threads wait for a task, less the tasks that wait for a thread.
        self._idle = 0
        self._closed = False

    async def run(self, work: Callable[[], R]) -> R:
        """What `work` answers in a thread, or raises there."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[R] = loop.create_future()
        with self._lock:
            if self._closed:
                raise RuntimeError("The server ends")
            self._idle -= 1
            more = self._idle < 0 and len(self._threads) < self._most
            self._tasks.put(_Task(work, loop, answered))
            if more:
                self._start()
        return await answered

    def close(self) -> None:
        """Waits for what runs; what has not begun is not begun any more."""
        with self._lock:
            self._closed = True
            threads = tuple(self._threads)
        for _ in threads:
            self._tasks.put(None)
        for thread in threads:
            thread.join()

    def _start(self) -> None:
        thread = Thread(target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        self._idle += 1
        thread.start()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            value, error = None, None
            try:
                if self._closed:
                    raise asyncio.CancelledError
                value = task.work()
            except BaseException as found:
                error = found
            ends = has_stepped_back()
            with self._lock:
                if ends:
                    self._threads.remove(current_thread())
                else:
                    self._idle += 1
            task.give(value, error)
            del task, value, error  # nothing of them is kept while this thread waits
            if ends:
                return
