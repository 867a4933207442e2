"""What happened, noted in memory and written to the database a batch at a time, so that work does not wait for it."""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from tbpy.engines import DuckDBEngine, Session
from tbpy.errors import TbpyError
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.identifiers import resource_id
from tbpy.workspace.services.columns import DATABASE, ORGANIZATION, is_service_table
from tbpy.workspace.services.storing import LOGS, Identity, log_columns, log_table, prepare, stored_rows

# What waits is bounded: of a log that cannot be written the oldest rows are lost, never memory.
_MOST_WAITING = 100_000
# Events are stored between two batches.
_BATCH = 250
_BETWEEN_CLEANINGS = timedelta(hours=1)

Record = dict[str, Any]
_Waiting = Record | Callable[[], Record]
_Noting = AbstractContextManager["Operation"]


@dataclass
class Operation:
    """One piece of work on a data source; whoever does it fills in what came of it.

    `rows` were written, `removed` were taken out.
    """

    event_type: str
    datasource: str
    pipe: str = ""
    rows: int = 0
    quarantined: int = 0
    removed: int = 0
    import_id: str | None = None
    job_id: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None


class ServiceLog:
    """The logs of one workspace. `clock` gives naive UTC, `stored` the data sources, `name` is the workspace's own.
    Threads may share it."""

    def __init__(
        self,
        engine: DuckDBEngine,
        clock: Callable[[], datetime],
        stored: Callable[[], Mapping[str, StoredDatasource]] = dict,
        name: str = "workspace",
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._stored = stored
        self._identity = Identity(resource_id("workspace", name), name)
        self._waiting: dict[str, deque[_Waiting]] = {name: deque(maxlen=_MOST_WAITING) for name in LOGS}
        self._events: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0, 0])
        self._lock = Lock()
        self._flushing = Lock()
        self._cleaned: datetime | None = None
        self._measured: datetime | None = None
        self._ready = False
        # Since the workspace was opened, by data source.
        self.ingested: Counter[str] = Counter()
        self.quarantined: Counter[str] = Counter()

    def identify(self, workspace_id: str, name: str) -> None:
        """Takes the id and the name under which a server knows the workspace."""
        self._identity, self._ready = Identity(workspace_id, name), False

    def note(self, log: str, record: Record | Callable[[], Record]) -> None:
        """`record` has a value for every column of the log, or makes that when it is written; times are naive UTC."""
        self._waiting[log].append(record)

    def note_events(self, datasource: str, rows: int, quarantined: int, elapsed: float) -> None:
        """A commit of events. Those of a second are one operation."""
        second = self._second()
        with self._lock:
            found = self._events[second, datasource]
            found[0], found[1], found[2] = found[0] + elapsed, found[1] + rows, found[2] + quarantined
            self.ingested[datasource] += rows
            self.quarantined[datasource] += quarantined

    @contextmanager
    def operation(self, event_type: str, datasource: str, **known: Any) -> Iterator[Operation]:
        """Notes what is done inside, also when it fails."""
        found, started = Operation(event_type, datasource, **known), time.perf_counter()
        try:
            yield found
        except TbpyError as error:
            found.error = error.message
            raise
        finally:
            self.done(found, time.perf_counter() - started)

    def imported(self, event_type: str, datasource: str, source: object, import_id: str) -> _Noting:
        """As `operation`, for files: `source` is where they were."""
        return self.operation(event_type, datasource, import_id=import_id, options={"source": str(source)})

    def done(self, operation: Operation, elapsed: float) -> None:
        second = self._second()
        with self._lock:
            self.ingested[operation.datasource] += operation.rows
            self.quarantined[operation.datasource] += operation.quarantined
        self._note_operation(operation, second, elapsed)
        if operation.import_id is not None:
            self.note("block_log", _block_record(operation, second, elapsed))

    @property
    def waiting(self) -> int:
        return sum(map(len, self._waiting.values())) + len(self._events)

    def flush(self) -> None:
        """Writes what waits, so that a query can read it. What cannot be written waits on."""
        with self._flushing:
            self._take_events()
            more = True
            while more:
                more = self._write(
                    [(name, batch) for name, waiting in self._waiting.items() if (batch := _take(waiting))]
                )

    def measure(self) -> None:
        """Notes how much is stored, once an hour."""
        hour = self._clock().replace(minute=0, second=0, microsecond=0)
        if self._measured == hour:
            return
        table, moment = log_table("datasources_storage"), f"TIMESTAMP '{hour}'"
        with self._engine.transaction() as session:
            prepare(session, self._identity)
            session.execute(f"DELETE FROM {table} WHERE timestamp = {moment}")
            for found in self._stored().values():
                session.execute(f"INSERT INTO {table} {stored_rows(found, moment)}")
        self._measured = hour

    def flush_for(self, tables: Collection[str]) -> None:
        """Before a query that reads `tables`: writes what waits when it is among them. Raises nothing."""
        if any(map(is_service_table, tables)):
            with suppress(TbpyError):  # a disk that is full: what was written before can be read
                self.flush()

    def flush_for_condition(self, sql: str | None) -> None:
        """As `flush_for`, for a condition that is compiled only later."""
        if sql is not None and (DATABASE in sql or ORGANIZATION in sql):
            with suppress(TbpyError):
                self.flush()

    def _second(self) -> str:
        """Now, as a DateTime has it."""
        return f"{self._clock():%Y-%m-%d %H:%M:%S}"

    def _take_events(self) -> None:
        with self._lock:
            taken = dict(self._events)
            self._events.clear()
        for (second, name), (elapsed, rows, quarantined) in taken.items():
            operation = Operation("append-hfi", name, rows=int(rows), quarantined=int(quarantined))
            self._note_operation(operation, second, elapsed)

    def _note_operation(self, operation: Operation, second: str, elapsed: float) -> None:
        found = self._stored().get(operation.datasource)
        record = _operation_record(operation, second, elapsed, found.row_width if found is not None else 0)
        self.note("datasources_ops_log", record)

    def _write(self, batches: list[tuple[str, list[Record]]]) -> bool:
        """One transaction, with whatever else is due; answers whether more waits."""
        try:
            with self._engine.transaction(appends=True) as session:
                if not self._ready:
                    prepare(session, self._identity)
                for name, batch in batches:
                    _insert(session, name, batch)
                cleaned = self._clean(session)
        except TbpyError:
            for name, batch in batches:
                self._waiting[name].extendleft(reversed(batch))
            raise
        self._ready, self._cleaned = True, cleaned
        return any(self._waiting.values())

    def _clean(self, session: Session) -> datetime | None:
        """Takes out what is older than a log keeps; answers when that was done last."""
        moment = self._clock()
        if self._cleaned is not None and moment - self._cleaned < _BETWEEN_CLEANINGS:
            return self._cleaned
        for name, (column, days) in LOGS.items():
            oldest = moment - timedelta(days=days)
            session.execute(f"DELETE FROM {log_table(name)} WHERE {column} < $oldest", {"oldest": oldest})
        return moment


