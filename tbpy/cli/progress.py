"""A bar on stderr for work that takes longer than a second, when a person is watching."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

PATIENCE = 1.0

Progress = Callable[[float], None]


@contextmanager
def shown_progress(label: str) -> Iterator[Progress | None]:
    """What to tell the done part of the whole, 0 to 1; None when nobody is watching."""
    if not sys.stderr.isatty():
        yield None
        return
    bar = _Bar(label)
    try:
        yield bar.advance
    finally:
        bar.close()


class _Bar:
    """Rich is loaded, and the bar drawn, once patience has run out."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._started = monotonic()
        self._draw: Callable[[float], None] | None = None
        self._stop: Callable[[], None] = lambda: None

    def advance(self, done: float) -> None:
        if self._draw is None:
            if monotonic() - self._started < PATIENCE:
                return
            from tbpy.cli import render

            self._draw, self._stop = render.progress_bar(self._label)
        self._draw(done)

    def close(self) -> None:
        self._stop()
