"""Rows that take the place of others: of all of a data source, or of those that a condition is true for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from tbpy.clickhouse.compiler import CompiledQuery
from tbpy.engines import Session
from tbpy.workspace.catalogue import StoredMaterialization
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.flowing import fill, targets_in_order


def remove_rows(
    session: Session, datasource: StoredDatasource, condition: CompiledQuery | None, moment: datetime
) -> int:
    """Deletes the rows whose numbers `condition` answers, all rows without one; answers how many."""
    if condition is None:
        return int(session.value(f"DELETE FROM {datasource.table}"))
    session.register(condition.functions)
    parameters = {"now": moment} if condition.uses_now else None
    return int(session.value(f"DELETE FROM {datasource.table} WHERE rowid IN ({condition.sql})", parameters))


def refill_targets(
    session: Session,
    materializations: tuple[StoredMaterialization, ...],
    stored: Mapping[str, StoredDatasource],
    sources: Iterable[str],
    moment: datetime,
) -> None:
    """Makes anew what flows out of `sources`, for their rows are others than before."""
    changed = set(sources)
    for name in targets_in_order(materializations):
        feeding = [item for item in materializations if item.target == name]
        if changed.isdisjoint(item.source for item in feeding):
            continue
        session.execute(f"DELETE FROM {stored[name].table}")
        for materialization in feeding:
            fill(session, materialization, stored, moment)
        changed.add(name)
