"""Small projects in a folder, and workspaces over them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tbpy.project import load_project
from tbpy.workspace import BuildReport, Workspace

NOW = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


class Folder:
    """Writes datafiles, and builds what is in the folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def datasource(self, name: str, columns: str, rest: str = 'ENGINE "MergeTree"\n') -> None:
        body = ",\n".join(f"    {column.strip()}" for column in columns.split(";"))
        self.write(f"datasources/{name}.datasource", f"SCHEMA >\n{body}\n\n{rest}")

    def pipe(self, name: str, sql: str, rest: str = "TYPE endpoint\n") -> None:
        self.write(f"pipes/{name}.pipe", f"NODE {name}_node\nSQL >\n    {sql}\n\n{rest}")

    def open(self) -> Workspace:
        return Workspace.open(self.root, clock=lambda: NOW)

    def build(self, workspace: Workspace) -> BuildReport:
        return workspace.build(load_project(self.root))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def workspace(folder: Folder) -> Iterator[Workspace]:
    with folder.open() as workspace:
        yield workspace
