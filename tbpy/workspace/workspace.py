"""The workspace of a project: `.tbpy/` beside its files."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tbpy.engines import DuckDBEngine
from tbpy.errors import TbpyError
from tbpy.workspace import catalogue
from tbpy.workspace.copies import Copies
from tbpy.workspace.lock import OnWait, WorkspaceLock
from tbpy.workspace.opening import open_engine
from tbpy.workspace.populations import Populations
from tbpy.workspace.process import ProcessFile
from tbpy.workspace.questions import Questions
from tbpy.workspace.rows import Rows
from tbpy.workspace.services.building import note_build
from tbpy.workspace.state import FOLDER

if TYPE_CHECKING:
    from tbpy.project import Project
    from tbpy.workspace.reports import BuildReport


def utc_now() -> datetime:
    return datetime.now(UTC)


class Workspace(Rows, Copies, Questions, Populations):
    """Owns `.tbpy/` from `open` to `close`. One process at a time has it: another one waits in `open`."""

    def __init__(
        self,
        root: Path,
        engine: DuckDBEngine,
        clock: Callable[[], datetime],
        secrets: Mapping[str, str] | None,
        release: Callable[[], None],
        expires: bool = True,
    ) -> None:
        super().__init__(root, engine, clock, secrets, expires)
        self._release = release
        self._recover()

    @classmethod
    def open(
        cls,
        root: Path,
        *,
        clock: Callable[[], datetime] = utc_now,
        secrets: Mapping[str, str] | None = None,
        timeout: float = 60.0,
        on_wait: OnWait | None = None,
        threads: int | None = None,
        memory_limit: str | None = None,
        expires: bool = True,
    ) -> Workspace:
        """Opens the workspace of the project at `root`, and makes it where there is none.

        `expires` is whether ENGINE_TTL removes rows; where fixtures are loaded it never does.

        While another process has it, waits up to `timeout` seconds, and after the first tells `on_wait` which process
        that is. Raises `ConflictError` when that was not enough.
        """
        folder = root / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / ".gitignore").exists():
            (folder / ".gitignore").write_text("*\n", encoding="utf-8")
        lock, process = WorkspaceLock(folder / "lock"), ProcessFile(folder / "process.json")
        lock.acquire(timeout=timeout, on_wait=on_wait)

        def release() -> None:
            process.remove()
            lock.release()

        try:
            process.write(clock())
            engine = open_engine(folder / "workspace.duckdb", threads, memory_limit, timeout, on_wait)
            return cls(root, engine, clock, secrets, release, expires)
        except BaseException:
            release()
            raise

    @classmethod
    def in_memory(
        cls,
        root: Path,
        *,
        clock: Callable[[], datetime] = utc_now,
        secrets: Mapping[str, str] | None = None,
        threads: int | None = None,
    ) -> Workspace:
        """A workspace of its own that is gone when it is closed, for tests."""
        return cls(root, DuckDBEngine(threads=threads), clock, secrets, lambda: None)

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def announce(self, url: str, token: str) -> None:
        """Tells other processes where this one answers HTTP, and a token that may do everything there."""
        ProcessFile(self.root / FOLDER / "process.json").write(self._clock(), url, token)

    def close(self) -> None:
        self.maintenance.close()
        if self._engine.path is not None and self.log.waiting:
            with suppress(TbpyError):
                self.log.flush()
        self._engine.close()
        self._release()

    def copy_database(self, target: Path) -> None:
        """Writes all that is stored, as it is now, into a new database file. Rows may come and go meanwhile."""
        from tbpy.workspace.backups import copy_database

        with suppress(TbpyError):
            self.log.flush()
        copy_database(self._engine, target)

    def build(
        self,
        project: Project | None = None,
        *,
        accept: Callable[[BuildReport], Mapping[str, Any] | None] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> BuildReport:
        """Brings tables and fixtures to what `project` says (the files of `root`, when it is not given).

        All or nothing, in place: other deployments are gone when anything changed. `accept` is told what was done
        before it is kept: when it raises, nothing was changed. `files` are the datafiles of `project` where they were
        sent for it; the build is a deployment then, with what `accept` answers as its details. Raises
        `DiagnosticsError` with every mistake of the project.
        """
        from tbpy.project import plan
        from tbpy.workspace.building import Build

        started = time.perf_counter()
        project = project or self.project
        with self._moving, self._populated(project) as population, self._engine.writing():
            functions = population.functions if population is not None else ()
            with self._engine.transaction(functions) as session:
                if population is not None:
                    population.catch_up(session, self.now())
                known = self._deployments
                if self._followers() and plan(self._catalogue.fingerprints, project):
                    known = self._without_others(session)  # first, for their tables may have the names of new ones
                report = Build(
                    session, project, self._catalogue, self.now(), self.maintenance.expires, population
                ).run()
                stored = catalogue.read(session)
                details = accept(report) if accept is not None else None
                if report and known is self._deployments and self._followers():
                    known = self._without_others(session)
                if report and files is not None:
                    known = self._replace_live(session, known, files, details or {})
            if known is not self._deployments:
                self._now_are(known)
                project = project if files is None else replace(project, root=self.live_folder or project.root)
            self._built = (project, stored)
            self._populating_from = frozenset()
            self._journaled = self._followed()
        report = replace(report, elapsed=time.perf_counter() - started)
        note_build(self.log, report)
        return report
