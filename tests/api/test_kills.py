"""A server that is killed under load: what it acknowledged is there, once, with all that is made of it.

`TBPY_KILLS=50 pytest tests/api/test_kills.py` kills more often.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Thread

from tbpy.client import connect
from tbpy.workspace import Workspace
from tests.api.client import Client
from tests.dev.test_development import Dev, until
from tests.projects import COUNTED_EVENTS, write_files

_KILLS = int(os.environ.get("TBPY_KILLS", "2"))
_SENDERS = 6
_NAMES = 5


@dataclass
class Load:
    """Clients that send events and files, each event once. `acknowledged` are the ids that the server said it has."""

    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    acknowledged: set[int] = field(default_factory=set)
    quarantined: int = 0

    def send(self, client: Client, chance: random.Random) -> None:
        """Until the server is gone."""
        connection = HTTPConnection(client.host, client.port, timeout=30)
        while True:
            ids = [next(self.numbers) for _ in range(chance.choice((1, 1, 20, 300)))]
            bad = chance.random() < 0.2
            try:
                connection.request("POST", *_request(chance, ids, bad), {"Authorization": f"Bearer {client.token}"})
                answer = connection.getresponse()
                told = json.loads(answer.read())
            except (OSError, HTTPException):
                return
            assert answer.status in (200, 202), told
            assert told["successful_rows"] == len(ids) and told["quarantined_rows"] == bad, told
            self.acknowledged.update(ids)
            self.quarantined += bad


def _request(chance: random.Random, ids: list[int], bad: bool) -> tuple[str, bytes]:
    rows = [{"id": number, "name": f"n{number % _NAMES}"} for number in ids] + [{"id": "bad"}] * bad
    body = "\n".join(map(json.dumps, rows)).encode()
    target = chance.choice(("events?", "events?wait=true&", "datasources?mode=append&format=ndjson&"))
    return f"/v0/{target}name=events", body


def test_killed_under_load(tmp_path: Path) -> None:
    write_files(tmp_path, COUNTED_EVENTS)
    load, chance = Load(), random.Random(5)
    for _ in range(_KILLS):
        dev, known = Dev(tmp_path), len(load.acknowledged)
        client = dev.client()
        senders = [Thread(target=load.send, args=(client, random.Random(chance.random()))) for _ in range(_SENDERS)]
        for sender in senders:
            sender.start()
        until(lambda known=known: len(load.acknowledged) > known + 50)  # type: ignore[misc]
        time.sleep(chance.uniform(0, 0.4))
        dev.process.kill()
        for sender in senders:
            sender.join()
        assert connect(tmp_path) is None
        with Workspace.open(tmp_path, timeout=5) as workspace:
            check(workspace, load)


def check(workspace: Workspace, load: Load) -> None:
    rows = workspace.query("SELECT id FROM events").rows
    stored = {number for (number,) in rows}
    assert len(stored) == len(rows), "an event was stored twice"
    assert not load.acknowledged - stored, "an acknowledged event is missing"
    counted = workspace.query("SELECT name, toInt64(sum(events)) FROM names GROUP BY name").rows
    assert dict(counted) == Counter(f"n{number % _NAMES}" for number in stored)
    ((quarantined,),) = workspace.query("SELECT count() FROM events_quarantine").rows
    assert quarantined >= load.quarantined
