"""`tbpy dev` for real: a process of its own, files that change under it, other processes that ask it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from tbpy.client import RemoteWorkspace, connect, open_workspace
from tbpy.errors import ConflictError, DiagnosticsError, NotFoundError, QueryError
from tbpy.workspace import Workspace
from tests.api.client import Client

EVENTS = 'SCHEMA >\n    `id` Int32 `json:$.id`{more}\n\nENGINE "MergeTree"\nENGINE_SORTING_KEY "id"\n'
TOTAL = "NODE n\nSQL >\n    SELECT {what} AS total FROM events\n\nTYPE endpoint\n"


class Dev:
    """The process. `said` is what it told so far."""

    def __init__(self, root: Path) -> None:
        self.root = root
        command = [sys.executable, "-m", "tbpy.cli.main", "-C", str(root), "dev", "--port", "0"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.said = ""
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait_for("Watching for changes")
        found = connect(root)
        assert found is not None
        self.workspace: RemoteWorkspace = found

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said += line

    def wait_for(self, text: str) -> None:
        until(lambda: text in self.said or self.process.poll() is not None, seconds=60)
        assert text in self.said, self.said

    def client(self) -> Client:
        process = json.loads((self.root / ".tbpy" / "process.json").read_text())
        return Client(int(process["url"].rsplit(":", 1)[1]), process["token"])

    def total(self) -> object:
        answer = self.client().get("/v0/pipes/total.json")
        return answer.json["data"][0]["total"] if answer.status == 200 else answer.text

    def stop(self, with_signal: int = signal.SIGINT) -> int:
        self.process.send_signal(with_signal)
        code = self.process.wait(10)
        self._reader.join(5)
        return code


def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Dev]:
    write(tmp_path, "datasources/events.datasource", EVENTS.format(more=""))
    write(tmp_path, "endpoints/total.pipe", TOTAL.format(what="count()"))
    write(tmp_path, "fixtures/events.ndjson", '{"id": 1}\n{"id": 2}\n')
    dev = Dev(tmp_path)
    yield dev
    if dev.process.poll() is None:
        dev.process.kill()


def test_files_that_change_under_it(dev: Dev) -> None:
    assert dev.total() == 2
    write(dev.root, "endpoints/total.pipe", TOTAL.format(what="sum(id)"))
    until(lambda: dev.total() == 3)

    write(dev.root, "endpoints/total.pipe", TOTAL.format(what="sum(nothing)"))
    dev.wait_for("The last good build goes on answering.")
    assert "endpoints/total.pipe:3:16: error:" in dev.said and "^^^^^^^" in dev.said
    assert dev.total() == 3

    # As editors save: another file that takes the name.
    write(dev.root, "endpoints/new.tmp", TOTAL.format(what="max(id)"))
    (dev.root / "endpoints" / "new.tmp").rename(dev.root / "endpoints" / "total.pipe")
    until(lambda: dev.total() == 2)

    write(dev.root, "fixtures/events.ndjson", '{"id": 7}\n')
    until(lambda: dev.total() == 7)

    write(dev.root, "endpoints/second.pipe", TOTAL.format(what="min(id)"))
    until(lambda: dev.client().get("/v0/pipes/second.json").status == 200)
    (dev.root / "endpoints" / "second.pipe").unlink()
    until(lambda: dev.client().get("/v0/pipes/second.json").status == 404)


def test_data_stays_when_a_schema_grows(dev: Dev) -> None:
    dev.client().post("/v0/events?name=events&wait=true", '{"id": 40}')
    write(
        dev.root, "datasources/events.datasource", EVENTS.format(more=",\n    `name` String `json:$.name` DEFAULT 'x'")
    )
    until(lambda: "name" in dict(dev.workspace.datasources()[0].columns))
    assert dev.workspace.query("SELECT id, name FROM events ORDER BY id").rows == [(1, "x"), (2, "x"), (40, "x")]


def test_other_processes_ask_it(dev: Dev, tmp_path: Path) -> None:
    write(tmp_path, "more.ndjson", '{"id": 3}\n{"id": "x"}\n')
    workspace = open_workspace(dev.root, lambda **_: pytest.fail("it is served"))
    assert workspace.datasource_names() == ("events",)
    report = workspace.append("events", tmp_path / "more.ndjson")
    assert (report.rows, report.quarantined, report.causes[0].column) == (1, 1, "id")
    assert workspace.query("SELECT count() FROM events").rows == [(3,)]
    assert workspace.endpoint("total").rows == [(3,)]
    assert workspace.delete("events", "id = 3") == 1
    with pytest.raises(QueryError) as failed:
        workspace.query("SELECT nothing FROM events")
    assert (failed.value.code, failed.value.place is not None) == (47, True)
    with pytest.raises(NotFoundError):
        workspace.endpoint("nothing")
    write(dev.root, "endpoints/total.pipe", "NODE n\nSQL >\n    SELECT FROM\n\nTYPE endpoint\n")
    with pytest.raises(DiagnosticsError) as wrong:
        workspace.build()
    assert wrong.value.diagnostics[0].location().startswith("endpoints/total.pipe:3")
    workspace.write_parquet(tmp_path / "out.parquet", sql="SELECT id FROM events")
    assert (tmp_path / "out.parquet").read_bytes().startswith(b"PAR1")
    assert [endpoint.name for endpoint in workspace.endpoints()] == ["total"]
    assert workspace.truncate("events") == 2


@pytest.mark.parametrize("with_signal", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_clean(dev: Dev, with_signal: int) -> None:
    assert dev.stop(with_signal) == 0
    assert "Traceback" not in dev.said
    assert connect(dev.root) is None
    with Workspace.open(dev.root, timeout=1) as workspace:
        assert workspace.query("SELECT count() FROM events").rows == [(2,)]


def test_a_workspace_in_use_is_waited_for(tmp_path: Path) -> None:
    waited: list[int | None] = []
    with Workspace.open(tmp_path), pytest.raises(ConflictError):
        open_workspace(
            tmp_path,
            lambda timeout: Workspace.open(tmp_path, timeout=min(timeout, 0.05)),
            timeout=0.2,
            on_wait=waited.append,
        )
    assert len(waited) == 1 and waited[0] is not None


def test_commands_of_another_shell(dev: Dev) -> None:
    def run(*words: str) -> str:
        command = [sys.executable, "-m", "tbpy.cli.main", "-C", str(dev.root), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, input='{"id": 9}\n')
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "1 row appended" in run("append", "events", "-", "--format", "ndjson")
    assert run("query", "SELECT max(id) FROM events FORMAT TSV") == "9\n"
    assert json.loads(run("endpoint", "data", "total", "--json"))["data"] == [{"total": 3}]
    assert "events" in run("datasource", "ls")
    assert "No changes" in run("build")
    assert "3 rows removed" in run("datasource", "truncate", "events", "--yes")


def test_work_on_data_from_another_shell(dev: Dev) -> None:
    def run(*words: str, stdin: str = "") -> str:
        command = [sys.executable, "-m", "tbpy.cli.main", "-C", str(dev.root), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, input=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    write(dev.root, "datasources/totals.datasource", "SCHEMA >\n    `total` UInt64\n")
    write(
        dev.root,
        "copies/keep.pipe",
        "NODE n\nSQL >\n    SELECT count() AS total FROM events\n\n"
        "TYPE copy\nTARGET_DATASOURCE totals\nCOPY_SCHEDULE 0 0 1 1 *\n",
    )
    until(lambda: dev.workspace.copies())
    assert "1 row" in run("copy", "run", "keep")
    run("copy", "pause", "keep")
    assert "paused" in run("copy", "ls")
    assert dev.workspace.query("SELECT total FROM totals").rows == [(2,)]

    run("append", "events", "-", "--format", "ndjson", stdin='{"id": 9}\n{"id": "x"}\n')
    assert '{"id": "x"}' in run("datasource", "quarantine", "events")
    write(dev.root, "datasources/events.datasource", EVENTS.replace("Int32", "String").format(more=""))
    until(lambda: dict(dev.workspace.datasources()[0].columns)["id"] == "String")
    run("datasource", "replay", "events")
    assert dev.workspace.query("SELECT count() FROM events WHERE id = 'x'").rows == [(1,)]
    run("datasource", "replace", "events", "-", "--format", "ndjson", "--yes", stdin='{"id": "new"}\n')
    assert dev.workspace.query("SELECT id FROM events").rows == [("new",)]
    assert run("materialization", "ls").strip()
