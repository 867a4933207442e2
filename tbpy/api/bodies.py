"""Bodies of requests: read up to a limit, decompressed up to another."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import zstandard
from starlette.requests import ClientDisconnect, Request

from tbpy.api.errors import TooLargeError
from tbpy.errors import IngestError

_PIECE = 1 << 20


async def read_body(request: Request, limit: int) -> bytes:
    """Raises `TooLargeError` above `limit` bytes."""
    body = bytearray()
    async for piece in limited(request, limit):
        body += piece
    return bytes(body)


async def spool_body(request: Request, path: Path, limit: int) -> int:
    """Writes the body to a file; answers its size."""
    size = 0
    with path.open("wb") as file:
        async for piece in limited(request, limit):
            size += file.write(piece)
    return size


async def limited(request: Request, limit: int) -> AsyncIterator[bytes]:
    size = 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if size > limit:
                raise too_large(limit)
            yield piece
    except ClientDisconnect as error:
        raise IngestError("The request ended before its body was complete") from error


def decompress(data: bytes, encoding: str, limit: int) -> bytes:
    """By Content-Encoding: gzip, deflate, zstd or none. Raises `IngestError` for damaged data, `TooLargeError`."""
    try:
        match encoding.strip().lower():
            case "" | "identity":
                return data
            case "gzip" | "x-gzip":
                return _inflate(data, zlib.MAX_WBITS | 16, limit)
            case "deflate":
                return _inflate(data, zlib.MAX_WBITS, limit)
            case "zstd":
                return _unzstd(data, limit)
    except (zlib.error, zstandard.ZstdError, EOFError) as error:
        raise IngestError(f"The body is not valid {encoding}: {error}") from error
    raise IngestError(f"Unknown Content-Encoding {encoding}")


def too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"The request body is too large: the limit is {limit / (1 << 20):g} MB")


def _inflate(data: bytes, window: int, limit: int) -> bytes:
    """Gzip may have several members, one after another."""
    whole = bytearray()
    while data:
        member = zlib.decompressobj(window)
        whole += member.decompress(data, limit + 1 - len(whole))
        if len(whole) > limit:
            raise too_large(limit)
        if not member.eof:
            raise EOFError("it ends too early")
        data = member.unused_data
    return bytes(whole)


def _unzstd(data: bytes, limit: int) -> bytes:
    whole = bytearray()
    with zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True) as reader:
        while piece := reader.read(_PIECE):
            whole += piece
            if len(whole) > limit:
                raise too_large(limit)
    return bytes(whole)
