"""Errors and diagnostics as text for people and as JSON for programs. Nothing here ever shows a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from tbpy.errors import (
    CustomTemplateError,
    Diagnostic,
    DiagnosticsError,
    QueryError,
    Severity,
    TbpyError,
    TemplateError,
)

RED, YELLOW, CYAN, BOLD, RESET = "\x1b[31m", "\x1b[33m", "\x1b[36m", "\x1b[1m", "\x1b[0m"


def colours() -> bool:
    return sys.stderr.isatty() and "NO_COLOR" not in os.environ


def paint(text: str, *codes: str) -> str:
    return f"{''.join(codes)}{text}{RESET}" if colours() else text


def talk(text: str) -> None:
    """Say something to the person: stderr, so that what a command answers stays clean on stdout."""
    print(text, file=sys.stderr)


def diagnostic_lines(diagnostic: Diagnostic) -> Iterator[str]:
    """`file:line:col: error: message [code]`, then the source line, a caret under the place, and the hint."""
    place = diagnostic.location()
    colour = RED if diagnostic.severity is Severity.ERROR else YELLOW
    head = paint(f"{diagnostic.severity.value}:", colour, BOLD)
    yield f"{paint(place, BOLD) + ': ' if place else ''}{head} {diagnostic.message} [{diagnostic.code}]"
    if diagnostic.source is not None and diagnostic.span is not None:
        span = diagnostic.span
        last = span.end_column if span.end_line == span.line else len(diagnostic.source) + 1
        yield from excerpt(diagnostic.source, span.line, span.column, last - span.column)
    if diagnostic.hint:
        yield f"  {paint('hint:', CYAN)} {diagnostic.hint}"


def excerpt(source: str, line: int, column: int, length: int) -> Iterator[str]:
    """The line with its number, and carets under `length` characters from `column` (from 1)."""
    margin = f"{line:>5} | "
    # Tabs before the place are kept, so that the caret stands under it whatever their width is.
    lead = "".join("\t" if character == "\t" else " " for character in source[: column - 1])
    yield margin + source
    yield " " * (len(margin) - 2) + "| " + lead + paint("^" * max(1, min(length, len(source) - column + 2)), RED)


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors and 1 warning in 3 files`."""
    found = list(diagnostics)
    errors = sum(d.severity is Severity.ERROR for d in found)
    parts = [counted(errors, "error")] if errors else []
    if len(found) > errors:
        parts.append(counted(len(found) - errors, "warning"))
    files = len({d.file for d in found if d.file})
    return " and ".join(parts) + (f" in {counted(files, 'file')}" if files else "")


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def report_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    for diagnostic in diagnostics:
        talk("\n".join(diagnostic_lines(diagnostic)) + "\n")


def report(error: TbpyError) -> None:
    """Tell an error on stderr, with the notes that were added to it on its way and its hint."""
    if isinstance(error, DiagnosticsError):
        report_diagnostics(error.diagnostics)
        talk(summary(error.diagnostics))
        return
    talk(f"{paint('error:', RED, BOLD)} {error.message}{error_name(error)}")
    for note in getattr(error, "__notes__", ()):
        talk(note)
    if error.hint:
        talk(f"  {paint('hint:', CYAN)} {error.hint}")


def report_bug(error: Exception) -> None:
    """Tell of an error that nobody raised on purpose."""
    talk(f"{paint('error:', RED, BOLD)} {type(error).__name__}: {error}")
    talk("  This is a mistake in tbpy. TBPY_DEBUG=1 shows where; please report it with that text.")


def error_name(error: TbpyError) -> str:
    return f" [{error.name}]" if isinstance(error, QueryError) else ""


def point_into(error: QueryError, sql: str) -> None:
    """Note where in `sql`, the statement that the person typed, the mistake is."""
    place = error.place
    if place is None:
        return
    if place.view is not None:
        error.add_note(f"  in the SQL of {place.view}")
    elif place.start <= len(sql):
        before = sql[: place.start]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        error.add_note("\n".join(excerpt(sql.split("\n")[line - 1], line, column, place.end - place.start)))


def error_document(error: TbpyError) -> dict[str, Any]:
    """The JSON of an error: `error` and `type` always, the rest where it is known."""
    document: dict[str, Any] = {"error": error.message, "type": type(error).__name__}
    if error.hint:
        document["hint"] = error.hint
    if isinstance(error, DiagnosticsError):
        document["diagnostics"] = error.diagnostics
    if isinstance(error, QueryError):
        document |= {"code": error.code, "name": error.name, "place": error.place}
    if isinstance(error, CustomTemplateError):
        document |= {"body": error.body, "status": error.status}
    elif isinstance(error, TemplateError):
        document |= {"line": error.line, "column": error.column}
    return document
