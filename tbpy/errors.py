"""The exception family of tbpy, and `Diagnostic`, the way a mistake in a user's file is told.

Reading and checking collect diagnostics; running raises. The CLI maps a class to an exit code and the API maps it to a
status, each in one table of its own: nothing here knows of either.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a text: lines and columns count from 1, the end column is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int

    @classmethod
    def at(cls, line: int, column: int, length: int = 1) -> Span:
        return cls(line, column, line, column + max(length, 1))


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake, or one warning, with its place in the user's file.

    `code` is a short kebab-case name that tests and `--json` consumers can rely on, `file` is relative to the project,
    `source` is the text of the line that `span` starts on.
    """

    code: str
    message: str
    severity: Severity = Severity.ERROR
    file: str | None = None
    span: Span | None = None
    source: str | None = None
    hint: str | None = None

    def in_file(self, file: str) -> Diagnostic:
        return replace(self, file=file)

    def location(self) -> str:
        """`file:line:col`, as editors and terminals link it; empty when nothing is known."""
        if self.file is None:
            return ""
        if self.span is None:
            return self.file
        return f"{self.file}:{self.span.line}:{self.span.column}"


class TbpyError(Exception):
    """Base of everything that tbpy raises on purpose: a message for a person, perhaps a hint for the next step."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def answer(self) -> str:
        """What Tinybird's API says of it."""
        return self.message


class UsageError(TbpyError):
    """What was asked cannot be: a wrong option value, a missing file, a name that is taken."""


class NotFoundError(TbpyError):
    """A data source, pipe, node or other resource that does not exist."""


class ConflictError(TbpyError):
    """Something else stands in the way: a resource that is in use, a database that another process owns."""


class WorkCancelledError(ConflictError):
    """Somebody stopped the work before it was done: nothing of it was kept."""

    def __init__(self, message: str = "The job was cancelled") -> None:
        super().__init__(message)


class DiagnosticsError(TbpyError):
    """One or more mistakes in the user's files."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...], *, message: str | None = None) -> None:
        errors = [d for d in diagnostics if d.severity is Severity.ERROR]
        super().__init__(message or (errors or list(diagnostics))[0].message)
        self.diagnostics = diagnostics


class DatafileError(DiagnosticsError):
    """A datafile that cannot be accepted; `diagnostics` holds its one mistake."""


class TemplateError(TbpyError):
    """A template that does not parse or render. `line` and `column` (from 1) are places in the template's text."""

    def __init__(
        self, message: str, *, line: int | None = None, column: int | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.line = line
        self.column = column

    @property
    def answer(self) -> str:
        return f"Template Syntax Error: {self.message}"


class RaisedTemplateError(TemplateError):
    """`error(text)` of a template: the answer is this text, without a word more."""

    @property
    def answer(self) -> str:
        return self.message


class CustomTemplateError(TemplateError):
    """`custom_error(body, status)` of a template: the endpoint answers exactly this."""

    def __init__(self, body: Any, status: int) -> None:
        super().__init__(str(body))
        self.body = body
        self.status = status


@dataclass(frozen=True, slots=True)
class SqlPlace:
    """A place in a SQL text: `start` and `end` are offsets, `view` names the node or pipe whose SQL it is."""

    start: int
    end: int
    view: str | None = None


class QueryError(TbpyError):
    """A statement that ClickHouse would refuse, or that failed while it ran.

    `code` and `name` are ClickHouse's own (47, UNKNOWN_IDENTIFIER); `place` is where in the SQL it is.
    """

    def __init__(
        self, message: str, *, code: int, name: str, place: SqlPlace | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.name = name
        self.place = place

    @property
    def answer(self) -> str:
        return f"[Error] {self.message} ({self.name})"


class UnsupportedError(QueryError):
    """A statement that ClickHouse would answer and tbpy refuses: it names the part and its place."""

    def __init__(self, message: str, *, place: SqlPlace | None = None, hint: str | None = None) -> None:
        super().__init__(message, code=48, name="NOT_IMPLEMENTED", place=place, hint=hint)


class QueryTimeoutError(QueryError):
    """The query ran longer than it may."""


class StorageFullError(TbpyError):
    """There is no room on the disk: nothing was stored. The same may do when there is room again."""

    def __init__(self, message: str = "There is no room on the disk: nothing was stored") -> None:
        super().__init__(message)


class RemoteError(TbpyError):
    """A server that cannot be reached, refuses the token, or answers what no such server answers."""


class IngestError(TbpyError):
    """Input that could not be taken in at all: nothing was changed."""


def no_room(error: BaseException) -> StorageFullError | None:
    """What to say of an error of the operating system that means a full disk; None for any other error."""
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return StorageFullError() if full else None
