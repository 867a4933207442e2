"""The datafiles of deployments, in folders: what reads a project reads files. They can be written again at any time."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path

FOLDER = "deployments"
# Where an earlier tbpy kept its deployments.
_EARLIER = "deployments.json"


def folder_of(home: Path, number: int, files: Mapping[str, str]) -> Path:
    """The folder of a deployment with its files, written when it is not there. `home` is the folder `.tbpy`."""
    folder = home / FOLDER / str(number)
    if not folder.is_dir():
        shutil.rmtree(temporary := folder.with_suffix(".tmp"), ignore_errors=True)
        write_datafiles(temporary, files)
        temporary.rename(folder)
    return folder


def write_datafiles(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")


def read_datafiles(root: Path, names: Collection[str]) -> dict[str, str]:
    return {name: (root / name).read_text(encoding="utf-8") for name in names}


def remove_folder(home: Path, number: int) -> None:
    shutil.rmtree(home / FOLDER / str(number), ignore_errors=True)


def earlier_live(home: Path) -> tuple[int, datetime, dict[str, str]] | None:
    """Number, moment and files of what was live when tbpy kept deployments in files alone."""
    try:
        found = json.loads((home / FOLDER / _EARLIER).read_text(encoding="utf-8"))
        live = next(item for item in found if item["live"])
        folder = home / FOLDER / str(live["id"])
        names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
        return live["id"], datetime.fromisoformat(live["created"]), read_datafiles(folder, names)
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return None
