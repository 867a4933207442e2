"""Large targets are filled beside what is live: rows come in meanwhile, and the view equals a recomputation.

`TBPY_KILLS=100 pytest tests/workspace/test_populations.py` kills more often.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from tbpy.engines import Interruption
from tbpy.errors import WorkCancelledError
from tbpy.project import load_project
from tbpy.workspace import Workspace
from tbpy.workspace.ingest.insertion import Progress
from tbpy.workspace.populating import Population
from tests.workspace.conftest import Folder

_KILLS = int(os.environ.get("TBPY_KILLS", "3"))
_ROWS = 300_000
EVENTS = "id Int64 `json:$.id`; k Int32 `json:$.k`; v Int64 `json:$.v`"
SUMS = "k Int32; n UInt64; v Int64"
STATES = "k Int32; n AggregateFunction(count); ids AggregateFunction(uniq, Int64)"
ENGINE = 'ENGINE "{}MergeTree"\nENGINE_SORTING_KEY "{}"\n'


def write(folder: Folder) -> None:
    folder.datasource("events", EVENTS, ENGINE.format("", "k"))
    folder.datasource("by_k", SUMS, ENGINE.format("Summing", "k"))
    folder.datasource("by_ten", SUMS, ENGINE.format("Summing", "k"))
    folder.datasource("states", STATES, ENGINE.format("Aggregating", "k"))
    folder.datasource("each", "id Int64; k Int32", ENGINE.format("", "id"))
    with folder.open() as workspace:
        folder.build(workspace)
        rows = folder.root / "rows.parquet"
        columns = "toInt64(number) AS id, toInt32(number % 97) AS k, toInt64(number % 50) AS v"
        workspace.write_parquet(rows, sql=f"SELECT {columns} FROM numbers({_ROWS})")
        workspace.append("events", rows)


def write_views(folder: Folder, version: int) -> None:
    """Each version has other nodes, so that all targets are filled anew."""
    source = f"FROM events WHERE k != -1 - {version}"
    nodes = {
        "by_k": f"SELECT k, count() AS n, sum(v) AS v {source} GROUP BY k",
        "by_ten": "SELECT toInt32(k % 10) AS k, sum(n) AS n, sum(v) AS v FROM by_k GROUP BY k",
        "states": f"SELECT k, countState() AS n, uniqState(id) AS ids {source} GROUP BY k",
        "each": f"SELECT id, k {source}",
    }
    for target, sql in nodes.items():
        folder.pipe(f"to_{target}", sql, f"TYPE materialized\nDATASOURCE {target}\n")


def check(workspace: Workspace) -> int:
    """Answers how many events there are."""
    want = workspace.query("SELECT k, count(), sum(v), uniq(id) FROM events GROUP BY k ORDER BY k").rows
    summed = workspace.query("SELECT k, sum(n), sum(v) FROM by_k GROUP BY k ORDER BY k").rows
    assert summed == [row[:3] for row in want]
    tens: dict[int, list[int]] = {}
    for k, n, v in summed:
        found = tens.setdefault(k % 10, [0, 0])
        found[0], found[1] = found[0] + n, found[1] + v
    by_ten = workspace.query("SELECT k, sum(n), sum(v) FROM by_ten GROUP BY k ORDER BY k").rows
    assert by_ten == [(k, n, v) for k, (n, v) in sorted(tens.items())]
    merged = workspace.query("SELECT k, countMerge(n), uniqMerge(ids) FROM states GROUP BY k ORDER BY k").rows
    assert merged == [(k, n, ids) for k, n, _, ids in want]
    each = "SELECT count(), uniqExact(id), sum(k) FROM {}"
    assert workspace.query(each.format("each")).rows == workspace.query(each.format("events")).rows
    return sum(n for _, n, _ in summed)


def left_over(workspace: Workspace) -> list[tuple[Any, ...]]:
    """Tables that only populations have."""
    sql = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'journal' OR table_name LIKE '%@populating'"
    return workspace._engine.run(sql)


def event(number: int) -> str:
    return f'{{"id": {number}, "k": {number % 97}, "v": 1}}'


class Writer(Thread):
    """Stores events one after another until `ended`."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.ended, self.stored, self._workspace = Event(), 0, workspace

    def run(self) -> None:
        while not self.ended.is_set():
            self._workspace.append_events({"events": [event(_ROWS + self.stored)]})
            self.stored += 1

    def write_more(self, count: int) -> None:
        until = self.stored + count
        while self.stored < until:
            time.sleep(0.001)


