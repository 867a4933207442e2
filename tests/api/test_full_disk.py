"""A disk that is full: nothing acknowledged is lost, reading goes on, and so does writing when there is room again."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("needs limits on a process from outside", allow_module_level=True)

import resource

from tests.api.client import Client
from tests.dev.test_development import EVENTS, Dev, write


def send(client: Client, first: int, count: int) -> int:
    lines = (json.dumps({"id": number, "text": "x" * 2000}) for number in range(first, first + count))
    answer = client.post("/v0/events?name=events&wait=true", "\n".join(lines))
    if answer.status == 503:
        assert int(answer.headers["Retry-After"]) > 0
    return answer.status


def test_a_full_disk(tmp_path: Path) -> None:
    write(tmp_path, "datasources/events.datasource", EVENTS.format(more=",\n    `text` String `json:$.text`"))
    dev = Dev(tmp_path)
    try:
        client, pid, stored, statuses = dev.client(), dev.process.pid, 0, set()
        _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (500_000, most))
        for number in range(0, 600, 50):
            status = send(client, number, 50)
            statuses.add(status)
            stored += 50 if status == 200 else 0
        assert statuses == {200, 503}
        assert client.sql("SELECT count() AS n FROM events FORMAT JSON") == [{"n": stored}]
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
        assert send(client, 1000, 1) == 200
    finally:
        dev.process.kill()
        dev.process.wait()
    dev = Dev(tmp_path)
    assert dev.client().sql("SELECT count() AS n, uniqExact(id) AS ids FROM events FORMAT JSON") == [
        {"n": stored + 1, "ids": stored + 1}
    ]
    assert dev.stop() == 0
