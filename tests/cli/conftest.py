"""Real processes: each command is typed as a person would, and what it prints and its exit code are looked at."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


def environment() -> dict[str, str]:
    """That of a person: no colours in a file, no tracebacks, and modules compiled once."""
    kept = {name: value for name, value in os.environ.items() if name not in ("TBPY_DEBUG", "PYTHONDONTWRITEBYTECODE")}
    cache = os.environ.get("PYTHONPYCACHEPREFIX", str(Path(tempfile.gettempdir()) / "tbpy-pycache"))
    return {**kept, "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8", "PYTHONPYCACHEPREFIX": cache}


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Shell:
    """A shell in a folder; only `tbpy` is typed in it."""

    folder: Path

    def tbpy(self, *arguments: str, stdin: str = "", cwd: str = ".") -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "tbpy.cli.main", *arguments],
            cwd=self.folder / cwd,
            env=environment(),
            input=stdin.encode(),
            capture_output=True,
            timeout=120,
        )
        ran = Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert "Traceback" not in ran.err, ran.err
        return ran

    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """In an empty folder."""
    return Shell(tmp_path)


@pytest.fixture(scope="session")
def built_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shell = Shell(tmp_path_factory.mktemp("template"))
    assert shell.tbpy("init", "cltv").code == 0
    assert shell.tbpy("build", cwd="cltv").code == 0
    return shell.folder / "cltv"


@pytest.fixture
def cltv(built_template: Path, tmp_path: Path) -> Shell:
    """In a built copy of the template."""
    return Shell(shutil.copytree(built_template, tmp_path / "cltv"))
