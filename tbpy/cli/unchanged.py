"""Knowing that nothing changed since the last build, without reading a single datafile.

The stamp of a build is kept beside the database: a digest of the name, size and modification time of every file that
a build reads. It is gone while a build runs, so a build that was killed is not taken for one that was finished.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import tbpy
from tbpy.cli.root import SUFFIXES
from tbpy.cli.secrets import FILES as SECRETS

DEPTH = 3
SKIPPED = ("node_modules", "__pycache__")


class Stamp:
    """The stamp of the project at `root`. It speaks of the moment it was made."""

    def __init__(self, root: Path) -> None:
        self._file = root / ".tbpy" / "built"
        self._database = root / ".tbpy" / "workspace.duckdb"
        self._text = digest(root)

    def holds(self) -> bool:
        """Whether the last build was of exactly these files."""
        try:
            return self._database.exists() and self._file.read_text(encoding="ascii") == self._text
        except OSError:
            return False

    def take_off(self) -> None:
        self._file.unlink(missing_ok=True)

    def put_on(self) -> None:
        self._file.write_text(self._text, encoding="ascii")


def digest(root: Path) -> str:
    import hashlib

    found = hashlib.sha256(f"{tbpy.__version__} {Path(tbpy.__file__).stat().st_mtime_ns}".encode())
    for file in sorted(build_files(root)):
        state = file.stat()
        found.update(f"\n{file.relative_to(root)} {state.st_size} {state.st_mtime_ns}".encode())
    return found.hexdigest()


def build_files(root: Path) -> Iterator[Path]:
    """Datafiles as deep as projects have them, fixtures, and secrets."""
    for folder, folders, names in os.walk(root):
        path = Path(folder)
        depth = len(path.relative_to(root).parts)
        folders[:] = [name for name in folders if depth < DEPTH and name[0] != "." and name not in SKIPPED]
        fixtures = path.name == "fixtures"
        for name in names:
            if fixtures or name.endswith(SUFFIXES) or name in SECRETS:
                yield path / name
