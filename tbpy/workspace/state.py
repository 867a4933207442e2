"""What all jobs of a workspace share: its database, its project, and what is stored by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from tbpy.engines import DuckDBEngine, Session
from tbpy.errors import NotFoundError, TbpyError
from tbpy.workspace import catalogue, jobs
from tbpy.workspace.catalogue import Catalogue
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.deployments import journal, records
from tbpy.workspace.deployments.records import Deployment
from tbpy.workspace.flowing import empty_nulls, flow, last_row, reached
from tbpy.workspace.maintenance import Maintenance
from tbpy.workspace.services.log import ServiceLog
from tbpy.workspace.suggesting import did_you_mean

if TYPE_CHECKING:
    from tbpy.project import Project

FOLDER = ".tbpy"
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
        self.log = ServiceLog(engine, self.now, lambda: self._catalogue.datasources, root.name)
        with engine.session() as session:
            catalogue.prepare(session)
            jobs.prepare(session, self.now())
            records.prepare(session, self.now())
            # The project and what is stored by it. They change together, so that a query never sees one of each.
            self._built: tuple[Project | None, Catalogue] = (None, catalogue.read(session))
            self._deployments = {found.id: found for found in records.read(session)}
        # Held while rows are moved into another deployment: what takes rows out of data sources waits for that.
        self._moving = RLock()
        # The data sources whose rows materialized nodes are run for beside what is live (see `populations`).
        self._populating_from: frozenset[str] = frozenset()
        self._journaled = self._followed()
        self.maintenance = Maintenance(engine, lambda: self._catalogue, self.now, expires)

    @property
    def home(self) -> Path:
        """The folder of what tbpy keeps."""
        return self.root / FOLDER

    @property
    def project(self) -> Project:
        """The project that was built or deployed last here, else what the files say now."""
        return self._built_now()[0]

    @property
    def _catalogue(self) -> Catalogue:
        return self._built[1]

    def _built_now(self) -> tuple[Project, Catalogue]:
        project, stored = self._built
        if project is None:
            from tbpy.project import find_datafiles, load_project

            folder = self.root if find_datafiles(self.root) else self.live_folder or self.root
            project = load_project(folder, secrets=self._secrets)
            self._built = (project, stored)
        return project, stored

    @property
    def live(self) -> Deployment:
        """The deployment that answers."""
        return next(found for found in self._deployments.values() if found.live)

    @property
    def live_folder(self) -> Path | None:
        """The datafiles of the live deployment; None when they are those of the project's own folder."""
        from tbpy.workspace.deployments.folders import folder_of

        live = self.live
        return None if live.files is None else folder_of(self.home, live.id, live.files)

    @property
    def has_fixtures(self) -> bool:
        """Whether rows of fixtures are among those that are stored."""
        return bool(self._catalogue.fixtures)

    def now(self) -> datetime:
        """The moment by the clock of the workspace, as naive UTC."""
        return naive(self._clock())

    def _refresh(self) -> None:
        with self._engine.writing(), self._engine.session() as session:  # nothing else becomes live in between
            fresh = catalogue.read(session)
            if fresh.datasources == self._catalogue.datasources:  # the same object, for what was planned over it
                fresh = replace(fresh, datasources=self._catalogue.datasources)
            self._built = (self._built[0], fresh)

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
        """The highest row number, where materialized nodes or a journal will ask for it."""
        name = datasource.name
        if name in self._journaled or any(found.source == name for found in self._catalogue.materializations):
            return last_row(session, datasource)
        return -1

    def _note(self, session: Session, name: str, before: int) -> None:
        """Notes the new rows of a data source for the deployments that have another table."""
        if name in self._journaled:
            journal.note_rows(session, self._datasource(name), before, landed=True)

    def _flow(self, session: Session, name: str, before: int, moment: datetime, rows: int) -> None:
        """Sends at most `rows` rows, those with a number above `before`, on their way."""
        stored = self._catalogue
        self._note(session, name, before)
        if any(found.source == name for found in stored.materializations):
            flow(session, stored.materializations, stored.datasources, name, before, moment, self._journaled, rows)
        empty_nulls(session, stored.datasources, reached(stored.materializations, name))

    def _grew(self, names: Iterable[str], rows: int) -> None:
        """After up to `rows` rows came into each of some data sources, and flowed on from there."""
        for name in names:
            self.maintenance.note(reached(self._catalogue.materializations, name), rows)

    def _followers(self, names: Iterable[str] | None = None) -> tuple[Deployment, ...]:
        """The deployments with tables beside the live ones, or those of them that take over rows of any of `names`."""
        found = tuple(one for one in self._deployments.values() if one.follows and not one.errors)
        if names is None:
            return found
        return tuple(one for one in found if not journal.followed(one, self._catalogue).isdisjoint(names))

    def _followed(self) -> frozenset[str]:
        followed = (journal.followed(found, self._catalogue) for found in self._followers())
        return self._populating_from.union(*followed)


def naive(moment: datetime) -> datetime:
    """The same moment as naive UTC; one without a zone is UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
