"""The tables that ClickHouse draws: Pretty, PrettyCompact and PrettySpace.

They are drawn as for a file: without colours. A result of more than 1000 rows shows its first and last 500.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from tbpy.clickhouse import types as t
from tbpy.clickhouse.formats.cells import (
    NULL_MARK,
    JsonStyle,
    finish_json,
    json_cell,
    nested_cell,
    or_null,
    quoted_cell,
    raw_cell,
)
from tbpy.clickhouse.formats.indent import Indent
from tbpy.clickhouse.formats.readable import large_number_tip
from tbpy.clickhouse.formats.result import Result, ResultColumn, Row, Writer
from tbpy.clickhouse.formats.scalars import Cell
from tbpy.clickhouse.formats.text_formats import aligns_right, vertical_blocks
from tbpy.clickhouse.formats.width import shown_width

_SHOWN_ROWS = 1000
_FOOTER_ROWS = 50
_MAX_PAD = 250
_VERTICAL_ROWS, _VERTICAL_COLUMNS, _VERTICAL_WIDTH = 10, 5, 250


@dataclass(frozen=True, slots=True)
class _Style:
    kind: str
    left: str
    between: str
    right: str


_STYLES = {
    "full": _Style("full", "│", "│", "│"),
    "compact": _Style("compact", "│", "│", "│"),
    "space": _Style("space", "", " ", ""),
}


def pretty(kind: str) -> Writer:
    """`kind` is "full", "compact" or "space"."""
    style = _STYLES[kind]

    def write(result: Result) -> Iterator[bytes]:
        iterator = iter(result.rows)
        first = list(islice(iterator, _SHOWN_ROWS // 2))
        last: deque[tuple[int, Row]] = deque(enumerate(iterator, start=len(first)), maxlen=_SHOWN_ROWS // 2)
        numbered = [*enumerate(first), *last]
        if numbered:
            yield from _draw(result, numbered, style)
        if result.totals is not None:
            yield b"\nTotals:\n"
            yield from _draw(replace(result, totals=None), [(0, result.totals)], style)

    return write


def _draw(result: Result, rows: Sequence[tuple[int, Row]], style: _Style) -> Iterator[bytes]:
    table = _Table(result.columns, rows, style)
    total = rows[-1][0] + 1
    if total <= _VERTICAL_ROWS and len(result.columns) >= _VERTICAL_COLUMNS and table.is_unwieldy:
        yield from vertical_blocks(replace(result, rows=[row for _, row in rows], totals=None), table.cells)
        return
    yield "".join(line + "\n" for line in table.lines()).encode("utf-8", "replace")
    if total >= _SHOWN_ROWS:
        gap = "\n" if style.kind == "space" else ""
        yield f"{gap}Showed {len(rows)} out of {total} rows.\n".encode()


class _Table:
    def __init__(self, columns: Sequence[ResultColumn], rows: Sequence[tuple[int, Row]], style: _Style) -> None:
        self.style = style
        self.names = [column.name for column in columns]
        self.cells = [_cell(column.type) for column in columns]
        self.right = [aligns_right(column.type) for column in columns]
        safe = [or_null(cell, NULL_MARK) for cell in self.cells]
        self.rows = [
            (number, [cell(value).split("\n") for cell, value in zip(safe, row, strict=True)]) for number, row in rows
        ]
        self.widths = [self._column_width(index) for index in range(len(columns))]
        self.margin = len(str(rows[-1][0] + 1)) + 2
        numeric = len(columns) == 1 and isinstance(t.plain(columns[0].type), t.Int | t.Float | t.Decimal)
        self.tips = {number: large_number_tip(row[0]) for number, row in rows} if numeric else {}

    def _column_width(self, index: int) -> int:
        lines = (line for _, cells in self.rows for line in cells[index])
        return min(max(map(shown_width, (self.names[index], *lines))), _MAX_PAD)

    @property
    def is_unwieldy(self) -> bool:
        """Too wide, or with texts of several lines."""
        return sum(self.widths) >= _VERTICAL_WIDTH or any(len(lines) > 1 for _, cells in self.rows for lines in cells)

    @property
    def width(self) -> int:
        return sum(self.widths) + 3 * len(self.widths) + (1 if self.style.kind != "space" else -2)

    def lines(self) -> Iterator[str]:
        margin = " " * self.margin
        yield from (margin + line if line else "" for line in self._head())
        previous = -1
        for position, (number, cells) in enumerate(self.rows):
            if position and self.style.kind == "full":
                yield margin + self._rule("├", "─", "┼", "┤")
            if number != previous + 1:
                yield margin + ("─ " * self.width)[: self.width]
                if self.style.kind == "full":
                    yield margin + self._rule("├", "─", "┼", "┤")
            previous = number
            yield from self._row(number, cells)
        yield from (margin + line if line else "" for line in self._foot())

    def _row(self, number: int, cells: Sequence[Sequence[str]]) -> Iterator[str]:
        style = self.style
        height = max(map(len, cells), default=1)
        for line in range(height):
            parts = [self._part(index, cell, line) for index, cell in enumerate(cells)]
            head = f"{number + 1}. ".rjust(self.margin) if line == 0 else " " * self.margin
            yield (
                head
                + style.left
                + style.between.join(parts)
                + style.right
                + (self.tips.get(number, "") if line == 0 else "")
            )

    def _part(self, index: int, lines: Sequence[str], line: int) -> str:
        """One line of a cell with its space on either side, where marks tell that a text goes on."""
        text = lines[line] if line < len(lines) else ""
        padding = " " * (self.widths[index] - shown_width(text))
        before = "↳" if 0 < line < len(lines) else " "
        after = "↴" if line + 1 < len(lines) else " "
        return before + (padding + text if self.right[index] else text + padding) + after

    def _named(self, fill: str) -> list[str]:
        parts = []
        for name, width, right in zip(self.names, self.widths, self.right, strict=True):
            padding = fill * (width - shown_width(name))
            parts.append(padding + name if right else name + padding)
        return parts

    def _rule(self, left: str, line: str, cross: str, right: str) -> str:
        return left + cross.join(line * (width + 2) for width in self.widths) + right

    def _head(self) -> Iterator[str]:
        if self.style.kind == "compact":
            yield "┌─" + "─┬─".join(self._named("─")) + "─┐"
        elif self.style.kind == "full":
            yield self._rule("┏", "━", "┳", "┓")
            yield "┃ " + " ┃ ".join(self._named(" ")) + " ┃"
            yield self._rule("┡", "━", "╇", "┩")
        else:
            yield " " + "   ".join(self._named(" "))
            yield ""

    def _foot(self) -> Iterator[str]:
        named = len(self.rows) >= _FOOTER_ROWS
        if self.style.kind == "compact":
            if named:
                yield "└─" + "─┴─".join(self._named("─")) + "─┘"
            else:
                yield self._rule("└", "─", "┴", "┘")
        elif self.style.kind == "full":
            if named:
                yield self._rule("┢", "━", "╈", "┪")
                yield "┃ " + " ┃ ".join(self._named(" ")) + " ┃"
                yield self._rule("┗", "━", "┻", "┛")
            else:
                yield self._rule("└", "─", "┴", "┘")
        elif named:
            yield ""
            yield " " + "   ".join(self._named(" "))
            yield ""


def _cell(type_: t.Type) -> Cell:
    return _tuple_cell(type_) or nested_cell(t.plain(type_), _inner_cell) or raw_cell(type_)


def _inner_cell(type_: t.Type) -> Cell:
    return _tuple_cell(type_) or nested_cell(t.plain(type_), _inner_cell) or quoted_cell(type_)


def _tuple_cell(type_: t.Type) -> Cell | None:
    """A tuple with names shows as JSON."""
    plain = t.plain(type_)
    if not isinstance(plain, t.Tuple) or not plain.names:
        return None
    indented = json_cell(plain, JsonStyle(indent=Indent(0, " ", extra=" ")))
    return lambda value: finish_json(indented(value)).decode()
