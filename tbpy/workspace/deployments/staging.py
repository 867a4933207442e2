"""What a project needs beside what is live: the tables that must be made, and how they are filled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tbpy.clickhouse.quoting import duckdb_name
from tbpy.engines import Session
from tbpy.errors import Diagnostic, DiagnosticsError
from tbpy.project import Plan, Project, plan
from tbpy.workspace.catalogue import Catalogue, StoredMaterialization, sorted_rows
from tbpy.workspace.conversions import Conversion
from tbpy.workspace.defining import define
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.flowing import empty_nulls, fill, has_rows, targets_in_order
from tbpy.workspace.ingest.quarantine import Import
from tbpy.workspace.materializing import compile_all, fills_as_before
from tbpy.workspace.migration import (
    carry,
    carry_quarantine,
    conversion,
    create,
    dropped_columns,
    foresee,
    forward_conversion,
)
from tbpy.workspace.reports import BuildReport, Migrated
from tbpy.workspace.sorting import count_rows, rewrite_sorted

# Tables that a deployment made for itself: their plain name and its number.
_OWN = re.compile(r'"((?:[^"]|"")+)@\d+"')

# The rows of a row group.
_PIECE = 122_880


@dataclass(frozen=True)
class Staged:
    """One deployment to be made of `project`.

    `made` are the data sources that get tables of their own, `refilled` those of them that materialized nodes are run
    for, each after what it reads; `conversions` are those of FORWARD_QUERYs.
    """

    number: int
    project: Project
    todo: Plan
    stored: Catalogue
    made: tuple[str, ...]
    refilled: tuple[str, ...]
    conversions: Mapping[str, Conversion]
    warnings: tuple[Diagnostic, ...]

    @property
    def functions(self) -> tuple[str, ...]:
        """The Python functions that filling it calls."""
        names = set(self.stored.functions)
        for name in self.made:
            names.update(self.stored.datasources[name].merge_functions)
        for how in self.conversions.values():
            names.update(how.functions)
        return tuple(sorted(names))


def stage(session: Session, project: Project, live: Catalogue, number: int) -> Staged:
    """What `project` needs as deployment `number`; nothing is changed. Raises `DiagnosticsError` for its mistakes."""
    if project.errors:
        raise DiagnosticsError(project.diagnostics)
    defined = define(project)
    plain, warnings = compile_all(project, defined)
    changed = [name for name, found in defined.items() if not _fits(live.datasources.get(name), found)]
    fed = _fed_differently(session, project, live, defined, plain)
    refilled = [name for name, anew in fed.items() if anew]
    made = tuple(name for name in defined if name in changed or name in fed)
    datasources = {
        name: replace(found, physical=f"{found.physical}@{number}" if name in made else live.datasources[name].physical)
        for name, found in defined.items()
    }
    conversions = {}
    for name in made:
        old = live.datasources.get(name)
        if old is not None:
            forward = forward_conversion(project, project.datasources[name], old, datasources[name])
            conversions.update({} if forward is None else {name: forward})
    return Staged(
        number,
        project,
        plan(live.fingerprints, project),
        Catalogue(project.fingerprints, datasources, live.sorted_rows, compile_all(project, datasources)[0]),
        made,
        tuple(name for name in refilled if name not in conversions),
        conversions,
        (*project.diagnostics, *warnings),
    )


def make_tables(session: Session, staged: Staged) -> None:
    for name in staged.made:
        create(session, staged.stored.datasources[name])


def fill_tables(
    session: Session, staged: Staged, live: Catalogue, moment: datetime
) -> tuple[BuildReport, dict[str, int]]:
    """Moves what is live into the tables that were made. Answers what that did, and how many rows each has."""
    moved = [_migrate(session, staged, live, name, moment) for name in staged.made if name in live.datasources]
    migrated = {what.datasource: what for what in moved if what is not None}
    for name in staged.refilled:
        for found in staged.stored.materializations:
            if found.target == name:
                fill(session, found, staged.stored.datasources, moment)
    made = {name: staged.stored.datasources[name] for name in staged.made}
    empty_nulls(session, made, made)
    rows = {}
    for name, new in made.items():
        if name in migrated and _keeps_order(live.datasources[name], new, migrated[name], staged.conversions.get(name)):
            rows[name] = sorted_rows(session, name)
        else:
            rows[name] = rewrite_sorted(session, new, merged=True)
    return report(session, staged, live, tuple(migrated.values())), rows


def look(session: Session, staged: Staged, live: Catalogue, moment: datetime) -> BuildReport:
    """What `fill_tables` would do, found out by reading what is live."""
    migrated = []
    for name in staged.made:
        old = live.datasources.get(name)
        if old is not None and name not in staged.refilled:
            new, forward = staged.stored.datasources[name], staged.conversions.get(name)
            kept, quarantined = foresee(session, new, forward or conversion(old, new, moment), old.table, moment)
            migrated.append(Migrated(name, kept, quarantined, () if forward else dropped_columns(old, new)))
    return report(session, staged, live, tuple(migrated))


def import_id(number: int) -> str:
    """What rows that did not fit a deployment's schema have as their import."""
    return f"deployment:{number}"


