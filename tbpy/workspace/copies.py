"""Copy pipes of a workspace: run now or by their schedule, paused, remembered as jobs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tbpy.engines import Interruption
from tbpy.errors import ConflictError, WorkCancelledError
from tbpy.workspace import catalogue, jobs
from tbpy.workspace.deployments.keeping_up import KeepingUp
from tbpy.workspace.reports import CopyReport
from tbpy.workspace.state import naive

if TYPE_CHECKING:
    from tbpy.workspace.infos import CopyInfo, JobInfo


class Copies(KeepingUp):
    """The part of a workspace that runs copy pipes."""

    def copy(
        self,
        name: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        mode: str | None = None,
        interruption: Interruption | None = None,
    ) -> CopyReport:
        """Runs a copy pipe now; `mode` is append or replace, that of the pipe unless given.

        `interruption` stops it from another thread: nothing is written then, and `WorkCancelledError` raised.
        The query runs beside whoever writes. Then one transaction: rows, what is materialized from them, and that the
        job is done. A job that fails is on record, too, and its error is raised.
        """
        from tbpy.workspace import copying

        pipe, node, target_name = copying.find_copy(self.project, name)
        interruption = interruption or Interruption()
        how, moment, started = copying.copy_mode(node, mode), self.now(), time.perf_counter()
        self._datasource(target_name)
        with self._engine.transaction(appends=True) as session:
            job = jobs.start(session, "copy", name, target_name, moment)
        try:
            with (
                self.log.operation("copy", target_name, pipe=name, job_id=job, options={"mode": how}) as done,
                ExitStack() as stack,
            ):
                project, stored = self.project, self._catalogue
                compiled = copying.compile_copy(project, stored, pipe, node, parameters or {}, moment)
                self.log.flush_for(compiled.tables)
                functions = (*compiled.functions, *stored.functions)
                reading = stack.enter_context(self._engine.session())
                with interruption.over(reading):
                    made = copying.compute_copy(reading, compiled, self._datasource(target_name), moment)
                if how == "replace":
                    stack.enter_context(self._taking_out(target_name, refilled=True))
                with self._engine.transaction(functions, appends=how == "append", within=reading) as session:
                    if project is not self.project or stored.datasources is not self._catalogue.datasources:
                        # Something became live meanwhile.
                        pipe, node, found = copying.find_copy(self.project, name)
                        if found != target_name:
                            raise ConflictError(f"{name} writes to {found} since a moment ago", hint="run it again")
                        compiled = copying.compile_copy(
                            self.project, self._catalogue, pipe, node, parameters or {}, moment
                        )
                        with interruption.over(session):
                            made = copying.compute_copy(session, compiled, self._datasource(target_name), moment)
                    target = self._datasource(target_name)
                    with interruption.over(session):
                        rows = copying.write_copy(
                            session,
                            self._catalogue,
                            made,
                            target,
                            moment,
                            replaces=how == "replace",
                            landed=self._note,
                            journaled=self._journaled,
                        )
                    jobs.finish(session, job, self.now(), rows=rows)
                done.rows = rows
        except Exception as error:
            with self._engine.transaction(appends=True) as session:
                status = "cancelled" if isinstance(error, WorkCancelledError) else "error"
                jobs.fail(session, job, self.now(), str(error), status=status)
            raise
        self._grew((target_name,), rows)
        emptied = f"{name} answered no rows: {target_name} is empty now" if how == "replace" and not rows else None
        return CopyReport(name, target_name, how, rows, job, time.perf_counter() - started, emptied)

    def copies(self) -> tuple[CopyInfo, ...]:
        from tbpy.workspace.copying import copy_infos

        with self._engine.session() as session:
            return copy_infos(session, self.project, self.now())

    def pause_copy(self, name: str, paused: bool = True) -> None:
        """Stops the schedule of a copy pipe, or lets it go on; runs on demand are always possible."""
        from tbpy.workspace.copying import find_copy

        find_copy(self.project, name)
        with self._engine.transaction(appends=True) as session:
            catalogue.write_paused(session, name, paused)

    def copy_target(self, name: str) -> str:
        """The data source that a copy pipe writes to. Raises `NotFoundError` for what is no copy pipe."""
        from tbpy.workspace.copying import find_copy

        return find_copy(self.project, name)[2]

    def due_copies(self, after: datetime) -> tuple[datetime, tuple[str, ...]]:
        """The copies whose schedule came since `after`, each once, however often it came.

        Answers the moment to ask from next, too.
        """
        from tbpy.workspace.copying import due_copies

        until = self.now()
        with self._engine.session() as session:
            return until, due_copies(session, self.project, naive(after), until)

    def jobs(self, limit: int = 100) -> tuple[JobInfo, ...]:
        """What was done on its own, the newest first."""
        with self._engine.session() as session:
            return jobs.read(session, limit=limit)
