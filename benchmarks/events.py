"""Events API: single events, each acknowledged after a durable commit, beside what DuckDB alone commits in groups.

    python benchmarks/events.py [--seconds 4] [--connections 64] [--events 1] [--materialized]

Client and server share the machine. The ratio compares the requests a second over HTTP, with tokens, validation and
quarantine, with the rows a second of a loop that inserts and commits as many rows at once as there are connections.
`--materialized` measures with a materialized view of the events, and without one, three times each in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from dataclasses import asdict, dataclass
from pathlib import Path

DATASOURCE = """
    SCHEMA >
        `timestamp` DateTime `json:$.timestamp`,
        `session_id` String `json:$.session_id`,
        `action` LowCardinality(String) `json:$.action`,
        `version` LowCardinality(String) `json:$.version`,
        `amount` Float64 `json:$.amount`,
        `payload` String `json:$.payload`

    ENGINE "MergeTree"
    ENGINE_SORTING_KEY "timestamp"
"""
TARGET = """
    SCHEMA >
        `minute` DateTime,
        `action` LowCardinality(String),
        `n` AggregateFunction(count),
        `amount` AggregateFunction(sum, Float64),
        `sessions` AggregateFunction(uniq, String)

    ENGINE "AggregatingMergeTree"
    ENGINE_SORTING_KEY "minute, action"
"""
VIEW = """
    NODE view
    SQL >
        SELECT toStartOfMinute(timestamp) AS minute, action, countState() AS n, sumState(amount) AS amount,
            uniqState(session_id) AS sessions
        FROM events
        GROUP BY minute, action

    TYPE materialized
    DATASOURCE minutes
"""
EVENT = {
    "timestamp": "2026-01-01T00:00:00.123Z",
    "session_id": "0b0c4a7e-3a0f-4a7e-9f0e-1d2c3b4a5f6e",
    "action": "page_hit",
    "version": "1",
    "amount": 12.5,
    "payload": '{"pathname":"/"}',
}


@dataclass(frozen=True)
class Measured:
    """Latencies and processor time in milliseconds; the latter is the server's, of all its threads."""

    connections: int
    events_per_request: int
    requests: int
    requests_per_second: float
    p50: float
    p99: float
    server_cpu_per_request: float
    duckdb_rows_per_second: float
    ratio: float
    stored: int
    acknowledged: int


class Connection(asyncio.Protocol):
    """Sends the same request again as soon as it is answered."""

    def __init__(self, request: bytes, until: float, done: asyncio.Event) -> None:
        self.request, self.until, self.done = request, until, done
        self.latencies: list[float] = []
        self.failed: bytes | None = None
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.send()

    def send(self) -> None:
        self.started = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found or not body.endswith(b"}"):
            return
        if not head.startswith(b"HTTP/1.1 20"):
            self.failed = self.buffer
            self.finish()
            return
        self.buffer = b""
        now = time.perf_counter()
        self.latencies.append(now - self.started)
        if now < self.until:
            self.send()
        else:
            self.finish()

    def finish(self) -> None:
        self.transport.close()
        self.done.set()


