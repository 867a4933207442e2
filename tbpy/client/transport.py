"""Requests to the process that has the workspace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from tbpy.client.failures import error_of
from tbpy.errors import ConflictError

CALL = "/tbpy/call"
QUERY = "/tbpy/query"
_CONNECT_SECONDS = 2.0


class Server:
    """Where a server listens, and the token that lets one in."""

    def __init__(self, url: str, token: str) -> None:
        self._address = urlsplit(url)
        self._token = token

    def is_there(self) -> bool:
        try:
            answer = self._open("GET", "/v0/health", None, _CONNECT_SECONDS)
        except (OSError, HTTPException):
            return False
        with answer:
            return answer.status == 200

    def call(self, path: str, document: Any) -> Any:
        """One JSON document for another. Raises the error that the server tells of."""
        with self._send(path, document) as answer:
            return json.loads(answer.read())

    def lines(self, path: str, document: Any) -> Iterator[Any]:
        """JSON documents, a line each, as they come."""
        with self._send(path, document) as answer:
            for line in answer:
                found = json.loads(line)
                if "error" in found:
                    raise error_of(found["error"])
                yield found

    def _send(self, path: str, document: Any) -> HTTPResponse:
        try:
            answer = self._open("POST", path, json.dumps(document).encode(), None)
        except (OSError, HTTPException) as error:
            raise ConflictError(f"The server at {self._address.netloc} is gone", hint="try again") from error
        if answer.status == 200:
            return answer
        with answer:
            raise _failure(answer.status, answer.read())

    def _open(self, method: str, path: str, body: bytes | None, timeout: float | None) -> HTTPResponse:
        connection = HTTPConnection(self._address.hostname or "localhost", self._address.port, timeout=timeout)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json", "Connection": "close"}
        connection.request(method, path, body, headers)
        return connection.getresponse()


def _failure(status: int, body: bytes) -> Exception:
    try:
        found = json.loads(body)
        if isinstance(found["error"], dict):
            return error_of(found["error"])
        return ConflictError(f"The running server answered: {found['error']}")
    except (ValueError, KeyError, TypeError):
        return ConflictError(f"The running server answered with status {status}")
