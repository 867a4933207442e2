"""Servers that are killed while they deploy: what was live answers, with every event that was acknowledged.

`TBPY_KILLS=100 pytest tests/api/test_killed_deployments.py` kills more often.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from threading import Event, Thread

from tests.api.client import Client
from tests.api.test_deployments import EVENTS, TOKEN, TOTAL, deploy

_KILLS = int(os.environ.get("TBPY_KILLS", "3"))
_ROWS = 2_000


@contextmanager
def server(root: Path) -> Iterator[tuple[subprocess.Popen[str], Client]]:
    """A `tbpy server` of a folder of data; it is killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tbpy.cli.main", "-C", str(root), "server", "--port", "0"],
        env=os.environ | {"TBPY_ADMIN_TOKEN": TOKEN},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        told = []
        for line in process.stderr:
            told.append(line)
            if line.startswith("Serving"):
                break
        else:
            raise AssertionError(f"the server did not start: {''.join(told)}")
        yield process, Client(int(line.rpartition(":")[2]), TOKEN)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


class Writer:
    """Sends events until the server is gone; `acknowledged` and `sent` are how many in all."""

    def __init__(self) -> None:
        self.acknowledged = self.sent = 0

    def start(self, client: Client, stop: Event) -> Thread:
        thread = Thread(target=self._run, args=(client, stop))
        thread.start()
        return thread

    def _run(self, client: Client, stop: Event) -> None:
        while not stop.is_set():
            self.sent += 1
            try:
                answer = client.post("/v0/events?name=events&wait=true", f'{{"id": {self.sent}}}')
            except (OSError, HTTPException):
                return
            assert answer.status == 200, answer.text
            self.acknowledged += 1


def variant(number: int) -> dict[str, str]:
    """Each has another column, view and sorting key than the one before."""
    summed = EVENTS.format(more="").replace("`id` Int32 `json:$.id`", "`k` Int32,\n    `n` UInt64")
    return {
        "datasources/events.datasource": EVENTS.format(
            more=f",\n    `c{number}` Int32 `json:$.c` DEFAULT {number}"
        ).replace('SORTING_KEY "id"', f'SORTING_KEY "{"id" if number % 2 else f"c{number}, id"}"'),
        "datasources/counts.datasource": summed.replace('"MergeTree"', '"SummingMergeTree"').replace('"id"', '"k"'),
        "pipes/count.pipe": f"NODE n\nSQL >\n    SELECT toInt32(id % {number + 2}) AS k, count() AS n FROM events "
        "GROUP BY k\n\nTYPE materialized\nDATASOURCE counts\n",
        "endpoints/total.pipe": TOTAL.format(what=f"count() AS n, uniqExact(id) AS ids, max(c{number})"),
        "endpoints/counted.pipe": "NODE n\nSQL >\n    SELECT sum(n) AS n FROM counts\n\nTYPE endpoint\n",
    }


def check(client: Client, writer: Writer) -> None:
    """What is live is whole."""
    (row,) = client.get("/v0/pipes/total.json").json["data"]
    (counted,) = client.get("/v0/pipes/counted.json").json["data"]
    assert row["n"] == row["ids"] == counted["n"]
    assert writer.acknowledged <= row["n"] - _ROWS <= writer.sent
    live, *others = client.get("/v1/deployments").json["deployments"]
    assert live["live"] and all(other["status"] == "data_ready" for other in others)


def test_killed_while_it_deploys(tmp_path: Path) -> None:
    (tmp_path / "datasources").mkdir()
    chance, writer, version = random.Random(6), Writer(), 0
    with server(tmp_path) as (_, client):
        assert deploy(client, variant(0)).json["result"] == "success"
        lines = "\n".join(f'{{"id": {-1 - i}}}' for i in range(_ROWS))
        assert client.post("/v0/events?name=events&wait=true", lines).status == 200
    for round_ in range(_KILLS):
        with server(tmp_path) as (process, client):
            check(client, writer)
            for other in client.get("/v1/deployments").json["deployments"][1:]:
                assert client.send("DELETE", f"/v1/deployments/{other['id']}").status == 200
            stop = Event()
            thread = writer.start(client, stop)
            killer = Thread(target=_kill, args=(process, chance.uniform(0.0, 0.7)))
            killer.start()
            with suppress(OSError, HTTPException):
                version += 1
                deploy(client, variant(version), "" if round_ % 3 == 2 else "auto_promote=true")
                client.post("/v1/deployments/rollback")
            killer.join()
            stop.set()
            thread.join()
    with server(tmp_path) as (_, client):
        check(client, writer)
        for other in client.get("/v1/deployments").json["deployments"][1:]:
            client.send("DELETE", f"/v1/deployments/{other['id']}")
        assert deploy(client, variant(version + 1)).json["result"] == "success"
        check(client, writer)


def _kill(process: subprocess.Popen[str], after: float) -> None:
    Event().wait(after)
    process.send_signal(signal.SIGKILL)
