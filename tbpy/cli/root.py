"""Where the project is: the folder that `--project` names, or the nearest one from here upward that holds datafiles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import typer

from tbpy.errors import UsageError

CONFIG_FILES = ("tinybird.config.json", "tinybird.json")
FOLDERS = ("datasources", "endpoints", "pipes", "materializations", "copies", "sinks", "connections")
SUFFIXES = (".datasource", ".pipe", ".connection")


def project_root(context: typer.Context) -> Path:
    """The root of the project that a command works on. Raises `UsageError` when there is none."""
    named: Path | None = context.find_root().obj.project
    if named is not None:
        return configured(existing(named))
    return find_root(Path.cwd())


def find_root(start: Path) -> Path:
    """A folder that says so wins over one that only looks like a project; the nearest wins over those above it."""
    above = [start, *start.parents]
    signed = next((folder for folder in above if says_so(folder)), None)
    likely = next((folder for folder in above if has_project_folders(folder)), None)
    found = nearest(signed, likely)
    if found is None and any(datafiles(start)):
        found = start
    if found is None:
        hint = "start one with `tbpy init NAME`, or name its folder: `tbpy --project FOLDER ...`"
        raise UsageError(f"no project in {start} or above it", hint=hint)
    return configured(found)


def says_so(folder: Path) -> bool:
    """A configuration file, or a workspace beside datafiles: `.tbpy` alone may be left of a project that moved."""
    if any((folder / name).exists() for name in CONFIG_FILES):
        return True
    return (folder / ".tbpy").is_dir() and any(datafiles(folder))


def nearest(*candidates: Path | None) -> Path | None:
    found = [folder for folder in candidates if folder is not None]
    return max(found, key=lambda folder: len(folder.parts)) if found else None


def existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise UsageError(f"no such folder: {folder}")
    return folder.resolve()


def configured(folder: Path) -> Path:
    """Tinybird's configuration may say that the datafiles are in a folder below."""
    for name in CONFIG_FILES:
        file = folder / name
        if file.is_file():
            try:
                settings = json.loads(file.read_text(encoding="utf-8"))
            except ValueError as error:
                raise UsageError(f"{file} is not JSON: {error}") from error
            below = settings.get("folder") if isinstance(settings, dict) else None
            return existing(folder / below) if isinstance(below, str) else folder
    return folder


def has_project_folders(folder: Path) -> bool:
    """One of the usual folders with datafiles in it, or two of them, which may be empty yet."""
    there = [folder / name for name in FOLDERS if (folder / name).is_dir()]
    return len(there) > 1 or any(next(datafiles(path, depth=0), None) for path in there)


def datafiles(folder: Path, *, depth: int = 1) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for pattern in ("*", "*/*")[: depth + 1]:
        yield from (file for file in folder.glob(pattern) if file.suffix in SUFFIXES)
