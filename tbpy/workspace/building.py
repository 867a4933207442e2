"""From a project to tables: what is new is made, what changed is carried over, what is gone is dropped."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from tbpy.engines import Session
from tbpy.errors import DiagnosticsError
from tbpy.project import Project, plan
from tbpy.workspace import catalogue, fixtures
from tbpy.workspace.catalogue import Catalogue, StoredMaterialization
from tbpy.workspace.compacting import compact
from tbpy.workspace.defining import define
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.fixtures import Fixture, find_fixtures
from tbpy.workspace.flowing import empty_nulls, fill, has_rows, last_row
from tbpy.workspace.ingest import AppendReport, append_files
from tbpy.workspace.ingest.quarantine import Import
from tbpy.workspace.ingest.sources import open_inputs
from tbpy.workspace.materializing import compile_all
from tbpy.workspace.migration import create, drop, forward_conversion, migrate
from tbpy.workspace.populating import Feeding, Population, places_of, refills
from tbpy.workspace.reports import BuildReport, Migrated
from tbpy.workspace.sorting import expire_rows, sort_rows
from tbpy.workspace.targets import target_of


@dataclass
class Build:
    """One build of `project` over what `before` says is there, in the transaction of `session`.

    `moment` (naive UTC) is what `now()` is in it, `expires` is whether TTLs remove rows, `population` what was filled
    for it beside what is live. Raises `DiagnosticsError` when
    the project has mistakes.
    """

    session: Session
    project: Project
    before: Catalogue
    moment: datetime
    expires: bool = True
    population: Population | None = None

    def run(self) -> BuildReport:
        """Does everything; the caller commits."""
        if self.project.errors:
            raise DiagnosticsError(self.project.diagnostics)
        todo = plan(self.before.fingerprints, self.project)
        found = find_fixtures(self.project)
        new_fixtures = {name: item for name, item in found.items() if self.before.fixtures.get(name) != item.digest}
        stale = [name for name in self.before.fixtures if name not in found]
        if not (todo or new_fixtures or stale):
            self._sort(self.before.datasources, ())
            return BuildReport(warnings=self.project.diagnostics)
        stored = places_of(self.before, define(self.project))
        dropped = self._drop_removed(stored)
        migrated = self._apply(stored)
        materializations, warnings = compile_all(self.project, stored)
        loaded = self._load_fixtures(stored, new_fixtures, stale)
        populated = self._populate(stored, materializations, {report.datasource for report in loaded} | set(stale))
        catalogue.write_materializations(self.session, materializations)
        catalogue.write_fingerprints(self.session, self.project.fingerprints)
        empty_nulls(self.session, stored, stored)
        self._sort(stored, (*(report.datasource for report in loaded), *populated))
        return BuildReport(
            added=tuple(map(str, todo.added)),
            changed=tuple(map(str, todo.changed)),
            removed=tuple(map(str, todo.removed)),
            migrated=migrated,
            dropped_rows=dropped,
            fixtures=loaded,
            populated=populated,
            warnings=(*self.project.diagnostics, *warnings),
        )

    def _drop_removed(self, stored: Mapping[str, StoredDatasource]) -> dict[str, int]:
        dropped = {}
        for name, old in self.before.datasources.items():
            if name not in stored:
                fixtures.forget(self.session, old)
                catalogue.write_fixture(self.session, name, None)
                catalogue.forget_datasource(self.session, name)
                dropped[name] = drop(self.session, old)
        return dropped

    def _apply(self, stored: Mapping[str, StoredDatasource]) -> tuple[Migrated, ...]:
        """Makes the tables; those whose definition is as it was are not touched."""
        migrated = []
        for name, new in stored.items():
            old = self.before.datasources.get(name)
            if old == new:
                continue
            if old is None:
                create(self.session, new)
                catalogue.write_datasource(self.session, new)
            elif old.has_table_of(new):
                catalogue.write_datasource(self.session, new, self.before.sorted_rows[name])
                if old.sorting != new.sorting or old.merge != new.merge:
                    sort_rows(self.session, new, merged=name not in self.before.fixtures)
            else:
                fixtures.take_out(self.session, old)
                catalogue.write_fixture(self.session, name, None)
                forward = forward_conversion(self.project, self.project.all_datasources[name], old, new)
                migrated.append(migrate(self.session, old, new, self.moment, forward))
                catalogue.write_datasource(self.session, new)
        return tuple(migrated)

    def _load_fixtures(
        self, stored: Mapping[str, StoredDatasource], new: Mapping[str, Fixture], stale: list[str]
    ) -> tuple[AppendReport, ...]:
        for name in stale:
            if name in stored:
                fixtures.take_out(self.session, stored[name])
            catalogue.write_fixture(self.session, name, None)
        # Schemas that changed lost their fixture on the way, so it is loaded again though the file is as it was.
        known = catalogue.read_fixtures(self.session)
        found = find_fixtures(self.project)
        missing = {name: item for name, item in found.items() if name in new or name not in known}
        return tuple(self._load(stored[name], fixture) for name, fixture in sorted(missing.items()))

    def _load(self, datasource: StoredDatasource, fixture: Fixture) -> AppendReport:
        fixtures.take_out(self.session, datasource)
        before = last_row(self.session, datasource)
        self.session.register(datasource.functions)
        with open_inputs(fixture.path) as inputs:
            report = append_files(
                self.session,
                target_of(datasource, self.moment),
                inputs,
                fixture.path,
                Import(fixtures.import_id(datasource.name), self.moment),
            )
        fixtures.remember(self.session, datasource, before)
        catalogue.write_fixture(self.session, datasource.name, fixture.digest)
        return report

    def _populate(
        self,
        stored: Mapping[str, StoredDatasource],
        materializations: tuple[StoredMaterialization, ...],
        touched: set[str],
    ) -> tuple[str, ...]:
        """Fills targets anew whose nodes are new or changed, or whose sources have other fixtures than before."""
        populated = []
        self._restore_nulls(stored, touched)
        for name, feeding in refills(self.project, self.before, stored, materializations, touched, self._can_be_read):
            self._refill(stored, name, feeding)
            populated.append(name)
        return tuple(populated)

    def _can_be_read(self, datasource: StoredDatasource) -> bool:
        return datasource.stores_rows or has_rows(self.session, datasource)

    def _restore_nulls(self, stored: Mapping[str, StoredDatasource], loaded: set[str]) -> None:
        """Data sources of ENGINE Null have their fixtures again while targets are filled."""
        for name, datasource in stored.items():
            fixture = None if datasource.stores_rows or name in loaded else fixtures.copy_of(self.session, datasource)
            if fixture is not None:
                self.session.execute(f"INSERT INTO {datasource.table} SELECT * FROM {fixture}")

    def _refill(self, stored: Mapping[str, StoredDatasource], name: str, feeding: Feeding) -> None:
        """What the target has beside the rows of its nodes, its fixture, stays."""
        if self.population is not None and self.population.fills.get(name) == feeding:
            catalogue.write_sorted_rows(self.session, name, self.population.put_in_place(self.session, name))
            return
        target = stored[name]
        fixture = fixtures.copy_of(self.session, target)
        self.session.execute(f"DELETE FROM {target.table}")
        if fixture is not None:
            self.session.execute(f"INSERT INTO {target.table} SELECT * FROM {fixture}")
        for materialization in feeding:
            fill(self.session, materialization, stored, self.moment)

    def _sort(self, stored: Mapping[str, StoredDatasource], filled: Collection[str]) -> None:
        """Those that were `filled` now, in one piece, are in order as a part of ClickHouse is: queries without ORDER BY
        show it."""
        loaded = catalogue.read_fixtures(self.session)
        for name, datasource in stored.items():
            compact(self.session, datasource, loaded, always=name in filled)
            if self.expires and not loaded:
                expire_rows(self.session, datasource, self.moment)
