"""The tree of a template: text, outputs, statements and blocks. Python inside the tags is still text here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tbpy.errors import TemplateError
from tbpy.templating.source import Fragment, Source
from tbpy.templating.tags import Tag, TagKind, read_tags


@dataclass(frozen=True, slots=True)
class Text:
    """Literal text. `exact` says that it stands in the template character by character from `offset` on."""

    text: str
    offset: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Output:
    """`{{ expression }}`"""

    fragment: Fragment


@dataclass(frozen=True, slots=True)
class Statement:
    """`{% set … %}` (the fragment is what follows `set`), `{% break %}`, `{% continue %}`."""

    operator: str
    fragment: Fragment


@dataclass(frozen=True, slots=True)
class Section:
    """One arm of a block: its header (`if x`, `elif y`, `else`, …) and what it encloses."""

    operator: str
    header: Fragment
    body: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """`{% if|for|while|try %} … {% end %}`: the first section is the opening one."""

    sections: tuple[Section, ...]


Node = Text | Output | Statement | Block

_BLOCKS = frozenset({"if", "for", "while", "try"})
_LOOPS = frozenset({"for", "while"})
_ARMS = {
    "else": frozenset({"if", "for", "while", "try"}),
    "elif": frozenset({"if"}),
    "except": frozenset({"try"}),
    "finally": frozenset({"try"}),
}
_FORBIDDEN = {name: name for name in ("raw", "module", "import", "extends", "include", "block", "apply", "autoescape")}
_FORBIDDEN["from"] = "import"
# Rendering recurses once for each open block; Python itself stops at 20 open loops.
_MAX_DEPTH = 60


def build_tree(source: Source) -> tuple[Node, ...]:
    """The nodes of a template. Raises `TemplateError` with the place for every mistake in the tags themselves."""
    return _Builder(source).build()


class _Builder:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._tags = read_tags(source)
        self._whitespace = "all"

    def build(self) -> tuple[Node, ...]:
        nodes, closing = self._nodes(())
        if closing is not None:
            raise self._unexpected(closing)
        return nodes

    def _nodes(self, open_blocks: tuple[Tag, ...]) -> tuple[tuple[Node, ...], Tag | None]:
        """Nodes up to the tag that ends this section (an arm or `end`), and that tag; None at the end of the text."""
        nodes: list[Node] = []
        for tag in self._tags:
            if tag.kind is TagKind.TEXT:
                nodes.append(self._text(tag.fragment))
            elif tag.kind is TagKind.EXPRESSION:
                nodes.append(Output(tag.fragment))
            elif _operator(tag) in _ARMS or _operator(tag) == "end":
                return tuple(nodes), tag
            else:
                nodes.extend(self._block_tag(tag, open_blocks))
        return tuple(nodes), None

    def _text(self, fragment: Fragment) -> Text:
        text = fragment.text if "<pre>" in fragment.text else _filter(self._whitespace, fragment.text)
        return Text(text, fragment.offset, text == fragment.text)

    def _block_tag(self, tag: Tag, open_blocks: tuple[Tag, ...]) -> Iterator[Node]:
        operator, offset = _operator(tag), tag.fragment.tag
        if operator in _BLOCKS:
            yield self._block(tag, open_blocks)
        elif operator == "set":
            yield Statement("set", self._statement(tag))
        elif operator in ("break", "continue"):
            if not any(_operator(opened) in _LOOPS for opened in open_blocks):
                raise self._source.syntax_error(f"{operator} outside for, while block", offset)
            yield Statement(operator, tag.fragment)
        elif operator == "whitespace":
            self._whitespace = self._whitespace_mode(tag)
        elif operator in _FORBIDDEN:
            raise self._source.syntax_error(f"{_FORBIDDEN[operator]} is forbidden", offset)
        elif operator != "comment":
            raise self._source.syntax_error(f"unknown operator: {operator!r}", offset)

    def _block(self, opening: Tag, open_blocks: tuple[Tag, ...]) -> Block:
        if len(open_blocks) >= _MAX_DEPTH:
            raise self._source.syntax_error("too many nested blocks", opening.fragment.tag)
        sections: list[Section] = []
        tag: Tag = opening
        while True:
            body, closing = self._nodes((*open_blocks, opening))
            sections.append(Section(_operator(tag), tag.fragment, body))
            if closing is None:
                raise self._unclosed(opening)
            if _operator(closing) == "end":
                return Block(tuple(sections))
            self._check_arm(closing, _operator(opening))
            tag = closing

    def _check_arm(self, arm: Tag, block: str) -> None:
        if block not in _ARMS[_operator(arm)]:
            message = f"{_operator(arm)} block cannot be attached to {block} block"
            raise self._source.syntax_error(message, arm.fragment.tag)

    def _unclosed(self, opening: Tag) -> TemplateError:
        offset = opening.fragment.tag
        line, _ = self._source.line_column(offset)
        return self._source.error(f"Missing {{% end %}} block for {_operator(opening)} at line {line}", offset)

    def _unexpected(self, tag: Tag) -> TemplateError:
        operator = _operator(tag)
        if operator == "end":
            return self._source.syntax_error("Extra {% end %} block", tag.fragment.tag)
        parents = ", ".join(sorted(_ARMS[operator]))
        return self._source.syntax_error(f"{operator} outside {parents} block", tag.fragment.tag)

    def _statement(self, tag: Tag) -> Fragment:
        text, offset = tag.fragment.text, tag.fragment.offset
        suffix = text.partition(" ")[2]
        statement = suffix.strip()
        if not statement:
            raise self._source.syntax_error("set missing statement", tag.fragment.tag)
        return Fragment(statement, offset + len(text) - len(suffix.lstrip()), tag.fragment.tag)

    def _whitespace_mode(self, tag: Tag) -> str:
        mode = tag.fragment.text.partition(" ")[2].strip()
        if mode not in ("all", "single", "oneline"):
            raise self._source.syntax_error(f"invalid whitespace mode {mode}", tag.fragment.tag)
        return mode


def _operator(tag: Tag) -> str:
    return tag.fragment.text.partition(" ")[0]


def _filter(mode: str, text: str) -> str:
    if mode == "single":
        return re.sub(r"\s*\n\s*", "\n", re.sub(r"[\t ]+", " ", text))
    if mode == "oneline":
        return re.sub(r"\s+", " ", text)
    return text
