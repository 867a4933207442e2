"""An endpoint over HTTP beside the bare DuckDB query that it comes to, and beside chdb: a point aggregate on the key.

    python -m benchmarks.endpoints [--rows 10000000] [--rounds 400] [--chdb]

Every round asks for another key, once in each way and each time in another order, so that neither a busy machine nor
who reads a key first makes a difference. The client is a process of its own on the same machine, with one connection
that it keeps; `http` is what it waits for an answer, `health` for one that needs no query: what the client and the way
to the server cost. DuckDB is asked in the server's process, for the database has one owner.
`chdb` reads a MergeTree with the same rows and sorting key, in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

KEYS = 100_000
DATASOURCE = """
    SCHEMA >
        `customer_id` String `json:$.customer_id`,
        `at` DateTime `json:$.at`,
        `os` LowCardinality(String) `json:$.os`,
        `amount` Float64 `json:$.amount`

    ENGINE "MergeTree"
    ENGINE_SORTING_KEY "customer_id, at"
"""
QUERY = "SELECT count() AS n, sum(amount) AS total, max(at) AS last FROM events WHERE customer_id = {key}"
ENDPOINT = f"""
    NODE answer
    SQL >
        %
        {QUERY.format(key="{{String(customer_id, 'c1')}}")}

    TYPE endpoint
"""
ROWS = (
    "SELECT 'c' || (hash(i) % {keys}) AS customer_id, TIMESTAMP '2024-01-01' + INTERVAL (i % 31536000) SECOND AS at, "
    "['ios', 'android', 'web', 'mac'][1 + i % 4] AS os, (i % 1000) / 7 AS amount FROM range({rows}) t(i)"
)

# Asks for a key and answers the seconds that it took.
Ask = Callable[[str], float]


def write_project(root: Path) -> None:
    for name, text in {"datasources/events.datasource": DATASOURCE, "endpoints/point.pipe": ENDPOINT}.items():
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text(textwrap.dedent(text).lstrip())


def write_rows(path: Path, rows: int) -> None:
    import duckdb

    duckdb.sql(f"COPY ({ROWS.format(keys=KEYS, rows=rows)}) TO '{path}' (FORMAT parquet)")


def timed(ask: Callable[[str], object]) -> Ask:
    def seconds(key: str) -> float:
        started = time.perf_counter()
        ask(key)
        return time.perf_counter() - started

    return seconds


class Client:
    """The process that asks over HTTP: it reads paths, a line each, and writes how many seconds the answer took."""

    def __init__(self, port: int, token: str) -> None:
        command = [sys.executable, __file__, "--client-of", str(port), "--token", token]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def ask(self, path: str) -> float:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(path + "\n")
        return float(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


def ask_as_told(port: int, token: str) -> None:
    """The client's process."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for path in sys.stdin:
        request = f"GET {path.strip()} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        started = time.perf_counter()
        connection.sendall(request)
        status, body = read_answer(connection)
        json.loads(body)
        took = time.perf_counter() - started
        if status != b"200":
            raise SystemExit(f"{path.strip()}: {body!r}")
        print(took, flush=True)


def read_answer(connection: socket.socket) -> tuple[bytes, bytes]:
    """Status and body of an answer with a length."""
    received = b""
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += connection.recv(65536)
    head = received[:end].lower()
    size = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    while len(received) < end + 4 + size:
        received += connection.recv(65536)
    return head.split(b" ", 2)[1], received[end + 4 :]


@contextmanager
def ways(root: Path, rows: Path) -> Iterator[dict[str, Ask]]:
    """How to ask for a key: over HTTP, of the workspace, and of DuckDB alone."""
    from tbpy.api.app import Api
    from tbpy.api.service import open_service
    from tbpy.api.serving import Listener, listen
    from tbpy.project import load_project
    from tbpy.workspace import Workspace

    with Workspace.open(root) as workspace:
        service = open_service(workspace)
        service.take_in(load_project(root))
        workspace.append("events", rows)
        workspace.compact("events")
        listener = Listener(Api(service), listen("127.0.0.1", 0))
        listener.start()
        client = Client(listener.port, service.tokens.admin_token)
        sql = workspace._request({"customer_id": "c1"}).compile_node("point")[1].sql
        database = workspace._engine.session()
        yield {
            "http": lambda key: client.ask(f"/v0/pipes/point.json?customer_id={key}"),
            "health": lambda key: client.ask("/v0/health"),
            "workspace": timed(lambda key: workspace.endpoint("point", {"customer_id": key}).rows),
            "duckdb": timed(lambda key: database.rows(sql.replace("'c1'", f"'{key}'"))),
        }
        client.close()
        database.close()
        listener.stop()
        service.close()


def measure(asked: dict[str, Ask], rounds: int) -> dict[str, float]:
    """The median of each way, in milliseconds."""
    times: dict[str, list[float]] = {name: [] for name in asked}
    names = list(asked)
    for number in range(rounds):
        key = f"c{number * 7919 % KEYS}"
        first = number % len(names)
        for name in names[first:] + names[:first]:
            times[name].append(asked[name](key) * 1000)
    return {name: round(statistics.median(found), 3) for name, found in times.items()}


def chdb_median(rows: Path, rounds: int) -> float:
    """Run in a process of its own: chdb and DuckDB do not go together."""
    from chdb import session

    with tempfile.TemporaryDirectory() as folder:
        database = session.Session(folder)
        database.query("CREATE DATABASE d ENGINE = Atomic")
        columns = "customer_id String, at DateTime, os LowCardinality(String), amount Float64"
        database.query(f"CREATE TABLE d.events ({columns}) ENGINE = MergeTree ORDER BY (customer_id, at)")
        database.query(f"INSERT INTO d.events SELECT customer_id, at, os, amount FROM file('{rows}', Parquet)")
        database.query("OPTIMIZE TABLE d.events FINAL")
        sql = QUERY.replace("events", "d.events")
        ask = timed(lambda key: database.query(sql.format(key=f"'{key}'"), "JSON"))
        return measure({"chdb": ask}, rounds)["chdb"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--chdb", action="store_true", help="measure chdb, too")
    parser.add_argument("--chdb-rows", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--client-of", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--token", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client_of is not None:
        ask_as_told(options.client_of, options.token)
        return
    if options.chdb_rows is not None:
        print(chdb_median(options.chdb_rows, options.rounds))
        return
    with tempfile.TemporaryDirectory() as folder:
        root, rows = Path(folder) / "project", Path(folder) / "rows.parquet"
        write_project(root)
        write_rows(rows, options.rows)
        with ways(root, rows) as asked:
            measure(asked, 20)
            found = measure(asked, options.rounds)
        if options.chdb:
            command = [sys.executable, __file__, "--chdb-rows", str(rows), "--rounds", str(options.rounds)]
            said = subprocess.run(command, capture_output=True, text=True, check=True)
            found["chdb"] = float(said.stdout)
    print(json.dumps(found | {"above_duckdb": round(found["http"] - found["duckdb"], 3)}, indent=2))


if __name__ == "__main__":
    main()
