"""Answers that leave in one piece: uvicorn writes the head of an answer and its body apart, a call of the system each.

The second call costs as much as the first one, and a client wakes up for a head that it can do nothing with.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol over a transport that holds the head of an answer until its body comes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(Joining(cast("asyncio.Transport", transport), self.loop))


class Joining(asyncio.Transport):
    """Writes in pairs what comes within one turn of the event loop; what is alone is written at the next turn."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._held:
            held, self._held = self._held, b""
            self._transport.writelines((held, data))
        else:
            self._held = bytes(data)
            self._loop.call_soon(self._release)

    def _release(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held)

    def close(self) -> None:
        self._release()
        self._transport.close()

    def abort(self) -> None:
        self._held = b""
        self._transport.abort()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._transport.set_protocol(protocol)
