"""`tbpy server` for real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tbpy.client import connect
from tests.api.client import Client
from tests.dev.test_development import EVENTS, TOTAL, until, write

TOKEN = "a token from the environment"


def command(root: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "tbpy.cli.main", "-C", str(root), "server", "--port", "0", *options]


def test_a_server_of_a_project(tmp_path: Path) -> None:
    root, data = tmp_path / "project", tmp_path / "data"
    root.mkdir()
    write(root, "datasources/events.datasource", EVENTS.format(more=""))
    write(root, "endpoints/total.pipe", TOTAL.format(what="count()"))
    environment = os.environ | {"TBPY_ADMIN_TOKEN": TOKEN}
    process = subprocess.Popen(command(root, "--data", str(data)), env=environment, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: connect(data) is not None or process.poll() is not None)
        workspace = connect(data)
        assert workspace is not None and process.stderr is not None
        port = int(next(line for line in process.stderr if line.startswith("Serving")).rsplit(":", 1)[1])
        client = Client(port, TOKEN)
        assert client.post("/v0/events?name=events", '{"id": 1}').status == 202
        assert client.get("/v0/pipes/total.json").json["data"] == [{"total": 1}]
        assert client.get("/tokens").status == 404
        assert workspace.query("SELECT count() FROM events").rows == [(1,)]
        assert not (root / ".tbpy").exists()
        assert TOKEN not in (data / ".tbpy" / "tokens.json").read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()


def test_a_token_that_can_be_guessed(tmp_path: Path) -> None:
    write(tmp_path, "datasources/events.datasource", EVENTS.format(more=""))
    environment = os.environ | {"TBPY_ADMIN_TOKEN": "short"}
    done = subprocess.run(command(tmp_path), env=environment, capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and "TBPY_ADMIN_TOKEN" in done.stderr
