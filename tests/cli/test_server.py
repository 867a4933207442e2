"""`tbpy server` as a process: its token, https, backups while it serves, the data of an earlier tbpy, and its end."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tbpy.engines import DuckDBEngine
from tbpy.errors import ConflictError
from tbpy.workspace import Workspace
from tests.api.test_deployments import FILES, parts
from tests.cli.conftest import Shell, environment


@dataclass
class Server:
    """A server, and what it has said until it served."""

    process: subprocess.Popen[str]
    url: str
    said: str
    token: str = ""

    def ask(self, path: str, body: bytes | None = None, kind: str = "text/plain") -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        context = ssl._create_unverified_context() if self.url.startswith("https") else None
        with urlopen(Request(f"{self.url}{path}", body, headers), context=context) as answer:
            return json.load(answer)

    def deploy(self, files: dict[str, str]) -> Any:
        return self.ask("/v1/deploy?auto_promote=true", *parts(files))

    def count(self) -> int:
        return int(self.ask("/v0/pipes/total.json")["data"][0]["total"])


@contextmanager
def serving(root: Path, *options: str, token: str | None = None) -> Iterator[Server]:
    (root / "datasources").mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "tbpy.cli.main", "-C", str(root), "server", "--port", "0", *options],
        env=environment() | ({"TBPY_ADMIN_TOKEN": token} if token else {}),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith("Serving"):
            break
    server = Server(process, said[-1].split()[-1], "".join(said), token or "")
    try:
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=30)
        assert "Stopped" in rest and process.returncode == 0, rest


def shown_token(said: str) -> str:
    return next(line.split()[-1] for line in said.splitlines() if line.startswith("The admin token"))


def test_a_token_is_made_and_shown_once(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        first.token = shown_token(first.said)
        assert first.deploy(FILES)["result"] == "success"
    with serving(tmp_path) as again:
        assert "admin token" not in again.said
        again.token = first.token
        assert again.count() == 0
    with serving(tmp_path, token="p.another-token-of-admins") as given:
        assert given.count() == 0
        given.token = first.token
        with pytest.raises(HTTPError, match="403"):
            given.count()


def test_backups_while_it_serves(tmp_path: Path) -> None:
    shell, stop, sent = Shell(tmp_path), Event(), [0]
    with serving(tmp_path / "one", token="p.the-token-of-the-admin") as server:
        server.deploy(FILES)
        apart = server.ask("/v1/workspaces?name=customer", b"")["token"]
        other = Server(server.process, server.url, "", apart)
        other.deploy(FILES)
        other.ask("/v0/events?name=events&wait=true", b'{"id": 1}')

        def write() -> None:
            while not stop.is_set():
                server.ask("/v0/events?name=events&wait=true", b'{"id": 1}\n{"id": 2}')
                sent[0] += 2

        writer = Thread(target=write)
        writer.start()
        before = sent[0]
        done = shell.tbpy("-C", "one", "server", "backup", "backup.tar", "--json")
        after = sent[0] + 2
        stop.set()
        writer.join()
        assert done.code == 0, done.err
        assert oct((tmp_path / "backup.tar").stat().st_mode)[-3:] == "600"
        assert shell.tbpy("-C", "one", "server", "backup", "backup.tar").code == 6, "it is there already"
        assert server.count() == sent[0]
    restored = shell.tbpy("-C", "one", "server", "restore", "backup.tar", "--data", "two")
    assert restored.code == 0, restored.err
    assert shell.tbpy("-C", "one", "server", "restore", "backup.tar", "--data", "two").code == 6
    with serving(tmp_path / "two", token="p.the-token-of-the-admin") as server:
        assert before <= server.count() <= after and server.count() % 2 == 0
        assert Server(server.process, server.url, "", apart).count() == 1
        assert server.deploy(FILES)["result"] == "no_changes"
        server.ask("/v0/events?name=events&wait=true", b'{"id": 3}')
    assert shell.tbpy("-C", "two", "server", "backup", "offline.tar").code == 0
    (tmp_path / "no.tar").write_text("nothing")
    assert shell.tbpy("-C", "two", "server", "restore", "no.tar", "--data", "three").code == 2


def test_https(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    openssl = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    try:
        subprocess.run([*openssl, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a certificate is made by openssl, which is not here")
    options = ("--tls-cert", str(certificate), "--tls-key", str(key))
    with serving(tmp_path / "data", *options, token="p.the-token-of-the-admin") as server:
        assert server.url.startswith("https://")
        server.deploy(FILES)
        assert server.count() == 0
        asked = Shell(tmp_path).tbpy("-C", "data", "query", "SELECT count() AS n FROM events", "--json")
        assert asked.code == 0 and '"n"' in asked.out, asked.err
    wrong = Shell(tmp_path).tbpy("-C", "data", "server", "--tls-cert", str(key), "--tls-key", str(certificate))
    assert wrong.code == 2 and "certificate" in wrong.err


def test_data_of_an_earlier_format(tmp_path: Path) -> None:
    with Workspace.open(tmp_path):
        pass
    database = tmp_path / ".tbpy" / "workspace.duckdb"

    def as_earlier(*statements: str) -> None:
        with DuckDBEngine(database) as engine:
            for statement in ("UPDATE tbpy.meta SET value = '1'", *statements):
                engine.run(statement)

    as_earlier("DROP TABLE tbpy.deployments")
    with Workspace.open(tmp_path) as workspace:
        assert workspace.live.id == 0
    as_earlier("INSERT INTO tbpy.datasources VALUES ('sums', 'AggregateFunction(quantiles(0.9), Int32)', 0)")
    with pytest.raises(ConflictError, match="sums: states of quantiles"):
        Workspace.open(tmp_path)
    as_earlier("UPDATE tbpy.meta SET value = '999'")
    with pytest.raises(ConflictError, match="another version"):
        Workspace.open(tmp_path)


def test_deployments_of_an_earlier_tbpy(tmp_path: Path) -> None:
    """They were in files beside the database."""
    folder = tmp_path / ".tbpy" / "deployments"
    for name, text in FILES.items():
        (folder / "4" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "4" / name).write_text(text)
    found = [{"id": number, "created": "2026-01-02T03:04:05", "live": number == 4, "details": {}} for number in (3, 4)]
    (folder / "deployments.json").write_text(json.dumps(found))
    with serving(tmp_path, token="p.the-token-of-the-admin") as server:
        assert server.count() == 0
        assert [one["id"] for one in server.ask("/v1/deployments")["deployments"]] == ["4"]
        changed = {**FILES, "endpoints/total.pipe": FILES["endpoints/total.pipe"].replace("count()", "count() + 1")}
        assert server.deploy(changed)["deployment"]["id"] == "5"
        assert server.count() == 1
        assert server.ask("/v1/deployments/4/rollback", b"")["deployment"]["live"]
    assert os.listdir(folder)
