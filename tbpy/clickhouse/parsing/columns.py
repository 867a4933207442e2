"""Column matchers and their transformers, windows, and the items of ORDER BY."""

from __future__ import annotations

from typing import Literal as Choice

from tbpy.clickhouse import ast
from tbpy.clickhouse.parsing import operators as op
from tbpy.clickhouse.parsing.calls import CallParser
from tbpy.clickhouse.parsing.literals import string_value
from tbpy.clickhouse.tokens import STRING

_FRAME_UNITS: dict[str, Choice["rows", "range", "groups"]] = {"ROWS": "rows", "RANGE": "range", "GROUPS": "groups"}


class ColumnParser(CallParser):
    """Reads `*`, `COLUMNS(..)`, `OVER (..)` and `ORDER BY`."""

    __slots__ = ()

    # --- matchers ---

    def columns_matcher(self, start: int) -> ast.ColumnsMatcher:
        self.index += 2
        pattern: str | None = None
        names: list[ast.Identifier] = []
        if self.key == STRING and self.key_at(1) == ")":
            pattern = self.string()
        else:
            names.append(self.column_name())
            while self.accept(","):
                names.append(self.column_name())
        self.expect(")")
        transformers = self.transformers()
        return ast.ColumnsMatcher(pattern, tuple(names), (), transformers, start=start, end=self.last_end)

    def string(self) -> str:
        if self.key != STRING:
            self.fail("string literal")
        self.index += 1
        return string_value(self.words[self.index - 1])

    def column_name(self) -> ast.Identifier:
        start = self.here
        parts = [self.name()]
        while self.accept("."):
            parts.append(self.name())
        return ast.Identifier(tuple(parts), start=start, end=self.last_end)

    def transformers(self) -> tuple[ast.Transformer, ...]:
        found: list[ast.Transformer] = []
        while True:
            start = self.here
            key = self.key
            if key == "EXCEPT" and self.key_at(1) not in ("ALL", "DISTINCT", "SELECT", "WITH") and not self.at_query(1):
                self.index += 1
                found.append(self.except_columns(start))
            elif key == "REPLACE":
                self.index += 1
                found.append(self.replace_columns(start))
            elif key == "APPLY":
                self.index += 1
                found.append(self.apply_columns(start))
            else:
                return tuple(found)

    def except_columns(self, start: int) -> ast.ExceptColumns:
        strict = self.accept("STRICT")
        pattern: str | None = None
        names: tuple[str, ...] = ()
        if self.accept("("):
            if self.key == STRING:
                pattern = self.string()
            else:
                names = self.name_list()
            self.expect(")")
        elif self.key == STRING:
            pattern = self.string()
        else:
            names = (self.column_name().name,)
        return ast.ExceptColumns(names, pattern, strict, start=start, end=self.last_end)

    def name_list(self) -> tuple[str, ...]:
        names = [self.column_name().name]
        while self.accept(","):
            names.append(self.column_name().name)
        return tuple(names)

    def replace_columns(self, start: int) -> ast.ReplaceColumns:
        strict = self.accept("STRICT")
        bracket = self.accept("(")
        items = [self.replacement()]
        while bracket and self.accept(","):
            items.append(self.replacement())
        if bracket:
            self.expect(")")
        return ast.ReplaceColumns(tuple(items), strict, start=start, end=self.last_end)

    def replacement(self) -> ast.Alias:
        item = self.aliased(bare=False)
        if not isinstance(item, ast.Alias):
            self.fail("AS")
        return item

    def apply_columns(self, start: int) -> ast.ApplyColumns:
        bracket = self.accept("(")
        if self.key == "(" or self.key_at(1) == "->":
            body = self.expression()
            if not isinstance(body, ast.Lambda):
                self.fail("lambda")
            applied = ast.ApplyColumns(None, None, body)
        else:
            name = self.name("function name")
            parameters: tuple[ast.Expression, ...] | None = None
            if self.accept("("):
                parameters = () if self.key == ")" else self.expression_list()
                self.expect(")")
            applied = ast.ApplyColumns(name, parameters)
        if bracket:
            self.expect(")")
        return ast.ApplyColumns(applied.function, applied.parameters, applied.body, start=start, end=self.last_end)

    # --- windows ---

    def window(self) -> ast.Window | str:
        """What stands behind OVER: the name of a window or its specification."""
        if self.key != "(":
            return self.name("window")
        return self.window_specification()

    def window_specification(self) -> ast.Window:
        start = self.here
        self.expect("(")
        base: str | None = None
        if self.key not in (")", "PARTITION", "ORDER", *_FRAME_UNITS):
            base = self.name()
        partition: tuple[ast.Expression, ...] = ()
        order: tuple[ast.OrderItem, ...] = ()
        if self.accept_words("PARTITION", "BY"):
            partition = self.expression_list()
        if self.accept_words("ORDER", "BY"):
            order = self.order_items()
        frame = self.frame() if self.key in _FRAME_UNITS else None
        self.expect(")")
        return ast.Window(partition, order, frame, base, start=start, end=self.last_end)

    def frame(self) -> ast.Frame:
        start = self.here
        unit = _FRAME_UNITS[self.key]
        self.index += 1
        if not self.accept("BETWEEN"):
            return ast.Frame(unit, self.frame_bound(), start=start, end=self.last_end)
        first = self.frame_bound()
        self.expect("AND")
        last = self.frame_bound()
        return ast.Frame(unit, first, last, start=start, end=self.last_end)

    def frame_bound(self) -> ast.FrameBound:
        start = self.here
        if self.accept_words("CURRENT", "ROW"):
            return ast.FrameBound("current", start=start, end=self.last_end)
        offset: ast.Expression | None = None
        if not self.accept("UNBOUNDED"):
            offset = self.expression(op.AND)
        following = self.accept("FOLLOWING")
        if not following and not self.accept("PRECEDING"):
            self.fail("one of: PRECEDING, FOLLOWING")
        kind: Choice["unbounded", "offset"] = "unbounded" if offset is None else "offset"
        return ast.FrameBound(kind, following, offset, start=start, end=self.last_end)

    # --- ORDER BY ---

    def order_items(self) -> tuple[ast.OrderItem, ...]:
        items = [self.order_item()]
        while self.accept(","):
            items.append(self.order_item())
        return tuple(items)

    def order_item(self) -> ast.OrderItem:
        start = self.here
        expression = self.aliased(bare=False)
        descending = self.accept("DESC") or self.accept("DESCENDING")
        if not descending and not self.accept("ASC"):
            self.accept("ASCENDING")
        nulls_first: bool | None = None
        if self.accept("NULLS"):
            nulls_first = self.accept("FIRST")
            if not nulls_first:
                self.expect("LAST")
        collate = self.string() if self.accept("COLLATE") else None
        fill = self.with_fill() if self.accept_words("WITH", "FILL") else None
        return ast.OrderItem(expression, descending, nulls_first, collate, fill, start=start, end=self.last_end)

    def with_fill(self) -> ast.WithFill:
        start = self.starts[self.index - 2]
        parts: dict[str, ast.Expression | None] = {}
        for word in ("FROM", "TO", "STEP", "STALENESS"):
            parts[word] = self.expression() if self.accept(word) else None
        return ast.WithFill(
            parts["FROM"], parts["TO"], parts["STEP"], parts["STALENESS"], start=start, end=self.last_end
        )
