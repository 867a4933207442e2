"""Rows on their way: what comes into a data source goes on through the materialized nodes that read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from tbpy.clickhouse.quoting import duckdb_name
from tbpy.engines import Session
from tbpy.workspace.catalogue import StoredMaterialization
from tbpy.workspace.definitions import StoredDatasource


def flow(
    session: Session,
    materializations: Sequence[StoredMaterialization],
    stored: Mapping[str, StoredDatasource],
    source: str,
    after: int,
    moment: datetime,
) -> None:
    """Sends the rows of `source` with a row number above `after`, of which there is one at least, through the nodes
    that read it, and on from there. As in ClickHouse, where nothing comes in no node runs."""
    for materialization in (found for found in materializations if found.source == source):
        target = stored[materialization.target]
        goes_on = any(found.source == target.name for found in materializations)
        before = last_row(session, target) if goes_on else -1
        rows = insert(session, materialization, target, after, moment)
        if goes_on and rows:
            flow(session, materializations, stored, target.name, before, moment)


def fill(
    session: Session, materialization: StoredMaterialization, stored: Mapping[str, StoredDatasource], moment: datetime
) -> int:
    """Runs one node over all that its source has; answers how many rows that made."""
    if last_row(session, stored[materialization.source]) < 0:
        return 0
    return insert(session, materialization, stored[materialization.target], -1, moment)


def insert(
    session: Session, materialization: StoredMaterialization, target: StoredDatasource, after: int, moment: datetime
) -> int:
    """Runs one node over the rows of its source with a row number above `after`; answers how many rows that made."""
    columns = ", ".join(duckdb_name(column) for column in materialization.columns)
    parameters: dict[str, object] = {"block": after}
    if materialization.uses_now:
        parameters["now"] = moment
    session.register(materialization.functions)
    return int(session.value(f"INSERT INTO {target.table} ({columns}) {materialization.sql}", parameters))


def reached(materializations: Sequence[StoredMaterialization], source: str) -> tuple[str, ...]:
    """The source itself and all data sources that its rows flow into."""
    names, waiting = {source: None}, [source]
    while waiting:
        name = waiting.pop()
        found = [item.target for item in materializations if item.source == name and item.target not in names]
        names.update(dict.fromkeys(found))
        waiting += found
    return tuple(names)


def empty_nulls(session: Session, stored: Mapping[str, StoredDatasource], names: Iterable[str]) -> None:
    """Takes the rows out of data sources of ENGINE Null: they have gone on through the nodes that read them."""
    for name in names:
        if name in stored and not stored[name].stores_rows:
            session.execute(f"DELETE FROM {stored[name].table}")


def last_row(session: Session, datasource: StoredDatasource) -> int:
    """The highest row number; rows that are inserted from now on have higher ones."""
    return int(session.value(f"SELECT coalesce(max(rowid), -1) FROM {datasource.table}"))


def targets_in_order(materializations: Sequence[StoredMaterialization]) -> tuple[str, ...]:
    """The targets, each after those whose rows flow into it."""
    order: dict[str, None] = {}

    def visit(target: str, above: frozenset[str]) -> None:
        for materialization in materializations:
            if materialization.target == target and materialization.source not in above:
                visit(materialization.source, above | {materialization.source})
        order.setdefault(target)

    targets = {materialization.target for materialization in materializations}
    for target in sorted(targets):
        visit(target, frozenset({target}))
    return tuple(name for name in order if name in targets)
