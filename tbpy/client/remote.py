"""The methods of a workspace, done by the process that has it."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tbpy.client.transport import CALL, QUERY, Server
from tbpy.client.wire import decode, encode

if TYPE_CHECKING:
    from tbpy.clickhouse.types import Type
    from tbpy.workspace.infos import (
        CopyInfo,
        DatasourceInfo,
        EndpointInfo,
        MaterializationInfo,
        PipeInfo,
        QuarantineInfo,
    )
    from tbpy.workspace.ingest.report import AppendReport
    from tbpy.workspace.reports import BuildReport, CopyReport, ReplayReport

_STDIN = "-"


@dataclass(frozen=True, slots=True)
class RemoteColumn:
    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class RemoteStatistics:
    """`elapsed` in seconds."""

    elapsed: float = 0.0
    rows_read: int = 0
    bytes_read: int = 0
    rows_before_limit_at_least: int | None = None
    rows: int = 0


@dataclass
class RemoteResult:
    """As `QueryResult`: rows, once, as they come. A result that is not read to its end must be closed."""

    columns: tuple[RemoteColumn, ...]
    documents: Iterator[Any]
    format: str | None = None
    totals: tuple[Any, ...] | None = None
    rows_before_limit_at_least: int | None = None
    statistics: RemoteStatistics = field(default_factory=RemoteStatistics)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        for document in self.documents:
            if "statistics" in document:
                self.statistics = RemoteStatistics(**document["statistics"])
            for row in document.get("rows", ()):
                yield tuple(decode(value) for value in row)

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        return list(self)

    def close(self) -> None:
        """Closes the connection, which stops the query."""
        close = getattr(self.documents, "close", None)
        if close is not None:
            close()


class RemoteWorkspace:
    """`now` is what `now()` answers in queries; None is the server's clock. Paths are those of this machine."""

    def __init__(self, root: Path, server: Server, *, now: datetime | None = None) -> None:
        self.root = root
        self._server = server
        self._now = now

    def __enter__(self) -> RemoteWorkspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is held between two calls."""

    def build(self) -> BuildReport:
        report: BuildReport = self._call("build")
        return report

    def append(
        self,
        name: str,
        source: str | Path,
        format: str | None = None,
        *,
        progress: Callable[[float], None] | None = None,
    ) -> AppendReport:
        """The server reads the files itself. It does not tell how far it is, so `progress` only hears of the end."""
        with _readable(source) as place:
            report: AppendReport = self._call("append", name=name, source=place, format=format and str(format))
        if progress is not None:
            progress(1.0)
        return report

    def replace(
        self, name: str, source: str | Path, format: str | None = None, *, condition: str | None = None
    ) -> AppendReport:
        with _readable(source) as place:
            report: AppendReport = self._call(
                "replace", name=name, source=place, format=format and str(format), condition=condition
            )
        return report

    def truncate(self, name: str) -> int:
        return int(self._call("truncate", name=name))

    def delete(self, name: str, condition: str) -> int:
        return int(self._call("delete", name=name, condition=condition))

    def quarantine(self, name: str, sample: int = 5) -> QuarantineInfo:
        info: QuarantineInfo = self._call("quarantine", name=name, sample=sample)
        return info

    def replay(self, name: str) -> ReplayReport:
        report: ReplayReport = self._call("replay", name=name)
        return report

    def copy(self, name: str, parameters: Mapping[str, Any] | None = None, *, mode: str | None = None) -> CopyReport:
        report: CopyReport = self._call("copy", name=name, parameters=dict(parameters or {}), mode=mode)
        return report

    def copies(self) -> tuple[CopyInfo, ...]:
        return tuple(self._call("copies"))

    def pause_copy(self, name: str, paused: bool = True) -> None:
        self._call("pause_copy", name=name, paused=paused)

    def materializations(self) -> tuple[MaterializationInfo, ...]:
        return tuple(self._call("materializations"))

    def datasources(self) -> tuple[DatasourceInfo, ...]:
        return tuple(self._call("datasources"))

    def datasource_names(self) -> tuple[str, ...]:
        return tuple(self._call("datasource_names"))

    def endpoints(self) -> tuple[EndpointInfo, ...]:
        return tuple(self._call("endpoints"))

    def pipes(self) -> tuple[PipeInfo, ...]:
        return tuple(self._call("pipes"))

    def query(self, sql: str, *, parameters: Mapping[str, Any] | None = None) -> RemoteResult:
        return self._ask(sql=sql, parameters=dict(parameters or {}))

    def endpoint(
        self, name: str, parameters: Mapping[str, Any] | None = None, *, sql: str | None = None
    ) -> RemoteResult:
        return self._ask(endpoint=name, sql=sql, parameters=dict(parameters or {}))

    def backup(self, path: Path) -> None:
        """Writes all workspaces of the server to a file, while it serves."""
        self._call("backup", path=str(path.absolute()))

    def write_parquet(
        self,
        path: Path,
        *,
        sql: str | None = None,
        endpoint: str | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        arguments = {"sql": sql, "endpoint": endpoint, "parameters": dict(parameters or {}), "now": self._now}
        self._call("write_parquet", path=str(path.absolute()), **arguments)

    def _ask(self, **arguments: Any) -> RemoteResult:
        from tbpy.clickhouse.types import parse_type

        documents = self._server.lines(QUERY, encode({**arguments, "now": self._now}))
        head = next(documents)
        columns = tuple(RemoteColumn(name, parse_type(type_)) for name, type_ in head["columns"])
        return RemoteResult(
            columns,
            documents,
            head["format"],
            decode(head["totals"]),
            head["rows_before_limit_at_least"],
        )

    def _call(self, method: str, **arguments: Any) -> Any:
        answer = self._server.call(CALL, {"method": method, "arguments": encode(arguments)})
        return decode(answer["result"])


@contextmanager
def _readable(source: str | Path) -> Iterator[str]:
    """Where the server, which works in another folder, reads the source; standard input goes through a file."""
    given = str(source)
    if given == _STDIN:
        with tempfile.TemporaryDirectory(prefix="tbpy-") as folder:
            path = Path(folder) / "stdin"
            with path.open("wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file)
            yield str(path)
    elif given.startswith(("http://", "https://")):
        yield given
    else:
        yield str(Path(given).expanduser().absolute())
