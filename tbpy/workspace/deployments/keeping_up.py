"""A workspace whose other deployments keep up with the live one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from tbpy.engines import Session
from tbpy.errors import TbpyError
from tbpy.workspace.deployments import journal, records
from tbpy.workspace.deployments.records import Deployment, Stage
from tbpy.workspace.flowing import reached
from tbpy.workspace.state import State

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler import CompiledQuery
    from tbpy.project import Project
    from tbpy.workspace.deployments.following import Followers

Follow = Callable[[Session, "Followers", Mapping[str, int]], dict[str, int]]

# So many new rows are taken over at once.
_LONG_JOURNAL = 50_000
_log = logging.getLogger("tbpy.workspace")


class KeepingUp(State):
    """The part of a workspace that brings what happens to live rows to the deployments with other tables."""

    _noted = 0  # rows in journals that nobody has looked at

    @cached_property
    def _projects(self) -> dict[int, Project]:
        """Those of deployments beside the live one, by number."""
        return {}

    def _grew(self, names: Iterable[str], rows: int) -> None:
        super()._grew(names, rows)
        self._noted += rows if self._journaled else 0
        if self._noted >= _LONG_JOURNAL:
            try:
                self._empty_journals()
            except TbpyError as error:  # the rows are stored, and the journals keep them
                _log.warning("Deployments could not keep up: %s", error.message)

    def _know(self, *deployments: Deployment) -> None:
        self._deployments.update({found.id: found for found in deployments})
        self._journaled = self._followed()

    def _store(self, deployment: Deployment) -> None:
        with self._engine.transaction() as session:
            records.write(session, deployment)
        self._know(deployment)

    def _catch_up(self) -> None:
        """All rows that came until now are in every deployment that can be asked or become live."""
        self._noted = 0
        with self._engine.writing():
            for stage in (Stage.STAGING, Stage.KEPT):
                self._follow(stage, lambda session, followers, read: followers.catch_up(session, read))

    def _empty_journals(self) -> None:
        """When all have read them: a journal is no longer than what is not taken over yet."""
        with self._engine.writing():
            if self._populating_from:
                return
            followers, begin = self._followers(), dict.fromkeys(self._journaled, 0)
            self._catch_up()
            if any(found.stage is Stage.MOVING for found in followers):
                return
            with self._engine.transaction(appends=True) as session:
                journal.drop_journals(session, self._catalogue, begin)
                journal.make_journals(session, self._catalogue, begin)
                records.write_read(session, [found.id for found in followers], begin)
            self._know(*(replace(found, read=begin) for found in self._followers()))

    def _follow(self, stage: Stage, work: Follow) -> None:
        """One transaction for the deployments of a stage, which have read the same. Those that cannot follow are left
        behind, and hold up nobody."""
        from tbpy.workspace.deployments.following import Followers, LeftBehindError

        while group := [found for found in self._followers() if found.stage is stage]:
            followers = Followers(group, self._catalogue, self.now())
            try:
                with self._engine.transaction(followers.functions, appends=True) as session:
                    read = work(session, followers, group[0].read)
                    records.write_read(session, [found.id for found in group], read)
            except LeftBehindError as error:
                reason = f"New rows cannot be taken over: {error.error.message}"
                for found in error.deployments:
                    self._store(replace(found, errors=(reason,)))
                continue
            self._know(*(replace(found, read=read) for found in group))
            return

    @contextmanager
    def _taking_out(self, name: str, condition: str | None = None, *, refilled: bool = False) -> Iterator[None]:
        """Around a change that takes rows out of a data source: all, or those for which `condition` is true.

        The deployments beside do the same, then take over what the change put in their place; `refilled` is whether
        what is materialized is made anew. One that cannot, or that a crash leaves behind, cannot become live.
        """
        names = reached(self._catalogue.materializations, name) if refilled else (name,)
        while not self._followers(names):
            with self._engine.writing():  # no population begins meanwhile
                if self._populating_from.isdisjoint(names):
                    yield
                    return
            with self._moving:  # until it has ended
                pass
        with self._moving, self._engine.writing():
            self._catch_up()
            before = self._followers(names)
            # Written down only: a crash in between leaves them so.
            self._write_errors(before, f"Rows of {name} were taken out, and not here")
            try:
                yield
            except BaseException:
                self._write_errors(before)  # nothing was taken out
                raise
            self._take_out_of(before, name, condition, refilled)

    def _write_errors(self, deployments: Sequence[Deployment], *errors: str) -> None:
        with self._engine.transaction() as session:
            records.write_errors(session, [found.id for found in deployments], errors)

    def _take_out_of(self, followers: Sequence[Deployment], name: str, condition: str | None, refilled: bool) -> None:
        def work(session: Session, group: Followers, read: Mapping[str, int]) -> dict[str, int]:
            group.take_out(session, name, lambda owner: self._condition_of(owner, name, condition))
            now = group.catch_up(session, read)
            if refilled:
                group.refill(session, name)
            records.write_errors(session, group.numbers, ())
            return now

        for stage in {found.stage for found in followers}:
            self._follow(stage, work)

    @contextmanager
    def _letting_go_of_moved(self, name: str) -> Iterator[None]:
        """Around judging quarantined rows again: those that a deployment could not move are still in the table that it
        moved them from, and would be there twice. Held while nobody else writes."""
        moved = f"SELECT count(*) FROM {self._datasource(name).quarantine} WHERE c__import_id LIKE 'deployment:%'"
        followers = [found for found in self._followers((name,)) if found.stage is Stage.KEPT]
        if followers and self._engine.run(moved)[0][0]:
            for found in followers:
                self._store(
                    replace(found, errors=(f"Rows of {name} that were quarantined after it were judged again",))
                )
        yield

    def _condition_of(self, follower: Deployment, name: str, condition: str | None) -> CompiledQuery | None:
        from tbpy.workspace.deleting import compile_condition

        if condition is None or name not in follower.stored.datasources:
            return None
        return compile_condition(self._project_of(follower), follower.stored.datasources, name, condition)

    def _project_of(self, deployment: Deployment) -> Project:
        """The project of a deployment that is not live, read from the files that were sent for it."""
        from tbpy.project import load_project
        from tbpy.workspace.deployments.folders import folder_of

        if deployment.id not in self._projects:
            folder = folder_of(self.home, deployment.id, deployment.files or {})
            self._projects[deployment.id] = load_project(folder, secrets=self.project.secrets)
        return self._projects[deployment.id]
