"""Calls of endpoints and queries, as `tinybird.pipe_stats_rt` and `tinybird.endpoint_errors` tell of them."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
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
        """What is known now; records are made of it when they are written, for no request waits for that."""
        scope, client = self.request.scope, self.request.client
        statistics = self.result.statistics if self.result is not None else None
        noted = _Noted(
            self.pipe,
            self.access.name,
            self.parameters,
            self.began,
            time.perf_counter() - self.started,
            scope["path"],
            scope["query_string"],
            self.request.method,
            self.request.headers.get("user-agent"),
            client.host if client else None,
            statistics.rows_read if statistics else 0,
            statistics.bytes_read if statistics else 0,
            statistics.rows if statistics else 0,
            status,
            error,
        )
        log = self.service.workspace.log
        log.note("pipe_stats_rt", noted.call)
        if error is not None:
            log.note("endpoint_errors", noted.failure)


@dataclass(frozen=True)
class _Noted:
    """One call that has ended."""

    pipe: str | None
    token: str
    parameters: Mapping[str, Any]
    began: datetime
    duration: float
    path: str
    query: bytes
    method: str
    user_agent: str | None
    client: str | None
    read_rows: int
    read_bytes: int
    result_rows: int
    status: int
    error: str | None

    @cached_property
    def _request_id(self) -> str:
        return str(uuid.uuid4())

    def call(self) -> dict[str, Any]:
        """As `pipe_stats_rt` has it."""
        return {
            **self._common(),
            "token": self.token,
            "token_name": self.token,
            "duration": self.duration,
            "read_bytes": self.read_bytes,
            "read_rows": self.read_rows,
            # DuckDB tells of it only when it profiles, a tenth more for a short query; the time of the thread that runs
            # a query is without that of DuckDB's own threads. No number rather than a wrong one; memory likewise.
            "cpu_time": 0.0,
            "result_rows": self.result_rows,
            "error": int(self.error is not None),
            "error_message": self.error,
            "parameters": {name: _text(value) for name, value in self.parameters.items()},
            "method": self.method,
            "release": "",
            "user_agent": self.user_agent,
            "client_ip": self.client,
            "memory_usage": 0,
            "replica": "",
        }

    def failure(self) -> dict[str, Any]:
        """As `endpoint_errors` has it."""
        parameters = {name: _text(value) for name, value in self.parameters.items()}
        return {**self._common(), "params": json.dumps(parameters), "error": self.error}

    def _common(self) -> dict[str, Any]:
        return {
            "start_datetime": f"{self.began:%Y-%m-%d %H:%M:%S}",
            "pipe_id": QUERY_API if self.pipe is None else resource_id("pipe", self.pipe),
            "pipe_name": self.pipe or QUERY_API,
            "url": _url(self.path, self.query),
            "status_code": self.status,
            "request_id": self._request_id,
            "resource_tags": [],
        }


def _url(path: str, query_string: bytes) -> str:
    """Path and query string without the token: logs are read by more people than may have it."""
    query = query_string.decode("latin-1")
    if "token=" in query:
        query = urlencode([pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] != "token"])
    return f"{path}?{query}" if query else path


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
