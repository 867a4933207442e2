"""Clients in JavaScript, against `tbpy dev`: each program of `programs/` fails when an answer is not what it wants."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import PROGRAMS, Serving, npm_install


@pytest.mark.parametrize("program", ["sdk", "zod_bird", "mockingbird"])
def test_client(program: str, dev: Serving, tmp_path: Path) -> None:
    modules = npm_install("javascript", PROGRAMS / "package.json") / "node_modules"
    (tmp_path / "node_modules").symlink_to(modules)
    shutil.copy(PROGRAMS / f"{program}.mjs", tmp_path)
    environment = os.environ | {"URL": dev.url, "TOKEN": dev.token, "SDK": str(modules / "@tinybirdco" / "sdk")}
    done = subprocess.run(
        ["node", f"{program}.mjs"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    if program == "mockingbird":
        assert dev.eventually("SELECT count() AS n FROM events WHERE id >= 1000", 5)
