"""The formatter: one layout for datafiles, which changes nothing that they mean.

Instructions stay in their order; words are in capitals, blocks are indented by four blanks, a blank line stands around
each block and node. SQL keeps its own layout, comments stay where they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tbpy.datafiles.lexer import Statement, block_text, is_ignored, statements
from tbpy.datafiles.model import Kind
from tbpy.datafiles.schema import parse_columns
from tbpy.datafiles.source import Source
from tbpy.datafiles.vocabulary import Form
from tbpy.errors import DatafileError

_INDENT = "    "
_SHAPED = re.compile(r"--|\n\s*#")


def format_datafile(text: str, kind: Kind | str) -> str:
    """The text in the one layout. A line that is no instruction, of Tinybird Classic either, raises `DatafileError`."""
    source = Source(text, Kind(kind))
    if source.kind is not Kind.PIPE and "{%" in text:
        # Which lines are instructions depends on secrets here, so the lines stay as they are.
        return text
    try:
        return _joined(_chunks(source))
    except DatafileError as error:
        try:
            return _joined(_chunks(replace(source, classic=True)))
        except DatafileError:
            raise error from None


def _chunks(source: Source) -> Iterator[tuple[str, list[str]]]:
    """The file as `(what it is, its lines)`: comments, blanks and instructions in order."""
    position = 0
    for statement in statements(source):
        yield from _between(source.lines[position : statement.index])
        end = _content_end(source, statement)
        yield _role(statement), _formatted(source, statement, end)
        position = end
    yield from _between(source.lines[position:])


def _between(lines: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    for line in lines:
        stripped = line.strip()
        yield ("comment", [stripped]) if stripped else ("blank", [])


def _content_end(source: Source, statement: Statement) -> int:
    """Comments and blank lines after the last line of a block belong to what follows it, unless they are indented."""
    if statement.content is None:
        return statement.end
    last = statement.content[-1] if statement.content else statement.index
    end = last + 1
    for index in range(last + 1, statement.end):
        line = source.lines[index]
        if line.strip() and not line[:1].strip():
            end = index + 1
    return end


def _role(statement: Statement) -> str:
    if statement.word.form is Form.NODE:
        return "node"
    return "line" if statement.content is None else "block"


def _joined(chunks: Iterator[tuple[str, list[str]]]) -> str:
    lines: list[str] = []
    previous, blank = "", False
    for role, content in chunks:
        if role == "blank":
            blank = True
            continue
        # A node stands apart, but stays with the comment above it.
        if lines and (blank or previous == "block" or (role == "node" and previous != "comment")):
            lines.append("")
        lines.extend(content)
        previous, blank = role, False
    return "\n".join(lines) + "\n" if lines else ""


def _formatted(source: Source, statement: Statement, end: int) -> list[str]:
    line = source.lines[statement.index]
    rest = line[statement.word_end :].strip()
    if statement.content is None:
        return [_one_line(source, statement, rest)]
    opening = f"{statement.word.name} {rest}"
    if statement.word.form is Form.SCHEMA:
        columns = _schema_lines(source, statement)
        if columns is not None:
            return [opening, *columns]
    return [opening, *_block_lines(source, statement, end)]


def _one_line(source: Source, statement: Statement, rest: str) -> str:
    word, arguments = statement.word, statement.arguments
    if word.form is Form.TOKEN and len(arguments) == 2:
        line = source.lines[statement.index]
        name, permission = arguments[0].text, arguments[1].text.upper()
        quoted = name if name[0] in "\"'" else f'"{name}"'
        return f"TOKEN {quoted} {permission} {line[arguments[1].end :].strip()}".rstrip()
    if word.name == "TYPE" and source.kind is Kind.PIPE and arguments:
        line = source.lines[statement.index]
        value = line[arguments[0].start : arguments[-1].end].upper()
        return f"TYPE {value} {line[arguments[-1].end :].strip()}".rstrip()
    return f"{word.name} {rest}".rstrip()


def _schema_lines(source: Source, statement: Statement) -> list[str] | None:
    """One column a line; None when the block holds comments or does not parse, so that it keeps its own lines."""
    if any(is_ignored(source.lines[i]) and source.lines[i].strip() for i in range(statement.index + 1, statement.end)):
        return None
    text = block_text(source, statement)
    if _SHAPED.search(text.text):
        return None
    try:
        columns = parse_columns(source, text)
    except DatafileError:
        return None
    declarations = [column.declaration(column.type_text.text if column.type_text else None) for column in columns]
    if any("\n" in declaration for declaration in declarations):
        return None
    return [f"{_INDENT}{text}," for text in declarations[:-1]] + [_INDENT + text for text in declarations[-1:]]


def _block_lines(source: Source, statement: Statement, end: int) -> list[str]:
    """The lines of a block moved as one, so that the first column of the leftmost stands after four blanks."""
    lines = source.lines[statement.index + 1 : end]
    content = [source.lines[index] for index in statement.content or ()]
    keeps_layout = statement.word.form is Form.VALUE or (_is_template(content) and _has_open_string(content))
    if keeps_layout:
        return lines
    sign = int(_is_template(content) and content[0].strip() == "%")
    cut = _margin(content[sign:])
    lines = list(_without_doubled_blanks(lines))
    return [_INDENT + "%" if sign and line.strip() == "%" else _moved(line, cut) for line in lines]


def _is_template(content: list[str]) -> bool:
    return bool(content) and content[0].lstrip().startswith("%")


def _has_open_string(content: list[str]) -> bool:
    """Whether a quoted text may run over a line end: in a template, moving lines would then change it."""
    return any(line.replace("\\'", "").count("'") % 2 for line in content)


def _moved(line: str, cut: int) -> str:
    if not line.strip():
        return ""
    if is_ignored(line):
        return _INDENT + line.strip()
    return _INDENT + line[cut:]


def _without_doubled_blanks(lines: Sequence[str]) -> Iterator[str]:
    blank = True
    for line in lines:
        if line.strip() or not blank:
            yield line
        blank = not line.strip()


def _margin(lines: list[str]) -> int:
    margins = [line[: len(line) - len(line.lstrip(" \t"))] for line in lines]
    shared = min(margins, key=len, default="")
    while not all(margin.startswith(shared) for margin in margins):
        shared = shared[:-1]
    return len(shared)
