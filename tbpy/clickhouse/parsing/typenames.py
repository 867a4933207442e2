"""Types inside SQL: `CAST(x AS T)`, `x::T`, `{name: T}`, spelled as ClickHouse's formatter does."""

from __future__ import annotations

from tbpy.clickhouse import ast
from tbpy.clickhouse.parsing.cursor import is_word
from tbpy.clickhouse.parsing.expressions import ExpressionParser
from tbpy.clickhouse.parsing.literals import string_value
from tbpy.clickhouse.quoting import quote_identifier_if_needed, quote_string
from tbpy.clickhouse.tokens import NUMBER, QUOTED, STRING

# Second and further words of types such as DOUBLE PRECISION and NATIONAL CHARACTER VARYING.
_OPENING = frozenset({"DOUBLE", "CHARACTER", "CHAR", "NATIONAL", "BINARY", "NCHAR"})
_INTEGERS = frozenset({"TINYINT", "SMALLINT", "INT", "INT1", "INTEGER", "BIGINT", "MEDIUMINT"})
_FURTHER = frozenset({"PRECISION", "VARYING", "LARGE", "OBJECT", "CHARACTER", "CHAR"})
_SIGNS = frozenset({"SIGNED", "UNSIGNED"})


class TypeNameParser(ExpressionParser):
    """Reads the text of a type."""

    __slots__ = ()

    def type_text(self) -> ast.Literal:
        """A type as a string literal."""
        start = self.here
        text = self.type_name()
        return ast.Literal(text, text, start=start, end=self.last_end)

    def type_name(self) -> str:
        name = self.name("type")
        upper = name.upper()
        further = _FURTHER if upper in _OPENING else _SIGNS if upper in _INTEGERS else frozenset()
        while self.key in further:
            name = f"{name.upper()} {self.key}"
            self.index += 1
        if not self.accept("("):
            return name
        arguments: list[str] = []
        while self.key != ")":
            arguments.append(self.type_argument())
            if not self.accept(","):
                break
        self.expect(")")
        if self.key in further:
            name = f"{name.upper()} {self.key}"
            self.index += 1
        return f"{name}({', '.join(arguments)})" if arguments else name

    def type_argument(self) -> str:
        """A type, `name Type`, a literal, `'a' = 1` or `max_types = 3`."""
        key = self.key
        if key == STRING:
            self.index += 1
            return quote_string(string_value(self.words[self.index - 1])) + self.assigned()
        if key in (NUMBER, "-"):
            return self.signed_number()
        if key == "SKIP":
            return self.skipped_path()
        if not self.at_name():
            self.fail("type")
        follower = self.key_at(1)
        if follower == "=":
            return self.name() + self.assigned()
        if key == QUOTED or follower == "." or (is_word(follower) and follower not in _FURTHER | _SIGNS):
            path = self.name()
            while self.accept("."):
                path += "." + self.name()
            return f"{quote_identifier_if_needed(path)} {self.type_name()}"
        return self.type_name()

    def assigned(self) -> str:
        return f" = {self.signed_number()}" if self.accept("=") else ""

    def signed_number(self) -> str:
        sign = "-" if self.accept("-") else ""
        if self.key != NUMBER:
            self.fail("number")
        self.index += 1
        return sign + self.words[self.index - 1]

    def skipped_path(self) -> str:
        """`SKIP path` and `SKIP REGEXP 're'` of the JSON type."""
        self.index += 1
        if self.key == "REGEXP":
            self.index += 2
            return f"SKIP REGEXP {quote_string(string_value(self.words[self.index - 1]))}"
        names = [self.name()]
        while self.accept("."):
            names.append(self.name())
        return f"SKIP {'.'.join(map(quote_identifier_if_needed, names))}"
