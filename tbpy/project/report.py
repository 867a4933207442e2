"""Collecting mistakes: one place that adds the source line, so that every check only says what and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from tbpy.errors import Diagnostic, Severity, Span


@dataclass
class Report:
    """What was found so far; `texts` are the files by name."""

    texts: dict[str, str] = field(default_factory=dict)
    found: list[Diagnostic] = field(default_factory=list)

    def error(self, code: str, message: str, file: str | None, span: Span | None, *, hint: str | None = None) -> None:
        self.add(Diagnostic(code, message, Severity.ERROR, file, span, None, hint))

    def warning(self, code: str, message: str, file: str | None, span: Span | None, *, hint: str | None = None) -> None:
        self.add(Diagnostic(code, message, Severity.WARNING, file, span, None, hint))

    def add(self, diagnostic: Diagnostic) -> None:
        if diagnostic.source is None and diagnostic.span is not None:
            diagnostic = replace(diagnostic, source=self._line(diagnostic.file, diagnostic.span.line))
        if diagnostic not in self.found:
            self.found.append(diagnostic)

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        for diagnostic in diagnostics:
            self.add(diagnostic)

    def _line(self, file: str | None, line: int) -> str:
        lines = self.texts.get(file or "", "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
        return lines[line - 1] if line <= len(lines) else ""

    def ordered(self) -> tuple[Diagnostic, ...]:
        """By file and place, whatever order the checks ran in."""
        return tuple(sorted(self.found, key=_place))


def _place(diagnostic: Diagnostic) -> tuple[str, int, int]:
    span = diagnostic.span
    return (diagnostic.file or "", span.line if span else 0, span.column if span else 0)


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A hint with the nearest known name, when one is near."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"Did you mean {close[0]}?" if close else None
