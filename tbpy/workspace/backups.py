"""The data of workspaces in one file, as it is at one moment, while others read and write.

It is a tar file with the folder `.tbpy`: the database, tokens and secrets of the workspace, and below it those of the
workspaces apart. Its owner alone may read it.
"""

from __future__ import annotations

import os
import tarfile
import uuid
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tbpy.clickhouse.quoting import duckdb_name, duckdb_string
from tbpy.errors import ConflictError, UsageError
from tbpy.workspace.state import FOLDER

if TYPE_CHECKING:
    from tbpy.engines import DuckDBEngine
    from tbpy.workspace.workspace import Workspace

DATABASE = "workspace.duckdb"
# What is beside the database: small files that are only ever replaced as a whole.
_BESIDE = ("tokens.json", "variables.json", "../name")


def copy_database(engine: DuckDBEngine, target: Path) -> None:
    """`target` must not be there. Rows keep their order, and with it what is known of how they are stored."""
    alias = duckdb_name(f"backup_{uuid.uuid4().hex}")
    with engine.session() as session:
        source = duckdb_name(str(session.value("SELECT current_database()")))
        session.execute(f"ATTACH {duckdb_string(str(target))} AS {alias}")
        try:
            session.execute(f"COPY FROM DATABASE {source} TO {alias}")
        finally:
            session.execute(f"DETACH {alias}")


def write_backup(path: Path, workspaces: Mapping[str, Workspace]) -> None:
    """Writes workspaces by the place of their folder below the first one's, which is the empty text.

    The file is there whole or not at all. Raises `ConflictError` when there is one already.
    """
    if path.exists():
        raise ConflictError(f"{path} is there already", hint="name another file for the backup")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        with os.fdopen(os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            with tarfile.open(fileobj=file, mode="w") as archive:
                for place, workspace in workspaces.items():
                    _add(archive, PurePosixPath(place) / FOLDER, workspace, temporary.parent)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)


def restore_backup(path: Path, root: Path) -> None:
    """Makes the workspace of a backup that of the folder `root`.

    Raises `UsageError` for what is no backup, `ConflictError` when `root` has a workspace.
    """
    if (root / FOLDER / DATABASE).exists():
        raise ConflictError(f"{root} has a workspace already", hint="name another folder with --data")
    root.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryDirectory(dir=root, prefix=".restoring-") as folder, tarfile.open(path) as archive:
            archive.extractall(folder, filter="data")
            found = Path(folder) / FOLDER
            if not (found / DATABASE).is_file():
                raise UsageError(f"{path} is no backup of a workspace")
            (root / FOLDER).mkdir(exist_ok=True)
            for item in found.iterdir():
                item.rename(root / FOLDER / item.name)
    except (tarfile.TarError, OSError) as error:
        raise UsageError(f"{path} cannot be restored: {error}") from error


def _add(archive: tarfile.TarFile, place: PurePosixPath, workspace: Workspace, scratch: Path) -> None:
    with TemporaryDirectory(dir=scratch, prefix=".backup-") as folder:
        workspace.copy_database(copy := Path(folder) / DATABASE)
        archive.add(copy, str(place / DATABASE))
    for name in _BESIDE:
        if (file := workspace.home / name).is_file():
            archive.add(file, str(place.parent / "name" if name == "../name" else place / name))
