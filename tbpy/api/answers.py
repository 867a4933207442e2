"""Results of queries as responses: small ones whole, large ones as they are computed."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse

from tbpy.api.calls import Call
from tbpy.api.compressing import compressed_text, takes_gzip
from tbpy.api.running import BrokenAnswerError, ClientGoneError, Stopper, while_connected
from tbpy.api.service import Service
from tbpy.clickhouse.formats import Statistics, find_format, write
from tbpy.engines import QueryResult
from tbpy.errors import TbpyError

# What is no longer than this is sent whole, with its length.
_WHOLE = 1 << 20
_PIECE = 1 << 16

Start = Callable[[Stopper], QueryResult]
ToParquet = Callable[[Path, Stopper], None]


async def answer_query(
    request: Request,
    call: Call,
    start: Start,
    to_parquet: ToParquet,
    *,
    format_name: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Response:
    """Runs a query and writes its result in `format_name`, else in that of its FORMAT clause, else in JSON.

    `start` begins the query, `to_parquet` runs it into a file; both run in a thread. `call` notes what came of it.
    """
    try:
        response = await _answer(request, call, start, to_parquet, format_name, settings or {})
    except BaseException as error:
        call.failed(error)
        raise
    if not isinstance(response, StreamingResponse):
        call.done()
    return response


async def _answer(
    request: Request,
    call: Call,
    start: Start,
    to_parquet: ToParquet,
    format_name: str | None,
    settings: Mapping[str, Any],
) -> Response:
    service = call.service
    if format_name == "Parquet":
        return await _parquet(request, service, to_parquet)

    def begin(stopper: Stopper) -> _Begun | None:
        result = call.result = start(stopper)
        found = find_format(format_name or result.format or "JSON")
        if found.binary:
            result.close()
            return None
        head, chunks, more = _first(_chunks(result, found.name, settings))
        rest = chunks if more else None
        packed = compressed_text(found.content_type, head, rest) if zipped else None
        if packed is not None:
            headers = {"content-type": found.content_type, **packed.headers}
            return _Begun(headers, packed.head, packed.rest, stopper)
        return _Begun({"content-type": found.content_type}, head, rest, stopper)

    zipped = takes_gzip(request)

    begun = await while_connected(request, service.queries, begin)
    if begun is None:
        return await _parquet(request, service, to_parquet)
    if begun.rest is None:
        return Response(begun.head, headers=begun.headers)
    return StreamingResponse(_stream(call, begun, begun.rest), headers=begun.headers)


@dataclass(frozen=True, slots=True)
class _Begun:
    """The beginning of an answer, and the chunks after it when there are more."""

    headers: Mapping[str, str]
    head: bytes
    rest: Iterator[bytes] | None
    stopper: Stopper


def _chunks(result: QueryResult, name: str, settings: Mapping[str, Any]) -> Iterator[bytes]:
    statistics = Statistics()

    def rows() -> Iterator[Any]:
        yield from result
        final = result.statistics
        statistics.elapsed, statistics.rows_read = final.elapsed, final.rows_read
        statistics.bytes_read = final.bytes_read
        statistics.rows_before_limit_at_least = final.rows_before_limit_at_least

    try:
        yield from write(
            name,
            result.columns,
            rows(),
            statistics=statistics,
            rows_before_limit_at_least=result.rows_before_limit_at_least,
            totals=result.totals,
            settings=settings,
        )
    finally:
        result.close()


def _first(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes], bool]:
    """The beginning, joined, what follows it, and whether anything may."""
    head = bytearray()
    for chunk in chunks:
        head += chunk
        if len(head) >= _WHOLE:
            return bytes(head), chunks, True
    return bytes(head), chunks, False


async def _stream(call: Call, begun: _Begun, rest: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Pieces of a fair size: a piece costs a turn of a thread and of the event loop."""
    piece: bytes | None = begun.head
    try:
        while piece is not None:
            yield piece
            piece = await call.service.queries.run(lambda _: _piece(rest))
        call.done()
    except BaseException as error:
        call.failed(error if isinstance(error, Exception) else ClientGoneError())
        if isinstance(error, TbpyError):
            raise BrokenAnswerError from error
        raise
    finally:
        if piece is not None:  # the client went away
            begun.stopper.stop()


def _piece(rest: Iterator[bytes]) -> bytes | None:
    piece = bytearray()
    for chunk in rest:
        piece += chunk
        if len(piece) >= _PIECE:
            break
    return bytes(piece) or None


async def _parquet(request: Request, service: Service, to_parquet: ToParquet) -> Response:
    folder = tempfile.TemporaryDirectory(prefix="tbpy-answer-")
    path = Path(folder.name) / "answer.parquet"
    try:
        await while_connected(request, service.queries, lambda stopper: to_parquet(path, stopper))
    except BaseException:
        folder.cleanup()
        raise
    return FileResponse(path, media_type=find_format("Parquet").content_type, background=BackgroundTask(folder.cleanup))
