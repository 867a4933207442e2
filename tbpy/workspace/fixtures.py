"""Fixtures: rows that a build puts into data sources, from `fixtures/<data source>.{ndjson,csv,parquet}`.

A copy of what was loaded stays in the schema `fixture`, so that a changed fixture takes the place of the old one and
leaves alone what else is in the data source.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tbpy.clickhouse.quoting import duckdb_name
from tbpy.engines import Session
from tbpy.project import Project
from tbpy.workspace.definitions import StoredDatasource

FOLDER = "fixtures"
SUFFIXES = (".ndjson", ".csv", ".parquet")
_SCHEMA = "fixture"


@dataclass(frozen=True, slots=True)
class Fixture:
    """`digest` is of the file's content."""

    datasource: str
    path: Path
    digest: str


def find_fixtures(project: Project) -> dict[str, Fixture]:
    """The fixtures of a project by data source; the first of the suffixes wins. Other files are left alone.

    Projects of Tinybird Classic have theirs in `datasources/fixtures`.
    """
    found: dict[str, Fixture] = {}
    folders = [project.root / "datasources" / FOLDER] if project.classic else []
    places = [folder for folder in (project.root / FOLDER, *folders) if folder.is_dir()]
    for name in project.all_datasources if places else ():
        files = (folder / f"{name}{suffix}" for folder in places for suffix in SUFFIXES)
        path = next((file for file in files if file.is_file()), None)
        if path is not None and path.stat().st_size:
            with path.open("rb") as file:
                found[name] = Fixture(name, path, hashlib.file_digest(file, "sha256").hexdigest())
    return found


def remember(session: Session, datasource: StoredDatasource, after: int) -> None:
    """Keeps a copy of the rows with a row number above `after`, which were loaded from the fixture."""
    session.execute(f"CREATE SCHEMA IF NOT EXISTS {_SCHEMA}")
    session.execute(f"CREATE TABLE {_copy(datasource)} AS SELECT * FROM {datasource.table} WHERE rowid > {after}")


def forget(session: Session, datasource: StoredDatasource) -> None:
    """Drops the copy of a fixture."""
    session.execute(f"DROP TABLE IF EXISTS {_copy(datasource)}")


def take_out(session: Session, datasource: StoredDatasource) -> None:
    """Removes the rows of the fixture from the data source, each as often as it was loaded, and its copy."""
    copy = copy_of(session, datasource)
    if copy is None:
        return
    rest = f"SELECT * FROM {datasource.table} EXCEPT ALL SELECT * FROM {copy}"
    session.execute(f"CREATE TEMP TABLE tbpy_rest AS {rest}")
    session.execute(f"DELETE FROM {datasource.table}")
    session.execute(f"INSERT INTO {datasource.table} SELECT * FROM temp.tbpy_rest")
    session.execute("DROP TABLE temp.tbpy_rest")
    session.execute(f"DELETE FROM {datasource.quarantine} WHERE c__import_id = $id", {"id": import_id(datasource.name)})
    forget(session, datasource)


def copy_of(session: Session, datasource: StoredDatasource) -> str | None:
    """The table with the rows of the fixture, None when none was loaded."""
    there = session.value(
        "SELECT count(*) FROM duckdb_tables() WHERE schema_name = $schema AND table_name = $name",
        {"schema": _SCHEMA, "name": datasource.physical},
    )
    return _copy(datasource) if there else None


def import_id(datasource: str) -> str:
    """What the rows of a fixture that go to quarantine have as their import."""
    return f"fixture:{datasource}"


def _copy(datasource: StoredDatasource) -> str:
    return f"{_SCHEMA}.{duckdb_name(datasource.physical)}"
