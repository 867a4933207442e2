"""The line structure of a datafile: instructions with their arguments, and the blocks that `WORD >` opens.

A block takes in every line up to one that starts in column 0 with a word this kind of file knows. Blank lines and lines
that start with `#` are no part of any instruction.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tbpy.datafiles.model import PlacedText
from tbpy.datafiles.source import Source
from tbpy.datafiles.vocabulary import CLASSIC_HINTS, Form, Word, words
from tbpy.errors import DatafileError, Span

_FIRST_WORD = re.compile(r"[ \t]*(\S+)")
_OPENS_BLOCK = re.compile(r"[ \t]*>(?:\s|$)")
_QUOTES = "\"'"


@dataclass(frozen=True, slots=True)
class Argument:
    """A blank-separated word, or a quoted string with its quotes, at offsets of its line."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One instruction. `index` is its line (from 0), `end` the first line after it; `content` are the lines of its
    block that count, None when it opened none."""

    word: Word
    index: int
    end: int
    start: int
    arguments: tuple[Argument, ...]
    content: tuple[int, ...] | None = None

    @property
    def word_end(self) -> int:
        return self.start + len(self.word.name)


def is_ignored(line: str) -> bool:
    """Blank lines and comments carry nothing, wherever they stand."""
    stripped = line.strip()
    return not stripped or stripped.startswith("#")


def statements(source: Source) -> Iterator[Statement]:
    """The instructions of a file in order; the first line that is none raises `DatafileError`."""
    index, lines = 0, source.lines
    while index < len(lines):
        if is_ignored(lines[index]):
            index += 1
            continue
        statement = _statement(source, index)
        yield statement
        index = statement.end


def _statement(source: Source, index: int) -> Statement:
    line = source.lines[index]
    match = _FIRST_WORD.match(line)
    assert match is not None, "a line that is not ignored has a first word"
    word = words(source.kind, source.classic).get(match[1].upper())
    if word is None:
        raise _unknown_word(source, index, match)
    if not _OPENS_BLOCK.match(line, match.end()):
        return Statement(word, index, index + 1, match.start(1), _arguments(source, word, index, match.end()))
    if not word.block and word.form in (Form.VALUE, Form.TOKEN, Form.NODE):
        span = span_of(source, index, match.start(1), match.end())
        message = f"{word.name} does not support multiline arguments"
        raise source.error("multiline-argument", message, span, hint=f"Write the value on one line: {word.name} value")
    end = _block_end(source, index + 1)
    content = tuple(i for i in range(index + 1, end) if not is_ignored(source.lines[i]))
    return Statement(word, index, end, match.start(1), (), content)


def _block_end(source: Source, index: int) -> int:
    known = words(source.kind, source.classic)
    while index < len(source.lines):
        line = source.lines[index]
        if line[:1].strip() and line.split(None, 1)[0].upper() in known:
            break
        index += 1
    return index


def _unknown_word(source: Source, index: int, match: re.Match[str]) -> DatafileError:
    word, span = match[1], span_of(source, index, match.start(1), match.end())
    message = f"{word.upper()} is not a valid option in {source.kind} files."
    hint = CLASSIC_HINTS.get(word.upper())
    if word.startswith("\ufeff"):
        hint = "The file starts with a byte order mark: save it as UTF-8 without one."
    elif word == "--":
        hint = "Comments between instructions start with #."
    elif hint is None:
        hint = suggestion(word.upper(), list(words(source.kind, source.classic)))
    return source.error("unknown-instruction", message, span, hint=hint)


def suggestion(word: str, known: list[str]) -> str | None:
    """'Did you mean ...?' when something known is spelled nearly like it."""
    from difflib import get_close_matches

    close = get_close_matches(word, known, n=1, cutoff=0.75)
    return f"Did you mean {close[0]}?" if close else None


def _arguments(source: Source, word: Word, index: int, start: int) -> tuple[Argument, ...]:
    line, position = source.lines[index], start
    found: list[Argument] = []
    while True:
        while position < len(line) and line[position].isspace():
            position += 1
        if position == len(line) or line[position] == "#":
            return tuple(found)
        end = _argument_end(source, word, index, position)
        found.append(Argument(line[position:end], position, end))
        position = end


def _argument_end(source: Source, word: Word, index: int, start: int) -> int:
    line = source.lines[index]
    if line[start] in _QUOTES:
        closing = line.find(line[start], start + 1)
        if closing >= 0:
            return closing + 1
        if word.form is not Form.DESCRIPTION:
            span = span_of(source, index, start, len(line))
            raise source.error("unclosed-quote", f"Expected closing {line[start]}", span)
    end = start
    while end < len(line) and not line[end].isspace():
        end += 1
    return end


def span_of(source: Source, index: int, start: int, end: int) -> Span:
    """The place of a part of line `index` (from 0) between two offsets."""
    return Span.at(source.file_line(index), start + 1, end - start)


def statement_span(source: Source, statement: Statement) -> Span:
    return span_of(source, statement.index, statement.start, statement.word_end)


def raw_value(source: Source, statement: Statement) -> PlacedText:
    """The argument text as written, without a trailing comment: of one line, or of a block stripped outside only."""
    if statement.content is not None:
        return stripped(block_text(source, statement))
    file_line = source.file_line(statement.index)
    if not statement.arguments:
        return PlacedText("", ((file_line, statement.word_end),))
    start, end = statement.arguments[0].start, statement.arguments[-1].end
    return PlacedText(source.lines[statement.index][start:end], ((file_line, start),))


def block_text(source: Source, statement: Statement, cut: int = 0) -> PlacedText:
    """The lines of a block that count, each without its first `cut` characters."""
    content = statement.content or ()
    text = "\n".join(source.lines[index][cut:] for index in content)
    places = tuple((source.file_line(index), cut) for index in content)
    return PlacedText(text, places or ((source.file_line(statement.index), statement.word_end),))


def stripped(placed: PlacedText) -> PlacedText:
    start = len(placed.text) - len(placed.text.lstrip())
    return placed.slice(start, max(start, len(placed.text.rstrip())))


def unquoted(placed: PlacedText) -> PlacedText:
    """Without one pair of equal outer quotes."""
    text = placed.text
    if len(text) >= 2 and text[0] in _QUOTES and text[-1] == text[0]:
        return placed.slice(1, len(text) - 1)
    return placed
