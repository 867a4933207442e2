"""What a regular expression of RE2 looks like: how many groups, and whether it can match nothing.

ClickHouse and DuckDB both use RE2; they differ in `.` (ClickHouse lets it match line breaks) and in what they do with
empty matches, so the catalogue needs to know where those can be.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass

_ZERO_WIDTH_ESCAPES = frozenset("bBAzZ")


@dataclass(frozen=True, slots=True)
class Shape:
    """`groups` capture; `empty` says whether the expression may match nothing."""

    groups: int
    empty: bool


def shape(pattern: str) -> Shape:
    """The shape of a pattern, where its syntax is unusual rather too careful: `empty` is then true."""
    reader = _Reader(pattern)
    shortest = reader.alternatives()
    return Shape(reader.groups, shortest == 0)


#: What Python says of a pattern that RE2 does not compile either, and RE2's words for it.
_BROKEN = {
    "missing ), unterminated subpattern": "missing ): {0}",
    "unterminated character set": "missing ]: {1}",
    "nothing to repeat": "no argument for repetition operator: {2}",
}


def broken(pattern: str) -> str | None:
    """What RE2 says of a pattern that it does not compile, as far as it can be told; None for all others."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of what Python may read in other ways one day
            re.compile(pattern)
    except re.error as error:
        words = _BROKEN.get(error.msg)
        place = error.pos or 0
        return None if words is None else words.format(pattern, pattern[place:], pattern[place : place + 1])
    return None


def dotall(pattern: str) -> str:
    """The pattern with the meaning that ClickHouse gives to `.`."""
    return f"(?s){pattern}"


def python_pattern(pattern: str) -> str | None:
    """The pattern for Python's `re` (with DOTALL and ASCII), where both languages surely mean the same; else None."""
    if re.search(r"[*+?}]\)[*+{]", pattern):
        return None  # what such a group captures is each engine's own
    if re.search(r"\\[pPCQEA]|\[\[:|\(\?<[^=!]|\(\?[a-zA-Z]*-|\(\?[a-z]*U|[*+?}]\+|\(\?[=!>#(]|\(\?<", pattern):
        return None
    parts, index, inside = [], 0, False
    multiline = re.match(r"\(\?[a-z]*m", pattern) is not None
    while index < len(pattern):
        char = pattern[index]
        if char == "\\":
            char = pattern[index : index + 2]
            index += 1
            char = "\\Z" if char == "\\z" else char
            if char[1:].isdecimal():
                return None
        elif char in "[]":
            inside = char == "["
        elif char == "$" and not inside and not multiline:
            char = "\\Z"
        parts.append(char)
        index += 1
    translated = "".join(parts)
    try:
        re.compile(translated, re.DOTALL | re.ASCII)
    except re.error:
        return None
    return translated


class _Reader:
    """Reads a pattern once, adding up the least width that a match has."""

    __slots__ = ("groups", "index", "pattern")

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.index = 0
        self.groups = 0

    @property
    def char(self) -> str:
        return self.pattern[self.index : self.index + 1]

    def alternatives(self) -> int:
        branches = [self.sequence()]
        while self.char == "|":
            self.index += 1
            branches.append(self.sequence())
        return min(branches)

    def sequence(self) -> int:
        width = 0
        while self.char not in ("", "|", ")"):
            width += self.quantified(self.atom())
        return width

    def atom(self) -> int:
        char = self.char
        self.index += 1
        if char == "(":
            return self.group()
        if char == "[":
            return self.bracket()
        if char == "\\":
            return self.escape()
        return 0 if char in "^$" else 1

    def group(self) -> int:
        if self.char == "?":
            self.index += 1
            rest = self.pattern[self.index :]
            if rest.startswith(("P<", "<")):
                self.groups += 1
                self.index = self.pattern.find(">", self.index) + 1 or len(self.pattern)
            else:
                while self.char not in (":", ")", ""):
                    self.index += 1
                if self.char == ")":
                    self.index += 1
                    return 0
                self.index += 1
        else:
            self.groups += 1
        width = self.alternatives()
        self.index += 1
        return width

    def bracket(self) -> int:
        if self.char == "^":
            self.index += 1
        if self.char == "]":
            self.index += 1
        while self.char not in ("]", ""):
            if self.char == "\\":
                self.index += 1
            elif self.pattern.startswith("[:", self.index):
                self.index = self.pattern.find(":]", self.index) + 1 or len(self.pattern)
            self.index += 1
        self.index += 1
        return 1

    def escape(self) -> int:
        char = self.char
        self.index += 1
        if char == "Q":
            end = self.pattern.find("\\E", self.index)
            end = len(self.pattern) if end < 0 else end
            width = end - self.index
            self.index = end + 2
            return width
        if char in ("p", "P", "x") and self.char == "{":
            self.index = self.pattern.find("}", self.index) + 1 or len(self.pattern)
        elif char in ("p", "P"):
            self.index += 1
        elif char == "x":
            self.index += 2
        return 0 if char in _ZERO_WIDTH_ESCAPES else 1

    def quantified(self, width: int) -> int:
        while self.char in ("*", "+", "?", "{"):
            if self.char == "{":
                end = self.pattern.find("}", self.index)
                counts = self.pattern[self.index + 1 : end].split(",") if end > 0 else [""]
                if not counts[0].isdecimal():
                    break  # a brace that stands for itself is the next atom
                width *= int(counts[0])
                self.index = end + 1
            else:
                width = width if self.char == "+" else 0
                self.index += 1
        return width
