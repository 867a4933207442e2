"""Things to do at a time unless they are called off before: one thread for all of them.

A thread for each would cost a short query a tenth of its time.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Condition, Thread


@dataclass(order=True, slots=True)
class Deadline:
    """`at` is a time of the monotonic clock."""

    at: float
    number: int
    action: Callable[[], None] | None = field(compare=False)

    def call_off(self) -> None:
        self.action = None


class Deadlines:
    """The thread starts with the first deadline and sleeps until the earliest one is due."""

    def __init__(self) -> None:
        self._waiting: list[Deadline] = []
        self._changed = Condition()
        self._numbers = itertools.count()
        self._thread: Thread | None = None

    def after(self, seconds: float, action: Callable[[], None]) -> Deadline:
        deadline = Deadline(time.monotonic() + seconds, next(self._numbers), action)
        with self._changed:
            heapq.heappush(self._waiting, deadline)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="tbpy-deadlines", daemon=True)
                self._thread.start()
            elif self._waiting[0] is deadline:
                self._changed.notify()
        return deadline

    def _run(self) -> None:
        while True:
            action = self._next().action
            if action is not None:
                action()

    def _next(self) -> Deadline:
        """The next deadline, when it is due."""
        with self._changed:
            while True:
                if not self._waiting:
                    self._changed.wait()
                    continue
                remaining = self._waiting[0].at - time.monotonic()
                if remaining <= 0:
                    return heapq.heappop(self._waiting)
                self._changed.wait(remaining)


DEADLINES = Deadlines()
