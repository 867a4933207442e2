"""Calls: arguments, parameters, and what may follow them."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Literal

from tbpy.clickhouse import ast
from tbpy.clickhouse.parsing.keywords import CANONICAL, KeywordParser

# The second argument of these is a parameter: `string_agg(x, ',')` is `string_agg(',')(x)`.
_SEPARATED = frozenset({"group_concat", "groupconcat", "string_agg"})
_SUFFIXES = frozenset({"FILTER", "IGNORE", "RESPECT", "OVER"})


class CallParser(KeywordParser):
    """Reads calls."""

    __slots__ = ()

    @abstractmethod
    def window(self) -> ast.Window | str: ...

    def call(self, name: str, start: int) -> ast.Expression:
        """A call; the name is read already and `(` comes next."""
        special = self.special_call(name, start)
        if special is not None:
            return special
        name = CANONICAL.get(name.upper(), name)
        self.index += 1
        if self.key == "*" and self.key_at(1) == ")" and name.lower().startswith("count"):
            self.index += 2
            return self.suffixes(ast.Function(name, (), syntax="asterisk", start=start, end=self.last_end))
        distinct = self.distinct_mark()
        arguments = self.call_arguments()
        self.expect(")")
        parameters: tuple[ast.Expression, ...] | None = None
        if self.key == "(":
            self.index += 1
            parameters = arguments
            distinct = self.distinct_mark()
            arguments = self.call_arguments()
            self.expect(")")
        elif len(arguments) == 2 and name.lower() in _SEPARATED:
            arguments, parameters = arguments[:1], arguments[1:]
        return self.suffixes(ast.Function(name, arguments, parameters, distinct, start=start, end=self.last_end))

    def distinct_mark(self) -> bool:
        key = self.key
        if key == "ALL" and self.key_at(1) not in (",", ")", "."):
            self.index += 1
            return False
        if key == "DISTINCT" and self.key_at(1) not in (",", ")"):
            self.index += 1
            return True
        return False

    def call_arguments(self) -> tuple[ast.Expression, ...]:
        key = self.key
        if key == ")":
            return ()
        if key in ("SELECT", "WITH") and self.at_query(0):
            start = self.here
            return (ast.Subquery(self.query(), start=start, end=self.last_end),)
        return self._bare_lambda(self.expression_list())

    def _bare_lambda(self, arguments: tuple[ast.Expression, ...]) -> tuple[ast.Expression, ...]:
        """`f(x, y -> x + y, ...)`: names before a lambda without brackets are its parameters too."""
        place = next((index for index, item in enumerate(arguments) if isinstance(item, ast.Lambda)), 0)
        found, before = arguments[place], arguments[:place]
        if not isinstance(found, ast.Lambda) or len(found.parameters) != 1:
            return arguments
        names = [item.name for item in before if isinstance(item, ast.Identifier) and len(item.parts) == 1]
        if not before or len(names) < place or not self.text[: found.start].rstrip().endswith(","):
            return arguments
        merged = ast.Lambda((*names, *found.parameters), found.body, start=before[0].start, end=found.end)
        return (merged, *arguments[place + 1 :])

    def suffixes(self, function: ast.Function) -> ast.Function:
        """FILTER, IGNORE or RESPECT NULLS and OVER behind a call."""
        if self.key not in _SUFFIXES:
            return function
        condition: ast.Expression | None = None
        window: ast.Window | str | None = None
        nulls: Literal["respect", "ignore"] | None = None
        key = self.key
        while key in _SUFFIXES:
            if key == "FILTER" and self.key_at(1) == "(" and self.key_at(2) == "WHERE":
                self.index += 3
                condition = self.aliased(bare=False)
                self.expect(")")
            elif key != "OVER" and self.key_at(1) == "NULLS":
                self.index += 2
                nulls = "ignore" if key == "IGNORE" else "respect"
            elif key == "OVER":
                self.index += 1
                window = self.window()
            else:
                break
            key = self.key
        return replace(function, filter=condition, window=window, nulls=nulls, end=self.last_end)
