"""`POST /v0/events`, straight on ASGI: it is called more often than everything else together.

Source: Tinybird docs, "Events API". The answer follows a durable commit with `wait=true` and without it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from tbpy.api.admission import Admissions
from tbpy.api.bodies import decompress, too_large
from tbpy.api.running import in_thread
from tbpy.api.service import Service
from tbpy.errors import IngestError, UsageError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

_INLINE = 1 << 16  # bytes that are decompressed and cut into lines on the event loop
_BOM = b"\xef\xbb\xbf"


async def take_events(service: Service, admissions: Admissions, scope: Scope, receive: Receive) -> tuple[int, bytes]:
    """The status and the body of the answer. Raises what `errors` has a status for."""
    authorization = encoding = length = b""
    for name, value in scope["headers"]:
        if name == b"authorization":
            authorization = value
        elif name == b"content-encoding":
            encoding = value
        elif name == b"content-length":
            length = value
    admitted = admissions.admit(scope, authorization)
    body = await _read(receive, length, service.limits.event_bytes)
    lines = await _lines(service, body, encoding.decode("latin-1"), admitted.format)
    if not lines:
        return admitted.status, _answer(0, 0)
    stored = await service.writer.submit(admitted.datasource, lines, len(body))
    return admitted.status, _answer(stored.successful, stored.quarantined)


def _answer(successful: int, quarantined: int) -> bytes:
    return b'{"successful_rows":%d,"quarantined_rows":%d}' % (successful, quarantined)


async def _read(receive: Receive, length: bytes, limit: int) -> bytes:
    if length.isdigit() and int(length) > limit:
        raise too_large(limit)
    pieces, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise IngestError("The request ended before its body was complete")
        piece = message.get("body", b"")
        size += len(piece)
        if size > limit:
            raise too_large(limit)
        pieces.append(piece)
        if not message.get("more_body"):
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def _lines(service: Service, body: bytes, encoding: str, form: str) -> list[str]:
    limit = service.limits.event_bytes_decompressed
    if len(body) <= _INLINE and not encoding:
        return read_lines(body, form)
    return await in_thread(service.threads, lambda: read_lines(decompress(body, encoding, limit), form))


def read_lines(body: bytes, form: str) -> list[str]:
    """The events, a line of JSON each; blank lines are none. Raises `UsageError` for an unknown format."""
    if form == "json":
        return _documents(body)
    if form != "ndjson":
        raise UsageError(f"Unknown format {form}: it is ndjson or json")
    return [line.decode("utf-8", "backslashreplace") for line in body.removeprefix(_BOM).split(b"\n") if line.strip()]


def _documents(body: bytes) -> list[str]:
    """One object, or an array of them. Raises `IngestError` for what is neither."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise IngestError(f"The body is not JSON: {error}") from error
    if isinstance(document, dict):
        return [orjson.dumps(document).decode()]
    if isinstance(document, list) and all(isinstance(item, dict) for item in document):
        return [orjson.dumps(item).decode() for item in document]
    raise IngestError("The body must be a JSON object, or an array of objects")
