"""Rows that landed in a live table, noted for the deployments beside it that have another one.

A journal has the columns of the live table, and its rows in the order in which they came. It is only added to, so that
a row number says how far somebody has read it. Rows either landed, from outside, or were made by a materialized node.
"""

from __future__ import annotations

from collections.abc import Iterable

from tbpy.clickhouse.quoting import duckdb_name
from tbpy.engines import Session
from tbpy.workspace.catalogue import Catalogue
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.deployments.records import Deployment

_SCHEMA = "journal"
LANDED = "tbpy_landed"


def own_names(stored: Catalogue, live: Catalogue) -> frozenset[str]:
    """The data sources whose tables are not those of the live deployment."""
    return frozenset(
        name
        for name, found in stored.datasources.items()
        if name not in live.datasources or live.datasources[name].physical != found.physical
    )


def followed(follower: Deployment, live: Catalogue) -> frozenset[str]:
    """The live data sources whose new rows a deployment has to take over."""
    own = own_names(follower.stored, live)
    sources = {found.source for found in follower.stored.materializations if found.target in own}
    return frozenset((own | sources) & live.datasources.keys())


def journal(live: StoredDatasource) -> str:
    return f"{_SCHEMA}.{duckdb_name(live.physical)}"


def make_journals(session: Session, live: Catalogue, names: Iterable[str]) -> None:
    """Empty ones, for those of `names` that have none."""
    session.execute(f"CREATE SCHEMA IF NOT EXISTS {_SCHEMA}")
    for name in names:
        found = live.datasources[name]
        columns = ", ".join(column.ddl for column in found.columns)
        session.execute(f"CREATE TABLE IF NOT EXISTS {journal(found)} ({columns}, {LANDED} BOOLEAN)")


def drop_journals(session: Session, live: Catalogue, names: Iterable[str]) -> None:
    for name in names:
        session.execute(f"DROP TABLE IF EXISTS {journal(live.datasources[name])}")


def drop_other_journals(session: Session, kept: Iterable[StoredDatasource] = ()) -> None:
    """Drops all but those of the data sources `kept`."""
    named = session.rows(f"SELECT table_name FROM duckdb_tables() WHERE schema_name = '{_SCHEMA}'")
    for name in {name for (name,) in named} - {found.physical for found in kept}:
        session.execute(f"DROP TABLE {_SCHEMA}.{duckdb_name(name)}")


def note_rows(session: Session, live: StoredDatasource, after: int, *, landed: bool) -> None:
    """Notes the rows that this transaction inserted, those with a row number above `after`."""
    session.execute(f"INSERT INTO {journal(live)} SELECT *, {landed} FROM {live.table} WHERE rowid > {after}")


def length(session: Session, live: StoredDatasource) -> int:
    return int(session.value(f"SELECT count(*) FROM {journal(live)}"))
