"""Requests to a server that speaks Tinybird's HTTP API: tokens, retries, and answers that are errors."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tbpy.client.target import STAGING, Target
from tbpy.errors import ConflictError, NotFoundError, QueryError, RemoteError, TbpyError, UsageError

if TYPE_CHECKING:
    import httpx

Values = Mapping[str, str | Sequence[str] | None]

_CONNECT_SECONDS = 10.0
_READ_SECONDS = 300.0
_TRIES = 4
_PASSING = (502, 503, 504)  # statuses of a proxy or of a server that starts
_BUSY = 429
_LONGEST_URL = 4096  # above it proxies begin to refuse
_JOB_PERIOD = 0.5
_ERROR_NAME = re.compile(r"\(([A-Z][A-Z0-9_]+)\)\s*$")


class HttpApi:
    """One target. What only reads is tried again when the connection fails; what changes something is not."""

    def __init__(self, target: Target) -> None:
        import httpx

        self.target = target
        self._client = httpx.Client(
            base_url=target.host,
            headers={"Authorization": f"Bearer {target.token}"},
            params={"__tb__deployment": STAGING} if target.staging else None,
            timeout=httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS),
            follow_redirects=False,
        )

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, **values: Any) -> Any:
        """A JSON document. Raises the error that the server's answer tells of."""
        return _document(self._send("GET", path, params=_present(values)))

    def post(self, path: str, values: Values | None = None, **content: Any) -> Any:
        """`values` go into the query; `content` is `data`, `json`, `content`, `files` or `headers`, as of httpx."""
        return _document(self._send("POST", path, params=_present(values or {}), **content))

    def attempt(self, path: str, values: Values | None = None, **content: Any) -> Any:
        """As `post`, for routes that refuse with a document: one with the key `result` is answered, not raised."""
        response = self._send("POST", path, refusable=True, params=_present(values or {}), **content)
        document = _document(response)
        if response.status_code >= 300 and not (isinstance(document, dict) and "result" in document):
            raise error_of(response)
        return document

    def put(self, path: str, values: Values | None = None, **content: Any) -> Any:
        return _document(self._send("PUT", path, params=_present(values or {}), **content))

    def delete(self, path: str, **values: Any) -> Any:
        return _document(self._send("DELETE", path, params=_present(values)))

    def answer(self, path: str, values: Values) -> httpx.Response:
        """The answer to a question, of any form; questions that are too long for a URL go into a body."""
        given = _present(values)
        if sum(len(str(value)) for value in given.values()) < _LONGEST_URL:
            return self._send("GET", path, params=given)
        return self._send("POST", path, data=given)

    @contextmanager
    def stream(self, path: str, values: Values) -> Iterator[Iterator[bytes]]:
        """As `answer`, but in pieces, for answers that need not fit into memory."""
        with _reaching(self.target), self._client.stream("POST", path, data=_present(values)) as response:
            if response.status_code >= 300:
                response.read()
                raise error_of(response)
            yield response.iter_bytes()

    def job(self, identifier: str) -> dict[str, Any]:
        """Waits until a job has ended. Raises `TbpyError` for one that failed."""
        while True:
            job: dict[str, Any] = self.get(f"/v0/jobs/{identifier}", debug="blocks,block_log")
            if job.get("status") == "done":
                return job
            if job.get("status") in ("error", "cancelled"):
                raise TbpyError(str(job.get("error") or f"Job {identifier} was {job['status']}"))
            time.sleep(_JOB_PERIOD)

    def _send(self, method: str, path: str, *, refusable: bool = False, **request: Any) -> httpx.Response:
        import httpx

        for attempt in range(1, _TRIES + 1):
            last = attempt == _TRIES
            try:
                with _reaching(self.target):
                    response = self._client.request(method, path, **request)
            except RemoteError as error:
                # Only a connection that never was is sure to have changed nothing.
                if last or not (method == "GET" or isinstance(error.__cause__, httpx.ConnectTimeout)):
                    raise
            else:
                again = "content" not in request  # what was read from a file is gone: a second try would send nothing
                busy = response.status_code == _BUSY and again
                passing = busy or (method == "GET" and response.status_code in _PASSING)
                if last or not passing:
                    if response.status_code >= 300 and not refusable:
                        raise error_of(response)
                    return response
            time.sleep(2.0**attempt / 8)
        raise AssertionError("the last try answers or raises")


@contextmanager
def _reaching(target: Target) -> Iterator[None]:
    import httpx

    try:
        yield
    except httpx.TransportError as error:
        hint = "is the host right, and does the server run?"
        raise RemoteError(f"{target.host} cannot be reached: {error or type(error).__name__}", hint=hint) from error


def error_of(response: httpx.Response) -> TbpyError:
    """The error that an answer tells of, in its own words."""
    status, text = response.status_code, _error_text(response)
    match status:
        case 401 | 403:
            return RemoteError(f"Forbidden: {text}", hint="the token lacks a scope, or is of another workspace")
        case 404:
            return NotFoundError(text)
        case 409:
            return ConflictError(text)
        case 408:
            return QueryError(text, code=159, name="TIMEOUT_EXCEEDED")
        case 400 if name := _ERROR_NAME.search(text):
            message = text.removeprefix("[Error] ")[: name.start() - len(text)].rstrip()
            return QueryError(message, code=0, name=name[1])
        case _ if 400 <= status < 500:
            return UsageError(text)
    return RemoteError(f"{response.url.host} answered with status {status}: {text}")


def _error_text(response: httpx.Response) -> str:
    try:
        document = response.json()
        text = str(document["error"])
        more = document.get("errors")
        return f"{text} -> errors: {more}" if more else text
    except (ValueError, KeyError, TypeError):
        return response.text[:300].strip() or response.reason_phrase


def _document(response: httpx.Response) -> Any:
    """None for an answer without a body, as a truncation has."""
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError as error:
        raise RemoteError(f"{response.url} answered no JSON", hint="is this the host of an API?") from error


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
