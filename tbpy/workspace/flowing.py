"""Rows on their way: what comes into a data source goes on through the materialized nodes that read it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from tbpy.clickhouse.quoting import duckdb_name
from tbpy.engines import Session
from tbpy.workspace.catalogue import StoredMaterialization
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.deployments.journal import note_rows

_PROBE = "tbpy_probe"
# A constant of the database, asked for once.
_first: int | None = None


def flow(
    session: Session,
    materializations: Sequence[StoredMaterialization],
    stored: Mapping[str, StoredDatasource],
    source: str,
    after: int,
    moment: datetime,
    journaled: Collection[str] = (),
    rows: int | None = None,
) -> None:
    """Sends the rows of `source` with a row number above `after`, of which there is one at least, through the nodes
    that read it, and on from there. As in ClickHouse, where nothing comes in no node runs.

    What comes into the data sources `journaled` is noted in their journals. `rows` is how many there are at most.
    """
    for materialization in (found for found in materializations if found.source == source):
        target = stored[materialization.target]
        goes_on = any(found.source == target.name for found in materializations)
        before = last_row(session, target) if goes_on or target.name in journaled else -1
        made = insert(session, materialization, target, after, moment, rows)
        if target.name in journaled:
            note_rows(session, target, before, landed=False)
        if goes_on and made:
            flow(session, materializations, stored, target.name, before, moment, journaled, made)


def fill(
    session: Session, materialization: StoredMaterialization, stored: Mapping[str, StoredDatasource], moment: datetime
) -> int:
    """Runs one node over all that its source has; answers how many rows that made."""
    if not has_rows(session, stored[materialization.source]):
        return 0
    return insert(session, materialization, stored[materialization.target], -1, moment)


def insert(
    session: Session,
    materialization: StoredMaterialization,
    target: StoredDatasource,
    after: int,
    moment: datetime,
    rows: int | None = None,
) -> int:
    """Runs one node over the rows of its source with a row number above `after`; answers how many rows that made.

    `rows` is how many there are at most.
    """
    columns = ", ".join(duckdb_name(column) for column in materialization.columns)
    session.register(materialization.functions)
    sql = f"INSERT INTO {target.table} ({columns}) {materialization.sql_for(rows)}"
    now = {"now": moment} if materialization.uses_now else {}
    if after >= 0 and after == first_of_transaction(session) - 1:
        # The usual case, which comes again and again: planned once, with the number in it, by which rows are found.
        literals = [f"TIMESTAMP '{value:%Y-%m-%d %H:%M:%S.%f}'" for value in now.values()]
        return int(session.prepared_value(sql.replace("$block", str(after)).replace("$now", "$1"), literals))
    return int(session.value(sql, {"block": after, **now}))


def over_block(
    materialization: StoredMaterialization, source: StoredDatasource, relation: str, end: int | None = None
) -> StoredMaterialization:
    """The node over the rows of `relation`, which has the columns of its source, in place of those of `source`: with
    row numbers above `$block`, and below `end`."""
    block = f"FROM {source.table} WHERE rowid > $block"
    assert block in materialization.sql, "a materialized node reads a block of its source"
    until = "" if end is None else f" AND rowid < {end}"
    return materialization.rewritten(lambda sql: sql.replace(block, f"FROM {relation} WHERE rowid > $block{until}"))


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
    """A row number below those of all rows that this transaction inserts from now on, and not below any other.

    The rows of a transaction have numbers of their own, higher than those of all stored ones: only they are looked
    at, for the highest number of a big table takes long to find.
    """
    first = first_of_transaction(session)
    last = session.value(f"SELECT max(rowid) FROM {datasource.table} WHERE rowid >= {first}")
    return first - 1 if last is None else int(last)


def first_of_transaction(session: Session) -> int:
    """The number that the first row which an open transaction inserts into a table has, until it is committed."""
    global _first
    if _first is None:
        session.execute(f"CREATE OR REPLACE TEMP TABLE {_PROBE} (stored BOOLEAN)")
        session.execute(f"INSERT INTO temp.{_PROBE} VALUES (true)")
        _first = int(session.value(f"SELECT min(rowid) FROM temp.{_PROBE}"))
        session.execute(f"DROP TABLE temp.{_PROBE}")
        assert _first > 0, "rows are numbered in a transaction only"
    return _first


def has_rows(session: Session, datasource: StoredDatasource) -> bool:
    return bool(session.value(f"SELECT EXISTS (FROM {datasource.table})"))


def targets_in_order(
    materializations: Sequence[StoredMaterialization], reads: Mapping[str, Iterable[str]] | None = None
) -> tuple[str, ...]:
    """The targets, each after those whose rows flow into it, and where it can be after those that its nodes look up.

    `reads` has the data sources that a pipe reads in any place, by the name of the pipe.
    """
    order: dict[str, None] = {}

    def visit(target: str, above: frozenset[str]) -> None:
        for materialization in materializations:
            if materialization.target == target:
                for source in (materialization.source, *(reads or {}).get(materialization.pipe, ())):
                    if source not in above:
                        visit(source, above | {source})
        order.setdefault(target)

    targets = {materialization.target for materialization in materializations}
    for target in sorted(targets):
        visit(target, frozenset({target}))
    return tuple(name for name in order if name in targets)
