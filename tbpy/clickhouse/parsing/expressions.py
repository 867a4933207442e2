"""Expressions: operators by binding power, and the operands between them."""

from __future__ import annotations

from abc import abstractmethod

from tbpy.clickhouse import ast
from tbpy.clickhouse.parsing import operators as op
from tbpy.clickhouse.parsing.cursor import Cursor, is_word
from tbpy.clickhouse.parsing.literals import number_value, string_value
from tbpy.clickhouse.tokens import END, NUMBER, QUOTED, STRING

_CONSTANTS: dict[str, ast.LiteralValue] = {
    "NULL": None,
    "TRUE": True,
    "FALSE": False,
    "INF": float("inf"),
    "INFINITY": float("inf"),
    "NAN": float("nan"),
}
# A word FROM before one of these is a column of that name; before anything else it opens the clause.
_AFTER_NAME = frozenset({",", ")", "]", "}", "FROM", "AS", ".", END, *op.BINARY} - {"*"})
_AFTER_NOT = _AFTER_NAME - {"+", "-"}
# What may stand behind a query in brackets of its own.
_AFTER_QUERY = frozenset({")", "UNION", "EXCEPT", "INTERSECT"})


class ExpressionParser(Cursor):
    """Reads expressions. What a call looks like is the business of the layer above (`call`)."""

    __slots__ = ()

    @abstractmethod
    def query(self) -> ast.Query: ...

    @abstractmethod
    def call(self, name: str, start: int) -> ast.Expression: ...

    @abstractmethod
    def word_operand(self, key: str, start: int) -> ast.Expression | None: ...

    @abstractmethod
    def transformers(self) -> tuple[ast.Transformer, ...]: ...

    # --- expressions with aliases ---

    def aliased(self, *, bare: bool) -> ast.Expression:
        """An expression, perhaps with an alias; `bare` allows it without AS."""
        expression = self.expression()
        while True:
            name = self.alias(bare=bare)
            if name is None:
                return expression
            named = ast.Alias(expression, name, start=expression.start, end=self.last_end)
            expression = self.infix(named, 0)
            if expression is named:
                return named

    def alias(self, *, bare: bool) -> str | None:
        key = self.keys[self.index]
        if key == "AS":
            self.index += 1
            return self.name("alias")
        if bare and (key == QUOTED or (is_word(key) and key not in op.NO_ALIAS)):
            return self.name()
        return None

    def expression_list(self, *, bare: bool = False) -> tuple[ast.Expression, ...]:
        """Expressions between commas. In a SELECT list (`bare`) one comma too many may end it."""
        items = [self.aliased(bare=bare)]
        while self.accept(","):
            if bare and (self.at_from_clause() or self.key in (END, ")")):
                break
            items.append(self.aliased(bare=bare))
        return tuple(items)

    def at_from_clause(self) -> bool:
        return self.key == "FROM" and self.key_at(1) not in _AFTER_NAME

    # --- operators ---

    def expression(self, power: int = 0) -> ast.Expression:
        """An expression of operators that bind tighter than `power`."""
        return self.infix(self.prefix(), power)

    def prefix(self) -> ast.Expression:
        index = self.index
        key = self.keys[index]
        if key == "-":
            return self.minus()
        if key == "NOT" and self.keys[index + 1] not in _AFTER_NOT:
            self.index += 1
            operand = self.expression(op.NOT)
            return self.operator("not", (operand,), self.starts[index])
        if key == "+":
            self.index += 1
            return self.expression(op.NEGATE)
        return self.operand()

    def minus(self) -> ast.Expression:
        start = self.starts[self.index]
        self.index += 1
        if self.keys[self.index] == NUMBER:
            return self.number(start, negative=True)
        if self.keys[self.index] in ("INF", "NAN", "INFINITY") and self.key_at(1) not in (".", "("):
            value = _CONSTANTS[self.key]
            assert isinstance(value, float)
            self.index += 1
            return ast.Literal(-value, self.text[start : self.last_end], start=start, end=self.last_end)
        operand = self.expression(op.NEGATE)
        return self.operator("negate", (operand,), start)

    def operator(self, name: str, arguments: tuple[ast.Expression, ...], start: int) -> ast.Function:
        return ast.Function(name, arguments, syntax="operator", start=start, end=self.last_end)

    def infix(self, left: ast.Expression, power: int) -> ast.Expression:
        """Extend `left` by the operators behind it that bind tighter than `power`."""
        merged = ""  # the function that this very chain built, so that (a AND b) AND c stays nested
        while True:
            key = self.keys[self.index]
            binary = op.BINARY.get(key)
            if binary is not None:
                binding, name = binary
                if binding <= power:
                    return left
                self.index += 1
                if self.keys[self.index] in op.QUANTIFIERS and self.key_at(1) == "(" and self.at_query(2):
                    left = self.quantified(name, left)
                    continue
                right = self.expression(binding)
                arguments: tuple[ast.Expression, ...] = (left, right)
                if name == merged and isinstance(left, ast.Function):
                    arguments = (*left.arguments, right)
                if self.keys[self.index] == "ESCAPE" and name in ("like", "ilike"):
                    self.index += 1
                    arguments = (left, right, self.expression(binding))
                merged = name if name in op.MERGED else ""
                left = self.operator(name, arguments, left.start)
                continue
            extended = self.rare_infix(key, left, power)
            if extended is None:
                return left
            left, merged = extended, ""

    def quantified(self, name: str, left: ast.Expression) -> ast.Expression:
        """A comparison with ANY, SOME or ALL rows of a subquery: IN, or a comparison with one value of it."""
        quantifier = "ALL" if self.accept("ALL") else "ANY"
        self.index += quantifier == "ANY"
        right = self.operand()
        member = op.MEMBERSHIP.get((name, quantifier))
        if member is not None:
            return self.operator(member, (left, right), left.start)
        assert isinstance(right, ast.Subquery)
        aggregate = op.QUANTIFIERS[quantifier].get(name, "singleValueOrNull")
        column = ast.Function(aggregate, (ast.Asterisk(),), start=right.start, end=right.end)
        table = ast.SubqueryTable(right.query, start=right.start, end=right.end)
        query = ast.Select((column,), from_=table, start=right.start, end=right.end)
        value = ast.Subquery(query, start=right.start, end=right.end)
        return self.operator(name, (left, value), left.start)

    def rare_infix(self, key: str, left: ast.Expression, power: int) -> ast.Expression | None:
        """One step of the operators that are not simply two operands around a token; None where none follows."""
        if key in ("", ",", ")"):
            return None
        if key in (".", "[", "::"):
            return self.postfix(key, left)
        if key == "NOT" and power < op.COMPARE:
            return self.negated(left, power)
        if key == "AT" and self.accept_words("AT", "TIME", "ZONE"):
            return self.operator("toTimeZone", (left, self.expression(op.NEGATE)), left.start)
        if key == "IS" and power < op.IS:
            return self.is_test(left)
        if key == "BETWEEN" and power < op.BETWEEN:
            self.index += 1
            return self.between(left, negative=False)
        if key == "GLOBAL" and power < op.COMPARE:
            return self.global_in(left)
        if key == "?" and power < op.TERNARY:
            return self.ternary(left)
        if key == "->" and power < op.LAMBDA:
            return self.lambda_(left)
        return None

    def negated(self, left: ast.Expression, power: int) -> ast.Expression | None:
        follower = self.keys[self.index + 1]
        name = op.NEGATED.get(follower)
        if name is not None:
            self.index += 2
            return self.operator(name, (left, self.expression(op.COMPARE)), left.start)
        if follower == "BETWEEN" and power < op.BETWEEN:
            self.index += 2
            return self.between(left, negative=True)
        return None

    def between(self, left: ast.Expression, *, negative: bool) -> ast.Expression:
        low = self.expression(op.BETWEEN)
        self.expect("AND")
        high = self.expression(op.BETWEEN)
        names = ("less", "greater", "or") if negative else ("greaterOrEquals", "lessOrEquals", "and")
        lower = self.operator(names[0], (left, low), left.start)
        upper = self.operator(names[1], (left, high), left.start)
        return self.operator(names[2], (lower, upper), left.start)

    def is_test(self, left: ast.Expression) -> ast.Expression:
        self.index += 1
        negative = self.accept("NOT")
        truth = self.keys[self.index]
        if truth in ("TRUE", "FALSE"):
            self.index += 1
            value = ast.Literal(truth == "TRUE", truth.lower(), start=self.starts[self.index - 1], end=self.last_end)
            return self.operator("isDistinctFrom" if negative else "isNotDistinctFrom", (left, value), left.start)
        if self.accept("NULL") or self.accept("UNKNOWN"):
            return self.operator("isNotNull" if negative else "isNull", (left,), left.start)
        if not self.accept_words("DISTINCT", "FROM"):
            self.fail("one of: NULL, DISTINCT FROM")
        right = self.expression(op.IS)
        return self.operator("isNotDistinctFrom" if negative else "isDistinctFrom", (left, right), left.start)

    def global_in(self, left: ast.Expression) -> ast.Expression | None:
        if self.accept_words("GLOBAL", "IN"):
            name = "globalIn"
        elif self.accept_words("GLOBAL", "NOT", "IN"):
            name = "globalNotIn"
        else:
            return None
        return self.operator(name, (left, self.expression(op.COMPARE)), left.start)

    def ternary(self, condition: ast.Expression) -> ast.Expression:
        self.index += 1
        then = self.expression()
        self.expect(":")
        otherwise = self.expression(op.LAMBDA)
        return ast.Function(
            "if", (condition, then, otherwise), syntax="ternary", start=condition.start, end=self.last_end
        )

    def lambda_(self, left: ast.Expression) -> ast.Expression | None:
        items = left.arguments if isinstance(left, ast.Function) and left.name == "tuple" else (left,)
        names = [item.name for item in items if isinstance(item, ast.Identifier) and len(item.parts) == 1]
        if len(names) != len(items):
            return None
        self.index += 1
        body = self.expression()
        return ast.Lambda(tuple(names), body, start=left.start, end=self.last_end)

    # --- what stands behind an operand ---

    def postfix(self, key: str, left: ast.Expression) -> ast.Expression | None:
        if key == "[":
            self.index += 1
            position = self.aliased(bare=False)
            self.expect("]")
            return ast.Function("arrayElement", (left, position), syntax="index", start=left.start, end=self.last_end)
        if key == "::":
            return self.colons(left)
        return self.access(left)

    def colons(self, left: ast.Expression) -> ast.Expression:
        """`x::T`. A literal becomes a string first, so that `1.50::Decimal(9, 2)` loses nothing."""
        written = self.text[left.start : left.end]
        in_brackets = left.end != self.last_end
        self.index += 1
        target = self.type_text()
        if _is_plain(left) and not in_brackets:
            left = ast.Literal(written, written, start=left.start, end=left.end)
        return ast.Function("CAST", (left, target), syntax="colons", start=left.start, end=self.last_end)

    def access(self, left: ast.Expression) -> ast.Expression | None:
        key = self.keys[self.index + 1]
        start = self.starts[self.index + 1]
        if key == NUMBER or (key == "-" and self.key_at(2) == NUMBER):
            self.index += 1 + (key == "-")
            part: ast.Expression = self.number(self.here)
            if key == "-":
                part = self.operator("negate", (part,), start)
        elif key == QUOTED or is_word(key):
            self.index += 1
            name = self.name()
            part = ast.Literal(name, name, start=start, end=self.last_end)
        else:
            return None
        return ast.Function("tupleElement", (left, part), syntax="access", start=left.start, end=self.last_end)

    @abstractmethod
    def type_text(self) -> ast.Literal: ...

    # --- operands ---

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
            opens = key in ("FROM", "WITH") and follower not in _AFTER_NAME
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


def _is_plain(node: ast.Expression) -> bool:
    """Whether `node::T` reads the text of `node`: a number, a string, or an array or tuple of them."""
    match node:
        case ast.Literal(value=None) | ast.Literal(value=bool()):
            return False
        case ast.Literal(value=float() as value):
            return value == value and abs(value) != float("inf")
        case ast.Literal(value=str()):
            return False
        case ast.Literal():
            return True
        case ast.Function(syntax="array"):
            return all(_is_plain_item(item) for item in node.arguments)
        case ast.Function(syntax="tuple"):
            return len(node.arguments) > 1 and all(_is_plain_item(item) for item in node.arguments)
    return False


def _is_plain_item(node: ast.Expression) -> bool:
    return (isinstance(node, ast.Literal) and isinstance(node.value, str)) or _is_plain(node)
