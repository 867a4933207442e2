"""A plain HTTP client for tests: one request, one answer, over a real socket."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from typing import Any
from urllib.parse import urlencode


@dataclass(frozen=True)
class Answer:
    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Client:
    """`token` goes into the header."""

    port: int
    token: str | None = None
    host: str = "127.0.0.1"

    def send(
        self, method: str, path: str, body: bytes | str | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        connection = HTTPConnection(self.host, self.port, timeout=30)
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            connection.request(method, path, body.encode() if isinstance(body, str) else body, sent | (headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **parameters: Any) -> Answer:
        return self.send("GET", f"{path}?{urlencode(parameters, doseq=True)}" if parameters else path)

    def post(self, path: str, body: bytes | str = b"", **headers: str) -> Answer:
        return self.send("POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()})

    def sql(self, sql: str) -> list[dict[str, Any]]:
        answer = self.post("/v0/sql", sql, content_type="text/plain")
        assert answer.status == 200, answer.text
        rows: list[dict[str, Any]] = answer.json["data"]
        return rows

    def as_(self, token: str | None) -> Client:
        return Client(self.port, token, self.host)
