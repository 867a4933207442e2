"""What every route works with: the workspace, its tokens, its jobs, and the threads that do the work."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from tbpy.api.copying import copies_by_schedule
from tbpy.api.flushing import Flusher
from tbpy.api.jobs import Job, Jobs, job_record
from tbpy.api.limiting import RateLimiter
from tbpy.api.metrics import Metrics
from tbpy.api.populating import populations_as_jobs
from tbpy.api.running import Queries
from tbpy.api.tokens import TokenStore
from tbpy.api.variables import VariableStore
from tbpy.api.writer import EventWriter
from tbpy.project import Memory, find_datafiles, load_project
from tbpy.workspace import Workspace
from tbpy.workspace.scheduling import CopyScheduler
from tbpy.workspace.services import Operation

if TYPE_CHECKING:
    from tbpy.errors import TbpyError
    from tbpy.project import Project
    from tbpy.workspace import BuildReport, Deployment

# Where the scope of a request has the service that answers it.
SERVICE = "tbpy.service"
TOKENS_FILE = "tokens.json"
VARIABLES_FILE = "variables.json"


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Limits:
    """`query_seconds` is how long a query may run; sizes are in bytes, of bodies as sent and as decompressed."""

    query_seconds: float = 10.0
    event_bytes: int = 10 << 20
    event_bytes_decompressed: int = 100 << 20
    query_bytes: int = 1 << 20
    file_bytes: int = 16 << 30


@dataclass
class Service:
    """`local` serves one developer: it hands out its tokens at `/tokens`, as Tinybird Local does.

    `file_secrets` reads the secrets that files give; variables of the API stand before them. `files` is the project's
    folder, where it is not the workspace's.
    """

    workspace: Workspace
    tokens: TokenStore
    variables: VariableStore
    local: bool = True
    limits: Limits = field(default_factory=Limits)
    clock: Callable[[], datetime] = utc_now
    timer: Callable[[], float] = time.time
    name: str = "workspace"
    file_secrets: Callable[[], Mapping[str, str]] = dict
    files: Path | None = None

    def __post_init__(self) -> None:
        # All workspaces that are served with this one, by the place of their folder below its own.
        self.workspaces: Callable[[], Mapping[str, Workspace]] = lambda: {"": self.workspace}
        self.jobs = Jobs(self.clock, self._note_job)
        self.workspace.on_population = populations_as_jobs(self.jobs)
        self.metrics = Metrics()
        self.writer = EventWriter(self.workspace.append_events, on_failure=self._note_failure)
        # Threads wait for the database most of the time: more of them than cores keep slow queries from the others.
        self.queries = Queries(64)
        self.threads = ThreadPoolExecutor(8, thread_name_prefix="tbpy-work")
        # One deployment is made at a time, in a thread of its own: whoever sent it need not wait until data is moved.
        self.deploying = Lock()
        self.deployer = ThreadPoolExecutor(1, thread_name_prefix="tbpy-deploy")
        self._flusher = Flusher(self.workspace.log)
        self._copies = CopyScheduler(self.workspace, copies_by_schedule(self.jobs, self.workspace))
        self._copies.start()
        self.rates = RateLimiter(time.monotonic)
        # What ends with the service, the last that came first.
        self.closing = ExitStack()
        self._memory = Memory()
        self._loading = Lock()
        # For tbpy's own commands on this machine, which find it in a file that is the owner's.
        self.process_token = secrets.token_hex(32)

    @property
    def secrets(self) -> dict[str, str]:
        return {**self.file_secrets(), **self.variables.values()}

    def use_variables(self) -> None:
        """Lets queries see the variables as they are now."""
        self.workspace.build(replace(self.workspace.project, secrets=self.secrets))

    def announce(self, url: str) -> None:
        """Lets the commands of this machine find the server."""
        self.workspace.announce(url, self.process_token)

    @property
    def own_folder(self) -> Path:
        """The folder of the project that the server was started for."""
        return self.files or self.workspace.root

    @property
    def folder(self) -> Path:
        """Where the datafiles are: what was deployed; for a developer the folder that is worked in, if it has any."""
        deployed = self.workspace.live_folder
        return self.own_folder if deployed is None or self.is_worked_in else deployed

    @property
    def is_worked_in(self) -> bool:
        """Whether the folder is that of a developer, whose files are built whenever they change."""
        return self.local and bool(find_datafiles(self.own_folder))

    def build(self) -> BuildReport:
        """Builds what the files say now."""
        with self._loading:
            project = load_project(self.folder, secrets=self.secrets, memory=self._memory)
        return self.take_in(project)

    def take_in(
        self,
        project: Project,
        *,
        accept: Callable[[BuildReport], Mapping[str, Any] | None] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> BuildReport:
        """Builds a project, and its tokens with it. Takes and raises what `Workspace.build` does."""
        report = self.workspace.build(project, accept=accept, files=files)
        self.tokens.sync(project)
        return report

    def promote(self, deployment: int | str) -> Deployment:
        """Makes a deployment live, and its tokens with it. Raises what `Workspace.promote` raises."""
        found = self.workspace.promote(deployment)
        self.tokens.sync(self.workspace.project)
        return found

    def rollback(self, deployment: int | str | None = None) -> Deployment:
        """Makes an earlier deployment live again, and its tokens. Raises what `Workspace.rollback` raises."""
        found = self.workspace.rollback(deployment)
        self.tokens.sync(self.workspace.project)
        return found

    def _note_failure(self, datasource: str, error: TbpyError) -> None:
        self.workspace.log.done(Operation("append-hfi", datasource, error=error.message), 0.0)

    def _note_job(self, job: Job) -> None:
        if job.kind == "copy":
            return  # the workspace tells of it, with its rows
        self.workspace.log.note("jobs_log", job_record(job, self.tokens.workspace_id))

    def close(self) -> None:
        """Finishes what was accepted. The workspace stays open, unless the service was made to own it."""
        self._copies.stop()
        self.deployer.shutdown(wait=False, cancel_futures=True)
        self.workspace.stop_deploying(for_good=True)
        self.deployer.shutdown()
        self.writer.close()
        self.jobs.close()
        self._flusher.close()
        self.queries.close()
        self.threads.shutdown(cancel_futures=True)
        self.closing.close()


def open_service(
    workspace: Workspace,
    *,
    local: bool = True,
    admin_token: str | None = None,
    limits: Limits | None = None,
    file_secrets: Callable[[], Mapping[str, str]] = dict,
    files: Path | None = None,
    name: str = "workspace",
    tokens: TokenStore | None = None,
) -> Service:
    """A service over an open workspace, with the tokens and variables that are kept beside it.

    `tokens` are those, when they have been read already."""
    folder = workspace.root / ".tbpy"
    folder.mkdir(exist_ok=True)
    tokens = tokens or TokenStore(folder / TOKENS_FILE, admin_token=admin_token)
    workspace.log.identify(tokens.workspace_id, name)
    return Service(
        workspace,
        tokens,
        VariableStore(folder / VARIABLES_FILE, utc_now),
        local=local,
        limits=limits or Limits(),
        file_secrets=file_secrets,
        files=files,
        name=name,
    )
