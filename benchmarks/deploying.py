"""What clients see of a deployment: events come in and a point endpoint is asked while rows are moved.

    python benchmarks/deploying.py --rows 10000000 --rate 2000

A server of its own, over HTTP. The first deployment adds a column, the second one changes the sorting key, then it goes
back twice. Every answer must be a 200, and afterwards each event must be there once. `--pipes 100` measures a
deployment of so many pipes that moves no rows.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread
from typing import Any

TOKEN = "p.the-token-of-the-admin"
COLUMNS = "`id` Int64 `json:$.id`,\n    `user` Int32 `json:$.user`,\n    `name` String `json:$.name`"
DATASOURCE = 'SCHEMA >\n    {columns}\n\nENGINE "MergeTree"\nENGINE_SORTING_KEY "{key}"\n'
ENDPOINT = "NODE n\nSQL >\n    {sql}\n\nTYPE endpoint\n"
POINT = "%\n    SELECT id, user, name FROM events WHERE id = {{Int64(wanted)}}"
FIRST = {
    "datasources/events.datasource": DATASOURCE.format(columns=COLUMNS, key="id"),
    "endpoints/point.pipe": ENDPOINT.format(sql=POINT),
}
MORE = DATASOURCE.format(columns=f"{COLUMNS},\n    `more` String DEFAULT concat(name, '!')", key="id")
SORTED = MORE.replace('KEY "id"', 'KEY "user, id"')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=2_000, help="events a second")
    parser.add_argument("--pipes", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as client:
        if options.pipes:
            measure_pipes(client, options.pipes)
        else:
            measure_moving(client, Path(folder), options.rows, options.rate)


def measure_pipes(client: Client, count: int) -> None:
    files = dict(FIRST)
    for i in range(count):
        shown = f"user, count() AS n, max(id) AS top{i}"
        sql = f"SELECT {shown} FROM events WHERE id > {i} GROUP BY user ORDER BY n DESC LIMIT 10"
        files[f"endpoints/p{i}.pipe"] = ENDPOINT.format(sql=sql)
    for what in ("all new", "all changed"):
        print(f"{count} pipes, {what}: {client.deploy(files):.2f} s")
        files = {name: text.replace("LIMIT 10", "LIMIT 20") for name, text in files.items()}


def measure_moving(client: Client, folder: Path, rows: int, rate: int) -> None:
    client.deploy(FIRST)
    fill(client, folder, rows)
    stop, statuses, sent = Event(), [], [0]
    latencies: list[tuple[float, float]] = []
    threads = [
        Thread(target=write, args=(client, rate, rows, stop, statuses, sent)),
        Thread(target=ask, args=(client, rows, stop, statuses, latencies)),
    ]
    for thread in threads:
        thread.start()
    steps = {
        "quiet": lambda: time.sleep(10),
        "column added": lambda: client.deploy({**FIRST, "datasources/events.datasource": MORE}),
        "sorting key changed": lambda: client.deploy({**FIRST, "datasources/events.datasource": SORTED}),
        "gone back": lambda: client.send("POST", "/v1/deployments/rollback", b""),
        "gone back again": lambda: client.send("POST", "/v1/deployments/1/rollback", b""),
    }
    for name, step in steps.items():
        began = time.perf_counter()
        step()
        ended = time.perf_counter()
        during = [took for at, took in latencies if began <= at <= ended] or [0.0]
        p99 = statistics.quantiles(during, n=100)[98] if len(during) > 1 else during[0]
        print(f"{name}: {ended - began:.2f} s, {len(during)} questions, p99 {p99 * 1000:.1f} ms", flush=True)
    stop.set()
    for thread in threads:
        thread.join()
    refused = [status for status in statuses if status != 200]
    (found,) = client.ask("/v0/sql?q=SELECT+count()+AS+n,+uniqExact(id)+AS+ids+FROM+events+FORMAT+JSON")["data"]
    wanted = rows + sent[0]
    print(f"{len(statuses)} requests, {len(refused)} refused")
    print(f"{wanted} events sent, {found['n']} there, {found['ids']} different")
    if refused or {found["n"], found["ids"]} != {wanted}:
        sys.exit("something was refused, lost or doubled")


def fill(client: Client, folder: Path, rows: int) -> None:
    import duckdb

    file = folder / "rows.parquet"
    duckdb.execute(
        f"COPY (SELECT range AS id, CAST(range % 10007 AS INTEGER) AS user, 'name ' || range % 1000 AS name "
        f"FROM range({rows})) TO '{file}' (FORMAT parquet)"
    )
    job = client.send("POST", "/v1/datasources/events/append?format=parquet", file.read_bytes())
    identifier = job.get("id") or job["import_id"]
    while (state := client.ask(f"/v0/jobs/{identifier}")["status"]) not in ("done", "error"):
        time.sleep(0.2)
    assert state == "done"


def write(client: Client, rate: int, first: int, stop: Event, statuses: list[int], sent: list[int]) -> None:
    """Twenty requests a second, each as soon as the one before was answered."""
    batch, due = rate // 20, time.monotonic()
    while not stop.is_set():
        start = first + sent[0]
        lines = "\n".join(
            json.dumps({"id": i, "user": i % 10007, "name": f"name {i % 1000}"}) for i in range(start, start + batch)
        )
        statuses.append(client.status("/v0/events?name=events&wait=true", lines.encode()))
        sent[0] += batch
        due += 0.05
        time.sleep(max(0.0, due - time.monotonic()))


def ask(client: Client, rows: int, stop: Event, statuses: list[int], latencies: list[tuple[float, float]]) -> None:
    number = 0
    while not stop.is_set():
        number += 7919
        began = time.perf_counter()
        statuses.append(client.status(f"/v0/pipes/point.json?wanted={number % rows}"))
        latencies.append((began, time.perf_counter() - began))
        time.sleep(0.01)


class Client:
    """Each thread that asks has a connection of its own for each request."""

    def __init__(self, port: int) -> None:
        self.port = port

    def status(self, path: str, body: bytes | None = None) -> int:
        return self._request("GET" if body is None else "POST", path, body)[0]

    def ask(self, path: str) -> Any:
        return json.loads(self._request("GET", path, None)[1])

    def send(self, method: str, path: str, body: bytes, kind: str = "application/octet-stream") -> Any:
        status, answer = self._request(method, path, body, kind)
        assert status < 300, answer
        return json.loads(answer)

    def deploy(self, files: dict[str, str]) -> float:
        """Seconds until it is live."""
        began = time.perf_counter()
        body = "".join(
            f'--limit\r\nContent-Disposition: form-data; name="data_project://"; filename="{name}"\r\n'
            f"Content-Type: text/plain\r\n\r\n{text}\r\n"
            for name, text in files.items()
        )
        kind = "multipart/form-data; boundary=limit"
        made = self.send("POST", "/v1/deploy?auto_promote=true", f"{body}--limit--\r\n".encode(), kind)["deployment"]
        while not (found := self.ask(f"/v1/deployments/{made['id']}")["deployment"])["live"]:
            assert found["status"] != "deleted", found
            time.sleep(0.05)
        return time.perf_counter() - began

    def _request(self, method: str, path: str, body: bytes | None, kind: str = "text/plain") -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=600)
        try:
            connection.request(method, path, body, {"Authorization": f"Bearer {TOKEN}", "Content-Type": kind})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@contextmanager
def server(folder: Path) -> Iterator[Client]:
    (folder / "datasources").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "tbpy.cli.main", "-C", str(folder), "server", "--port", "0"],
        env=os.environ | {"TBPY_ADMIN_TOKEN": TOKEN},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    line = next(line for line in process.stderr if line.startswith("Serving"))
    drain = Thread(target=process.stderr.read, daemon=True)
    drain.start()
    try:
        yield Client(int(line.rpartition(":")[2]))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


if __name__ == "__main__":
    main()
