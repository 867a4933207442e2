"""A line of JSON for each request, written beside the event loop: who reads slowly holds up no request."""

from __future__ import annotations

import json
from collections import deque
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any, TextIO

_SECONDS = 0.2
_MOST_WAITING = 100_000
# How long the end waits for who reads the log.
_PATIENCE = 2.0


class AccessLog:
    """Writes to `stream` from `__init__` to `close`; of a stream that is not read the oldest lines are lost."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: deque[dict[str, Any]] = deque(maxlen=_MOST_WAITING)
        self._stop = Event()
        self._thread = Thread(target=self._run, name="tbpy-access-log", daemon=True)
        self._thread.start()

    def note(self, scope: Any, route: str, status: int, size: int, seconds: float) -> None:
        """Neither tokens nor parameters are written: the query string is left out."""
        headers = dict(scope["headers"])
        client = scope.get("client")
        self._waiting.append(
            {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "method": scope["method"],
                "path": scope["path"],
                "route": route,
                "status": status,
                "duration_ms": round(seconds * 1000, 3),
                "bytes": size,
                "client": client[0] if client else None,
                "user_agent": headers.get(b"user-agent", b"").decode("latin-1") or None,
            }
        )

    def close(self) -> None:
        self._stop.set()
        self._thread.join(_PATIENCE)

    def _run(self) -> None:
        while not self._stop.wait(_SECONDS):
            self._write()
        self._write()

    def _write(self) -> None:
        lines = [json.dumps(self._waiting.popleft()) for _ in range(len(self._waiting))]
        if not lines:
            return
        try:
            self._stream.write("\n".join(lines) + "\n")
            self._stream.flush()
        except (OSError, ValueError):  # a pipe that nobody reads any more
            self._waiting.clear()
