"""Which files of a folder are datafiles of the project.

Datafiles stand in the root or up to two folders below it (three levels, the default of `tb --max-depth`); the names of
those folders mean nothing. Data sources that other workspaces share are in `vendor/<workspace>/`. Source: recorded
behaviour of Tinybird's command-line tool, and public projects whose tests name pipes on the third level.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from tbpy.datafiles import Kind

_SUFFIXES = {f".{kind}": kind for kind in Kind}
_LEVELS = 3
_NO_DATAFILES = frozenset({"fixtures", "tests", "vendor", "node_modules"})


@dataclass(frozen=True, slots=True)
class Found:
    """One datafile: `file` is its path below the root with forward slashes, `workspace` the one that shares it."""

    kind: Kind
    path: Path
    file: str
    workspace: str | None = None

    @property
    def name(self) -> str:
        """The resource's name: the file's stem, which may hold dots."""
        stem = self.path.name.removesuffix(f".{self.kind}")
        return f"{self.workspace}.{stem}" if self.workspace else stem


def find_datafiles(root: Path) -> list[Found]:
    """All datafiles below a root, ordered by path, so that every run tells of them in the same order."""
    found = [_found(root, path) for path in _own(root, _LEVELS)]
    vendor = root / "vendor"
    if vendor.is_dir():
        for workspace in sorted(_folders(vendor)):
            found += [_found(root, path, workspace.name) for path in sorted(workspace.rglob("*.datasource"))]
    return sorted(found, key=lambda one: one.file)


def is_datafile_path(path: PurePath) -> bool:
    """Whether `find_datafiles` takes a file of this path, relative to the root, for one of the project's own."""
    *folders, name = path.parts
    if len(folders) >= _LEVELS or path.suffix not in _SUFFIXES or name.startswith("."):
        return False
    return all(folder not in _NO_DATAFILES and not folder.startswith(".") for folder in folders)


def _own(folder: Path, levels: int) -> Iterator[Path]:
    yield from _datafiles(folder)
    if levels == 1:
        return
    for below in _folders(folder):
        if below.name not in _NO_DATAFILES:
            yield from _own(below, levels - 1)


def _folders(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if not path.name.startswith(".") and path.is_dir())


def _datafiles(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.suffix in _SUFFIXES and path.is_file() and path.name[0] != ".")


def _found(root: Path, path: Path, workspace: str | None = None) -> Found:
    return Found(_SUFFIXES[path.suffix], path, path.relative_to(root).as_posix(), workspace)
