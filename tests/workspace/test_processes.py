"""More than one process, and processes that are killed."""

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

from tbpy.errors import ConflictError
from tbpy.project import load_project
from tbpy.workspace import Workspace
from tests.workspace.conftest import Folder

COLUMNS = "id Int64 `json:$.id`; text String `json:$.text`"
ENGINE = 'ENGINE "MergeTree"\nENGINE_SORTING_KEY "id"\n'


def start(root: Path, code: str) -> subprocess.Popen[str]:
    script = f"""
        from pathlib import Path
        from tbpy.workspace import Workspace
        root = Path({str(root)!r})
        {textwrap.dedent(code).strip()}
    """
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], env=environment, stdout=subprocess.PIPE, text=True
    )


def write_rows(folder: Folder, count: int) -> Path:
    return folder.write("rows.ndjson", "".join(json.dumps({"id": i, "text": f"text {i}"}) + "\n" for i in range(count)))


def test_two_processes_append_at_once(folder: Folder) -> None:
    folder.datasource("events", COLUMNS, ENGINE)
    with folder.open() as workspace:
        folder.build(workspace)
    path = write_rows(folder, 2000)
    code = f"[Workspace.open(root).__enter__().append('events', {str(path)!r}) for _ in (1,)]"
    processes = [start(folder.root, code) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    with folder.open() as workspace:
        assert workspace.query("SELECT count() FROM events").rows == [(6000,)]


def test_who_waits_is_told_for_whom(folder: Folder) -> None:
    holder = start(folder.root, "w = Workspace.open(root); print('open', flush=True); import time; time.sleep(30)")
    assert holder.stdout is not None and holder.stdout.readline() == "open\n"
    told: list[int | None] = []
    with pytest.raises(ConflictError, match=f"process {holder.pid}"):
        Workspace.open(folder.root, timeout=1.3, on_wait=told.append)
    assert told == [holder.pid]
    holder.kill()
    holder.wait()
    Workspace.open(folder.root, timeout=5).close()


@pytest.mark.parametrize("round_", range(6))
def test_a_killed_build_leaves_a_workspace_to_build_in(folder: Folder, round_: int) -> None:
    write_rows(folder, 30_000).rename(folder.root / "fixture")
    folder.datasource("events", COLUMNS, ENGINE)
    (folder.root / "fixtures").mkdir()
    (folder.root / "fixture").rename(folder.root / "fixtures/events.ndjson")
    code = "w = Workspace.open(root); print('open', flush=True); w.build(); print('done', flush=True); input()"
    victim = start(folder.root, code)
    assert victim.stdout is not None and victim.stdout.readline() == "open\n"
    time.sleep(random.Random(round_).uniform(0, 0.5))
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    with folder.open() as workspace:
        workspace.build(load_project(folder.root))
        assert workspace.query("SELECT count(), uniqExact(id) FROM events").rows == [(30_000, 30_000)]
        assert not workspace.build(load_project(folder.root))


def test_a_killed_append_lands_whole_or_not_at_all(folder: Folder) -> None:
    folder.datasource("events", COLUMNS, ENGINE)
    with folder.open() as workspace:
        folder.build(workspace)
    path = write_rows(folder, 200_000)
    for pause in (0.0, 0.1, 0.2, 0.4):
        code = f"w = Workspace.open(root); print('open', flush=True); w.append('events', {str(path)!r}); input()"
        victim = start(folder.root, code)
        assert victim.stdout is not None and victim.stdout.readline() == "open\n"
        time.sleep(pause)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        with folder.open() as workspace:
            ((count,),) = workspace.query("SELECT count() FROM events").rows
            assert count % 200_000 == 0
