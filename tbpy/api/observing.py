"""Sees every request and its answer: counts them, and writes the access log where there is one."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tbpy.api.access_log import AccessLog
from tbpy.api.metrics import Metrics

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

# Where a route leaves its path in the scope: with names in braces, so that metrics have few labels.
ROUTE = "tbpy.route"
_NO_ROUTE = "other"


class Observation:
    """One request. `send` takes the place of the server's; `end` counts what was answered."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._started = time.perf_counter()
        self._status = 500
        self._size = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
        else:
            self._size += len(message.get("body", b""))
        await self._send(message)

    def end(self, metrics: Metrics, log: AccessLog | None) -> None:
        seconds, route = time.perf_counter() - self._started, self._scope.get(ROUTE, _NO_ROUTE)
        metrics.count(route, self._scope["method"], self._status, seconds)
        if log is not None:
            log.note(self._scope, route, self._status, self._size, seconds)