async def load(port: int, token: str, connections: int, seconds: float, events: int) -> list[float]:
    body = b"\n".join([json.dumps(EVENT).encode()] * events)
    head = (
        f"POST /v0/events?name=events&wait=true HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    until = time.perf_counter() + seconds
    loop = asyncio.get_running_loop()
    waiting, made = [], []
    for _ in range(connections):
        done = asyncio.Event()
        _, protocol = await loop.create_connection(
            lambda done=done: Connection(head.encode() + body, until, done), "127.0.0.1", port
        )
        waiting.append(done.wait())
        made.append(protocol)
    await asyncio.gather(*waiting)
    failed = next((protocol.failed for protocol in made if protocol.failed), None)
    if failed is not None:
        raise SystemExit(f"a request failed: {failed[:500]!r}")
    return sorted(latency for protocol in made for latency in protocol.latencies)


def bare_duckdb(folder: Path, rows_at_once: int, seconds: float) -> float:
    """Rows a second of groups of rows, each group inserted by one statement and committed."""
    import duckdb

    connection = duckdb.connect(str(folder / "bare.duckdb"))
    connection.execute(
        "CREATE TABLE events (timestamp TIMESTAMP, session_id VARCHAR, action VARCHAR, version VARCHAR, "
        "amount DOUBLE, payload VARCHAR)"
    )
    shape = {name: "TIMESTAMP" if name == "timestamp" else "VARCHAR" for name in EVENT} | {"amount": "DOUBLE"}
    structure = json.dumps([shape])
    insert = f"INSERT INTO events SELECT unnest(from_json(?, '{structure}'), recursive := true)"
    group = json.dumps([EVENT] * rows_at_once)
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        connection.execute(insert, [group])
        done += rows_at_once
    elapsed = time.perf_counter() - started
    connection.close()
    return done / elapsed


def serve(root: Path) -> None:
    """The server's process: prints its port and token, then serves until its standard input ends."""
    from tbpy.api.app import Api
    from tbpy.api.service import open_service
    from tbpy.api.serving import Listener, listen
    from tbpy.project import load_project
    from tbpy.workspace import Workspace

    with Workspace.open(root) as workspace:
        service = open_service(workspace)
        service.take_in(load_project(root))
        listener = Listener(Api(service), listen("127.0.0.1", 0))
        listener.start()
        print(json.dumps([listener.port, service.tokens.admin_token]), flush=True)
        sys.stdin.read()
        listener.stop()
        service.close()
        print(workspace.query("SELECT count() FROM events").rows[0][0], flush=True)


def cpu_of_servers() -> float:
    """In seconds, of all that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(connections: int, seconds: float, events: int, *, materialized: bool = False) -> Measured:
    used = cpu_of_servers()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        (root / "datasources").mkdir(parents=True)
        (root / "datasources" / "events.datasource").write_text(textwrap.dedent(DATASOURCE).lstrip())
        if materialized:
            (root / "datasources" / "minutes.datasource").write_text(textwrap.dedent(TARGET).lstrip())
            (root / "view.pipe").write_text(textwrap.dedent(VIEW).lstrip())
        server = subprocess.Popen(
            [sys.executable, __file__, "--serve", str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert server.stdin is not None and server.stdout is not None
        port, token = json.loads(server.stdout.readline())
        warm = asyncio.run(load(port, token, connections, 1.0, events))
        latencies = asyncio.run(load(port, token, connections, seconds, events))
        stored = int(server.communicate()[0])
        used = cpu_of_servers() - used
        bare = bare_duckdb(Path(folder), connections * events, seconds)
    rate = len(latencies) / seconds
    return Measured(
        connections=connections,
        events_per_request=events,
        requests=len(latencies),
        requests_per_second=round(rate),
        p50=round(latencies[len(latencies) // 2] * 1000, 1),
        p99=round(latencies[len(latencies) * 99 // 100] * 1000, 1),
        server_cpu_per_request=round(used * 1000 / (len(latencies) + len(warm)), 3),
        duckdb_rows_per_second=round(bare),
        ratio=round(rate * events / bare, 2),
        stored=stored,
        acknowledged=(len(latencies) + len(warm)) * events,
    )


def with_and_without(connections: int, seconds: float, events: int) -> None:
    runs: dict[bool, list[Measured]] = {False: [], True: []}
    for _ in range(3):
        for materialized, found in runs.items():
            found.append(measure(connections, seconds, events, materialized=materialized))
    rates = [statistics.median(run.requests_per_second for run in found) for found in runs.values()]
    used = [statistics.median(run.server_cpu_per_request for run in found) for found in runs.values()]
    print(f"requests a second without {rates[0]:.0f}, with a view {rates[1]:.0f}: {rates[1] / rates[0]:.2f}")
    print(f"server CPU a request without {used[0]:.3f} ms, with a view {used[1]:.3f} ms: {used[0] / used[1]:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--events", type=int, default=1, help="events in each request")
    parser.add_argument("--materialized", action="store_true")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.serve)
        return
    if options.materialized:
        with_and_without(options.connections, options.seconds, options.events)
        return
    found = measure(options.connections, options.seconds, options.events)
    assert found.stored == found.acknowledged, found
    print(json.dumps(asdict(found), indent=2))


if __name__ == "__main__":
    main()
