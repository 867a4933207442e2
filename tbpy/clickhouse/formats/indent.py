"""The line breaks and the indentation of JSON that is laid out for people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Indent:
    """A level of nesting. `extra` comes before the units of every level but the outermost."""

    level: int
    unit: str = "\t"
    extra: str = ""

    def deeper(self) -> Indent:
        return replace(self, level=self.level + 1)

    @property
    def margin(self) -> str:
        return self.extra + self.unit * self.level if self.level else ""


def lines(indent: Indent | None, opening: str, texts: Iterable[str], closing: str) -> str:
    """Texts in brackets: on one line without an indent, else a line each and the brackets on their own."""
    if indent is None:
        return opening + ",".join(texts) + closing
    margin = "\n" + indent.deeper().margin
    body = ("," + margin).join(texts)
    return f"{opening}{margin if body else chr(10)}{body}\n{indent.margin}{closing}"
