"""ClickHouse as the oracle: chdb in a process of its own that stays alive between queries.

`python -m tests.differential.oracle` is that process: a JSON line `{"sql", "format"}` in, `{"answer"}` (base64) or
`{"error"}` out. The tables of the recorded fixtures are there when it starts.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from types import TracebackType
from typing import Any, Self

from tests.conformance.dialect_cases import fixtures


class OracleError(Exception):
    """ClickHouse refused the query."""


class Oracle:
    """A running oracle. A query that kills it raises `OracleError`, and the next one starts another."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def answer(self, sql: str, format_: str = "JSON") -> bytes:
        """What ClickHouse answers, in one of its formats. Raises `OracleError`."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
            )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"sql": sql, "format": format_}) + "\n")
        line = self._process.stdout.readline()
        if not line:
            self.close()
            raise OracleError("the oracle died")
        reply = json.loads(line)
        if "error" in reply:
            raise OracleError(reply["error"])
        return base64.b64decode(reply["answer"])

    def json(self, sql: str) -> dict[str, Any]:
        """The answer in FORMAT JSON without its statistics."""
        found: dict[str, Any] = json.loads(self.answer(sql))
        found.pop("statistics", None)
        return found


def _serve() -> None:
    from chdb.session import Session

    session = Session()
    _create_fixtures(session)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = session.query(request["sql"], request["format"])
            reply = {"answer": base64.b64encode(answer.bytes() or b"").decode()}
        except Exception as error:
            reply = {"error": str(error)}
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


def _create_fixtures(session: Any) -> None:
    session.query("CREATE DATABASE IF NOT EXISTS fixtures")
    session.query("USE fixtures")
    session.query("SET optimize_on_insert = 0")  # so that rows which FINAL would merge are still there
    for name, table in fixtures().items():
        session.query(table["ddl"])
        rows = "\n".join(json.dumps(row) for row in table["rows"])
        session.query(f"INSERT INTO {name} FORMAT JSONEachRow {rows}")


if __name__ == "__main__":
    _serve()
