"""One connection to the engine: a cursor of its own, which nobody else uses at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any

import duckdb

from tbpy.engines.deadlines import DEADLINES
from tbpy.engines.failures import translate
from tbpy.engines.functions import create_function
from tbpy.engines.result import Row
from tbpy.errors import TbpyError

Parameters = Sequence[Any] | Mapping[str, Any] | None

_REGISTERING = Lock()
_MOST_PREPARED = 200


class Session:
    """Runs statements one after another. Temporary tables and the open transaction belong to it."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, registered: set[str], *, on_fatal: Callable[[], None]
    ) -> None:
        """`registered` are the Python functions that the database knows, shared by its sessions. `on_fatal` is called
        when the database must be opened anew (DuckDB refuses all work after a fatal error)."""
        self._connection = connection
        self._registered = registered
        self._on_fatal = on_fatal
        self._limit: float | None = None
        self._prepared: dict[str, str] = {}
        self._preparations = 0
        # The functions that the open transaction made; None outside of one.
        self._made: set[str] | None = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def execute(self, sql: str, parameters: Parameters = None) -> None:
        """Runs one statement whose rows do not matter."""
        self._run(sql, parameters)

    def rows(self, sql: str | duckdb.Statement, parameters: Parameters = None) -> list[Row]:
        return list(self._run(sql, parameters).fetchall())

    def value(self, sql: str, parameters: Parameters = None) -> Any:
        """The first value of the first row, None when there is no row."""
        # All rows: a connection with a result that was not read to its end takes no other work.
        rows = self._run(sql, parameters).fetchall()
        return rows[0][0] if rows else None

    def prepared_value(self, sql: str, arguments: Sequence[str]) -> Any:
        """As `value`, of a statement with `$1`, `$2`, ... that is planned once a session.

        `arguments` are SQL literals: DuckDB takes no values for a statement that it has prepared.
        """
        name = self._prepared.get(sql)
        if name is None:
            if len(self._prepared) >= _MOST_PREPARED:
                self.execute(f"DEALLOCATE {self._prepared.pop(next(iter(self._prepared)))}")
            self._preparations += 1
            name = f"tbpy_{self._preparations}"
            self.execute(f"PREPARE {name} AS {sql}")
            self._prepared[sql] = name
        return self.value(f"EXECUTE {name}({', '.join(arguments)})")

    def parse(self, sql: str) -> duckdb.Statement:
        """One statement, for `batches` of any session."""
        try:
            (statement,) = self._connection.extract_statements(sql)
        except duckdb.Error as error:
            raise self._failure(error) from error
        return statement

    def names(self) -> list[str]:
        """Column names of the statement that ran last."""
        return [column[0] for column in self._connection.description or ()]

    def batches(
        self, sql: str | duckdb.Statement, parameters: Parameters = None, *, size: int = 8192
    ) -> Iterator[list[Row]]:
        """Rows in lists of at most `size`; the session is busy until the last one was taken."""
        self._run(sql, parameters)
        try:
            while batch := self._connection.fetchmany(size):
                yield batch
        except duckdb.Error as error:
            raise self._failure(error) from error

    def register(self, names: Iterable[str]) -> None:
        """Makes Python functions of `tbpy.clickhouse.udf` callable from SQL, in all sessions of the database.

        In a transaction they are there for itself alone until it is committed, and gone when it is not.
        """
        known = self._registered if self._made is None else self._made
        missing = [name for name in names if name not in self._registered and name not in known]
        if not missing:
            return
        from tbpy.clickhouse.udf import FUNCTIONS

        with _REGISTERING:  # sessions of other threads share the database
            for name in missing:
                if name not in self._registered:
                    create_function(self._connection, name, FUNCTIONS[name])
                    known.add(name)

    def interrupt(self) -> None:
        """Stops what runs here; called from another thread. When nothing runs any more, nothing happens."""
        with suppress(duckdb.ConnectionException):
            self._connection.interrupt()

    @contextmanager
    def time_limit(self, seconds: float | None, interrupt: Callable[[], None] | None = None) -> Iterator[None]:
        """Stops what runs after that time, by `interrupt` where it is given; it then raises `QueryTimeoutError`."""
        if seconds is None:
            yield
            return
        deadline = DEADLINES.after(seconds, interrupt or self.interrupt)
        self._limit = seconds
        try:
            yield
        finally:
            deadline.call_off()
            self._limit = None

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """All that is done inside happens, or nothing of it."""
        self.execute("BEGIN TRANSACTION")
        self._made = set()
        try:
            yield self
        except BaseException:
            self._made = None
            self._rollback()
            raise
        made, self._made = self._made, None
        self.execute("COMMIT")
        self._registered.update(made)

    @contextmanager
    def bulk_insert(self, *, dictionaries: bool = True) -> Iterator[None]:
        """For one big INSERT: its rows may be stored in whatever order threads read them, which takes half the time.

        Without `dictionaries` texts are stored plainly: looking for a dictionary in texts that hardly repeat takes a
        third of an insert. The settings are the database's: a query that runs meanwhile, without ORDER BY, may see its
        rows in another order.
        """
        # By a connection of their own: that of the insert takes no statement any more when the insert has failed.
        settings = self._connection.cursor()
        settings.execute("SET preserve_insertion_order = false")
        if not dictionaries:
            settings.execute("SET disabled_compression_methods = 'dict_fsst'")
        try:
            yield
        finally:
            with suppress(duckdb.FatalException):  # a database that must be opened anew forgets its settings
                settings.execute("SET preserve_insertion_order = true")
                settings.execute("RESET disabled_compression_methods")
            settings.close()

    @contextmanager
    def watched(self, progress: Callable[[float], None] | None) -> Iterator[None]:
        """Calls `progress` a few times a second, from another thread, with the done part (0 to 1) of the statement."""
        if progress is None:
            yield
            return
        # DuckDB keeps count only for a progress bar; printing one is ours to do.
        self.execute("SET enable_progress_bar = true")
        self.execute("SET enable_progress_bar_print = false")
        stop = Event()

        def watch() -> None:
            while not stop.wait(0.2):
                done = self._connection.query_progress()
                if done >= 0:
                    progress(done / 100)

        watcher = Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()

    def close(self) -> None:
        self._connection.close()

    def _rollback(self) -> None:
        try:
            self._connection.execute("ROLLBACK")
        except duckdb.Error:
            # A statement that failed fatally has ended the transaction already; its own error is what matters.
            return

    def _run(self, sql: str | duckdb.Statement, parameters: Parameters) -> duckdb.DuckDBPyConnection:
        try:
            return self._connection.execute(sql, parameters) if parameters else self._connection.execute(sql)
        except duckdb.Error as error:
            raise self._failure(error) from error

    def _failure(self, error: duckdb.Error) -> TbpyError:
        if isinstance(error, duckdb.FatalException):
            self._on_fatal()
        return translate(error, time_limit=self._limit)
