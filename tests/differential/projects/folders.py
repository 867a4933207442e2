"""Which folders below a folder are projects, and copies of them that can be built."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from tbpy.cli.root import datafiles, has_project_folders
from tbpy.project import Project, load_project

_NO_PROJECTS = frozenset({"node_modules", "fixtures", "vendor"})
_ROUNDS = 5


def project_roots(folder: Path) -> Iterator[Path]:
    """The outermost folders with datafiles in them or in one of the usual folders below."""
    if has_project_folders(folder) or next(datafiles(folder, depth=0), None):
        yield folder
        return
    for below in sorted(folder.iterdir()):
        if below.is_dir() and not below.is_symlink() and below.name[0] != "." and below.name not in _NO_PROJECTS:
            yield from project_roots(below)


def copied(root: Path, target: Path) -> Path:
    """A copy without what other builds left there."""
    return shutil.copytree(root, target, ignore=shutil.ignore_patterns(".tbpy", "node_modules", ".git"))


def without_mistakes(root: Path) -> tuple[Project, dict[str, str]]:
    """The project without its files that have mistakes, which are deleted; those by name with the first mistake.

    Files that need the deleted ones go, too, so that the rest can be built.
    """
    left_out: dict[str, str] = {}
    project = load_project(root)
    for _ in range(_ROUNDS):
        if not project.errors:
            break
        for mistake in project.errors:
            left_out.setdefault(mistake.file or "", f"{mistake.code}: {mistake.message}")
            (root / (mistake.file or "")).unlink(missing_ok=True)
        project = load_project(root)
    return project, left_out