def _fits(old: StoredDatasource | None, new: StoredDatasource) -> bool:
    """Whether the table that is there will do: DEFAULTs, JSON paths and TTLs say nothing of the rows in it."""
    return old is not None and _layout(old) == _layout(new)


def _layout(found: StoredDatasource) -> tuple[object, ...]:
    return ([(c.name, c.type, c.physical) for c in found.columns], found.sorting, found.engine, found.merge)


def _plainly(found: StoredMaterialization) -> StoredMaterialization:
    """As it would be over tables that no deployment made for itself."""
    return found.rewritten(lambda sql: _OWN.sub(lambda match: duckdb_name(match[1].replace('""', '"')), sql))


def _fed_differently(
    session: Session,
    project: Project,
    live: Catalogue,
    defined: Mapping[str, StoredDatasource],
    materializations: tuple[StoredMaterialization, ...],
) -> dict[str, bool]:
    """Targets whose nodes are new or changed, or read such a target; and whether their rows are made anew.

    Others keep the rows that they have, as those of ENGINE Null and BACKFILL skip do.
    """
    before, found = set(map(_plainly, live.materializations)), dict[str, bool]()
    for name in targets_in_order(materializations):
        feeding = [one for one in materializations if one.target == name]
        differs = not all(fills_as_before(project, one, before) for one in feeding)
        if differs or not found.keys().isdisjoint(one.source for one in feeding):
            anew = differs or any(found.get(one.source) for one in feeding)
            skipped = (project.datasources[name].backfill or "").lower() == "skip"
            can = all(_can_be_read(session, live, defined, found, one.source) for one in feeding)
            found[name] = anew and can and not skipped
    return found


def _can_be_read(
    session: Session,
    live: Catalogue,
    defined: Mapping[str, StoredDatasource],
    fed: Mapping[str, bool],
    source: str,
) -> bool:
    """What went through ENGINE Null cannot be had again, and nothing is made of nothing."""
    if not defined[source].stores_rows:
        return False
    return fed.get(source, False) or (source in live.datasources and has_rows(session, live.datasources[source]))


def _migrate(session: Session, staged: Staged, live: Catalogue, name: str, moment: datetime) -> Migrated | None:
    old, new = live.datasources[name], staged.stored.datasources[name]
    carry_quarantine(session, old, new, old.quarantine)
    if name in staged.refilled:
        return None
    forward = staged.conversions.get(name)
    how = forward or conversion(old, new, moment)
    import_, kept, quarantined = Import(import_id(staged.number), moment), 0, 0
    for piece in _pieces(session, old):
        more = carry(session, new, how, piece, import_, moment)
        kept, quarantined = kept + more[0], quarantined + more[1]
    return Migrated(name, kept, quarantined, () if forward else dropped_columns(old, new))


def _pieces(session: Session, old: StoredDatasource) -> list[str]:
    """The rows of a table in their order, as relations. DuckDB reads one of this size in one thread, so that queries
    that come while a large table is moved have the others."""
    count, last = session.rows(f"SELECT count(*), max(rowid) FROM {old.table}")[0]
    if count <= _PIECE:
        return [old.table]
    return [
        f"(SELECT * FROM {old.table} WHERE rowid >= {first} AND rowid < {first + _PIECE})"
        for first in range(0, last + 1, _PIECE)
    ]


def _keeps_order(old: StoredDatasource, new: StoredDatasource, moved: Migrated, forward: Conversion | None) -> bool:
    """Whether rows that were stored in order still are: nothing was computed, and what is new is at the end."""
    same = [(c.name, c.type) for c in old.columns] == [(c.name, c.type) for c in new.columns[: len(old.columns)]]
    return forward is None and same and not moved.quarantined and (old.sorting, old.merge) == (new.sorting, new.merge)


def report(session: Session, staged: Staged, live: Catalogue, migrated: tuple[Migrated, ...]) -> BuildReport:
    """What a deployment does. `migrated` is what became of the rows of data sources whose schema changes."""
    gone = [name for name in live.datasources if name not in staged.stored.datasources]
    return BuildReport(
        added=tuple(map(str, staged.todo.added)),
        changed=tuple(map(str, staged.todo.changed)),
        removed=tuple(map(str, staged.todo.removed)),
        migrated=migrated,
        dropped_rows={name: count_rows(session, live.datasources[name]) for name in gone},
        populated=staged.refilled,
        warnings=staged.warnings,
    )
