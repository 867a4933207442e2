"""A workspace that fills large targets of materialized nodes beside what is live."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING

from tbpy.engines import Interruption
from tbpy.errors import ConflictError, TbpyError
from tbpy.workspace.deployments import journal
from tbpy.workspace.deployments.switching import Deployments

if TYPE_CHECKING:
    from tbpy.project import Project
    from tbpy.workspace.ingest.insertion import Progress
    from tbpy.workspace.populating import Population

# A build catches up while rows come in until it is that close, or was as often: the rest is taken over by itself.
_CLOSE = 5_000
_ROUNDS = 10
_log = logging.getLogger("tbpy.workspace")

OnPopulation = Callable[["Population", Interruption], AbstractContextManager["Progress"]]


def _unobserved(population: Population, interruption: Interruption) -> AbstractContextManager[Progress]:
    return nullcontext(lambda done: None)


class Populations(Deployments):
    """The part of a workspace that populates.

    `on_population` is entered around each population, up to the end of the build that it is for: it is given what can
    stop it, and answers what is told the done part.
    """

    on_population: OnPopulation = staticmethod(_unobserved)

    @contextmanager
    def _populated(self, project: Project) -> Iterator[Population | None]:
        """Around a build that holds `_moving`: what it needs to fill its large targets, None when there are none."""
        from tbpy.workspace.populating import plan_population

        with self._engine.session() as session:
            population = plan_population(session, project, self._catalogue)
        if population is None:
            yield None
            return
        interruption = Interruption()
        try:
            with self.on_population(population, interruption) as progress:
                self._fill_beside(population, interruption, progress)
                yield population
        finally:
            self._end(population)

    def _fill_beside(self, population: Population, interruption: Interruption, progress: Progress) -> None:
        """Nobody writes between the journals' begin and what the filling sees."""
        if self._stopping:
            raise ConflictError("The server is stopping")
        with ExitStack() as stack:
            with self._engine.writing():
                with self._engine.transaction(appends=True) as session:
                    population.begin(session)
                self._populating_from = population.sources
                self._journaled = self._followed()
                session = stack.enter_context(self._engine.aside(population.functions))
                session.value("SELECT count(*) FROM duckdb_tables()")  # what it sees is fixed at its first look
            self._filling = session
            try:
                with interruption.over(session):
                    population.fill(session, self.now(), progress)
            finally:
                self._filling = None
        for _ in range(_ROUNDS):
            with self._engine.aside(population.functions) as session, interruption.over(session):
                if population.catch_up(session, self.now()) < _CLOSE:
                    break

    def _end(self, population: Population) -> None:
        """Drops what is left of it. What cannot be dropped now goes when the workspace is opened again."""
        with self._engine.writing():
            self._populating_from = frozenset()
            self._journaled = self._followed()
            unread = population.sources - self._journaled
            try:
                with self._engine.transaction(appends=True) as session:
                    population.drop(session)
                    journal.drop_journals(session, population.before, unread)
            except TbpyError as error:
                _log.warning("Tables of a population could not be dropped: %s", error.message)

    def _recover(self) -> None:
        from tbpy.workspace.populating import drop_left_behind

        super()._recover()
        with self._engine.transaction(appends=True) as session:
            drop_left_behind(session)
            journal.drop_other_journals(session, [self._catalogue.datasources[name] for name in self._journaled])
