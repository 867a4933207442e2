"""What a command answers, on stdout: text and tables for people, one JSON document for programs, or bytes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Table:
    """Rows for people. Values are printed by `str`; columns named in `numbers` are set to the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    numbers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Body:
    """An answer that already has its final form, such as CSV: it is written byte by byte."""

    content: bytes


Printed = str | Table
Printer = Callable[[Any], Iterable[Printed]]


def show(result: object, printer: Printer, *, as_json: bool) -> None:
    if isinstance(result, Body):
        write_bytes(result.content)
    elif as_json:
        print(json_text(result))
    elif result is not None:
        for part in printer(result):
            show_part(part)


def show_part(part: Printed) -> None:
    if isinstance(part, str):
        print(part)
        return
    from tbpy.cli import render

    render.print_table(part)


def write_bytes(content: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def json_text(value: object) -> str:
    import json

    return json.dumps(plain(value), ensure_ascii=False, indent=2)


def plain(value: object) -> Any:
    """Dataclasses as objects, paths and the like as text; fields whose name starts with `_` stay out."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name.rstrip("_"): plain(getattr(value, f.name)) for f in fields(value) if not f.name.startswith("_")}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return str(value)
