"""The project that `tbpy init` starts from, and the copy of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import tbpy
from tbpy.errors import UsageError

# The files for each service that runs tests and deployments.
CICD = {"github": (".github/workflows/tbpy.yml",), "gitlab": (".gitlab-ci.yml",)}
CICD_CHOICES = ("all", *CICD, "none")
FOLDERS = ("connections", "copies", "datasources", "endpoints", "fixtures", "materializations", "pipes", "tests")


@dataclass(frozen=True, slots=True)
class Created:
    """A new project: its folder, and its files relative to it."""

    project: Path
    files: tuple[str, ...]


def template_folder() -> Path:
    """Inside the package when installed from a wheel, beside it in a source checkout."""
    package = Path(tbpy.__file__).parent
    inside = package / "project_template"
    return inside if inside.is_dir() else package.parent / "project_template"


def create_project(folder: Path, *, empty: bool = False, cicd: str = "all") -> Created:
    """Make `folder` a project. Raises `UsageError` when it is a file or has anything in it."""
    if cicd not in CICD_CHOICES:
        raise UsageError(f"unknown --cicd {cicd}", hint=f"it is {', '.join(CICD_CHOICES)}")
    check_free(folder)
    shutil.copytree(template_folder(), folder, dirs_exist_ok=True, ignore=_empty if empty else _leftovers)
    if empty:
        for name in FOLDERS:
            (folder / name).mkdir()
    for service, files_of_it in CICD.items():
        if cicd not in ("all", service):
            _remove(folder, files_of_it)
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return Created(folder.resolve(), tuple(files))


def check_free(folder: Path) -> None:
    if folder.is_file():
        raise UsageError(f"{folder} is a file", hint="give the new project another name")
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty", hint="give the new project another name, or empty the folder first")


def _remove(folder: Path, files: Iterable[str]) -> None:
    """With the folders that are empty then."""
    for name in files:
        path = folder / name
        path.unlink()
        for parent in path.relative_to(folder).parents[:-1]:
            (folder / parent).rmdir()


def _empty(folder: str, names: Iterable[str]) -> set[str]:
    """What an empty project does not have: all that has no dot before its name, at the top."""
    return {name for name in names if name[0] != "."} if Path(folder) == template_folder() else set()


def _leftovers(_: str, names: Iterable[str]) -> set[str]:
    return {name for name in names if name in (".tbpy", "__pycache__", ".DS_Store")}
