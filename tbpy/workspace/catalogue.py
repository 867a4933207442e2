"""What is built, kept in the database beside the data, so that a build is one transaction.

| table of the schema `tbpy` | rows |
| --- | --- |
| meta | `format`: the version of this layout |
| resources | fingerprint of every resource of the project that was built |
| datasources | definition of every data source, and how many of its rows are stored in order |
| materializations | compiled materialized nodes, in the order to run them |
| fixtures | digest of the fixture file that was loaded into a data source |
| jobs | what was done on its own, such as copies, and how it ended |
| paused | copy pipes whose schedule is paused |
| deployments | what was deployed, and what is stored for each that is kept beside the live one (see `deployments`) |
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from tbpy.engines import Session
from tbpy.workspace.definitions import QUARANTINE_SCHEMA, StoredDatasource, from_data, from_json, to_json

FORMAT = 2
_FEW_ROWS = 1000  # for which nodes have SQL of their own

_DDL = (
    "CREATE SCHEMA IF NOT EXISTS tbpy",
    f"CREATE SCHEMA IF NOT EXISTS {QUARANTINE_SCHEMA}",
    "CREATE TABLE tbpy.meta (name VARCHAR, value VARCHAR)",
    "CREATE TABLE tbpy.resources (key VARCHAR, fingerprint VARCHAR)",
    "CREATE TABLE tbpy.datasources (name VARCHAR, definition VARCHAR, sorted_rows BIGINT)",
    "CREATE TABLE tbpy.materializations (place INTEGER, definition VARCHAR)",
    "CREATE TABLE tbpy.fixtures (datasource VARCHAR, digest VARCHAR)",
    f"INSERT INTO tbpy.meta VALUES ('format', '{FORMAT}')",
)


@dataclass(frozen=True, slots=True)
class StoredMaterialization:
    """A materialized node: `sql` reads the rows of `source` with a row number above `$block`.

    `few_sql` does the same, sooner where these are few rows; it is empty where nothing does.

    `source` and `target` are names of data sources; `columns` are the target's columns that it fills, by position.
    """

    pipe: str
    node: str
    source: str
    target: str
    columns: tuple[str, ...]
    sql: str
    uses_now: bool = False
    functions: tuple[str, ...] = ()
    few_sql: str = ""

    def sql_for(self, rows: int | None) -> str:
        """The SQL for at most so many rows; None when nobody counted them."""
        return self.few_sql if self.few_sql and rows is not None and rows <= _FEW_ROWS else self.sql

    def rewritten(self, rewrite: Callable[[str], str]) -> StoredMaterialization:
        return replace(self, sql=rewrite(self.sql), few_sql=rewrite(self.few_sql))


@dataclass(frozen=True)
class Catalogue:
    """All of it, as it was when it was read."""

    fingerprints: Mapping[str, str] = field(default_factory=dict)
    datasources: Mapping[str, StoredDatasource] = field(default_factory=dict)
    sorted_rows: Mapping[str, int] = field(default_factory=dict)
    materializations: tuple[StoredMaterialization, ...] = ()
    fixtures: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the data sources, in order."""
        return tuple(sorted(self.datasources))

    @cached_property
    def functions(self) -> frozenset[str]:
        """The Python functions that rows on their way in may need."""
        of_defaults = (name for datasource in self.datasources.values() for name in datasource.functions)
        of_nodes = (name for materialization in self.materializations for name in materialization.functions)
        return frozenset((*of_defaults, *of_nodes))


def prepare(session: Session) -> None:
    """Makes the catalogue where there is none, upgrades an older one. Raises `ConflictError` when it cannot."""
    if not session.value("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'tbpy' AND table_name = 'meta'"):
        with session.transaction():
            for statement in _DDL:
                session.execute(statement)
    session.execute("CREATE TABLE IF NOT EXISTS tbpy.paused (pipe VARCHAR)")
    version = int(session.value("SELECT value FROM tbpy.meta WHERE name = 'format'"))
    if version != FORMAT:
        from tbpy.workspace.upgrading import upgrade

        upgrade(session, version, FORMAT)


