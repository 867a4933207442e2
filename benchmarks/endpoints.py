"""An endpoint over HTTP beside the bare DuckDB query that it comes to, and beside chdb: a point aggregate on the key.

    python -m benchmarks.endpoints [--rows 10000000] [--rounds 400] [--chdb]

Every round asks for another key, once in each way, so that a busy machine slows all of them. Client and server share
the machine. `chdb` reads a MergeTree with the same rows and sorting key, in a process of its own.
"""

from __future__ import annotations

import argparse
import http.client
import json
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

Ask = Callable[[str], object]


def write_project(root: Path) -> None:
    for name, text in {"datasources/events.datasource": DATASOURCE, "endpoints/point.pipe": ENDPOINT}.items():
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text(textwrap.dedent(text).lstrip())


def write_rows(path: Path, rows: int) -> None:
    import duckdb

    duckdb.sql(f"COPY ({ROWS.format(keys=KEYS, rows=rows)}) TO '{path}' (FORMAT parquet)")


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
        connection = http.client.HTTPConnection("127.0.0.1", listener.port)
        headers = {"Authorization": f"Bearer {service.tokens.admin_token}"}
        sql = workspace._request({"customer_id": "c1"}).compile_endpoint("point").sql
        database = workspace._engine.session()

        def over_http(key: str) -> object:
            connection.request("GET", f"/v0/pipes/point.json?customer_id={key}", headers=headers)
            answer = json.load(connection.getresponse())
            return answer["data"]

        yield {
            "http": over_http,
            "workspace": lambda key: workspace.endpoint("point", {"customer_id": key}).rows,
            "duckdb": lambda key: database.rows(sql.replace("'c1'", f"'{key}'")),
        }
        database.close()
        listener.stop()
        service.close()


def measure(asked: dict[str, Ask], rounds: int) -> dict[str, float]:
    """The median of each way, in milliseconds."""
    times: dict[str, list[float]] = {name: [] for name in asked}
    for number in range(rounds):
        key = f"c{number * 7919 % KEYS}"
        for name, ask in asked.items():
            started = time.perf_counter()
            ask(key)
            times[name].append((time.perf_counter() - started) * 1000)
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
        return measure({"chdb": lambda key: database.query(sql.format(key=f"'{key}'"), "JSON")}, rounds)["chdb"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--chdb", action="store_true", help="measure chdb, too")
    parser.add_argument("--chdb-rows", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
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
