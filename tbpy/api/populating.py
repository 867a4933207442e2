"""Populations as jobs of a server: one for each target that a build fills beside what is live."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING

from tbpy.api.identifiers import resource_id
from tbpy.api.jobs import Jobs
from tbpy.engines import Interruption

if TYPE_CHECKING:
    from tbpy.workspace.ingest.insertion import Progress
    from tbpy.workspace.populating import Population


def populations_as_jobs(jobs: Jobs) -> Callable[[Population, Interruption], AbstractContextManager[Progress]]:
    """What a workspace tells of its populations. They end together, with the build: to cancel one cancels all."""

    @contextmanager
    def watch(population: Population, interruption: Interruption) -> Iterator[Progress]:
        with ExitStack() as stack:
            watched = [
                stack.enter_context(jobs.watched("populateview", _facts(name, feeding[0].pipe), interruption))
                for name, feeding in population.fills.items()
            ]

            def tell(done: float) -> None:
                for job in watched:
                    job.facts["progress_percentage"] = round(100 * done)

            yield tell
            tell(1.0)

    return watch


def _facts(target: str, pipe: str) -> dict[str, object]:
    return {
        "pipe_id": resource_id("pipe", pipe),
        "pipe_name": pipe,
        "datasource": {"id": resource_id("datasource", target), "name": target},
        "progress_percentage": 0,
    }
