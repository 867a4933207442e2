"""CSV, tab-separated values, SQL values, Markdown and Vertical."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tbpy.clickhouse import types as t
from tbpy.clickhouse.formats import stored_json
from tbpy.clickhouse.formats.cells import (
    NULL_MARK,
    csv_cell,
    csv_names,
    csv_quoted,
    escaped,
    escaped_cell,
    finish_json,
    or_null,
    quoted_cell,
    raw_cell,
)
from tbpy.clickhouse.formats.columns import ColumnTexts, by_cell
from tbpy.clickhouse.formats.indent import Indent
from tbpy.clickhouse.formats.readable import large_number_tip
from tbpy.clickhouse.formats.result import Result, Row, RowTemplate, Writer, chunks
from tbpy.clickhouse.formats.scalars import Cell
from tbpy.clickhouse.formats.width import shown_width

_VERTICAL_ROWS = 1000


def csv(*, names: bool = False, types: bool = False) -> Writer:
    def write(result: Result) -> Iterator[bytes]:
        cells = [csv_cell(column.type) for column in result.columns]
        fields = [found for column in result.columns for found in csv_names(column.name, column.type)]
        header = [",".join(csv_quoted(name) for name, _ in fields)] if names else []
        if types:
            header.append(",".join(csv_quoted(str(type_)) for _, type_ in fields))
        yield from _delimited(result, header, RowTemplate(_texts(cells), ",".join(["%s"] * len(cells))))

    return write


def tsv(*, names: bool = False, types: bool = False, raw: bool = False) -> Writer:
    def write(result: Result) -> Iterator[bytes]:
        cells = [(raw_cell if raw else escaped_cell)(column.type) for column in result.columns]
        header_cell = str if raw else escaped
        header = ["\t".join(header_cell(column.name) for column in result.columns)] if names else []
        if types:
            header.append("\t".join(header_cell(str(column.type)) for column in result.columns))
        yield from _delimited(result, header, RowTemplate(_texts(cells), "\t".join(["%s"] * len(cells))))

    return write


def _texts(cells: Sequence[Cell], null: str = "\\N") -> list[ColumnTexts]:
    return [by_cell(cell, null) for cell in cells]


def _delimited(result: Result, header: Sequence[str], rows: RowTemplate) -> Iterator[bytes]:
    if header:
        yield "".join(line + "\n" for line in header).encode()
    for chunk in chunks(result.rows):
        yield _encoded("\n".join(rows.texts(chunk)) + "\n")
    if result.totals is not None:
        yield _encoded("\n" + rows.texts([result.totals])[0] + "\n")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def values(result: Result) -> Iterator[bytes]:
    rows = _literal_rows(result, ",")
    separator = ""
    for chunk in chunks(result.rows):
        yield _encoded(separator + ",".join(rows.texts(chunk)))
        separator = ","


def sql_insert(result: Result) -> Iterator[bytes]:
    names = ", ".join(f"`{column.name}`" for column in result.columns)
    rows = _literal_rows(result, ", ")
    separator = f"INSERT INTO table ({names}) VALUES "
    for chunk in chunks(result.rows):
        yield _encoded(separator + ", ".join(rows.texts(chunk)))
        separator = ", "
    yield b";\n"


def _literal_rows(result: Result, separator: str) -> RowTemplate:
    cells = [quoted_cell(column.type) for column in result.columns]
    return RowTemplate(_texts(cells, "NULL"), f"({separator.join(['%s'] * len(cells))})")


def markdown(result: Result) -> Iterator[bytes]:
    cells = [escaped_cell(column.type) for column in result.columns]
    rows = RowTemplate(_texts(cells), f"| {' | '.join(['%s'] * len(cells))} |\n")
    header = " | ".join(escaped(column.name) for column in result.columns)
    rule = "|".join("-:" if aligns_right(column.type) else ":-" for column in result.columns)
    yield _encoded(f"| {header} |\n|{rule}|\n")
    for chunk in chunks(result.rows):
        yield _encoded("".join(rows.texts(chunk)))


def aligns_right(type_: t.Type) -> bool:
    """Whether a table shows the column at the right: numbers, dates and intervals."""
    return isinstance(
        t.plain(type_), t.Int | t.Float | t.Decimal | t.Interval | t.Date | t.Date32 | t.DateTime | t.DateTime64
    )


# --- Vertical ---------------------------------------------------------------------------------------------------------


def vertical(result: Result) -> Iterator[bytes]:
    cells = [_vertical_cell(column.type) for column in result.columns]
    yield from vertical_blocks(result, cells)


def _vertical_cell(type_: t.Type) -> Cell:
    inner = t.plain(type_)
    if not isinstance(inner, t.Json):
        return raw_cell(type_)
    whole = not inner.is_free
    return lambda value: finish_json(stored_json.write(value, Indent(0, "    "), whole=whole)).decode()


def vertical_blocks(result: Result, cells: Sequence[Cell]) -> Iterator[bytes]:
    """Each row as a block of lines; `cells` write the values."""
    rows = VerticalRows(result, cells)
    for number, row in enumerate(result.rows, start=1):
        if number > _VERTICAL_ROWS:
            yield f"\nShowed first {_VERTICAL_ROWS}.\n".encode()
            break
        title = f"Row {number}:"
        rule = "─" * (len("Row :") + len(str(number + 1)))
        yield _encoded(("\n" if number > 1 else "") + f"{title}\n{rule}\n" + rows.text(row))
    if result.totals is not None:
        yield _encoded("\n\nTotals:\n───────\n" + rows.text(result.totals))


class VerticalRows:
    def __init__(self, result: Result, cells: Sequence[Cell]) -> None:
        names = [column.name for column in result.columns]
        width = max(map(shown_width, names), default=0)
        self._heads = [f"{name}:{' ' * (width - shown_width(name) + 1)}" for name in names]
        self._cells = [or_null(cell, NULL_MARK) for cell in cells]
        self._numeric = [isinstance(t.plain(column.type), t.Int | t.Float | t.Decimal) for column in result.columns]

    def text(self, row: Row) -> str:
        lines = []
        for head, cell, numeric, value in zip(self._heads, self._cells, self._numeric, row, strict=True):
            lines.append(f"{head}{cell(value)}{large_number_tip(value) if numeric else ''}\n")
        return "".join(lines)
