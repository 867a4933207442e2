"""Published clients, installed beside the environment of the tests, and a `tbpy dev` and a `tbpy server` for them.

What a client needs is installed once, into `clients/` of the environment. Where that is not possible (no package index,
no Node.js) its tests are skipped with the reason: tbpy itself needs only Python.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.projects import COUNTED_EVENTS, write_files

CACHE = Path(sys.prefix) / "clients"
PROGRAMS = Path(__file__).parent / "programs"
TOKEN = "p.the-admin-token-of-a-server"
_INSTALL_SECONDS = 300

FILES = {
    **COUNTED_EVENTS,
    "endpoints/top.pipe": """
        TOKEN dashboard READ
        NODE answer
        SQL >
            %
            SELECT id, name FROM events
            WHERE id >= {{Int32(least, 0)}} {% if defined(names) %} AND name IN {{Array(names, 'String')}} {% end %}
            ORDER BY id

        TYPE endpoint
        """,
    "fixtures/events.ndjson": """
        {"id": 1, "name": "a"}
        {"id": 2, "name": "b"}
        """,
    "tests/top.yaml": """
        - name: from_two_on
          description: A parameter
          parameters: least=2
          expected_result: |
            {"id":2,"name":"b"}
        - name: wrong
          description: What is no number
          parameters: least=x
          expected_result: 'Template Syntax Error: Error validating ''x'' to type Int32'
          expected_http_status: 400
        """,
}


def write_project(root: Path, *, without: Sequence[str] = ()) -> Path:
    return write_files(root, {name: text for name, text in FILES.items() if not name.startswith(tuple(without))})


@dataclass(frozen=True)
class Serving:
    """A server that runs, with the token of its admin."""

    url: str
    token: str
    root: Path

    @property
    def port(self) -> str:
        return self.url.rpartition(":")[2]

    def get(self, path: str) -> Any:
        return self._answer(Request(f"{self.url}{path}", headers={"Authorization": f"Bearer {self.token}"}))

    def number(self, sql: str) -> int:
        """The column `n` of the only row that a query answers."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "text/plain"}
        number: int = self._answer(Request(f"{self.url}/v0/sql", f"{sql} FORMAT JSON".encode(), headers))["data"][0][
            "n"
        ]
        return number

    def eventually(self, sql: str, wanted: int) -> bool:
        """Whether a query comes to that number; clients that do not wait are not waited for."""
        deadline = time.monotonic() + 5
        while (found := self.number(sql)) != wanted:
            assert time.monotonic() < deadline, found
            time.sleep(0.02)
        return True

    def _answer(self, request: Request) -> Any:
        with urlopen(request) as answer:
            return json.load(answer)


@contextmanager
def serving(root: Path, *command: str, **variables: str) -> Iterator[str]:
    """The address of a `tbpy dev` or `tbpy server`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tbpy.cli.main", "-C", str(root), *command, "--port", "0"],
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        yield next(line for line in process.stderr if line.startswith("Serving")).split()[-1]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def pip_install(name: str, *steps: str) -> Path:
    """A folder for PYTHONPATH with packages in it; each step is what one call of pip is asked for."""

    def install(folder: Path) -> None:
        for step in steps:
            pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-warn-conflicts"]
            _run([*pip, "--target", str(folder), "--upgrade", *step.split()])

    return _installed(name, "\n".join((*steps, sys.version)), install)


def npm_install(name: str, manifest: Path) -> Path:
    """A folder with `node_modules` of a package.json."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node.js is not installed")

    def install(folder: Path) -> None:
        shutil.copy(manifest, folder / "package.json")
        _run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--prefix", str(folder)], folder)

    return _installed(name, manifest.read_text(), install)


def _installed(name: str, wanted: str, install: Callable[[Path], None]) -> Path:
    """Installs into an empty folder, once for what is wanted; processes wait for each other."""
    folder, digest = CACHE / name, hashlib.sha256(wanted.encode()).hexdigest()
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / "installed"
        if not done.exists() or done.read_text() != digest:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            install(folder)
            done.write_text(digest)
    return folder


def _run(command: list[str], folder: Path | None = None) -> None:
    """Skips the test when the installer fails: the index may be out of reach, or lack a version."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{command[0]} did not finish in {_INSTALL_SECONDS} s")
    if done.returncode:
        pytest.skip(f"cannot be installed here: {done.stderr.strip().splitlines()[-1:]}")


@pytest.fixture(scope="session")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A developer's server. It has no fixtures, so that clients find only what they send."""
    root = write_project(tmp_path_factory.mktemp("dev"), without=["fixtures/"])
    with serving(root, "dev") as url, urlopen(f"{url}/tokens") as answer:
        yield Serving(url, json.load(answer)["workspace_admin_token"], root)
