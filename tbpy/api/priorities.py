"""Threads that step back: work that takes long has the processors when nobody else wants them.

On Linux each thread has a niceness of its own (man 2 setpriority, "C library/kernel differences"). Anybody can raise
it, and not take it back: a thread that has stepped back ends with its work. Elsewhere all threads stay equal.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from threading import get_ident, get_native_id

_SEPARATE = sys.platform == "linux"
# The share of such a thread beside one that has not stepped back is a tenth.
_STEPS = 10
_LAST = 19
_USUAL = os.getpriority(os.PRIO_PROCESS, 0) if _SEPARATE else 0


class Worker:
    """The thread that makes it, and what it works from then on. Used from other threads while it lives."""

    def __init__(self) -> None:
        self._native = get_native_id()
        self._clock = time.pthread_getcpuclockid(get_ident()) if _SEPARATE else None
        self._before = self._time()
        self._began = time.monotonic()

    @property
    def age(self) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self._began

    @property
    def seconds(self) -> float:
        """The time of processors that it has used; 0 where threads stay equal."""
        return self._time() - self._before

    def step_back(self) -> None:
        if _SEPARATE:
            with suppress(OSError):  # a system that does not let it
                os.setpriority(os.PRIO_PROCESS, self._native, min(_USUAL + _STEPS, _LAST))

    def _time(self) -> float:
        return time.clock_gettime(self._clock) if self._clock is not None else 0.0


def has_stepped_back() -> bool:
    """Whether the thread that asks has."""
    return _SEPARATE and os.getpriority(os.PRIO_PROCESS, 0) > _USUAL
