"""What a format is given: columns with ClickHouse types, rows of values as DuckDB returns them, and what JSON adds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple, Protocol

from tbpy.clickhouse import types as t
from tbpy.clickhouse.formats.columns import ColumnTexts

Row = Sequence[Any]
_CHUNK_ROWS = 4096


class ResultColumn(Protocol):
    """Anything with the name and the type of a column."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> t.Type: ...


class Column(NamedTuple):
    name: str
    type: t.Type


@dataclass(slots=True)
class Statistics:
    """What JSON says under `statistics`, and `rows_before_limit_at_least` where only the last row tells it.

    It is read after the last row, so it may still grow while rows are written.
    """

    elapsed: float = 0.0
    rows_read: int = 0
    bytes_read: int = 0
    rows_before_limit_at_least: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    columns: Sequence[ResultColumn]
    rows: Iterable[Row]
    statistics: Statistics | None = None
    rows_before_limit_at_least: int | None = None
    totals: Row | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def before_limit(self) -> int | None:
        """Final once all rows were written."""
        if self.rows_before_limit_at_least is not None or self.statistics is None:
            return self.rows_before_limit_at_least
        return self.statistics.rows_before_limit_at_least

    def setting(self, name: str) -> bool:
        """A switch among the settings; HTTP gives them as text."""
        return str(self.settings.get(name, 0)).lower() in ("1", "true")


def chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, _CHUNK_ROWS)):
        yield chunk


class RowTemplate:
    """Writes rows of one shape: a writer of texts per column, and a template with a `%s` for each.

    Goes down the columns of a chunk, because mapping one function over many values is what Python does fastest.
    """

    def __init__(self, columns: Sequence[ColumnTexts], template: str) -> None:
        self._columns = columns
        self._fill = template.__mod__

    def texts(self, rows: Sequence[Row]) -> list[str]:
        return list(map(self._fill, zip(*self.columns(rows), strict=True)))

    def columns(self, rows: Sequence[Row]) -> list[Iterable[str]]:
        return [texts(values) for texts, values in zip(self._columns, zip(*rows, strict=True), strict=True)]


def literal(text: str) -> str:
    """Text that stands in a `RowTemplate` as it is."""
    return text.replace("%", "%%")


Writer = Callable[[Result], Iterator[bytes]]
