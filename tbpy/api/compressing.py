"""Answers as gzip, for clients that take it. Compressing is done fast rather than well: the network is near."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response

# What fits into one packet gains nothing.
LEAST = 1400
_LEVEL = 1
_HEADERS = {"content-encoding": "gzip", "vary": "Accept-Encoding"}
_TEXTS = ("application/json", "text/", "application/x-ndjson")


def takes_gzip(request: Request) -> bool:
    """Whether Accept-Encoding names gzip, or anything, and does not refuse it by `q=0`."""
    weights: dict[str, float] = {}
    for item in request.headers.get("accept-encoding", "").lower().split(","):
        name, _, weight = item.partition(";")
        weights[name.strip()] = _weight(weight)
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def compressed_text(content_type: str, head: bytes, rest: Iterator[bytes] | None) -> _Compressed | None:
    """An answer of `head` and perhaps `rest`, compressed; None where that is not worth it."""
    if not content_type.startswith(_TEXTS) or (rest is None and len(head) < LEAST):
        return None
    if rest is None:
        return _Compressed(_gzip(head), None)
    return _Compressed(b"", _stream(head, rest))


class _Compressed:
    """`headers` belong to the answer."""

    headers = _HEADERS

    def __init__(self, head: bytes, rest: Iterator[bytes] | None) -> None:
        self.head = head
        self.rest = rest


def compress(request: Request, response: Response) -> Response:
    """The response, its body compressed where the client takes that. Responses that stream stay as they are."""
    body = response.body if type(response) is Response else b""
    if len(body) < LEAST or "content-encoding" in response.headers or not takes_gzip(request):
        return response
    if not response.headers.get("content-type", "").startswith(_TEXTS):
        return response
    response.body = _gzip(bytes(body))
    response.headers.update({**_HEADERS, "content-length": str(len(response.body))})
    return response


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, _LEVEL, mtime=0)


def _stream(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    yield compressor.compress(head)
    for chunk in rest:
        yield compressor.compress(chunk)
    yield compressor.flush()


def _weight(text: str) -> float:
    name, _, value = text.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
