"""For tbpy's own command line: the methods of the workspace, for who can read the workspace's files.

`/tbpy/call` does one thing and answers its value, `/tbpy/query` answers rows as they come, a line of JSON each.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tbpy.api.authentication import bearer, is_of_this_machine
from tbpy.api.bodies import read_body
from tbpy.api.copying import start_copy
from tbpy.api.errors import ForbiddenError, status_of
from tbpy.api.routes.common import Route, json_answer, service_of
from tbpy.api.running import Stopper, in_thread, while_connected
from tbpy.api.service import Service
from tbpy.client.failures import error_document
from tbpy.client.wire import decode, encode
from tbpy.engines import QueryResult
from tbpy.errors import NotFoundError, TbpyError, UsageError
from tbpy.workspace.backups import write_backup

_LINES = "application/x-ndjson"


async def call(request: Request) -> Response:
    service = _service(request)
    try:
        document = await _document(request)
        method = _METHODS.get(str(document.get("method")))
        if method is None:
            raise NotFoundError(f"There is no method {document.get('method')}")
        arguments = _fitting(method, document.get("arguments"))
        result = await in_thread(service.threads, method, service, **arguments)
        return json_answer({"result": encode(result)})
    except TbpyError as error:
        return json_answer({"error": error_document(error)}, status_of(error))


async def query(request: Request) -> Response:
    """Has no time limit: who asks has a Ctrl-C, and a connection that closes stops the query."""
    service = _service(request)
    try:
        asked = _fitting(_begin, await _document(request))
        stopper, lines = await while_connected(
            request, service.queries, lambda stop: (stop, _begin(service, stop, **asked))
        )
    except TbpyError as error:
        return json_answer({"error": error_document(error)}, status_of(error))
    return StreamingResponse(_stream(service, stopper, lines), media_type=_LINES)


def _fitting(function: Callable[..., Any], arguments: Any) -> dict[str, Any]:
    """The named arguments. Raises `UsageError` when they are none of the function's."""
    try:
        found = decode(arguments)
        accepted = inspect.signature(function).parameters
        if not isinstance(found, dict) or not set(found) <= set(accepted):
            raise UsageError("These are not the arguments of the method")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"The arguments cannot be read: {error}") from error
    return found


def _begin(
    service: Service,
    stopper: Stopper,
    *,
    sql: str | None = None,
    endpoint: str | None = None,
    parameters: dict[str, Any] | None = None,
    now: datetime | None = None,
) -> Iterator[bytes]:
    workspace = service.workspace
    if endpoint is None:
        result = workspace.query(sql or "", parameters=parameters, now=now, on_start=stopper.on_start)
    else:
        result = workspace.endpoint(endpoint, parameters, sql=sql, now=now, on_start=stopper.on_start)
    return _lines(result)


def _lines(result: QueryResult) -> Iterator[bytes]:
    head = {
        "columns": [[column.name, str(column.type)] for column in result.columns],
        "format": result.format,
        "totals": encode(result.totals),
        "rows_before_limit_at_least": result.rows_before_limit_at_least,
    }
    try:
        yield _line(head)
        for batch in result.batches:
            yield _line({"rows": [[encode(value) for value in row] for row in batch]})
        yield _line({"statistics": asdict(result.statistics)})
    except TbpyError as error:
        yield _line({"error": error_document(error)})
    finally:
        result.close()


async def _stream(service: Service, stopper: Stopper, lines: Iterator[bytes]) -> AsyncIterator[bytes]:
    done = False
    try:
        while (line := await service.queries.run(lambda _: next(lines, None))) is not None:
            yield line
        done = True
    finally:
        if not done:
            stopper.stop()


def _line(document: Any) -> bytes:
    return json.dumps(document).encode() + b"\n"


def _service(request: Request) -> Service:
    """Raises `ForbiddenError` for all tokens but one: these routes read and write files of the server's machine."""
    service = service_of(request)
    if not is_of_this_machine(service, bearer(request.headers.get("authorization"))):
        raise ForbiddenError("This is for commands of tbpy on the machine that the server runs on")
    return service


async def _document(request: Request) -> dict[str, Any]:
    try:
        found = json.loads(await read_body(request, service_of(request).limits.query_bytes))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The body is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise UsageError("The body is no JSON object")
    return found


def _build(service: Service) -> Any:
    return service.build()


def _append(service: Service, name: str, source: str, format: str | None = None) -> Any:
    return service.workspace.append(name, source, format)


def _truncate(service: Service, name: str) -> Any:
    return service.workspace.truncate(name)


def _delete(service: Service, name: str, condition: str) -> Any:
    return service.workspace.delete(name, condition)


def _replace(service: Service, name: str, source: str, format: str | None = None, condition: str | None = None) -> Any:
    return service.workspace.replace(name, source, format, condition=condition)


def _quarantine(service: Service, name: str, sample: int = 5) -> Any:
    return service.workspace.quarantine(name, sample)


def _replay(service: Service, name: str) -> Any:
    return service.workspace.replay(name)


def _copy(service: Service, name: str, parameters: dict[str, Any] | None = None, mode: str | None = None) -> Any:
    return start_copy(service.jobs, service.workspace, name, parameters, mode)[1]()


def _copies(service: Service) -> Any:
    return service.workspace.copies()


def _pause_copy(service: Service, name: str, paused: bool = True) -> None:
    service.workspace.pause_copy(name, paused)


def _materializations(service: Service) -> Any:
    return service.workspace.materializations()


def _datasources(service: Service) -> Any:
    return service.workspace.datasources()


def _datasource_names(service: Service) -> Any:
    return service.workspace.datasource_names()


def _endpoints(service: Service) -> Any:
    return service.workspace.endpoints()


def _pipes(service: Service) -> Any:
    return service.workspace.pipes()


def _write_parquet(
    service: Service,
    path: str,
    sql: str | None = None,
    endpoint: str | None = None,
    parameters: dict[str, Any] | None = None,
    now: datetime | None = None,
) -> None:
    service.workspace.write_parquet(Path(path), sql=sql, endpoint=endpoint, parameters=parameters, now=now)


def _backup(service: Service, path: str) -> None:
    write_backup(Path(path), service.workspaces())


_METHODS: dict[str, Callable[..., Any]] = {
    "build": _build,
    "append": _append,
    "truncate": _truncate,
    "delete": _delete,
    "replace": _replace,
    "quarantine": _quarantine,
    "replay": _replay,
    "copy": _copy,
    "copies": _copies,
    "pause_copy": _pause_copy,
    "materializations": _materializations,
    "datasources": _datasources,
    "datasource_names": _datasource_names,
    "endpoints": _endpoints,
    "pipes": _pipes,
    "write_parquet": _write_parquet,
    "backup": _backup,
}

ROUTES: tuple[Route, ...] = ((("POST",), "/tbpy/call", call), (("POST",), "/tbpy/query", query))
