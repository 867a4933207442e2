"""Splits a template into text, `{{ expression }}` and `{% block %}` tags, by the rules of Tornado's templates.

A tag ends at its first closing mark, whatever Python string that mark may stand in. `{{!`, `{%!` and `{#!` print the
opening mark. Of more than two opening braces the innermost two count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from tbpy.templating.source import Fragment, Source

_OPENING = re.compile(r"\{\{(?!\{)|\{[%#]")


class TagKind(Enum):
    TEXT = auto()
    EXPRESSION = auto()
    BLOCK = auto()


@dataclass(frozen=True, slots=True)
class Tag:
    """For TEXT the fragment is literal text; for the others it is the stripped content of the tag, never empty."""

    kind: TagKind
    fragment: Fragment


_CLOSING = {
    "{{": ("}}", "Missing end expression }}"),
    "{%": ("%}", "Missing end block %}"),
    "{#": ("#}", "Missing end comment #}"),
}
_EMPTY = {"{{": "Empty expression", "{%": "Empty block tag ({% %})"}
_KINDS = {"{{": TagKind.EXPRESSION, "{%": TagKind.BLOCK}


def read_tags(source: Source) -> Iterator[Tag]:
    """The tags of a template in order, comments left out.

    Lazy, so that the first mistake in reading order is the one that is reported.
    """
    text, position = source.text, 0
    while (opening := _OPENING.search(text, position)) is not None:
        mark, start = opening.group(), opening.start()
        if start > position:
            yield _text(text[position:start], position)
        if text.startswith("!", start + 2):
            yield _text(mark, start)
            position = start + 3
            continue
        closing, message = _CLOSING[mark]
        end = text.find(closing, start + 2)
        if end == -1:
            raise source.syntax_error(message, start)
        position = end + 2
        if mark != "{#":
            yield Tag(_KINDS[mark], _content(source, mark, start, end))
    if position < len(text):
        yield _text(text[position:], position)


def _text(text: str, offset: int) -> Tag:
    return Tag(TagKind.TEXT, Fragment(text, offset, offset))


def _content(source: Source, mark: str, start: int, end: int) -> Fragment:
    raw = source.text[start + 2 : end]
    content = raw.strip()
    if not content:
        raise source.syntax_error(_EMPTY[mark], start)
    return Fragment(content, start + 2 + len(raw) - len(raw.lstrip()), start)
