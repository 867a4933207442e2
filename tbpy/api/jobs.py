"""Jobs: imports, copies, deletions and populations that a request starts and another one asks after."""

from __future__ import annotations

import json
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tbpy.engines import Interruption
from tbpy.errors import ConflictError, NotFoundError, TbpyError, WorkCancelledError

_KEPT = 100
Work = Callable[[], Mapping[str, Any]]
StoppableWork = Callable[[Interruption], Mapping[str, Any]]


@dataclass
class Job:
    """`status` is waiting, working, done or error, and of one that is stopped cancelling, then cancelled.

    `facts` are the keys that its kind has beside the common ones, of which those in `asked` were known at its start.

    `again` does the same work once more, None where that cannot be done. `interruption` stops it while it works, None
    for what cannot be stopped.
    """

    id: str
    kind: str
    created: datetime
    updated: datetime
    started: datetime | None = None
    status: str = "waiting"
    error: str | None = None
    asked: Mapping[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    future: Future[None] | None = field(default=None, repr=False)
    again: Callable[..., Mapping[str, Any]] | None = field(default=None, repr=False)
    interruption: Interruption | None = field(default=None, repr=False)

    @property
    def is_unfinished(self) -> bool:
        return self.status in ("waiting", "working", "cancelling")

    @property
    def is_cancellable(self) -> bool:
        return self.status == "waiting" or (self.status == "working" and self.interruption is not None)

    def as_dict(self, base: str) -> dict[str, Any]:
        """`base` is the server's address, for the job's own."""
        shown: dict[str, Any] = {
            "kind": self.kind,
            "id": self.id,
            "job_id": self.id,
            "status": self.status,
            "created_at": timestamp(self.created),
            "updated_at": timestamp(self.updated),
            "started_at": timestamp(self.started) if self.started else None,
            "is_cancellable": self.is_cancellable,
            "job_url": f"{base}/v0/jobs/{self.id}",
            **self.facts,
        }
        if self.error is not None:
            shown |= {"error": self.error, "errors": [self.error]}
        return shown


class Jobs:
    """Runs one job at a time, for all of them write, and remembers the last hundred."""

    def __init__(self, clock: Callable[[], datetime], on_end: Callable[[Job], None] = lambda job: None) -> None:
        """`on_end` is told of each job that has ended, in the thread that did it."""
        self._clock = clock
        self._on_end = on_end
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="tbpy-jobs")

    def start(self, kind: str, facts: Mapping[str, Any], work: Work, *, repeatable: bool = True) -> Job:
        """`work` answers facts to add to the job's. An error of it is the job's."""
        job = self._add(kind, facts, work if repeatable else None, None)
        job.future = self._pool.submit(self._run, job, lambda _: work())
        return job

    def start_stoppable(self, kind: str, facts: Mapping[str, Any], work: StoppableWork) -> Job:
        """As `start`, of work that an interruption stops, which it is given."""
        job = self._add(kind, facts, work, Interruption())
        job.future = self._pool.submit(self._run, job, work)
        return job

    @contextmanager
    def watched(self, kind: str, facts: Mapping[str, Any], interruption: Interruption) -> Iterator[Job]:
        """A job of the work that is done inside, which waits for no other job. Its errors are raised, too."""
        job = self._add(kind, facts, None, interruption)
        with self._working(job):
            yield job

    def cancel(self, job: Job) -> None:
        """Lets a job that waits not begin, and one that works stop soon. Raises `ConflictError` for any other."""
        if job.future is not None and job.future.cancel():
            job.status, job.updated = "cancelled", self._clock()
        elif job.interruption is not None and job.status == "working":
            job.status = "cancelling"
            job.interruption.request()
        elif job.status != "cancelling":
            raise ConflictError(f"Job {job.id} cannot be cancelled: it is {job.status}")

    def get(self, identifier: str) -> Job:
        """Raises `NotFoundError`."""
        if identifier not in self._jobs:
            raise NotFoundError(f"Job {identifier} not found")
        return self._jobs[identifier]

    def retry(self, job: Job) -> Job:
        """A new job that does the same. Raises `ConflictError` for one that has not ended or cannot be repeated."""
        if job.is_unfinished:
            raise ConflictError(f"Job {job.id} cannot be retried: it is {job.status}")
        if job.again is None:
            raise ConflictError(f"Job {job.id} cannot be retried: its data came with the request")
        if job.interruption is not None:
            return self.start_stoppable(job.kind, job.asked, job.again)
        return self.start(job.kind, job.asked, job.again)

    def all(self) -> tuple[Job, ...]:
        """The newest first."""
        return tuple(reversed(self._jobs.values()))

    @property
    def unfinished(self) -> int:
        return sum(job.is_unfinished for job in self.all())

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _add(
        self, kind: str, facts: Mapping[str, Any], again: Callable[..., Any] | None, interruption: Interruption | None
    ) -> Job:
        now, identifier = self._clock(), str(uuid.uuid4())
        job = Job(identifier, kind, now, now, asked=facts, facts=dict(facts), again=again, interruption=interruption)
        self._jobs[job.id] = job
        while len(self._jobs) > _KEPT:
            self._jobs.popitem(last=False)
        return job

    def _run(self, job: Job, work: StoppableWork) -> None:
        with suppress(Exception), self._working(job):
            job.facts |= work(job.interruption or Interruption())

    @contextmanager
    def _working(self, job: Job) -> Iterator[None]:
        """Around the work of a job: it has the status and the error of what is done inside."""
        job.status, job.started = "working", self._clock()
        try:
            yield
            job.status = "done"
        except WorkCancelledError:
            job.status = "cancelled"
            raise
        except BaseException as error:
            job.error = error.answer if isinstance(error, TbpyError) else f"{type(error).__name__}: {error}"
            job.status = "error"
            raise
        finally:
            job.updated = self._clock()
            self._on_end(job)


def job_record(job: Job, workspace_id: str) -> dict[str, Any]:
    """A job that has ended, as `tinybird.jobs_log` has it."""
    datasource = job.facts.get("datasource")
    return {
        "job_id": job.id,
        "job_type": job.kind,
        "status": job.status,
        "error": job.error,
        "workspace_id": workspace_id,
        "request_id": job.id,
        "pipe_id": job.facts.get("pipe_id"),
        "datasource_id": datasource.get("id") if isinstance(datasource, dict) else None,
        "created_at": timestamp(job.created),
        "started_at": timestamp(job.started) if job.started else None,
        "updated_at": timestamp(job.updated),
        "job_metadata": json.dumps(job.facts, default=str),
    }


def timestamp(moment: datetime) -> str:
    """As metadata has it: `2026-01-02 03:04:05.000000`, UTC."""
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}"
