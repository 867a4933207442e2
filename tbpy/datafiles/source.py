"""The text of one datafile with what a message about it needs: kind, file name, lines as written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from tbpy.datafiles.model import Kind
from tbpy.errors import DatafileError, Diagnostic, Severity, Span

_NEWLINE = re.compile(r"\r\n|\n|\r")


def split_lines(text: str) -> list[str]:
    """Lines without their ends. Only CR, LF and CRLF end a line: `str.splitlines` would also split on form feeds."""
    return _NEWLINE.split(text)


@dataclass(frozen=True)
class Source:
    """`text` is what is parsed; `written` is what the user wrote when secrets were put in, and `line_map[i]` is then
    the line (from 1) of `written` that line i of `text` came from. `classic` files may say what only Tinybird Classic
    reads."""

    text: str
    kind: Kind
    file: str | None = None
    written: str | None = None
    line_map: tuple[int, ...] | None = None
    classic: bool = False

    @cached_property
    def lines(self) -> list[str]:
        return split_lines(self.text)

    @cached_property
    def written_lines(self) -> list[str]:
        return self.lines if self.written is None else split_lines(self.written)

    def file_line(self, index: int) -> int:
        """The line of the file, from 1, of line `index` (from 0) of the parsed text."""
        return index + 1 if self.line_map is None else self.line_map[min(index, len(self.line_map) - 1)]

    def diagnostic(
        self, code: str, message: str, span: Span, *, hint: str | None = None, severity: Severity = Severity.ERROR
    ) -> Diagnostic:
        line = self.written_lines[span.line - 1] if span.line <= len(self.written_lines) else ""
        return Diagnostic(code, message, severity, self.file, span, line, hint)

    def error(self, code: str, message: str, span: Span, *, hint: str | None = None) -> DatafileError:
        return DatafileError((self.diagnostic(code, message, span, hint=hint),))
