"""The syntax of a type: `Name(argument, ...)`, before anything is known of the name.

An argument is a type, a named type (`a UInt8`), a constant, or an element with a number (`'a' = 1`, `max_types = 3`).
"""

from __future__ import annotations

from dataclasses import dataclass

from tbpy.clickhouse.parsing.cursor import Cursor, is_word
from tbpy.clickhouse.parsing.literals import number_value, string_value
from tbpy.clickhouse.tokens import END, NUMBER, QUOTED, STRING, tokenize

# Further words of a name, by its first: DOUBLE PRECISION, INT UNSIGNED, NATIONAL CHARACTER VARYING.
_FURTHER = frozenset({"PRECISION", "VARYING", "LARGE", "OBJECT", "CHARACTER", "CHAR", "SIGNED", "UNSIGNED"})
_OPENING = frozenset(
    {"DOUBLE", "CHARACTER", "CHAR", "NATIONAL", "BINARY", "NCHAR", "TINYINT", "SMALLINT", "MEDIUMINT", "INT", "INT1"}
    | {"INTEGER", "BIGINT"}
)


@dataclass(frozen=True, slots=True)
class TypeSyntax:
    """A type as written; `arguments` is None where no bracket stands."""

    name: str
    arguments: tuple[Argument, ...] | None = None


@dataclass(frozen=True, slots=True)
class NamedType:
    name: str
    type: TypeSyntax


@dataclass(frozen=True, slots=True)
class Constant:
    value: int | float | str


@dataclass(frozen=True, slots=True)
class Assigned:
    """`'a' = 1` of an Enum or `max_types = 3`."""

    name: str
    value: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """`SKIP path` or `SKIP REGEXP 'pattern'` of the JSON type."""

    path: str
    is_pattern: bool


Argument = TypeSyntax | NamedType | Constant | Assigned | Skipped


def read_syntax(text: str) -> TypeSyntax:
    """The syntax of one type. Raises `QueryError` 62 with a place in `text`."""
    reader = _Reader(tokenize(text))
    found = reader.type()
    if reader.key != END:
        reader.fail("end of type")
    return found


class _Reader(Cursor):
    def type(self) -> TypeSyntax:
        words = [self.name("data type")]
        if words[0].upper() in _OPENING:
            self.further_words(words)
        arguments: tuple[Argument, ...] | None = None
        if self.accept("("):
            arguments = self.arguments()
            self.expect(")")
            if words[0].upper() in _OPENING:
                self.further_words(words)
        return TypeSyntax(" ".join(words), arguments)

    def further_words(self, words: list[str]) -> None:
        while self.key in _FURTHER:
            words.append(self.key)
            self.index += 1

    def arguments(self) -> tuple[Argument, ...]:
        found: list[Argument] = []
        while self.key != ")":
            found.append(self.argument())
            if not self.accept(","):
                break
            if self.key == ")":
                self.fail("data type")
        return tuple(found)

    def argument(self) -> Argument:
        key = self.key
        if key == STRING:
            self.index += 1
            text = string_value(self.words[self.index - 1])
            return Assigned(text, self.whole()) if self.accept("=") else Constant(text)
        if key in (NUMBER, "-"):
            return Constant(self.number())
        if key == "SKIP" and self.key_at(1) not in (",", ")", "("):
            return self.skipped()
        if key == QUOTED or self.key_at(1) == "." or self.at_named_type():
            return NamedType(self.path(), self.type())
        if self.key_at(1) == "=":
            name = self.name()
            self.index += 1
            return Assigned(name, self.whole())
        return self.type()

    def at_named_type(self) -> bool:
        follower = self.key_at(1)
        return follower == QUOTED or (is_word(follower) and not (follower in _FURTHER and self.key_at(0) in _OPENING))

    def path(self) -> str:
        path = self.name()
        while self.accept("."):
            path += "." + self.name()
        return path

    def skipped(self) -> Skipped:
        self.index += 1
        if self.accept("REGEXP"):
            self.index += 1
            return Skipped(string_value(self.words[self.index - 1]), True)
        return Skipped(self.path(), False)

    def number(self) -> int | float:
        negative = self.accept("-")
        if self.key != NUMBER:
            self.fail("number")
        self.index += 1
        value = number_value(self.words[self.index - 1])
        return -value if negative else value

    def whole(self) -> int:
        index = self.index
        value = self.number()
        if not isinstance(value, int):
            raise self.error_at(index, "Expected integer")
        return value
