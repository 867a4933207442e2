"""A server whose standard error nobody reads: it answers, and it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tbpy.client import connect
from tbpy.client.opening import find_server
from tests.api.client import Client
from tests.dev.test_development import until
from tests.projects import COUNTED_EVENTS, write_files

TOKEN = "a token that is long enough"
_PIPE = 1 << 16


def test_nobody_reads_what_it_tells(tmp_path: Path) -> None:
    write_files(tmp_path, COUNTED_EVENTS)
    command = [sys.executable, "-m", "tbpy.cli.main", "-C", str(tmp_path), "server", "--port", "0"]
    process = subprocess.Popen(command, env=os.environ | {"TBPY_ADMIN_TOKEN": TOKEN}, stderr=subprocess.PIPE)
    try:
        until(lambda: (found := connect(tmp_path)) is not None and found.datasource_names(), seconds=60)
        target = find_server(tmp_path)
        assert target is not None
        client = Client(int(target.host.rpartition(":")[2]), TOKEN)
        for _ in range(_PIPE // 200):
            assert client.send("GET", f"/v0/{'x' * 200}").status == 404
        for _ in range(20):  # the server's own loggers warn of these
            with socket.create_connection((client.host, client.port)) as connection:
                connection.sendall(b"\0\r\n\r\n")
                assert connection.recv(100).startswith(b"HTTP/1.1 400")
        assert client.post("/v0/events?name=events&wait=true", '{"id": 1, "name": "a"}').status == 200
        process.send_signal(signal.SIGTERM)
        until(lambda: connect(tmp_path) is None, seconds=30)
    finally:
        process.kill()
        process.communicate()
