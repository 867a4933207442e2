"""Calls of endpoints and queries, as `tinybird.pipe_stats_rt` and `tinybird.endpoint_errors` tell of them."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request

from tbpy.api.errors import status_of
from tbpy.api.identifiers import resource_id
from tbpy.api.running import ClientGoneError
from tbpy.api.service import Service
from tbpy.api.tokens import Access
from tbpy.engines import QueryResult
from tbpy.errors import TbpyError
from tbpy.workspace.services import is_service_table

QUERY_API = "query_api"
_GONE = 499


@dataclass
class Call:
    """One call, from its request to what is noted of it. `pipe` None is a query of `/v0/sql`."""

    service: Service
    request: Request
    access: Access
    pipe: str | None
    parameters: Mapping[str, Any]
    began: datetime
    started: float = field(default_factory=time.perf_counter)
    result: QueryResult | None = None

    @classmethod
    def of(
        cls, service: Service, request: Request, access: Access, pipe: str | None, parameters: Mapping[str, Any]
    ) -> Call:
        return cls(service, request, access, pipe, parameters, service.clock())

    def done(self) -> None:
        """The answer was sent whole. What only read service data sources is not noted."""
        tables = self.result.tables if self.result is not None else frozenset()
        if not tables or not all(map(is_service_table, tables)):
            self._note(200, None)

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Notes an error of what is done inside."""
        try:
            yield
        except BaseException as error:
            self.failed(error)
            raise

    def failed(self, error: BaseException) -> None:
        if isinstance(error, TbpyError):
            self._note(status_of(error), error.answer)
        elif isinstance(error, ClientGoneError):
            self._note(_GONE, "The client closed the connection")
        else:
            self._note(500, f"{type(error).__name__}: {error}")

    def _note(self, status: int, error: str | None) -> None:
        record = self._record(status, error)
        log = self.service.workspace.log
        log.note("pipe_stats_rt", record)
        if error is not None:
            same = ("start_datetime", "request_id", "pipe_id", "pipe_name", "url", "status_code", "resource_tags")
            params = json.dumps(record["parameters"])
            log.note("endpoint_errors", {**{key: record[key] for key in same}, "params": params, "error": error})

    def _record(self, status: int, error: str | None) -> dict[str, Any]:
        request, statistics = self.request, self.result.statistics if self.result is not None else None
        client = request.client
        return {
            "start_datetime": f"{self.began:%Y-%m-%d %H:%M:%S}",
            "pipe_id": QUERY_API if self.pipe is None else resource_id("pipe", self.pipe),
            "pipe_name": self.pipe or QUERY_API,
            "token": self.access.name,
            "token_name": self.access.name,
            "duration": time.perf_counter() - self.started,
            "read_bytes": statistics.bytes_read if statistics else 0,
            "read_rows": statistics.rows_read if statistics else 0,
            "cpu_time": 0.0,
            "result_rows": statistics.rows if statistics else 0,
            "url": _url(request),
            "error": int(error is not None),
            "error_message": error,
            "status_code": status,
            "request_id": str(uuid.uuid4()),
            "parameters": {name: _text(value) for name, value in self.parameters.items()},
            "method": request.method,
            "release": "",
            "user_agent": request.headers.get("user-agent"),
            "client_ip": client.host if client else None,
            "resource_tags": [],
            "memory_usage": 0,
            "replica": "",
        }


def _url(request: Request) -> str:
    """Path and query string without the token: logs are read by more people than may have it."""
    path: str = request.scope["path"]
    query = request.scope["query_string"].decode("latin-1")
    if "token=" in query:
        query = urlencode([pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] != "token"])
    return f"{path}?{query}" if query else path


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