def test_rows_come_in_while_targets_are_filled(folder: Folder) -> None:
    write(folder)
    write_views(folder, 1)
    with folder.open() as workspace:
        writer, told, seen = Writer(workspace), list[float](), list[str]()

        @contextmanager
        def watch(population: Population, interruption: Interruption) -> Iterator[Progress]:
            seen.extend(population.fills)

            def tell(done: float) -> None:
                told.append(done)

            writer.start()
            writer.write_more(10)
            yield tell

        fill = Population.fill

        def fill_slowly(population: Population, *given: Any) -> None:
            fill(population, *given)
            writer.write_more(20)  # after the cut, while the filling is under way

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Population, "fill", fill_slowly)
            patch.setattr(workspace, "on_population", watch)
            report = folder.build(workspace)
        writer.ended.set()
        writer.join()
        assert set(report.populated) == {"by_k", "by_ten", "states", "each"} == set(seen)
        assert writer.stored >= 30 and check(workspace) == _ROWS + writer.stored
        workspace.append_events({"events": [event(-1)]})
        assert check(workspace) == _ROWS + writer.stored + 1
        assert left_over(workspace) == []
        assert not folder.build(workspace)
    with folder.open() as workspace:
        assert check(workspace) == _ROWS + writer.stored + 1


def test_a_cancelled_population_leaves_all_as_it_was(folder: Folder) -> None:
    write(folder)
    write_views(folder, 1)
    with folder.open() as workspace:
        folder.build(workspace)
        write_views(folder, 2)

        @contextmanager
        def watch(population: Population, interruption: Interruption) -> Iterator[Progress]:
            yield lambda done: interruption.request()

        workspace.on_population = watch
        fill = Population.fill

        def fill_and_wait(population: Population, session: Any, moment: Any, progress: Progress) -> None:
            fill(population, session, moment, progress)
            progress(1.0)
            session.value("SELECT count(*) FROM range(100000000000) WHERE hash(range) = 1")

        with pytest.MonkeyPatch.context() as patch, pytest.raises(WorkCancelledError):
            patch.setattr(Population, "fill", fill_and_wait)
            folder.build(workspace)
        assert left_over(workspace) == []
        workspace.append_events({"events": [event(-1)]})
        assert check(workspace) == _ROWS + 1


def test_taking_rows_out_of_a_source_waits_for_its_population(folder: Folder) -> None:
    write(folder)
    write_views(folder, 1)
    few = folder.write("few.ndjson", event(1) + "\n")
    with folder.open() as workspace:
        taking = Thread(target=workspace.replace, args=("events", few))
        fill = Population.fill

        def fill_and_wait(population: Population, *given: Any) -> None:
            taking.start()
            taking.join(0.3)
            assert taking.is_alive()
            fill(population, *given)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Population, "fill", fill_and_wait)
            folder.build(workspace)
        taking.join()
        assert check(workspace) == 1


WORK = """
from pathlib import Path
from threading import Thread
import time
from tbpy.project import load_project
from tbpy.workspace import Workspace

w = Workspace.open(Path({root!r}))

def write():
    (next_,), = w.query("SELECT max(id) + 1 FROM events").rows
    while True:
        w.append_events({{"events": ['{{"id": %d, "k": %d, "v": 1}}' % (next_, next_ % 97)]}})
        print("done", flush=True)
        next_ += 1

print("open", flush=True)
Thread(target=write, daemon=True).start()
w.build(load_project(Path({root!r})))
time.sleep(9)
"""


def test_killed_while_targets_are_filled(folder: Folder) -> None:
    write(folder)
    write_views(folder, 0)
    with folder.open() as workspace:
        folder.build(workspace)
        rows = check(workspace)
    chance, environment = random.Random(3), {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    for version in range(1, _KILLS + 1):
        write_views(folder, version)
        command = [sys.executable, "-c", textwrap.dedent(WORK.format(root=str(folder.root)))]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None and process.stdout.readline() == "open\n"
            time.sleep(chance.uniform(0.0, 1.2))
            process.send_signal(signal.SIGKILL)
            stored = process.stdout.read().count("done")
        with folder.open() as workspace:
            assert left_over(workspace) == []
            found = check(workspace)
            assert rows + stored <= found <= rows + stored + 1
            rows = found
            if version % 2:
                workspace.build(load_project(folder.root))
                assert check(workspace) == rows
