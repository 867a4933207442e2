"""The embedded engine: one DuckDB database file, opened by one process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock, RLock
from typing import TYPE_CHECKING, Any

import duckdb

from tbpy.clickhouse.memory import row_width
from tbpy.clickhouse.quoting import duckdb_name, duckdb_string
from tbpy.engines.counting import RowCounts
from tbpy.engines.failures import DatabaseInUseError, is_locked, lock_owner, translate
from tbpy.engines.readers import Lease, Readers
from tbpy.engines.result import QueryResult, Row, Scan, Statistics
from tbpy.engines.session import Parameters, Session
from tbpy.engines.statements import Parsed, Statements
from tbpy.errors import TbpyError

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.statement import CompiledQuery

OnStart = Callable[[Callable[[], None]], None]

_CONFIG = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    # ClickHouse answers inf, nan or 0 where DuckDB would stop.
    "error_on_division_by_zero": "false",
    # Small commits stay in the log: a checkpoint in the middle of ingestion costs tens of milliseconds.
    "checkpoint_threshold": "256MB",
}


class DuckDBEngine:
    """A database and its connections.

    `path` None is a database in memory. `threads` and `memory_limit` (as DuckDB writes it, "2GB") default to DuckDB's
    own: all cores, four fifths of the memory. Raises `DatabaseInUseError` when another process has the file.
    """

    def __init__(
        self, path: Path | None = None, *, threads: int | None = None, memory_limit: str | None = None
    ) -> None:
        self.path = path
        self._config = dict(_CONFIG)
        if threads is not None:
            self._config["threads"] = str(threads)
        if memory_limit is not None:
            self._config["memory_limit"] = memory_limit
        self._opening = Lock()
        self._writing = RLock()
        self._registered: set[str] = set()
        self._kept: Session | None = None
        self._kept_since: object = None
        self._readers = Readers(self.session)
        self._statements = Statements()
        self._counts = RowCounts()
        #: Made anew with each transaction that may have changed the catalog.
        self._catalog_state = object()
        #: How many transactions did more than append rows to the tables of data sources.
        self.rewrites = 0
        self._database: duckdb.DuckDBPyConnection | None = self._open()

    def __enter__(self) -> DuckDBEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def session(self) -> Session:
        """A connection for one request. A database that failed fatally (a full disk) is opened anew first."""
        with self._opening:
            if self._database is None:
                self._database = self._open()
            return Session(self._database.cursor(), self._registered, on_fatal=self.close)

    @contextmanager
    def transaction(
        self, functions: Iterable[str] = (), *, appends: bool = False, within: Session | None = None
    ) -> Iterator[Session]:
        """A session in a transaction. One writer at a time: DuckDB would let the second one fail at its commit.

        `functions` are Python functions that it will call: registered before, they outlive it whatever its end.
        `appends` promises that no row that a data source has is changed or taken away. `within` is the session to use,
        with its temporary tables; a new one unless given.
        """
        with self._writing:
            with self.aside(functions, within=within) as session:
                yield session
            self.rewrites += not appends

    @contextmanager
    def aside(self, functions: Iterable[str] = (), *, within: Session | None = None) -> Iterator[Session]:
        """As `transaction`, beside that of a writer: for one that writes only to tables that nobody else knows."""
        with self.session() if within is None else nullcontext(within) as session:
            session.register(functions)
            with session.transaction():
                yield session
            self._catalog_state = object()
            self._counts.changed()

    @contextmanager
    def small_transaction(self, functions: Iterable[str] = ()) -> Iterator[Session]:
        """As `transaction`, for appends that are made again and again: the session is kept, with what it prepared."""
        with self._writing:
            session = self._kept_session()
            try:
                session.register(functions)
                with session.transaction():
                    yield session
                self._counts.changed()
            except BaseException:
                self._kept = None
                session.close()
                raise

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Several transactions with nobody else's writes between them."""
        with self._writing:
            yield

    def run(self, sql: str, parameters: Parameters = None) -> list[Row]:
        """One statement of tbpy's own, with all its rows."""
        with self.session() as session:
            return session.rows(sql, parameters)

    def query(
        self,
        compiled: CompiledQuery,
        *,
        now: datetime | None = None,
        time_limit: float | None = None,
        batch_size: int = 8192,
        on_start: OnStart | None = None,
        scans: Sequence[Scan] = (),
    ) -> QueryResult:
        """Runs a compiled query. `now` is what `now()` answers; `time_limit` in seconds raises `QueryTimeoutError`.

        `on_start` is given a function that stops the query from another thread; it then raises as if it took too long.
        `scans` are the tables to count for the statistics.
        """
        lease = self._readers.take()
        try:
            if on_start is not None:
                on_start(lease.interrupt)
            lease.session.register(compiled.functions)
            return self._start(lease, compiled, now, time_limit, batch_size, scans)
        except BaseException:
            lease.end(reusable=False)
            raise

    def write_parquet(
        self,
        compiled: CompiledQuery,
        path: Path,
        *,
        now: datetime | None = None,
        time_limit: float | None = None,
        on_start: OnStart | None = None,
    ) -> None:
        """Runs a compiled query into a Parquet file; its columns have the ClickHouse names. Else as `query`."""
        columns = ", ".join(
            f"c{place} AS {duckdb_name(name)}" for place, name in enumerate(_distinct(c.name for c in compiled.columns))
        )
        aliases = ", ".join(f"c{place}" for place in range(len(compiled.columns)))
        rows = f"SELECT {columns} FROM ({compiled.sql}) AS answered({aliases})"
        with self.session() as session, session.time_limit(time_limit):
            if on_start is not None:
                on_start(session.interrupt)
            session.register(compiled.functions)
            session.execute(f"COPY ({rows}) TO {duckdb_string(str(path))} (FORMAT parquet)", _parameters(compiled, now))

    def explain(self, compiled: CompiledQuery, *, now: datetime | None = None) -> str:
        """DuckDB's plan of a compiled query."""
        with self.session() as session:
            session.register(compiled.functions)
            return "\n".join(plan for _, plan in session.rows(f"EXPLAIN {compiled.sql}", _parameters(compiled, now)))

    def same_plan(self, one: CompiledQuery, other: CompiledQuery) -> bool:
        """Whether DuckDB does the same for both; False for what it does not take."""
        moment = datetime.now(UTC)
        with self.session() as session, suppress(TbpyError):
            session.register(one.functions)
            first, second = (
                session.rows(f"EXPLAIN (FORMAT json) {compiled.sql}", _parameters(compiled, moment))
                for compiled in (one, other)
            )
            return first == second
        return False

    def close(self) -> None:
        with self._opening:
            if self._database is not None:
                self._database.close()
                self._database = self._kept = None
                self._readers.close()
                self._readers = Readers(self.session)
                self._registered.clear()

    def _kept_session(self) -> Session:
        """The one of `small_transaction`; it ends with the database it was opened on, and with a failure.

        It ends with any other transaction and with a new function, too: of a catalog that changed, even for another
        table, DuckDB plans a prepared statement anew each time that it runs.
        """
        state = (self._catalog_state, len(self._registered))
        if self._kept is not None and self._kept_since != state:
            self._kept.close()
            self._kept = None
        if self._kept is None:
            self._kept, self._kept_since = self.session(), state
        return self._kept

    def _open(self) -> duckdb.DuckDBPyConnection:
        try:
            database = duckdb.connect(":memory:" if self.path is None else str(self.path), config=dict(self._config))
            database.execute("SET GLOBAL TimeZone = 'UTC'")
        except duckdb.Error as error:
            if is_locked(error):
                raise DatabaseInUseError(self.path, lock_owner(error)) from error
            raise translate(error) from error
        return database

    def _start(
        self,
        lease: Lease,
        compiled: CompiledQuery,
        now: datetime | None,
        limit: float | None,
        size: int,
        scans: Sequence[Scan],
    ) -> QueryResult:
        started, session = time.perf_counter(), lease.session
        values = _parameters(compiled, now) or {}
        totals = self._totals(session, compiled.totals, values) if compiled.totals else None
        batches = _timed_batches(lease, self._statements.parse(session, compiled.sql), values, limit, size)
        first = next(batches, None)  # so that a query that fails raises here, not where its rows are written
        counted = _Counted(0 if first is None else len(first))

        def rest() -> Iterator[list[Row]]:
            try:
                if first is not None:
                    yield first
                for batch in batches:
                    counted.rows += len(batch)
                    yield batch
                counted.complete = True
                if scans:
                    counted.read = self._counts.read_by(session, scans)
            finally:
                lease.end(reusable=counted.complete and counted.rows <= size)

        def finish() -> Statistics:
            return counted.statistics(time.perf_counter() - started, compiled)

        return QueryResult(
            compiled.columns,
            rest(),
            compiled.format,
            totals=totals,
            tables=compiled.tables,
            finish=finish,
        )

    def _totals(self, session: Session, sql: str, values: Mapping[str, Any]) -> Row | None:
        parsed = self._statements.parse(session, sql)
        return next(iter(session.rows(parsed.statement, parsed.chosen(values))), None)


