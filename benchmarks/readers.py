"""What readers and single events wait for beside heavy work: rows that are appended and merged, and heavy queries.

    python -m benchmarks.readers [--rows 5000000] [--queries 4] [--seconds 8]

A server of its own, over HTTP. One client asks a point endpoint every few milliseconds, another one sends single events
and waits until each is stored, in every phase. First nothing else is done, then a million rows are appended to the same
ReplacingMergeTree four times, a tenth of which replace others, then so many queries run at a time over all rows, again
and again. All times are in milliseconds; the phases of one run can be compared.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from benchmarks.deploying import TOKEN, Client, server
from benchmarks.endpoints import read_answer

DATASOURCE = """SCHEMA >
    `id` Int64 `json:$.id`,
    `user` Int32 `json:$.user`,
    `name` String `json:$.name`,
    `version` Int64 `json:$.version`

ENGINE "ReplacingMergeTree"
ENGINE_SORTING_KEY "id"
ENGINE_VER "version"
"""
POINT = """NODE n
SQL >
    %
    SELECT id, user, name FROM events WHERE id = {{Int64(wanted, 1)}}

TYPE endpoint
"""
HEAVY = """
SELECT name, uniqExact(user % 100) AS users, max(length(concat(name, toString(id)))) AS longest
FROM events GROUP BY name ORDER BY users DESC, name LIMIT 10 FORMAT JSON
"""
FILES = {"datasources/events.datasource": DATASOURCE, "endpoints/point.pipe": POINT}
ROWS = (
    "SELECT i AS id, CAST(i % 10007 AS INTEGER) AS user, 'name ' || i % 1000 AS name, {version} AS version "
    "FROM range({first}, {first} + {rows}) t(i)"
)
APPENDED = 1_000_000
PAUSE = 0.005


class Asker:
    """One connection that is kept. Asks again and again, with a pause between."""

    def __init__(self, port: int, requests: Iterator[bytes]) -> None:
        self._connection = socket.create_connection(("127.0.0.1", port))
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._requests = requests
        self.took: list[float] = []
        self.failed: list[bytes] = []

    def run(self, stop: Event) -> None:
        while not stop.is_set():
            request = next(self._requests)
            began = time.perf_counter()
            self._connection.sendall(request)
            status, body = read_answer(self._connection)
            self.took.append((time.perf_counter() - began) * 1000)
            if status not in (b"200", b"202"):
                self.failed.append(body)
            time.sleep(PAUSE)


def points(rows: int) -> Iterator[bytes]:
    number = 0
    while True:
        number += 7919
        yield _request("GET", f"/v0/pipes/point.json?wanted={number % rows}")


def events() -> Iterator[bytes]:
    number = 1 << 40
    while True:
        number += 1
        body = json.dumps({"id": number, "user": 1, "name": "one", "version": 1})
        yield _request("POST", "/v0/events?name=events&wait=true", body)


def heavy() -> Iterator[bytes]:
    while True:
        yield _request("POST", "/v0/sql", HEAVY)


def _request(method: str, path: str, body: str = "") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


@contextmanager
def running(*askers: Asker) -> Iterator[None]:
    stop = Event()
    threads = [Thread(target=asker.run, args=(stop,)) for asker in askers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def measure(client: Client, rows: int, work: Callable[[], object]) -> dict[str, float]:
    """What readers and events waited for, in milliseconds, while `work` was done."""
    askers = {"reader": Asker(client.port, points(rows)), "event": Asker(client.port, events())}
    began = time.perf_counter()
    with running(*askers.values()):
        work()
    found = {"seconds": round(time.perf_counter() - began, 2)}
    for name, asker in askers.items():
        if asker.failed:
            raise SystemExit(f"{name}: {asker.failed[0]!r}")
        found[f"{name}_p50"] = round(statistics.median(asker.took), 2)
        found[f"{name}_p99"] = round(sorted(asker.took)[len(asker.took) * 99 // 100], 2)
        found[f"{name}_max"] = round(max(asker.took), 1)
    return found


def make_file(folder: Path, first: int, rows: int, version: int) -> Path:
    import duckdb

    file = folder / f"rows{version}.parquet"
    duckdb.execute(f"COPY ({ROWS.format(first=first, rows=rows, version=version)}) TO '{file}' (FORMAT parquet)")
    return file


def append(client: Client, file: Path) -> None:
    """Returns when the rows are stored and, after a moment, merged."""
    job = client.send("POST", "/v1/datasources/events/append?format=parquet", file.read_bytes())
    while (state := client.ask(f"/v0/jobs/{job.get('id') or job['import_id']}")["status"]) not in ("done", "error"):
        time.sleep(0.05)
    assert state == "done"
    time.sleep(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--queries", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=8)
    options = parser.parse_args()
    rows, seconds = options.rows, options.seconds
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as client:
        client.deploy(FILES)
        append(client, make_file(Path(folder), 0, rows, 1))
        time.sleep(seconds)  # until it is merged
        more = [
            make_file(Path(folder), rows + i * APPENDED * 9 // 10 - APPENDED // 10, APPENDED, 2 + i) for i in range(4)
        ]
        phases: dict[str, Callable[[], object]] = {
            "quiet": lambda: time.sleep(seconds),
            "appends and merges": lambda: [append(client, file) for file in more],
        }
        found = {name: measure(client, rows, work) for name, work in phases.items()}
        askers = [Asker(client.port, heavy()) for _ in range(options.queries)]
        with running(*askers):
            found["heavy queries"] = measure(client, rows, lambda: time.sleep(seconds))
        found["heavy queries"] |= {"answers": sum(len(asker.took) for asker in askers)}
        found["heavy queries"] |= {"answer_p50": round(statistics.median(t for a in askers for t in a.took))}
    for name, numbers in found.items():
        print(f"{name}: {json.dumps(numbers)}")


if __name__ == "__main__":
    main()
