"""Clients in Python, against `tbpy dev`: each program of `programs/` fails when an answer is not what it wants."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import PROGRAMS, Serving, pip_install

# tinybird-sdk brings an old `tb` with pins of its own, so it has a folder of its own.
COMMON = ("verdin==0.5.3 tinybird-python-sdk==0.3.7 pytest-tinybird==0.5.0 httpx", "--no-deps mcp-tinybird==1.0.3")
CLIENTS = {
    "verdin_client": ("python", COMMON),
    "old_python_sdk": ("python", COMMON),
    "mcp_client": ("python", COMMON),
    "new_python_sdk": ("tinybird-sdk", ("tinybird-sdk==0.4.0",)),
}


@pytest.mark.parametrize("program", CLIENTS)
def test_client(program: str, dev: Serving, tmp_path: Path) -> None:
    name, steps = CLIENTS[program]
    run(dev, tmp_path, pip_install(name, *steps), str(PROGRAMS / f"{program}.py"))
    if program == "old_python_sdk":  # it sends and does not ask what became of it
        assert dev.eventually("SELECT count() AS n FROM events WHERE name = 'old'", 100)


def test_pytest_tinybird(dev: Serving, tmp_path: Path) -> None:
    """Its report of a test session arrives; the columns are its own, so all of it is in quarantine."""
    (tmp_path / "test_it.py").write_text("def test_it():\n    pass\n")
    packages = pip_install("python", *COMMON)
    before = dev.number("SELECT count() AS n FROM events_quarantine")
    environment = {"TINYBIRD_URL": dev.url, "TINYBIRD_DATASOURCE": "events", "TINYBIRD_TOKEN": dev.token}
    said = run(dev, tmp_path, packages, "-m", "pytest", "--report-to-tinybird", "-q", "test_it.py", **environment)
    assert "1 passed" in said
    assert dev.eventually("SELECT count() AS n FROM events_quarantine", before + 3)  # setup, call, teardown


def run(dev: Serving, folder: Path, packages: Path, *arguments: str, **variables: str) -> str:
    environment = os.environ | {"URL": dev.url, "TOKEN": dev.token, "PYTHONPATH": str(packages)} | variables
    for name in ("PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout
