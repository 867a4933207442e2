"""Copies as jobs of a server, whoever starts them: a request, a schedule, or a command of this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING, Any

from tbpy.api.identifiers import resource_id
from tbpy.api.jobs import Job, Jobs
from tbpy.engines import Interruption
from tbpy.errors import ConflictError
from tbpy.workspace import CopyReport, Workspace

if TYPE_CHECKING:
    Outcome = Callable[[], CopyReport]


def start_copy(
    jobs: Jobs, workspace: Workspace, name: str, parameters: Mapping[str, Any] | None = None, mode: str | None = None
) -> tuple[Job, Outcome]:
    """The job, and a function that waits for what it wrote. Raises `NotFoundError` for what is no copy pipe.

    The function raises the error of a copy that failed, and `ConflictError` for one that was cancelled.
    """
    target = workspace.copy_target(name)
    outcome: Future[CopyReport] = Future()

    def work(interruption: Interruption) -> dict[str, Any]:
        try:
            report = workspace.copy(name, parameters, mode=mode, interruption=interruption)
        except Exception as error:
            if not outcome.done():  # it is when the job is retried
                outcome.set_exception(error)
            raise
        if not outcome.done():
            outcome.set_result(report)
        return {"mode": report.mode, "rows_affected": report.rows, "progress_percentage": 100}

    facts = {
        "pipe_id": resource_id("pipe", name),
        "pipe_name": name,
        "datasource": {"id": resource_id("datasource", target), "name": target},
    }
    job = jobs.start_stoppable("copy", facts, work)

    def wait() -> CopyReport:
        assert job.future is not None
        try:
            job.future.result()
        except CancelledError:
            raise ConflictError(f"The copy {name} was cancelled before it began") from None
        return outcome.result()

    return job, wait


def copies_by_schedule(jobs: Jobs, workspace: Workspace) -> Callable[[str], CopyReport | None]:
    """What a scheduler runs a copy by: a job, which it waits for. A copy that is to run already is not run again."""

    def run(name: str) -> CopyReport | None:
        if any(job.facts.get("pipe_name") == name and job.is_unfinished for job in jobs.all()):
            return None
        return start_copy(jobs, workspace, name)[1]()

    return run
