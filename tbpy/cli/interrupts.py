"""Ctrl-C that always works. While the database computes, Python may not get to its signal handlers for a long time.

Stopping hard is safe: a transaction that was not committed never happened, and the lock ends with the process.
"""

from __future__ import annotations

import os
import signal
import threading
import time

from tbpy.cli.exit_codes import INTERRUPTED

GRACE = 2.0

_watched = threading.Event()


def stop_on_interrupt(grace: float = GRACE) -> None:
    """After Ctrl-C, give the command `grace` seconds to end in its own way; then end it. Once a process is enough."""
    if threading.current_thread() is not threading.main_thread() or _watched.is_set():
        return
    _watched.set()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    threading.Thread(target=_wait, args=(reading, grace), daemon=True).start()


def _wait(reading: int, grace: float) -> None:
    while os.read(reading, 1) != bytes([signal.SIGINT]):
        pass
    time.sleep(grace)
    os._exit(INTERRUPTED)
