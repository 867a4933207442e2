"""`POST /v0/events`, straight on ASGI: it is called more often than everything else together.

Source: Tinybird docs, "Events API". The answer follows a durable commit with `wait=true` and without it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from tbpy.api.authentication import authenticate, bearer
from tbpy.api.bodies import decompress, too_large
from tbpy.api.identifiers import name_of
from tbpy.api.parameters import flag, parse_form, single
from tbpy.api.running import in_thread
from tbpy.api.service import Service
from tbpy.api.tokens.scopes import APPEND
from tbpy.errors import IngestError, NotFoundError, UsageError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

_INLINE = 1 << 16  # bytes that are decompressed and cut into lines on the event loop
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the query string says. `status` is that of an answer without errors."""

    token: str | None
    name: str
    format: str
    status: int


@lru_cache(maxsize=1024)
def _asked(query: bytes) -> _Asked:
    """Clients send the same one again and again."""
    given = parse_form(query)
    name = single(given, "name")
    if not name:
        raise UsageError("Missing required parameter: name")
    status = 200 if flag(given, "wait") else 202
    return _Asked(single(given, "token"), name, single(given, "format") or "ndjson", status)


async def take_events(service: Service, scope: Scope, receive: Receive) -> tuple[int, bytes]:
    """The status and the body of the answer. Raises what `errors` has a status for."""
    headers = _headers(scope)
    asked = _asked(scope["query_string"])
    access = authenticate(service, bearer(headers.get(b"authorization")) or asked.token)
    known = service.workspace.datasource_names()
    name = name_of("datasource", asked.name, known)
    access.require(APPEND, name)
    if name not in known:
        raise NotFoundError(f'Data Source "{name}" does not exist')
    body = await _read(receive, headers, service.limits.event_bytes)
    lines = await _lines(service, body, headers.get(b"content-encoding", ""), asked.format)
    if not lines:
        return asked.status, _answer(0, 0)
    stored = await service.writer.submit(name, lines, len(body))
    return asked.status, _answer(stored.successful, stored.quarantined)


def _answer(successful: int, quarantined: int) -> bytes:
    return b'{"successful_rows":%d,"quarantined_rows":%d}' % (successful, quarantined)


def _headers(scope: Scope) -> dict[bytes, str]:
    wanted = (b"authorization", b"content-encoding", b"content-length")
    return {name: value.decode("latin-1") for name, value in scope["headers"] if name in wanted}


async def _read(receive: Receive, headers: dict[bytes, str], limit: int) -> bytes:
    length = headers.get(b"content-length", "")
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