def _take(waiting: deque[_Waiting]) -> list[Record]:
    taken = (waiting.popleft() for _ in range(min(_BATCH, len(waiting))))
    return [record if isinstance(record, dict) else record() for record in taken]


def _insert(session: Session, name: str, records: list[Record]) -> None:
    import orjson

    sql = f"INSERT INTO {log_table(name)} SELECT unnest(from_json($records, $shape), max_depth := 2)"
    shape = json.dumps([log_columns(name)])
    session.execute(sql, {"records": orjson.dumps(records, default=str).decode(), "shape": shape})


def _operation_record(operation: Operation, second: str, elapsed: float, width: int) -> Record:
    """`width` is the estimated number of bytes of a row."""
    return {
        "timestamp": second,
        "event_type": operation.event_type,
        "datasource_id": resource_id("datasource", operation.datasource),
        "datasource_name": operation.datasource,
        "result": "ok" if operation.error is None else "error",
        "elapsed_time": elapsed,
        "error": operation.error,
        "Options.Names": list(operation.options),
        "Options.Values": list(operation.options.values()),
        "request_id": operation.import_id or str(uuid.uuid4()),
        "import_id": operation.import_id,
        "job_id": operation.job_id,
        "rows": operation.rows + operation.removed,
        "rows_quarantine": operation.quarantined,
        "blocks_ids": [operation.import_id] if operation.import_id else [],
        "operation_id": str(uuid.uuid4()),
        "read_rows": 0,
        "read_bytes": 0,
        "cpu_time": 0.0,
        "memory_usage": 0,
        "written_rows": operation.rows,
        "written_bytes": operation.rows * width,
        "written_rows_quarantine": operation.quarantined,
        "written_bytes_quarantine": operation.quarantined * width,
        "pipe_id": resource_id("pipe", operation.pipe) if operation.pipe else "",
        "pipe_name": operation.pipe,
        "release": "",
        "resource_tags": [],
    }


def _block_record(operation: Operation, second: str, elapsed: float) -> Record:
    """An import is stored as one block."""
    return {
        "timestamp": second,
        "request_id": operation.import_id,
        "import_id": operation.import_id,
        "job_id": operation.job_id,
        "source": operation.options.get("source", ""),
        "block_id": operation.import_id,
        "status": "done" if operation.error is None else "error",
        "datasource_id": resource_id("datasource", operation.datasource),
        "datasource_name": operation.datasource,
        "start_offset": None,
        "end_offset": None,
        "rows": operation.rows + operation.quarantined,
        "parser": "duckdb",
        "quarantine_lines": operation.quarantined,
        "empty_lines": 0,
        "bytes": None,
        "processing_time": elapsed,
        "processing_error": operation.error,
    }
