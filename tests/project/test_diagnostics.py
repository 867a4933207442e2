"""Broken projects and all that is told of them, in `tests/cases/projects/<name>/expected.txt`.

`TBPY_UPDATE_GOLDEN=1` writes what is told today.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tbpy.errors import Diagnostic
from tbpy.project import load_project

PROJECTS = Path(__file__).parents[1] / "cases" / "projects"


def shown(diagnostic: Diagnostic) -> str:
    """One diagnostic with its source line and a caret below the place."""
    assert diagnostic.span is not None and diagnostic.source is not None
    span, source = diagnostic.span, diagnostic.source
    width = span.end_column - span.column if span.end_line == span.line else len(source) - span.column + 1
    lines = [
        f"{diagnostic.location()} {diagnostic.severity} [{diagnostic.code}] {diagnostic.message}",
        f"    {source}",
        "    " + " " * (span.column - 1) + "^" * max(width, 1),
    ]
    return "\n".join(lines + ([f"    hint: {diagnostic.hint}"] if diagnostic.hint else []))


@pytest.mark.parametrize("name", sorted(path.parent.name for path in PROJECTS.glob("*/expected.txt")))
def test_everything_is_told_at_once(name: str) -> None:
    told = "\n".join(shown(diagnostic) for diagnostic in load_project(PROJECTS / name).diagnostics) + "\n"
    golden = PROJECTS / name / "expected.txt"
    if os.environ.get("TBPY_UPDATE_GOLDEN"):
        golden.write_text(told)
    assert told == golden.read_text()
