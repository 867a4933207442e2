"""Operands: literals, names with their paths, brackets, arrays, query parameters."""

from __future__ import annotations

from abc import abstractmethod

from tbpy.clickhouse import ast
from tbpy.clickhouse.parsing import operators as op
from tbpy.clickhouse.parsing.cursor import Cursor, is_word
from tbpy.clickhouse.parsing.literals import number_value, string_value
from tbpy.clickhouse.tokens import END, NUMBER, QUOTED, STRING

NOT_FINITE = {"INF": float("inf"), "INFINITY": float("inf"), "NAN": float("nan")}
_CONSTANTS: dict[str, ast.LiteralValue] = {"NULL": None, "TRUE": True, "FALSE": False, **NOT_FINITE}
# A word FROM before one of these is a column of that name; before anything else it opens the clause.
AFTER_NAME = frozenset({",", ")", "]", "}", "FROM", "AS", ".", END, *op.BINARY} - {"*"})
# What may stand behind a query in brackets of its own.
_AFTER_QUERY = frozenset({")", "UNION", "EXCEPT", "INTERSECT"})


class OperandParser(Cursor):
    """Reads what stands between operators. The layers above say what an expression, a call, a type and a query are."""

    __slots__ = ()

    @abstractmethod
    def expression(self, power: int = 0) -> ast.Expression: ...

    @abstractmethod
    def aliased(self, *, bare: bool) -> ast.Expression: ...

    @abstractmethod
    def expression_list(self, *, bare: bool = False) -> tuple[ast.Expression, ...]: ...

    @abstractmethod
    def query(self) -> ast.Query: ...

    @abstractmethod
    def call(self, name: str, start: int) -> ast.Expression:
        """A call; the name is read already and `(` comes next."""

    @abstractmethod
    def word_operand(self, key: str, start: int) -> ast.Expression | None:
        """An operand that a keyword opens; None, with nothing read, when the word is a name here."""

    @abstractmethod
    def transformers(self) -> tuple[ast.Transformer, ...]:
        """EXCEPT, REPLACE and APPLY behind an asterisk."""

    @abstractmethod
    def type_text(self) -> ast.Literal: ...

    def operand(self) -> ast.Expression:
        index = self.index
        key = self.keys[index]
        start = self.starts[index]
        if key == NUMBER:
            return self.number(start)
        if key == STRING:
            self.index += 1
            word = self.words[index]
            return ast.Literal(string_value(word), word, start=start, end=self.ends[index])
        if key == QUOTED:
            return self.named(start)
        if is_word(key):
            return self.word(key, start)
        if key == "(":
            return self.bracketed(start)
        if key == "[":
            return self.array(start)
        if key == "*":
            self.index += 1
            return ast.Asterisk((), self.transformers(), start=start, end=self.last_end)
        if key != "{":
            self.fail("expression")
        return self.parameter(start)

    def number(self, start: int, *, negative: bool = False) -> ast.Literal:
        word = self.words[self.index]
        value = number_value(word)
        self.index += 1
        if negative:
            value = -value if not (isinstance(value, int) and value > 1 << 63) else -float(value)
            word = "-" + word
        return ast.Literal(value, word, start=start, end=self.last_end)

    def word(self, key: str, start: int) -> ast.Expression:
        """An operand that opens with a bare word."""
        if key in _CONSTANTS and self.keys[self.index + 1] != "(":
            self.index += 1
            return ast.Literal(_CONSTANTS[key], self.words[self.index - 1], start=start, end=self.last_end)
        if key == "FROM" and self.at_from_clause():
            self.fail("expression")
        special = self.word_operand(key, start)
        return self.named(start) if special is None else special

    def named(self, start: int) -> ast.Expression:
        """A call, a column with its qualifiers and path, or `t.*`."""
        name = self.name()
        keys = self.keys
        if keys[self.index] == "(":
            return self.call(name, start)
        parts = [name]
        while keys[self.index] == ".":
            follower = keys[self.index + 1]
            if follower == "*":
                self.index += 2
                return ast.Asterisk(tuple(parts), self.transformers(), start=start, end=self.last_end)
            if follower == "COLUMNS" and self.key_at(2) == "(":
                self.index += 1
                matcher = self.word_operand("COLUMNS", start)
                assert isinstance(matcher, ast.ColumnsMatcher)
                return ast.ColumnsMatcher(
                    matcher.pattern, matcher.names, tuple(parts), matcher.transformers, start=start, end=self.last_end
                )
            part = self.path_part(follower)
            if part is None:
                break
            parts.append(part)
            self.array_steps(parts)
        return ast.Identifier(tuple(parts), start=start, end=self.last_end)

    def path_part(self, key: str) -> str | None:
        """One more step of a path, behind a dot: a name, `^name` (a JSON object) or `:Type` (a typed JSON path)."""
        if key == QUOTED or is_word(key):
            self.index += 1
            return self.name()
        if key == "^":
            self.index += 2
            return f"^`{self.name()}`"
        if key == ":":
            self.index += 2
            return f":`{self.type_text().value}`"
        return None

    def array_steps(self, parts: list[str]) -> None:
        """`[]` behind a JSON path: its value as an array of JSON."""
        depth = 0
        while self.keys[self.index] == "[" and self.keys[self.index + 1] == "]":
            self.index += 2
            depth += 1
        if depth:
            parts.append(f":`{'Array(' * depth}JSON{')' * depth}`")

    def bracketed(self, start: int) -> ast.Expression:
        """`(query)`, `(expression)`, or a tuple."""
        self.index += 1
        if self.at_query(0):
            query = self.query()
            self.expect(")")
            return ast.Subquery(query, start=start, end=self.last_end)
        if self.accept(")"):
            return ast.Function("tuple", (), syntax="tuple", start=start, end=self.last_end)
        first = self.aliased(bare=False)
        if self.accept(")"):
            return first
        items = [first]
        while self.accept(","):
            if self.key == ")":
                break
            items.append(self.aliased(bare=False))
        self.expect(")")
        return ast.Function("tuple", tuple(items), syntax="tuple", start=start, end=self.last_end)

    def at_query(self, distance: int) -> bool:
        """Whether a query starts `distance` tokens on, perhaps in brackets of its own."""
        inner = distance
        while self.key_at(inner) == "(":
            inner += 1
        key, follower = self.key_at(inner), self.key_at(inner + 1)
        if key == "SELECT":
            opens = follower not in (",", ")")
        elif key == "VALUES":
            opens = follower == "("
        else:
            opens = key in ("FROM", "WITH") and follower not in AFTER_NAME
        return opens and self.only_queries(distance, inner)

    def only_queries(self, outer: int, inner: int) -> bool:
        """Whether the brackets from `outer` to `inner` hold queries alone, not `(SELECT 1) + 1`."""
        for distance in range(outer, inner):
            close = self.closing_index(self.index + distance)
            if self.keys[close + 1] not in _AFTER_QUERY:
                return False
        return True

    def array(self, start: int) -> ast.Expression:
        self.index += 1
        items: tuple[ast.Expression, ...] = ()
        if self.key != "]":
            items = self.expression_list()
        self.expect("]")
        return ast.Function("array", items, syntax="array", start=start, end=self.last_end)

    def parameter(self, start: int) -> ast.Parameter:
        """A query parameter `{name: Type}`."""
        self.index += 1
        name = self.name("substitution name (identifier)")
        self.expect(":")
        type_ = self.type_text()
        self.expect("}")
        return ast.Parameter(name, str(type_.value), start=start, end=self.last_end)

    def at_from_clause(self) -> bool:
        return self.key == "FROM" and self.key_at(1) not in AFTER_NAME
