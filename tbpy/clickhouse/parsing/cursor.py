"""A place in the tokens, and the few moves that every part of the parser makes with it."""

from __future__ import annotations

from typing import NoReturn

from tbpy.clickhouse.parsing.literals import unquote
from tbpy.clickhouse.tokens import END, QUOTED, Tokens, line_place, syntax_error
from tbpy.errors import QueryError


class Cursor:
    """Reads tokens from left to right. `index` is the token that comes next."""

    __slots__ = ("ends", "index", "keys", "starts", "text", "words")

    def __init__(self, tokens: Tokens) -> None:
        self.text = tokens.text
        self.keys = tokens.keys
        self.words = tokens.words
        self.starts = tokens.starts
        self.ends = tokens.ends
        self.index = 0

    @property
    def key(self) -> str:
        return self.keys[self.index]

    def key_at(self, distance: int) -> str:
        """The key of the token `distance` further on; END behind the last one."""
        place = self.index + distance
        return self.keys[place] if place < len(self.keys) else END

    def accept(self, key: str) -> bool:
        """Step over the next token if it is `key`."""
        if self.keys[self.index] == key:
            self.index += 1
            return True
        return False

    def accept_words(self, *words: str) -> bool:
        """Step over several tokens in a row, all or none."""
        keys, index = self.keys, self.index
        if keys[index] != words[0] or tuple(keys[index : index + len(words)]) != words:
            return False
        self.index += len(words)
        return True

    def expect(self, key: str) -> None:
        if not self.accept(key):
            self.fail(key)

    def fail(self, expected: str) -> NoReturn:
        """Raise ClickHouse's syntax error at the next token: brackets that do not match, else what was expected."""
        unmatched = _unmatched_brackets(self)
        raise self.error_at(self.index, unmatched or f"Expected {expected}")

    def error_at(self, index: int, reason: str) -> QueryError:
        return syntax_error(self.text, self.starts[index], self.ends[index], reason)

    @property
    def here(self) -> int:
        """The offset where the next token starts."""
        return self.starts[self.index]

    @property
    def last_end(self) -> int:
        """The offset where the token before ends."""
        return self.ends[self.index - 1]

    def at_name(self) -> bool:
        """Whether the next token can be a name: any bare word or a quoted one."""
        key = self.keys[self.index]
        return key == QUOTED or is_word(key)

    def name(self, expected: str = "identifier") -> str:
        if not self.at_name():
            self.fail(expected)
        word = self.words[self.index]
        if self.keys[self.index] == QUOTED:
            word = unquote(word)
        self.index += 1
        return word

    def closing_index(self, index: int) -> int:
        """The index of the bracket that closes the one at `index`, or of END."""
        depth = 0
        keys = self.keys
        while keys[index] != END:
            key = keys[index]
            if key in "([{":
                depth += 1
            elif key in ")]}":
                depth -= 1
                if depth == 0:
                    return index
            index += 1
        return index


def is_word(key: str) -> bool:
    """Whether a key is that of a bare word (marks are `'`, `0`, `"` and the empty string)."""
    return key.isidentifier() or (len(key) > 1 and (key[0].isalnum() or key[0] == "$"))


_OPENING = {")": "(", "]": "[", "}": "{"}


def _unmatched_brackets(cursor: Cursor) -> str | None:
    """What is wrong with the brackets of the whole text, in ClickHouse's words; None when they match."""
    opened: list[int] = []
    for index, key in enumerate(cursor.keys):
        if key in _OPENING:
            if not opened:
                return f"Unmatched parentheses: {_bracket(cursor, index)} has no matching opening bracket"
            partner = opened.pop()
            if cursor.keys[partner] != _OPENING[key]:
                wrong = f"{_bracket(cursor, index)} does not match {_bracket(cursor, partner)}"
                return f"Unmatched parentheses: {wrong}"
        elif key in _OPENING.values():
            opened.append(index)
    return f"Unmatched parentheses: {_bracket(cursor, opened[0])} is never closed" if opened else None


def _bracket(cursor: Cursor, index: int) -> str:
    start = cursor.starts[index]
    return f"'{cursor.keys[index]}' at position {start + 1}{line_place(cursor.text, start)}"
