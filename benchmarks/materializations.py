"""What two materializations cost an append, and what reading merged states takes; chdb's own views beside it.

    python benchmarks/materializations.py --rows 1000000 --rounds 3
    python benchmarks/materializations.py --small-inserts 100000

Rows are sales; one view has sum and count by customer and day (10,000 keys), the other one uniq and quantile by
location. Every run is a process of its own with a database of its own, rounds are interleaved, figures are medians;
answers are JSONCompact. The time of an append is that of the call, without the start of the process.
`--small-inserts` compares the merged read after so many inserts of a single row with the same read after one insert of
the same rows.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tbpy.workspace import Workspace

CUSTOMERS, DAYS, LOCATIONS, READS = 1_000, 10, 8, 15
COLUMNS = {"customer": "Int32", "day": "Date", "location": "LowCardinality(String)", "amount": "Float64"}
# Name, key columns, columns with their types, query.
VIEWS = (
    (
        "daily",
        "customer, day",
        {
            "customer": "Int32",
            "day": "Date",
            "total": "AggregateFunction(sum, Float64)",
            "n": "AggregateFunction(count)",
        },
        "SELECT customer, day, sumState(amount) AS total, countState() AS n FROM sales GROUP BY customer, day",
    ),
    (
        "places",
        "location",
        {
            "location": "LowCardinality(String)",
            "customers": "AggregateFunction(uniq, Int32)",
            "median": "AggregateFunction(quantile(0.5), Float64)",
        },
        "SELECT location, uniqState(customer) AS customers, quantileState(0.5)(amount) AS median FROM sales "
        "GROUP BY location",
    ),
)
DAILY = "SELECT customer, day, sumMerge(total), countMerge(n) FROM daily GROUP BY customer, day"
PLACES = "SELECT location, uniqMerge(customers), quantileMerge(0.5)(median) FROM places GROUP BY location"
Figures = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--small-inserts", type=int)
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.small_inserts:
        print(json.dumps(small_inserts(options.small_inserts), indent=2))
        return
    file = make_file(options.rows)
    if options.contender:
        print(json.dumps(CONTENDERS[options.contender](file)))
        return
    runs: dict[str, list[Figures]] = {name: [] for name in CONTENDERS}
    for _ in range(options.rounds):
        for name in CONTENDERS:
            runs[name].append(run(name, options.rows))
    report({name: {key: statistics.median(r[key] for r in found) for key in found[0]} for name, found in runs.items()})


def run(name: str, rows: int) -> Figures:
    command = [sys.executable, __file__, "--contender", name, "--rows", str(rows)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env={**os.environ, "PYTHONPATH": os.getcwd()})
    figures: Figures = json.loads(done.stdout)
    return figures


def report(figures: dict[str, Figures]) -> None:
    for name, found in figures.items():
        print(f"{name:12}", ", ".join(f"{key} {value:.3f}" for key, value in found.items()))
    tbpy, chdb = figures["tbpy views"], figures["chdb views"]
    print(f"append with views / without: {tbpy['append s'] / figures['tbpy plain']['append s']:.2f}")
    print(f"append with views, tbpy / chdb: {tbpy['append s'] / chdb['append s']:.2f}")
    whole = [sum(value * (1 if key.endswith(" s") else 0.001) for key, value in f.items()) for f in (tbpy, chdb)]
    print(f"append and both reads, tbpy / chdb: {whole[0] / whole[1]:.2f}")
    for read in ("daily ms", "places ms"):
        print(f"read of {read.split()[0]}, tbpy / chdb: {tbpy[read] / chdb[read]:.2f}")


def make_file(rows: int) -> Path:
    path = Path(tempfile.gettempdir()) / f"tbpy-sales-{rows}.ndjson"
    if not path.exists():
        chance = random.Random(1)
        with path.open("w", encoding="utf-8") as file:
            for _ in range(rows):
                file.write(json.dumps(make_row(chance)) + "\n")
    return path


def make_row(chance: random.Random) -> dict[str, Any]:
    return {
        "customer": int(chance.random() * CUSTOMERS),
        "day": f"2024-01-{1 + int(chance.random() * DAYS):02}",
        "location": f"place {int(chance.random() * LOCATIONS)}",
        "amount": int(chance.random() * 40_000) / 4,
    }


def timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def read_time(call: Callable[[], object]) -> float:
    """In milliseconds."""
    return statistics.median(timed(call) for _ in range(READS)) * 1000


# --- tbpy -------------------------------------------------------------------------------------------------------------


def write_project(root: Path, *, views: bool) -> None:
    def datasource(name: str, columns: dict[str, str], engine: str, key: str) -> None:
        schema = ",\n".join(f"    `{column}` {type_} `json:$.{column}`" for column, type_ in columns.items())
        text = f'SCHEMA >\n{schema}\n\nENGINE "{engine}"\nENGINE_SORTING_KEY "{key}"\n'
        (root / f"{name}.datasource").write_text(text, encoding="utf-8")

    datasource("sales", COLUMNS, "MergeTree", "customer, day")
    for name, key, columns, sql in VIEWS if views else ():
        datasource(name, columns, "AggregatingMergeTree", key)
        pipe = f"NODE made\nSQL >\n    {sql}\n\nTYPE materialized\nDATASOURCE {name}\n"
        (root / f"to_{name}.pipe").write_text(pipe, encoding="utf-8")


def tbpy(file: Path, *, views: bool) -> Figures:
    from tbpy.workspace import Workspace

    with tempfile.TemporaryDirectory() as folder:
        write_project(Path(folder), views=views)
        with Workspace.open(Path(folder)) as workspace:
            workspace.build()
            figures = {"append s": timed(lambda: workspace.append("sales", file))}
            if views:
                figures["daily ms"] = read_time(lambda: answer(workspace, DAILY))
                figures["places ms"] = read_time(lambda: answer(workspace, PLACES))
        return figures


def answer(workspace: Workspace, sql: str) -> bytes:
    from tbpy.clickhouse.formats import write

    result = workspace.query(sql)
    return b"".join(write("JSONCompact", result.columns, result.rows))


def small_inserts(count: int) -> Figures:
    from tbpy.workspace import Workspace

    chance = random.Random(2)
    lines = [json.dumps(make_row(chance)) for _ in range(count)]
    figures: Figures = {}
    for name, size in (("one insert", count), ("small inserts", 1)):
        with tempfile.TemporaryDirectory() as folder:
            write_project(Path(folder), views=True)
            with Workspace.open(Path(folder)) as workspace:
                workspace.build()
                started = time.perf_counter()
                for start in range(0, count, size):
                    workspace.append_events({"sales": lines[start : start + size]})
                figures[f"{name} s"] = time.perf_counter() - started
                figures[f"{name} daily ms"] = read_time(lambda: answer(workspace, DAILY))
                figures[f"{name} places ms"] = read_time(lambda: answer(workspace, PLACES))
    for read in ("daily ms", "places ms"):
        figures[f"{read} ratio"] = figures[f"small inserts {read}"] / figures[f"one insert {read}"]
    return figures


# --- chdb -------------------------------------------------------------------------------------------------------------


def chdb(file: Path, *, views: bool) -> Figures:
    from chdb.session import Session

    with tempfile.TemporaryDirectory() as folder:
        session = Session(folder)
        columns = ", ".join(f"{name} {type_}" for name, type_ in COLUMNS.items())
        session.query(f"CREATE TABLE sales ({columns}) ENGINE = MergeTree ORDER BY (customer, day)")
        for name, key, types, sql in VIEWS if views else ():
            columns = ", ".join(f"{column} {type_}" for column, type_ in types.items())
            session.query(f"CREATE TABLE {name} ({columns}) ENGINE = AggregatingMergeTree ORDER BY ({key})")
            session.query(f"CREATE MATERIALIZED VIEW to_{name} TO {name} AS {sql}")
        insert = f"INSERT INTO sales FROM INFILE '{file}' FORMAT JSONEachRow"
        figures = {"append s": timed(lambda: session.query(insert))}
        if views:
            figures["daily ms"] = read_time(lambda: session.query(DAILY, "JSONCompact").bytes())
            figures["places ms"] = read_time(lambda: session.query(PLACES, "JSONCompact").bytes())
        session.close()
    return figures


CONTENDERS: dict[str, Callable[[Path], Figures]] = {
    "tbpy plain": lambda file: tbpy(file, views=False),
    "tbpy views": lambda file: tbpy(file, views=True),
    "chdb plain": lambda file: chdb(file, views=False),
    "chdb views": lambda file: chdb(file, views=True),
}

if __name__ == "__main__":
    main()
