"""Making deployments, and choosing which of them is live."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tbpy.engines import Session
from tbpy.errors import ConflictError, DiagnosticsError, NotFoundError, TbpyError
from tbpy.workspace import catalogue
from tbpy.workspace.catalogue import Catalogue
from tbpy.workspace.deployments import journal, records, tables
from tbpy.workspace.deployments.keeping_up import KeepingUp
from tbpy.workspace.deployments.records import Deployment, Stage
from tbpy.workspace.maintenance import ROWS_BETWEEN_LOOKS
from tbpy.workspace.reports import BuildReport
from tbpy.workspace.services.building import note_build

if TYPE_CHECKING:
    from tbpy.project import Project
    from tbpy.workspace.deployments.beside import Beside
    from tbpy.workspace.deployments.staging import Staged

# How many deployments can be gone back to.
KEPT = 5
STAGING = "staging"

Judge = Callable[[BuildReport], Mapping[str, Any]]


class Deployments(KeepingUp):
    """The part of a workspace that deploys."""

    _filling: Session | None = None  # what moves data now
    _stopping = False

    @cached_property
    def _besides(self) -> dict[int, Beside]:
        """Deployments that were asked."""
        return {}

    def deployments(self) -> tuple[Deployment, ...]:
        """From the oldest on, those that are gone included."""
        return tuple(found for _, found in sorted(self._deployments.items()))

    @property
    def staging(self) -> Deployment | None:
        """The one that is made, or waits to become live."""
        stages = (Stage.MOVING, Stage.STAGING)
        return next((found for found in self._deployments.values() if found.stage in stages), None)

    def find_deployment(self, wanted: int | str) -> Deployment:
        """By its number, or by the words `live` and `staging`. Raises `NotFoundError`."""
        found = {"live": self.live, STAGING: self.staging}.get(str(wanted)) or (
            self._deployments.get(int(wanted)) if str(wanted).isdigit() else None
        )
        if found is None:
            raise NotFoundError(
                "There is no staging deployment" if wanted == STAGING else f"Deployment {wanted} not found"
            )
        return found

    def beside(self, wanted: int | str) -> Beside | None:
        """A deployment to ask, with all rows that came until now; None for the live one, which the workspace is.

        Raises `NotFoundError` for one that is gone, `ConflictError` for one that is not ready.
        """
        from tbpy.workspace.deployments.beside import Beside

        found = self.find_deployment(wanted)
        if found.live:
            return None
        if found.stage is Stage.MOVING:
            raise ConflictError(f"Deployment {found.id} is not ready: data is still moved into it")
        if not found.follows:
            raise NotFoundError(f"Deployment {found.id} was deleted")
        self._catch_up()
        if self._deployments[found.id].errors:
            raise ConflictError(f"Deployment {found.id} cannot be asked: {self._deployments[found.id].errors[0]}")
        known = self._besides.get(found.id)
        if known is None:
            known = self._besides[found.id] = Beside(self, self._project_of(found), found.stored)
        return known

    def check_deployment(self, project: Project) -> BuildReport:
        """What a deployment of `project` would do to the rows that are there, found out by reading them."""
        from tbpy.workspace.deployments.staging import look

        started, staged = time.perf_counter(), self._staged(project)
        with self._engine.session() as session:
            session.register(staged.functions)
            report = look(session, staged, self._catalogue, self.now())
        return replace(report, elapsed=time.perf_counter() - started)

    def deploy(
        self,
        project: Project,
        files: Mapping[str, str],
        judge: Judge,
        *,
        begun: Callable[[Deployment], None] = lambda deployment: None,
    ) -> Deployment:
        """Makes a staging deployment of `project`, whose datafiles are `files`.

        Rows may come meanwhile. `judge` is told what will be done, before any row is moved, and what was done; it
        answers the details to keep, or raises to refuse it. `begun` is told the deployment when it is there. When data
        cannot be moved, the deployment is there as failed, with the reason, and nothing else is changed. Raises
        `ConflictError` while there is another one.
        """
        from tbpy.workspace.deployments.folders import folder_of, remove_folder

        started = time.perf_counter()
        with self._moving:
            if self._stopping:
                raise ConflictError("The server is stopping")
            if self.staging is not None:
                raise ConflictError(
                    f"There is a staging deployment already, number {self.staging.id}: promote or discard it first"
                )
            staged = self._staged(project)
            judge(self._foreseen(staged))
            remove_folder(self.home, staged.number)  # of a process that ended before it had begun
            made = Deployment(staged.number, self.now(), Stage.MOVING, dict(files))
            self._projects[made.id] = replace(project, root=folder_of(self.home, made.id, files))
            try:
                report, made = self._move(staged, made, begun)
                report = replace(report, elapsed=time.perf_counter() - started)
                details = judge(report)
                self._catch_up_with(made, details)
            except BaseException as error:
                self._fail(made.id, error)
                raise
        note_build(self.log, report)
        return self._deployments[made.id]

    def promote(self, wanted: int | str) -> Deployment:
        """Makes a deployment live: the staging one, or one that was live before. No rows are moved but new ones.

        Raises `NotFoundError` for one that is gone, `ConflictError` for one that cannot be live.
        """
        self._ready(self.find_deployment(wanted))  # at once, not when data has been moved
        with self._moving, self._engine.writing():
            found = self._ready(self.find_deployment(wanted))
            if found.live:
                return found
            self._catch_up()
            found = self._ready(self._deployments[found.id])
            project = self._project_of(found)
            with self._engine.transaction() as session:
                stored, known = self._flip(session, found)
            own = journal.own_names(stored, self._catalogue)
            self._built = (project, stored)
            self._now_are(known)
        # Nobody looked after its tables as long as it was not live.
        self.maintenance.note(own, ROWS_BETWEEN_LOOKS)
        return self.live

    def rollback(self, wanted: int | str | None = None) -> Deployment:
        """Makes a deployment live again: the one that was live last, unless another is named.

        Raises `NotFoundError` and `ConflictError` as `promote`, and when there is none to go back to.
        """
        if wanted is None:
            earlier = [found for found in self._deployments.values() if found.stage is Stage.KEPT]
            if not earlier:
                raise NotFoundError("There is no earlier deployment to go back to")
            wanted = max(earlier, key=lambda found: (found.left or found.created, found.id)).id
        found = self.find_deployment(wanted)
        if found.stage is Stage.STAGING:
            raise ConflictError(f"Deployment {found.id} was never live: promote it")
        return self.promote(wanted)

    def discard(self, wanted: int | str = STAGING) -> Deployment:
        """Removes a deployment that is not live, with its tables. One whose data is moved fails."""
        if self.find_deployment(wanted).stage is Stage.MOVING:
            self.stop_deploying()
        with self._moving:
            found = self.find_deployment(wanted)
            if found.live:
                raise ConflictError("The live deployment cannot be deleted")
            if found.follows:
                self._remove(replace(found, stage=Stage.DELETED))
        return self._deployments[found.id]

    def _recover(self) -> None:
        """What a process left that ended in the middle: data that was moved is moved anew by the next deployment."""
        from tbpy.workspace.deployments.folders import earlier_live

        for found in [one for one in self._deployments.values() if one.stage is Stage.MOVING]:
            reason = "The process ended while data was moved"
            self._remove(replace(found, stage=Stage.FAILED, errors=(reason,)))
        earlier = earlier_live(self.home) if self.live.id == 0 else None
        if earlier is not None and earlier[0] > 0:
            number, created, files = earlier
            with self._engine.transaction() as session:
                gone = replace(self.live, stage=Stage.DELETED)
                live = Deployment(number, created, Stage.LIVE, files)
                records.write(session, gone, live)
            self._know(gone, live)

    def stop_deploying(self, *, for_good: bool = False) -> None:
        """Lets a deployment that is made fail now, and `for_good` all that would come. Returns when none is made."""
        self._stopping = self._stopping or for_good
        while not self._moving.acquire(timeout=0.05):
            if (session := self._filling) is not None:
                session.interrupt()
        self._moving.release()

    # --- pieces -------------------------------------------------------------------------------------------------------

    def _staged(self, project: Project) -> Staged:
        from tbpy.workspace.deployments.staging import stage

        with self._engine.session() as session:
            return stage(session, project, self._catalogue, max(self._deployments) + 1)

    def _foreseen(self, staged: Staged) -> BuildReport:
        from tbpy.workspace.deployments.staging import report

        with self._engine.session() as session:
            return report(session, staged, self._catalogue, ())

    def _move(
        self, staged: Staged, made: Deployment, begun: Callable[[Deployment], None]
    ) -> tuple[BuildReport, Deployment]:
        """Fills the tables of a deployment. Nobody writes between the journals' begin and what the filling sees."""
        from tbpy.workspace.deployments.staging import fill_tables

        filling = self._engine.aside(staged.functions)
        with self._engine.writing():
            made = self._begin(staged, made)
            session = filling.__enter__()
            session.value("SELECT count(*) FROM duckdb_tables()")  # what it sees is fixed at its first look
        try:
            self._filling = session
            begun(made)
            report, rows = fill_tables(session, staged, self._catalogue, self.now())
        except BaseException as error:
            filling.__exit__(type(error), error, error.__traceback__)
            raise
        finally:
            self._filling = None
        filling.__exit__(None, None, None)
        stored = replace(made.stored, sorted_rows={**made.stored.sorted_rows, **rows})
        return report, replace(made, stored=stored)

    def _begin(self, staged: Staged, made: Deployment) -> Deployment:
        from tbpy.workspace.deployments.staging import make_tables

        live = self._catalogue
        made = replace(made, stored=staged.stored, conversions=staged.conversions)
        names = journal.followed(made, live)
        with self._engine.transaction(appends=True) as session:
            make_tables(session, staged)
            journal.make_journals(session, live, names)
            made = replace(made, read={name: journal.length(session, live.datasources[name]) for name in names})
            records.write(session, made)
        self._know(made)
        return made

    def _catch_up_with(self, made: Deployment, details: Mapping[str, Any]) -> None:
        from tbpy.workspace.deployments.following import Followers, LeftBehindError

        with self._engine.writing():
            followers = Followers([made], self._catalogue, self.now())
            try:
                with self._engine.transaction(followers.functions, appends=True) as session:
                    read = followers.catch_up(session, made.read)
                    ready = replace(made, stage=Stage.STAGING, details=details, read=read)
                    records.write(session, ready)
            except LeftBehindError as error:
                raise error.error from error
            self._know(ready)

    def _ready(self, found: Deployment) -> Deployment:
        if found.errors and found.follows:
            raise ConflictError(f"Deployment {found.id} cannot become live: {found.errors[0]}")
        if found.stage is Stage.MOVING:
            raise ConflictError(f"Deployment {found.id} is not ready: data is still moved into it")
        if not (found.live or found.follows):
            raise ConflictError(f"Deployment {found.id} was deleted: deploy its files again")
        staging = self.staging
        if found.stage is Stage.KEPT and staging is not None:  # it is made beside the one that is live now
            raise ConflictError(f"There is a staging deployment, number {staging.id}: promote or discard it first")
        return found

    def _flip(self, session: Session, found: Deployment) -> tuple[Catalogue, dict[int, Deployment]]:
        """All of a promotion that is written; answers what is known then."""
        before = catalogue.read(session)
        tables.carry_quarantines(session, self.live, before, found)
        shared = {name: rows for name, rows in before.sorted_rows.items() if name in found.stored.datasources}
        own = journal.own_names(found.stored, before)
        kept_rows = {name: found.stored.sorted_rows.get(name, 0) for name in own}
        stored = replace(found.stored, sorted_rows={**shared, **kept_rows}, fixtures={})
        catalogue.write(session, stored)
        old = replace(self.live, stage=Stage.KEPT, stored=before, files=self._files_of_live(), left=self.now())
        new = replace(found, stage=Stage.LIVE, stored=Catalogue(), read={}, conversions={})
        known = {**self._deployments, old.id: old, new.id: new}
        known = tables.let_go(session, known, before, stored, KEPT)
        return catalogue.read(session), known

    def _without_others(self, session: Session) -> dict[int, Deployment]:
        """Removes all deployments but the live one: what is built in place is none of theirs."""
        others = [found for found in self._deployments.values() if found.follows]
        gone = [replace(found, stage=Stage.DELETED, stored=Catalogue(), read={}, conversions={}) for found in others]
        known = {**self._deployments, **{found.id: found for found in gone}}
        tables.drop_tables(session, self._deployments, known, self._catalogue)
        records.write(session, *gone)
        return known

    def _replace_live(
        self, session: Session, known: Mapping[int, Deployment], files: Mapping[str, str], details: Mapping[str, Any]
    ) -> dict[int, Deployment]:
        gone = replace(self.live, stage=Stage.DELETED)
        live = Deployment(max(known) + 1, self.now(), Stage.LIVE, dict(files), details)
        records.write(session, gone, live)
        return {**known, gone.id: gone, live.id: live}

    def _now_are(self, known: dict[int, Deployment]) -> None:
        self._deployments = known
        self._journaled = self._followed()
        self._besides.clear()
        self._projects.clear()
        self._tidy_folders()

    def _files_of_live(self) -> Mapping[str, str]:
        from tbpy.project import find_datafiles
        from tbpy.workspace.deployments.folders import read_datafiles

        live = self.live
        if live.files is not None:
            return live.files
        root = self.project.root
        return read_datafiles(root, [found.file for found in find_datafiles(root)])

    def _fail(self, number: int, error: BaseException) -> None:
        found = self._deployments.get(number)
        if found is not None and found.follows:
            self._remove(replace(found, stage=Stage.FAILED, errors=reasons(error)))
        self._projects.pop(number, None)

    def _remove(self, gone: Deployment) -> None:
        """Drops what only this deployment has."""
        gone = replace(gone, stored=Catalogue(), read={}, conversions={})
        with self._engine.writing():
            with self._engine.transaction() as session:
                tables.drop_tables(session, self._deployments, {**self._deployments, gone.id: gone}, self._catalogue)
                records.write(session, gone)
            self._know(gone)
        self._besides.pop(gone.id, None)
        self._projects.pop(gone.id, None)
        self._tidy_folders()

    def _tidy_folders(self) -> None:
        from tbpy.workspace.deployments.folders import remove_folder

        for found in self._deployments.values():
            if not (found.live or found.follows):
                remove_folder(self.home, found.id)


def reasons(error: BaseException) -> tuple[str, ...]:
    """Why something failed, a sentence each."""
    if isinstance(error, DiagnosticsError):
        return tuple(f"{found.file}: {found.message}" if found.file else found.message for found in error.diagnostics)
    return (error.answer if isinstance(error, TbpyError) else f"{type(error).__name__}: {error}",)
