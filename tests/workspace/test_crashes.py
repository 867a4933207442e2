"""Processes that are killed while rows flow: views equal a recomputation, nothing is lost and nothing is doubled.

`TBPY_KILLS=100 pytest tests/workspace/test_crashes.py` kills more often.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tbpy.project import load_project
from tbpy.workspace import Workspace
from tests.workspace.conftest import Folder

_KILLS = int(os.environ.get("TBPY_KILLS", "2"))
_BLOCK = 500
EVENTS = "id Int64 `json:$.id`; k Int32 `json:$.k`; v Int64 `json:$.v`"
SUMS = "k Int32; n AggregateFunction(count); total AggregateFunction(sum, Int64); kinds AggregateFunction(uniq, Int64)"
FIRST = "SELECT k, countState() AS n, sumState(v) AS total, uniqState(v) AS kinds FROM events GROUP BY k"
SECOND = (
    "SELECT 1 AS k, countMergeState(n) AS n, sumMergeState(total) AS total, uniqMergeState(kinds) AS kinds FROM by_k"
)

# What a process does until it is killed; it says when a piece of work is behind it, for nothing of that may be lost.
WORK = {
    "append": """
        while True:
            w.append("events", str(root / "rows.ndjson")); print("done", flush=True)
    """,
    "events": """
        lines = (root / "rows.ndjson").read_text().splitlines()
        while True:
            w.append_events({"events": lines}); print("done", flush=True)
    """,
    "merge": """
        while True:
            w.append("events", str(root / "rows.ndjson")); print("done", flush=True); w.compact()
    """,
    "merge in the background": """
        lines = (root / "rows.ndjson").read_text().splitlines()
        while True:
            w.append_events({"events": lines}); print("done", flush=True); w.maintenance.settle()
    """,
    "copy": """
        while True:
            w.append("events", str(root / "rows.ndjson")); print("done", flush=True)
            w.copy("replace_copy"); w.copy("append_copy")
    """,
}


def write(folder: Folder) -> None:
    folder.datasource("events", EVENTS, 'ENGINE "MergeTree"\nENGINE_SORTING_KEY "k"\n')
    for name in ("by_k", "all_k"):
        folder.datasource(name, SUMS, 'ENGINE "AggregatingMergeTree"\nENGINE_SORTING_KEY "k"\n')
    folder.datasource("each", "k Int32; n UInt64; v Int64", 'ENGINE "SummingMergeTree"\nENGINE_SORTING_KEY "k"\n')
    folder.pipe("to_each", "SELECT k, 1 AS n, v FROM events", "TYPE materialized\nDATASOURCE each\n")
    folder.datasource("replaced", "k Int32; n UInt64")
    folder.datasource("appended", "k Int32; n UInt64")
    folder.pipe("first", FIRST, "TYPE materialized\nDATASOURCE by_k\n")
    folder.pipe("second", SECOND, "TYPE materialized\nDATASOURCE all_k\n")
    copy = "SELECT k, count() AS n FROM events GROUP BY k"
    folder.pipe("replace_copy", copy, "TYPE copy\nTARGET_DATASOURCE replaced\nCOPY_MODE replace\n")
    folder.pipe("append_copy", copy, "TYPE copy\nTARGET_DATASOURCE appended\n")
    rows = ({"id": i, "k": i % 7, "v": i % 50} for i in range(_BLOCK))
    folder.write("rows.ndjson", "".join(json.dumps(row) + "\n" for row in rows))


def start(root: Path, work: str) -> subprocess.Popen[str]:
    opening = f"""
from pathlib import Path
from tbpy.workspace import Workspace
root = Path({str(root)!r})
w = Workspace.open(root)
print("open", flush=True)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", opening + textwrap.dedent(work)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def kill(process: subprocess.Popen[str], after: float) -> int:
    """Kills a process that said it is open; answers how many pieces of work were behind it."""
    assert process.stdout is not None and process.stdout.readline() == "open\n"
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    told = process.stdout.read()
    process.wait()
    return told.count("done")


def check(workspace: Workspace, least: int) -> int:
    """Answers how many blocks are stored."""
    ((rows, ids),) = workspace.query("SELECT count(), uniqExact(id) FROM events").rows
    assert rows % _BLOCK == 0 and ids in (0, _BLOCK) and rows >= least * _BLOCK
    want = workspace.query("SELECT k, count(), sum(v), uniq(v) FROM events GROUP BY k ORDER BY k").rows
    merged = "SELECT k, countMerge(n), sumMerge(total), uniqMerge(kinds) FROM {} GROUP BY k ORDER BY k"
    assert workspace.query(merged.format("by_k")).rows == want
    whole = workspace.query("SELECT 1, count(), sum(v), uniq(v) FROM events HAVING count() > 0").rows
    assert workspace.query(merged.format("all_k")).rows == whole
    summed = workspace.query("SELECT k, sum(n), sum(v) FROM each GROUP BY k ORDER BY k").rows
    assert summed == [(k, n, total) for k, n, total, _ in want]
    return int(rows) // _BLOCK


@pytest.mark.parametrize("work", WORK)
def test_killed_while_rows_flow(folder: Folder, work: str) -> None:
    write(folder)
    with folder.open() as workspace:
        folder.build(workspace)
    stored, chance = 0, random.Random(work)
    for _ in range(_KILLS):
        done = kill(start(folder.root, WORK[work]), chance.uniform(0, 0.6))
        with folder.open() as workspace:
            stored = check(workspace, stored + done)
            check_copies(workspace)


def check_copies(workspace: Workspace) -> None:
    """A copy is whole or not at all, and the jobs tell of each."""
    jobs = [job for job in workspace.jobs(1000) if job.status == "done"]
    for target in ("replaced", "appended"):
        written = [job for job in jobs if job.datasource == target]
        copies = written[:1] if target == "replaced" else written
        ((rows, total),) = workspace.query(f"SELECT count(), sum(n) FROM {target}").rows
        assert rows == sum(job.rows or 0 for job in copies) and total % _BLOCK == 0
    assert all(job.status != "working" for job in workspace.jobs(1000))


def test_killed_while_views_are_filled(folder: Folder) -> None:
    write(folder)
    rows = Path(folder.root / "rows.ndjson").read_text(encoding="utf-8")
    folder.write("fixtures/events.ndjson", rows * 20)
    chance = random.Random(7)
    with folder.open() as workspace:
        folder.build(workspace)
    for round_ in range(_KILLS):
        folder.pipe(
            "first",
            FIRST.replace("GROUP BY", f"WHERE {round_} = {round_} GROUP BY"),
            "TYPE materialized\nDATASOURCE by_k\n",
        )
        kill(start(folder.root, "w.build(); import time; time.sleep(9)"), chance.uniform(0, 0.3))
        with folder.open() as workspace:
            check(workspace, 20)
            workspace.build(load_project(folder.root))
            assert check(workspace, 20) == 20
