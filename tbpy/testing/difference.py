"""Expected and answered text side by side: lines numbered as in the YAML file, with the columns that differ named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import SequenceMatcher

CONTEXT = 2
COMPARED_LENGTH = 2_000  # characters of a line within which the place of a difference is worth finding


def difference(expected: str, got: str, *, first_line: int) -> tuple[str, ...]:
    """Lines for a terminal: `-` was expected, `+` came instead. `first_line` is the YAML line of `expected`'s first."""
    old, new = expected.splitlines(keepends=True), got.splitlines(keepends=True)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    lines: list[str] = []
    for group in matcher.get_grouped_opcodes(CONTEXT):
        if lines:
            lines.append("     ...")
        for tag, start, end, new_start, new_end in group:
            if tag == "equal":
                lines += [_numbered(first_line + i, " ", old[i]) for i in range(start, end)]
            else:
                lines += _changed(old[start:end], new[new_start:new_end], first_line + start)
    return tuple(lines)


def _changed(old: list[str], new: list[str], line: int) -> Iterator[str]:
    paired = min(len(old), len(new))
    for i, (before, after) in enumerate(zip(old, new, strict=False)):
        yield _numbered(line + i, "-", before)
        yield _numbered(None, "+", after)
        yield from _pointer(before, after)
    yield from (_numbered(line + i, "-", old[i]) for i in range(paired, len(old)))
    yield from (_numbered(None, "+", text) for text in new[paired:])


def _numbered(line: int | None, sign: str, text: str) -> str:
    number = "" if line is None else str(line)
    ending = "" if text.endswith("\n") else "  (no newline at the end)"
    return f"{number:>5} {sign} {text.rstrip(chr(10))}{ending}"


def _pointer(before: str, after: str) -> Iterator[str]:
    """Carets under what came instead, and the names of the columns that differ when both lines are JSON objects."""
    before, after = before.rstrip("\n"), after.rstrip("\n")
    if before == after or max(len(before), len(after)) > COMPARED_LENGTH:
        return
    marks = [" "] * (len(after) + 1)
    for tag, _, _, start, end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            marks[start : max(end, start + 1)] = "^" * max(end - start, 1)
    columns = differing_columns(before, after)
    note = f"  {', '.join(columns)}" if columns else ""
    yield " " * 8 + "".join(marks).rstrip() + note


def differing_columns(before: str, after: str) -> tuple[str, ...]:
    try:
        old, new = json.loads(before), json.loads(after)
    except ValueError:
        return ()
    if not isinstance(old, dict) or not isinstance(new, dict):
        return ()
    return tuple(name for name in {**old, **new} if name not in old or name not in new or old[name] != new[name])