@dataclass(slots=True)
class _Counted:
    """What was fetched so far, and when that is all, the rows and bytes of the tables that were read."""

    rows: int
    complete: bool = False
    read: tuple[int, int] | None = None

    def statistics(self, elapsed: float, compiled: CompiledQuery) -> Statistics:
        rows_read, bytes_read = self.read or (self.rows, self.rows * row_width(c.type for c in compiled.columns))
        known = self.complete and compiled.limit is not None
        before = compiled.limit.rows_before(self.rows) if known and compiled.limit is not None else None
        return Statistics(elapsed, rows_read, bytes_read, before, self.rows)


def _distinct(names: Iterable[str]) -> Iterator[str]:
    """Names that differ also where case does not count, as a Parquet file needs them."""
    taken: set[str] = set()
    for name in names:
        distinct, number = name, 1
        while distinct.lower() in taken:
            distinct, number = f"{name}_{number}", number + 1
        taken.add(distinct.lower())
        yield distinct


def _timed_batches(
    lease: Lease, parsed: Parsed, values: Mapping[str, Any], limit: float | None, size: int
) -> Iterator[list[Row]]:
    with lease.session.time_limit(limit, lease.interrupt):
        yield from lease.session.batches(parsed.statement, parsed.chosen(values), size=size)


def _parameters(compiled: CompiledQuery, now: datetime | None) -> dict[str, Any] | None:
    """The values of the parameters that a compiled query may have; None for none."""
    values: dict[str, Any] = dict(compiled.arguments)
    if compiled.uses_now:
        moment = now or datetime.now(UTC)
        values["now"] = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return values or None
