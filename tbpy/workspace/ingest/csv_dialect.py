"""How a CSV file is written: its delimiter, whether it has a header, and which column of the file is which."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from tbpy.clickhouse import types as t
from tbpy.errors import IngestError
from tbpy.workspace.ingest.target import TargetColumn

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLED_ROWS = 50


@dataclass(frozen=True, slots=True)
class CsvStyle:
    """What is said of how a CSV file is written; None is found out. `new_line` ends a row."""

    delimiter: str | None = None
    new_line: str | None = None
    escape: str | None = None


FOUND_OUT = CsvStyle()


@dataclass(frozen=True, slots=True)
class Dialect:
    """`positions` has for each column of the data source its place in the file, None where the file has none."""

    delimiter: str
    header: bool
    width: int
    positions: tuple[int | None, ...]


def detect(sample: bytes, columns: Sequence[TargetColumn], label: str, style: CsvStyle) -> Dialect:
    """By names when the first row is a header, else by position. Raises `IngestError` for what is no text."""
    if b"\0" in sample:
        raise IngestError(f"{label} is not CSV: it has binary data")
    delimiter, rows = read_rows(sample, expected=len(columns), style=style)
    if not rows:
        raise IngestError(f"{label} has no rows")
    first, width = rows[0], len(rows[0])
    names = [cell.strip().lower() for cell in first]
    places = {name: place for place, name in reversed(list(enumerate(names)))}
    known = [places.get(column.name.lower()) for column in columns]
    if any(place is not None for place in known) and _is_header(first, columns):
        return Dialect(delimiter, True, width, tuple(known))
    positional = tuple(place if place < width else None for place in range(len(columns)))
    return Dialect(delimiter, _only_header(rows, columns), width, positional)


def read_rows(
    sample: bytes, *, expected: int | None = None, limit: int = _SAMPLED_ROWS, style: CsvStyle = FOUND_OUT
) -> tuple[str, list[list[str]]]:
    """The delimiter and the first `limit` rows. `expected` is the number of columns with the right one, if known."""
    text = sample.decode("utf-8", "replace")
    delimiters = _DELIMITERS if style.delimiter is None else (style.delimiter,)
    candidates = [(delimiter, _rows(text, delimiter, limit, style)) for delimiter in delimiters]

    def fitness(candidate: tuple[str, list[list[str]]]) -> tuple[bool, int]:
        widths = [len(row) for row in candidate[1]]
        width = widths[0] if widths else 0
        return width == expected, width * sum(1 for other in widths if other == width)

    return max(candidates, key=fitness)


def _rows(text: str, delimiter: str, limit: int, style: CsvStyle) -> list[list[str]]:
    rows: list[list[str]] = []
    if style.new_line is not None:
        text = text.replace(style.new_line, "\n")
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, escapechar=style.escape):
            if row:
                rows.append(row)
            if len(rows) == limit:
                break
    except csv.Error:
        return rows
    return rows


def _is_header(first: list[str], columns: Sequence[TargetColumn]) -> bool:
    """Whether a row that has a column's name is a header: at least half of it are names."""
    names = {column.name.lower() for column in columns}
    return 2 * sum(cell.strip().lower() in names for cell in first) >= min(len(first), len(columns))


def _only_header(rows: list[list[str]], columns: Sequence[TargetColumn]) -> bool:
    """Whether the first row has other names: words where the other rows have numbers, in every such column."""
    numeric = [place for place, column in enumerate(columns) if t.is_number(t.plain(column.type))]
    if len(rows) < 2 or not numeric:
        return False
    return all(not _is_number(_cell(rows[0], place)) and _is_number(_cell(rows[1], place)) for place in numeric)


def _cell(row: list[str], place: int) -> str:
    return row[place] if place < len(row) else ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
