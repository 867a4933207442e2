"""`INCLUDE "file" "NAME=value"` of Tinybird Classic: the text of another file in place of the line.

`$NAME` and `${NAME}` in that text become the values that the line gives; other variables stay as they are. Source: the
recorded behaviour of Tinybird's Classic command-line tool.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import replace

from tbpy.datafiles.source import Source, split_lines
from tbpy.errors import DatafileError, Span

#: The text of an included file by the path that the line gives; None when there is no such file.
ReadIncluded = Callable[[str], str | None]

_INCLUDE = re.compile(r"(?i)INCLUDE\b(?P<arguments>.*)")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_DEPTH = 20


def include(source: Source, read: ReadIncluded) -> Source:
    """The source with all its INCLUDE lines replaced, also those of included files, and read as Classic does.

    What comes from another file has the place of the line that included it. Raises `DatafileError` for a file that is
    not there.
    """
    lines: list[str] = []
    places: list[int] = []
    for number, line in enumerate(source.lines, start=1):
        for text in _included(source, read, line, number, _DEPTH):
            lines.append(text)
            places.append(number)
    return replace(source, text="\n".join(lines), written=source.text, line_map=tuple(places), classic=True)


def _included(source: Source, read: ReadIncluded, line: str, number: int, depth: int) -> list[str]:
    match = _INCLUDE.match(line)
    if match is None:
        return [line]
    path, values = _arguments(source, match["arguments"], number)
    text = read(path) if depth else None
    if text is None:
        what = "not found" if depth else "includes itself"
        hint = "The path counts from the folder of this file."
        raise _error(source, f"Included file {path} at line {number} {what}", number, hint)
    return [
        inner for one in split_lines(_filled(text, values)) for inner in _included(source, read, one, number, depth - 1)
    ]


def _arguments(source: Source, text: str, number: int) -> tuple[str, dict[str, str]]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise _error(source, f"INCLUDE cannot be read: {error}", number) from None
    if not words:
        raise _error(source, "INCLUDE needs a file", number, 'Write: INCLUDE "file.incl"')
    pairs = (word.partition("=") for word in words[1:])
    return words[0], {name: value for name, _, value in pairs}


def _filled(text: str, values: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda match: values.get(match[1] or match[2], match[0]), text)


def _error(source: Source, message: str, number: int, hint: str | None = None) -> DatafileError:
    return source.error("include", message, Span.at(number, 1, len("INCLUDE")), hint=hint)
