"""Expressions: operators by binding power, aliases, and what stands behind an operand."""

from __future__ import annotations

from tbpy.clickhouse import ast
from tbpy.clickhouse.parsing import operators as op
from tbpy.clickhouse.parsing.cursor import is_word
from tbpy.clickhouse.parsing.operands import AFTER_NAME, NOT_FINITE, OperandParser
from tbpy.clickhouse.tokens import END, NUMBER, QUOTED

_AFTER_NOT = AFTER_NAME - {"+", "-"}


class ExpressionParser(OperandParser):
    """Reads expressions."""

    __slots__ = ()

    # --- expressions with aliases ---

    def aliased(self, *, bare: bool) -> ast.Expression:
        """An expression, perhaps with an alias. A SELECT list item (`bare`) may omit AS, and ends with its alias."""
        expression = self.expression()
        while True:
            name = self.alias(bare=bare)
            if name is None:
                return expression
            named = ast.Alias(expression, name, start=expression.start, end=self.last_end)
            if bare:
                return named
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

    # --- operators ---

    def expression(self, power: int = 0) -> ast.Expression:
        """An expression of operators that bind tighter than `power`."""
        return self.infix(self.prefix(), power)

    def prefix(self) -> ast.Expression:
        index = self.index
        key = self.keys[index]
        if key == "-":
            return self.minus()
        if key == "NOT" and (self.keys[index + 1] not in _AFTER_NOT or self._calls(index + 1)):
            self.index += 1
            operand = self.expression(op.NOT)
            return self.operator("not", (operand,), self.starts[index])
        if key == "+":
            self.index += 1
            return self.expression(op.NEGATE)
        return self.operand()

    def _calls(self, index: int) -> bool:
        """Whether LIKE or ILIKE is called as a function."""
        return self.keys[index] in ("LIKE", "ILIKE") and self.keys[index + 1] == "("

    def minus(self) -> ast.Expression:
        start = self.starts[self.index]
        self.index += 1
        if self.keys[self.index] == NUMBER:
            return self.number(start, negative=True)
        value = NOT_FINITE.get(self.keys[self.index])
        if value is not None and self.key_at(1) != "(":
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
                if binding == op.COMPARE and name in op.COMPARISONS and self.at_quantifier():
                    left = self.quantified(name, left)
                    continue
                right = self.expression(binding)
                arguments: tuple[ast.Expression, ...] = (left, right, *self.escape(name))
                if name == merged and isinstance(left, ast.Function):
                    arguments = (*left.arguments, right)
                merged = name if name in op.MERGED else ""
                left = self.operator(name, arguments, left.start)
                continue
            extended = self.rare_infix(key, left, power)
            if extended is None:
                return left
            left, merged = extended, ""

    def escape(self, name: str) -> tuple[ast.Expression, ...]:
        """The escape sign behind a pattern of LIKE or its kin, if any."""
        if self.keys[self.index] != "ESCAPE" or name not in op.WITH_ESCAPE:
            return ()
        self.index += 1
        return (self.expression(op.COMPARE),)

    def at_quantifier(self) -> bool:
        return self.keys[self.index] in op.QUANTIFIERS and self.key_at(1) == "(" and self.at_query(2)

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
        return self.operator(op.ONE_VALUE.get(name, name), (left, value), left.start)

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
            right = self.expression(op.COMPARE)
            return self.operator(name, (left, right, *self.escape(name)), left.start)
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