def read(session: Session) -> Catalogue:
    stored = session.rows("SELECT name, definition, sorted_rows FROM tbpy.datasources")
    return Catalogue(
        dict(session.rows("SELECT key, fingerprint FROM tbpy.resources")),
        {name: from_json(definition) for name, definition, _ in stored},
        {name: rows for name, _, rows in stored},
        tuple(
            _materialization(json.loads(text))
            for (text,) in session.rows("SELECT definition FROM tbpy.materializations ORDER BY place")
        ),
        read_fixtures(session),
    )


def write_fingerprints(session: Session, fingerprints: Mapping[str, str]) -> None:
    session.execute("DELETE FROM tbpy.resources")
    session.execute(
        "INSERT INTO tbpy.resources SELECT unnest($keys), unnest($marks)",
        {"keys": list(fingerprints), "marks": list(fingerprints.values())},
    )


def write_datasource(session: Session, datasource: StoredDatasource, sorted_rows: int = 0) -> None:
    forget_datasource(session, datasource.name)
    session.execute(
        "INSERT INTO tbpy.datasources VALUES ($name, $definition, $sorted)",
        {"name": datasource.name, "definition": to_json(datasource), "sorted": sorted_rows},
    )


def forget_datasource(session: Session, name: str) -> None:
    session.execute("DELETE FROM tbpy.datasources WHERE name = $name", {"name": name})


def sorted_rows(session: Session, name: str) -> int:
    return int(session.value("SELECT sorted_rows FROM tbpy.datasources WHERE name = $name", {"name": name}))


def write_sorted_rows(session: Session, name: str, rows: int) -> None:
    session.execute("UPDATE tbpy.datasources SET sorted_rows = $rows WHERE name = $name", {"rows": rows, "name": name})


def write_materializations(session: Session, found: Sequence[StoredMaterialization]) -> None:
    session.execute("DELETE FROM tbpy.materializations")
    for place, materialization in enumerate(found):
        session.execute(
            "INSERT INTO tbpy.materializations VALUES ($place, $definition)",
            {"place": place, "definition": json.dumps(asdict(materialization))},
        )


def read_fixtures(session: Session) -> dict[str, str]:
    """The digests by data source."""
    return dict(session.rows("SELECT datasource, digest FROM tbpy.fixtures"))


def write_fixture(session: Session, datasource: str, digest: str | None) -> None:
    """None forgets the fixture."""
    session.execute("DELETE FROM tbpy.fixtures WHERE datasource = $name", {"name": datasource})
    if digest is not None:
        session.execute("INSERT INTO tbpy.fixtures VALUES ($name, $digest)", {"name": datasource, "digest": digest})


def _materialization(data: Mapping[str, Any]) -> StoredMaterialization:
    return StoredMaterialization(**{**data, "columns": tuple(data["columns"]), "functions": tuple(data["functions"])})


def paused_pipes(session: Session) -> frozenset[str]:
    return frozenset(name for (name,) in session.rows("SELECT pipe FROM tbpy.paused"))


def to_document(stored: Catalogue) -> dict[str, Any]:
    """As JSON, without fixtures: those are of the one catalogue that is built in place."""
    return {
        "fingerprints": dict(stored.fingerprints),
        "datasources": {name: asdict(found) for name, found in stored.datasources.items()},
        "sorted_rows": dict(stored.sorted_rows),
        "materializations": [asdict(found) for found in stored.materializations],
    }


def from_document(document: Mapping[str, Any]) -> Catalogue:
    """What `to_document` was given."""
    return Catalogue(
        document["fingerprints"],
        {name: from_data(data) for name, data in document["datasources"].items()},
        document["sorted_rows"],
        tuple(map(_materialization, document["materializations"])),
    )


def write(session: Session, stored: Catalogue) -> None:
    """Makes `stored` the catalogue; what is known of fixtures goes."""
    write_fingerprints(session, stored.fingerprints)
    session.execute("DELETE FROM tbpy.datasources")
    for name, datasource in stored.datasources.items():
        write_datasource(session, datasource, stored.sorted_rows.get(name, 0))
    write_materializations(session, stored.materializations)
    session.execute("DELETE FROM tbpy.fixtures")


def write_paused(session: Session, pipe: str, paused: bool) -> None:
    session.execute("DELETE FROM tbpy.paused WHERE pipe = $pipe", {"pipe": pipe})
    if paused:
        session.execute("INSERT INTO tbpy.paused VALUES ($pipe)", {"pipe": pipe})
