"""The workspace of a project: `.tbpy/` beside its files."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tbpy.engines import DuckDBEngine, QueryResult, Session
from tbpy.errors import IngestError, NotFoundError, QueryError, TbpyError
from tbpy.workspace import catalogue, jobs
from tbpy.workspace.compacting import Compactor
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.flowing import empty_nulls, first_of_transaction, flow, last_row, reached
from tbpy.workspace.ingest.append import append_files
from tbpy.workspace.ingest.insertion import Progress
from tbpy.workspace.ingest.quarantine import Import
from tbpy.workspace.ingest.report import AppendReport
from tbpy.workspace.ingest.sources import Format, open_inputs
from tbpy.workspace.lock import OnWait, WorkspaceLock
from tbpy.workspace.opening import open_engine
from tbpy.workspace.process import ProcessFile
from tbpy.workspace.reports import CopyReport, ReplayReport
from tbpy.workspace.services.building import note_build
from tbpy.workspace.services.log import ServiceLog
from tbpy.workspace.suggesting import did_you_mean
from tbpy.workspace.targets import target_of

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler import CompiledQuery
    from tbpy.engines.duckdb import OnStart
    from tbpy.project import Project
    from tbpy.workspace.infos import (
        CopyInfo,
        DatasourceInfo,
        EndpointInfo,
        JobInfo,
        MaterializationInfo,
        PipeInfo,
        QuarantineInfo,
    )
    from tbpy.workspace.plans import Plans
    from tbpy.workspace.querying import Request
    from tbpy.workspace.reports import BuildReport

FOLDER = ".tbpy"
_QUARANTINE = "_quarantine"


def utc_now() -> datetime:
    return datetime.now(UTC)


class Workspace:
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
        self.root = root
        self._engine = engine
        self._clock = clock
        self._secrets = secrets
        self._release = release
        self._project: Project | None = None
        self._compactor = Compactor(engine, expires)
        self.log = ServiceLog(engine, self._moment)
        self._plans: tuple[tuple[object, object], Plans] | None = None
        with engine.session() as session:
            catalogue.prepare(session)
            jobs.prepare(session, self._moment())
            self._catalogue = catalogue.read(session)

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
        if self._engine.path is not None and self.log.waiting:
            with suppress(TbpyError):
                self.log.flush()
        self._engine.close()
        self._release()

    # --- the project --------------------------------------------------------------------------------------------------

    @property
    def project(self) -> Project:
        """The project that was built last here, else what the files say now."""
        if self._project is None:
            from tbpy.project import load_project

            self._project = load_project(self.root, secrets=self._secrets)
        return self._project

    def build(
        self, project: Project | None = None, *, accept: Callable[[BuildReport], None] | None = None
    ) -> BuildReport:
        """Brings tables and fixtures to what `project` says (the files of `root`, when it is not given).

        All or nothing. `accept` is told what was done before it is kept: when it raises, nothing was changed. Raises
        `DiagnosticsError` with every mistake of the project.
        """
        from tbpy.workspace.building import Build

        started = time.perf_counter()
        project = project or self.project
        with self._engine.transaction() as session:
            report = Build(session, project, self._catalogue, self._moment(), self._compactor.expires).run()
            stored = catalogue.read(session)
            if accept is not None:
                accept(report)
        # Together, so that a query which comes meanwhile sees the old project or the new one.
        self._project, self._catalogue = project, stored
        report = replace(report, elapsed=time.perf_counter() - started)
        note_build(self.log, report)
        return report

    # --- rows ---------------------------------------------------------------------------------------------------------

    def append(
        self,
        name: str,
        source: str | Path,
        format: str | Format | None = None,
        *,
        progress: Progress | None = None,
    ) -> AppendReport:
        """Stores the rows of a path, a pattern, an http(s) URL, or of standard input (`-`) in a data source.

        One transaction: rows, quarantine and materializations. `progress` is told the done part, 0 to 1. Raises
        `NotFoundError` for an unknown data source, `UsageError` and `IngestError` for what cannot be read at all.
        """
        datasource = self._datasource(name)
        kind = _format(format)
        started = time.perf_counter()
        moment = self._moment()
        import_ = Import(uuid.uuid4().hex, moment)
        with (
            self.log.imported("append", name, source, import_.id) as done,
            open_inputs(source) as inputs,
            self._engine.transaction(self._catalogue.functions) as session,
        ):
            before = self._last_row(session, datasource)
            target = target_of(datasource, moment)
            try:
                report = append_files(session, target, inputs, source, import_, kind=kind, progress=progress)
            except QueryError as error:
                raise IngestError(f"Cannot append {source}: {error.message}") from error
            if report.rows:
                self._flow(session, name, before, moment)
            done.rows, done.quarantined = report.rows, report.quarantined
        self._compact((name,), report.rows, moment)
        return replace(report, elapsed=time.perf_counter() - started)

    def replace(
        self,
        name: str,
        source: str | Path,
        format: str | Format | None = None,
        *,
        condition: str | None = None,
    ) -> AppendReport:
        """As `append`, in place of all rows, or of those for which `condition` (ClickHouse SQL) is true.

        What is materialized from the data source is made anew. When nothing can be read, nothing is changed.
        """
        from tbpy.workspace.deleting import compile_condition
        from tbpy.workspace.replacing import refill_targets, remove_rows

        datasource, kind, moment, started = self._datasource(name), _format(format), self._moment(), time.perf_counter()
        stored = self._catalogue
        going = None
        if condition is not None:
            going = compile_condition(self.project, stored.datasources, name, condition)
        import_ = Import(uuid.uuid4().hex, moment)
        with (
            self.log.imported("replace", name, source, import_.id) as done,
            open_inputs(source) as inputs,
            self._engine.transaction(self._catalogue.functions) as session,
        ):
            remove_rows(session, datasource, going, moment)
            target = target_of(datasource, moment)
            try:
                report = append_files(session, target, inputs, source, import_, kind=kind)
            except QueryError as error:
                raise IngestError(f"Cannot append {source}: {error.message}") from error
            refill_targets(session, stored.materializations, stored.datasources, name, moment)
            empty_nulls(session, stored.datasources, reached(stored.materializations, name))
            catalogue.write_sorted_rows(session, name, 0)
            done.rows, done.quarantined = report.rows, report.quarantined
        self._refresh()
        return replace(report, elapsed=time.perf_counter() - started)

    def append_events(self, events: Mapping[str, Sequence[str]]) -> dict[str, frozenset[int]]:
        """Stores lines of NDJSON by data source, all in one transaction with their materializations.

        Answers the positions of the lines that went to quarantine. Raises `NotFoundError` for an unknown data source
        and `QueryError` when a materialized node fails; nothing is stored then.
        """
        from tbpy.workspace.ingest.events import store_events

        moment, started, quarantined = self._moment(), time.perf_counter(), {}
        filled: set[str] = set()  # what has rows of this transaction already
        with self._engine.small_transaction(self._catalogue.functions) as session:
            for name, lines in events.items():
                datasource = self._datasource(name)
                before = self._last_row(session, datasource) if name in filled else first_of_transaction(session) - 1
                quarantined[name] = store_events(session, datasource, lines, moment)
                if len(quarantined[name]) < len(lines):
                    self._flow(session, name, before, moment)
                    filled.update(reached(self._catalogue.materializations, name))
        elapsed = time.perf_counter() - started
        for name, lines in events.items():
            self.log.note_events(name, len(lines) - len(quarantined[name]), len(quarantined[name]), elapsed)
        self._compact(events, max(map(len, events.values()), default=0), moment)
        return quarantined

    # --- copies -------------------------------------------------------------------------------------------------------

    def copy(self, name: str, parameters: Mapping[str, Any] | None = None, *, mode: str | None = None) -> CopyReport:
        """Runs a copy pipe now; `mode` is append or replace, that of the pipe unless given.

        One transaction: rows, what is materialized from them, and that the job is done. A job that fails is on record,
        too, and its error is raised.
        """
        from tbpy.workspace import copying

        pipe, node, target_name = copying.find_copy(self.project, name)
        how, target, moment = copying.copy_mode(node, mode), self._datasource(target_name), self._moment()
        started, stored = time.perf_counter(), self._catalogue
        with self._engine.transaction() as session:
            job = jobs.start(session, "copy", name, target_name, moment)
        try:
            with self.log.operation("copy", target_name, pipe=name, job_id=job, options={"mode": how}) as done:
                compiled = copying.compile_copy(self.project, stored, pipe, node, parameters or {}, moment)
                self.log.flush_for(compiled.tables)
                with self._engine.transaction((*compiled.functions, *stored.functions)) as session:
                    rows = copying.write_copy(session, stored, compiled, target, moment, replaces=how == "replace")
                    jobs.finish(session, job, self._moment(), rows=rows)
                done.rows = rows
        except Exception as error:
            with self._engine.transaction() as session:
                jobs.fail(session, job, self._moment(), str(error))
            raise
        self._compact((target_name,), rows, moment)
        emptied = f"{name} answered no rows: {target_name} is empty now" if how == "replace" and not rows else None
        return CopyReport(name, target_name, how, rows, job, time.perf_counter() - started, emptied)

    def copies(self) -> tuple[CopyInfo, ...]:
        from tbpy.workspace.copying import copy_infos

        with self._engine.session() as session:
            return copy_infos(session, self.project, self._moment())

    def pause_copy(self, name: str, paused: bool = True) -> None:
        """Stops the schedule of a copy pipe, or lets it go on; runs on demand are always possible."""
        from tbpy.workspace.copying import find_copy

        find_copy(self.project, name)
        with self._engine.transaction() as session:
            catalogue.write_paused(session, name, paused)

    def now(self) -> datetime:
        """The moment by the clock of the workspace, as naive UTC."""
        return self._moment()

    def run_due_copies(self, after: datetime) -> tuple[datetime, tuple[CopyReport, ...]]:
        """Runs the copies whose schedule came since `after`, one after another and each once, however often it came.

        Answers the moment to ask from next. A copy that fails has its error in its job, and holds up no other one.
        """
        from tbpy.workspace.copying import due_copies

        until, reports = self._moment(), []
        with self._engine.session() as session:
            names = due_copies(session, self.project, _naive(after), until)
        for name in names:
            with suppress(TbpyError):
                reports.append(self.copy(name))
        return until, tuple(reports)

    def jobs(self, limit: int = 100) -> tuple[JobInfo, ...]:
        """What was done on its own, the newest first."""
        with self._engine.session() as session:
            return jobs.read(session, limit=limit)

    # --- merges and deletions -----------------------------------------------------------------------------------------

    def compact(self, name: str | None = None) -> int:
        """Sorts and merges a data source, or all, now and not when it is due; answers how many rows that took away.

        As ClickHouse's OPTIMIZE ... FINAL. Rows past their TTL go, too.
        """
        from tbpy.workspace.compacting import compact
        from tbpy.workspace.sorting import count_rows, expire_rows

        stored, taken = self._catalogue, 0
        for datasource in [self._datasource(name)] if name is not None else list(stored.datasources.values()):
            with self._engine.transaction((*datasource.functions, *datasource.merge_functions)) as session:
                before = count_rows(session, datasource)
                if self._compactor.expires and not stored.fixtures:
                    expire_rows(session, datasource, self._moment())
                compact(session, datasource, stored.fixtures, always=True)
                taken += before - count_rows(session, datasource)
        return taken

    def quarantine(self, name: str, sample: int = 5) -> QuarantineInfo:
        """What is in the quarantine of a data source, and why."""
        from tbpy.workspace.replaying import quarantine_info

        datasource = self._datasource(name)
        with self._engine.session() as session:
            return quarantine_info(session, datasource, sample)

    def replay(self, name: str) -> ReplayReport:
        """Judges quarantined rows by the schema of now; those that fit land as if they were appended."""
        from tbpy.workspace.replaying import replay

        datasource, moment, started = self._datasource(name), self._moment(), time.perf_counter()
        with (
            self.log.operation("append", name, options={"source": "quarantine"}) as done,
            self._engine.transaction(self._catalogue.functions) as session,
        ):
            before = self._last_row(session, datasource)
            rows = done.rows = replay(session, datasource, moment)
            left = int(session.value(f"SELECT count(*) FROM {datasource.quarantine}"))
            if rows:
                self._flow(session, name, before, moment)
        self._compact((name,), rows, moment)
        return ReplayReport(name, rows, left, time.perf_counter() - started)

    def truncate(self, name: str) -> int:
        """Deletes all rows of a data source, or of a quarantine by its own name; answers how many there were."""
        table = self._table(name)
        with (
            self.log.operation("truncate", name) as done,
            self._engine.transaction(self._catalogue.functions) as session,
        ):
            rows = done.removed = int(session.value(f"DELETE FROM {table}"))
            catalogue.write_sorted_rows(session, name, 0)
        self._refresh()
        return rows

    def delete(self, name: str, condition: str) -> int:
        """Deletes the rows for which `condition` (ClickHouse SQL) is true; answers how many.

        Raises `QueryError` for a condition that cannot be evaluated.
        """
        from tbpy.workspace.deleting import compile_condition

        datasource = self._datasource(name)
        compiled = compile_condition(self.project, self._catalogue.datasources, name, condition)
        with (
            self.log.operation("delete", name, options={"delete_condition": condition}) as done,
            self._engine.transaction(self._catalogue.functions) as session,
        ):
            session.register(compiled.functions)
            parameters = {"now": self._moment()} if compiled.uses_now else None
            rows = done.removed = int(
                session.value(f"DELETE FROM {datasource.table} WHERE rowid IN ({compiled.sql})", parameters)
            )
            left = int(session.value(f"SELECT count(*) FROM {datasource.table}"))
            catalogue.write_sorted_rows(session, name, min(catalogue.sorted_rows(session, name), left))
        self._refresh()
        return rows

    def datasources(self) -> tuple[DatasourceInfo, ...]:
        """The data sources that are built, in order of their names."""
        from tbpy.workspace.inspecting import datasource_info

        with self._engine.session() as session:
            return tuple(datasource_info(session, item) for _, item in sorted(self._catalogue.datasources.items()))

    def datasource_names(self) -> tuple[str, ...]:
        """Only the names, without a look at the tables."""
        return tuple(sorted(self._catalogue.datasources))

    # --- queries ------------------------------------------------------------------------------------------------------

    def query(
        self,
        sql: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        time_limit: float | None = None,
        now: datetime | None = None,
        on_start: OnStart | None = None,
    ) -> QueryResult:
        """Answers ClickHouse SQL over data sources, quarantines, pipes and nodes. `time_limit` in seconds.

        `now` is what `now()` answers, the clock's time unless given; `on_start` gets a function that stops the query.
        """
        request = self._request(parameters, now)
        compiled = request.compile_sql(sql)
        return self._answer(compiled, request, time_limit, on_start)

    def endpoint(
        self,
        name: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        sql: str | None = None,
        time_limit: float | None = None,
        now: datetime | None = None,
        on_start: OnStart | None = None,
    ) -> QueryResult:
        """What an endpoint answers to these parameters, or with `sql` a query over that, where it is called `_`.

        Raises `NotFoundError` for what is no endpoint, `TemplateError` for missing and wrong parameters.
        """
        request = self._request(parameters, now)
        compiled = request.compile_endpoint(name, sql)
        return self._answer(compiled, request, time_limit, on_start)

    def _answer(
        self, compiled: CompiledQuery, request: Request, time_limit: float | None, on_start: OnStart | None
    ) -> QueryResult:
        from tbpy.workspace.scanning import scans_of

        self.log.flush_for(compiled.tables)
        return self._engine.query(
            compiled,
            now=request.now,
            time_limit=time_limit,
            on_start=on_start,
            scans=scans_of(compiled.tables, request.stored),
        )

    def write_parquet(
        self,
        path: Path,
        *,
        sql: str | None = None,
        endpoint: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        time_limit: float | None = None,
        now: datetime | None = None,
        on_start: OnStart | None = None,
    ) -> None:
        """Writes what `endpoint(endpoint, parameters, sql=sql)` answers, or `query(sql)` without an endpoint."""
        request = self._request(parameters, now)
        compiled = request.compile_sql(sql or "") if endpoint is None else request.compile_endpoint(endpoint, sql)
        self.log.flush_for(compiled.tables)
        self._engine.write_parquet(compiled, path, now=request.now, time_limit=time_limit, on_start=on_start)

    def endpoints(self) -> tuple[EndpointInfo, ...]:
        from tbpy.workspace.querying import endpoint_infos

        return endpoint_infos(self.project)

    def pipes(self) -> tuple[PipeInfo, ...]:
        from tbpy.workspace.querying import pipe_infos

        return pipe_infos(self.project)

    def materializations(self) -> tuple[MaterializationInfo, ...]:
        """The materialized nodes, and why those that do not run do not."""
        from tbpy.workspace.materializing import materialization_infos

        return materialization_infos(self.project, self._catalogue.datasources, self._catalogue.materializations)

    # --- what they share ----------------------------------------------------------------------------------------------

    def _moment(self) -> datetime:
        """Now, as naive UTC."""
        return _naive(self._clock())

    def _refresh(self) -> None:
        with self._engine.session() as session:
            fresh = catalogue.read(session)
        if fresh.datasources == self._catalogue.datasources:  # the same object, for what was planned over it
            fresh = replace(fresh, datasources=self._catalogue.datasources)
        self._catalogue = fresh

    def _request(self, parameters: Mapping[str, Any] | None, now: datetime | None = None) -> Request:
        from tbpy.workspace.querying import Request

        moment = self._moment() if now is None else _naive(now)
        return Request(self.project, self._catalogue.datasources, moment, parameters or {}, self._current_plans())

    def _current_plans(self) -> Plans:
        """The plans of the project and storage as they are now; a build or another process's change begins anew."""
        state = (self.project, self._catalogue.datasources)
        if self._plans is None or any(one is not other for one, other in zip(self._plans[0], state, strict=True)):
            from tbpy.workspace.plans import Plans

            self._plans = (state, Plans())
        return self._plans[1]

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
        """The highest row number, where materialized nodes will ask for it."""
        if all(found.source != datasource.name for found in self._catalogue.materializations):
            return -1
        return last_row(session, datasource)

    def _flow(self, session: Session, name: str, before: int, moment: datetime) -> None:
        stored = self._catalogue
        if any(found.source == name for found in stored.materializations):
            flow(session, stored.materializations, stored.datasources, name, before, moment)
        empty_nulls(session, stored.datasources, reached(stored.materializations, name))

    def _compact(self, names: Iterable[str], rows: int, moment: datetime) -> None:
        """After up to `rows` rows came into each of some data sources, and flowed on from there."""
        for name in names:
            self._compactor.note(reached(self._catalogue.materializations, name), rows)
        self._compactor.run(self._catalogue, moment)


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _format(value: str | Format | None) -> Format | None:
    if value is None:
        return None
    try:
        return Format(str(value).lower())
    except ValueError:
        known = [item.value for item in Format]
        raise IngestError(f"Unknown format {value}", hint=did_you_mean(str(value), known)) from None
