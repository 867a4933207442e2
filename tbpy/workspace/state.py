"""What all jobs of a workspace share: its database, its project, and what is stored by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tbpy.engines import DuckDBEngine, Session
from tbpy.errors import NotFoundError, TbpyError
from tbpy.workspace import catalogue, jobs
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.flowing import empty_nulls, flow, last_row, reached
from tbpy.workspace.maintenance import Maintenance
from tbpy.workspace.services.log import ServiceLog
from tbpy.workspace.suggesting import did_you_mean

if TYPE_CHECKING:
    from tbpy.project import Project

_QUARANTINE = "_quarantine"


class State:
    """The state of one open workspace. `clock` tells the time, `expires` whether ENGINE_TTL removes rows."""

    def __init__(
        self,
        root: Path,
        engine: DuckDBEngine,
        clock: Callable[[], datetime],
        secrets: Mapping[str, str] | None,
        expires: bool = True,
    ) -> None:
        self.root = root
        self._engine = engine
        self._clock = clock
        self._secrets = secrets
        self._project: Project | None = None
        self.log = ServiceLog(engine, self.now, lambda: self._catalogue.datasources)
        with engine.session() as session:
            catalogue.prepare(session)
            jobs.prepare(session, self.now())
            self._catalogue = catalogue.read(session)
        self.maintenance = Maintenance(engine, lambda: self._catalogue, self.now, expires)

    @property
    def project(self) -> Project:
        """The project that was built last here, else what the files say now."""
        if self._project is None:
            from tbpy.project import load_project

            self._project = load_project(self.root, secrets=self._secrets)
        return self._project

    def now(self) -> datetime:
        """The moment by the clock of the workspace, as naive UTC."""
        return naive(self._clock())

    def _refresh(self) -> None:
        with self._engine.session() as session:
            fresh = catalogue.read(session)
        if fresh.datasources == self._catalogue.datasources:  # the same object, for what was planned over it
            fresh = replace(fresh, datasources=self._catalogue.datasources)
        self._catalogue = fresh

    def _datasource(self, name: str) -> StoredDatasource:
        found = self._catalogue.datasources.get(name)
        if found is None:
            raise self._unknown(name)
        return found

    def _table(self, name: str) -> str:
        found = self._catalogue.datasources.get(name)
        if found is None and name.endswith(_QUARANTINE):
            quarantined = self._catalogue.datasources.get(name.removesuffix(_QUARANTINE))
            if quarantined is not None:
                return quarantined.quarantine
        return self._datasource(name).table

    def _unknown(self, name: str) -> TbpyError:
        known = self._catalogue.datasources
        if not known:
            return NotFoundError(f"There is no data source {name}: nothing is built yet", hint="run: tbpy build")
        return NotFoundError(f"There is no data source {name}", hint=did_you_mean(name, known))

    def _last_row(self, session: Session, datasource: StoredDatasource) -> int:
        """The highest row number, where materialized nodes will ask for it."""
        if all(found.source != datasource.name for found in self._catalogue.materializations):
            return -1
        return last_row(session, datasource)

    def _flow(self, session: Session, name: str, before: int, moment: datetime) -> None:
        stored = self._catalogue
        if any(found.source == name for found in stored.materializations):
            flow(session, stored.materializations, stored.datasources, name, before, moment)
        empty_nulls(session, stored.datasources, reached(stored.materializations, name))

    def _grew(self, names: Iterable[str], rows: int) -> None:
        """After up to `rows` rows came into each of some data sources, and flowed on from there."""
        for name in names:
            self.maintenance.note(reached(self._catalogue.materializations, name), rows)


def naive(moment: datetime) -> datetime:
    """The same moment as naive UTC; one without a zone is UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
