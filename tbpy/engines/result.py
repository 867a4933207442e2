"""What a query answers: ClickHouse names and types, and rows that are fetched as they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Statistics:
    """`elapsed` in seconds, until the last row was fetched. `rows` are those of the answer.

    `rows_read` are the rows of all tables that were read, each whole: what was skipped by a key or a limit counts, too.
    `bytes_read` is their estimated size. Where no table was read both are those of the answer.
    """

    elapsed: float = 0.0
    rows_read: int = 0
    bytes_read: int = 0
    rows_before_limit_at_least: int | None = None
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Scan:
    """A table that a query reads: `relation` is its name or query in DuckDB, `width` the estimated bytes of a row."""

    relation: str
    width: int


@dataclass(slots=True)
class QueryResult:
    """Rows of a query, once, in batches.

    `columns` are those of the compiled query: each has `name` and `type` (ClickHouse's). `format` is what its FORMAT
    clause says, `tables` are the stored tables that it reads. Values are what DuckDB's Python client gives for the
    storage type. A result that is not read to its end must be closed.
    """

    columns: tuple[Any, ...]
    batches: Iterator[list[Row]]
    format: str | None = None
    totals: Row | None = None
    rows_before_limit_at_least: int | None = None
    tables: frozenset[str] = frozenset()
    finish: Callable[[], Statistics] = Statistics
    _statistics: Statistics | None = field(default=None, repr=False)

    def __iter__(self) -> Iterator[Row]:
        for batch in self.batches:
            yield from batch

    @property
    def rows(self) -> list[Row]:
        """All rows that were not read yet."""
        return list(self)

    @property
    def statistics(self) -> Statistics:
        """Final once all rows were read."""
        if self._statistics is None:
            return self.finish()
        return self._statistics

    def close(self) -> None:
        """Stops the query; what was not fetched is lost."""
        close = getattr(self.batches, "close", None)
        if close is not None:
            close()
