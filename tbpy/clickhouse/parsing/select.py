"""Queries: SELECT and its clauses, set operations, VALUES."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from typing import Literal as Choice

from tbpy.clickhouse import ast
from tbpy.clickhouse.parsing.cursor import is_word
from tbpy.clickhouse.parsing.literals import number_value, string_value
from tbpy.clickhouse.parsing.tables import TableParser
from tbpy.clickhouse.tokens import NUMBER, QUOTED, STRING


class SelectParser(TableParser):
    """Reads queries. The parts of a SELECT gather in a dictionary by the field names of `ast.Select`."""

    __slots__ = ()

    # --- set operations: INTERSECT binds tighter than UNION and EXCEPT ---

    def query(self) -> ast.Query:
        left = self.intersection()
        while True:
            kind = self.set_operator(("UNION", "EXCEPT"))
            if kind is None:
                return left
            right = self.intersection()
            left = ast.SetOperation(kind, left, right, start=left.start, end=self.last_end)

    def intersection(self) -> ast.Query:
        left = self.query_operand()
        while (kind := self.set_operator(("INTERSECT",))) is not None:
            right = self.query_operand()
            left = ast.SetOperation(kind, left, right, start=left.start, end=self.last_end)
        return left

    def set_operator(self, words: tuple[str, ...]) -> str | None:
        key = self.key
        if key not in words:
            return None
        self.index += 1
        kind = key.lower()
        if self.accept("DISTINCT"):
            return f"{kind} distinct"
        if self.accept("ALL"):
            return f"{kind} all" if key == "UNION" else kind
        return kind

    def query_operand(self) -> ast.Query:
        if self.key == "(":
            self.index += 1
            query = self.query()
            self.expect(")")
            return query
        if self.key == "VALUES":
            return self.values()
        return self.select()

    def values(self) -> ast.Values:
        start = self.here
        self.index += 1
        rows = [self.values_row()]
        while self.accept(","):
            rows.append(self.values_row())
        return ast.Values(tuple(rows), start=start, end=self.last_end)

    def values_row(self) -> tuple[ast.Expression, ...]:
        if not self.accept("("):
            return (self.expression(),)
        row = self.expression_list()
        self.expect(")")
        return row

    # --- SELECT ---

    def select(self) -> ast.Select:
        start = self.here
        parts: dict[str, Any] = {}
        if self.accept("WITH"):
            self.with_clause(parts)
        if self.accept("FROM"):
            parts["from_"] = self.tables()
        self.expect("SELECT")
        self.select_list(parts)
        if self.accept("FROM"):
            parts["from_"] = self.tables()
        self.filters(parts)
        self.order_clause(parts)
        self.limit_clauses(parts)
        if self.key == "SETTINGS":
            parts["settings"] = self.settings()
        return ast.Select(**parts, start=start, end=self.last_end)

    def with_clause(self, parts: dict[str, Any]) -> None:
        if self.key == "RECURSIVE" and self.key_at(1) not in (",", "AS", "("):
            self.index += 1
            parts["recursive"] = True
        items = [self.with_item()]
        while self.accept(","):
            if self.key == "SELECT":
                break
            items.append(self.with_item())
        parts["with_"] = tuple(items)

    def with_item(self) -> ast.WithExpression | ast.CommonTable:
        start = self.here
        table = self.common_table(start) if self.at_name() else None
        if table is not None:
            return table
        item = self.aliased(bare=False)
        if isinstance(item, ast.Alias):
            return ast.WithExpression(item.expression, item.name, start=start, end=self.last_end)
        return ast.WithExpression(item, self.text[start : self.last_end], start=start, end=self.last_end)

    def common_table(self, start: int) -> ast.CommonTable | None:
        """`name [(columns)] AS [MATERIALIZED] (query)`; None, with nothing read, for anything else."""
        before = self.index
        name = self.name()
        columns: tuple[str, ...] = ()
        if self.key == "(":
            close = self.closing_index(self.index)
            if self.keys[close + 1 : close + 3] != ["AS", "("] or self.keys[self.index + 1] == ")":
                self.index = before
                return None
            self.index += 1
            columns = self.name_list()
            self.expect(")")
        if self.accept("AS"):
            materialized = self.key == "MATERIALIZED" and self.key_at(1) == "("
            if materialized:
                self.index += 1
            if self.key == "(" and (self.at_query(1) or self.key_at(1) == "VALUES"):
                self.index += 1
                query = self.query()
                self.expect(")")
                return ast.CommonTable(name, query, columns, materialized, start=start, end=self.last_end)
        self.index = before
        return None

    def select_list(self, parts: dict[str, Any]) -> None:
        if self.key == "DISTINCT" and self.key_at(1) != ",":
            self.index += 1
            parts["distinct"] = True
            if self.accept_words("ON", "("):
                parts["distinct_on"] = self.expression_list()
                self.expect(")")
        elif self.key == "ALL" and self.key_at(1) not in (",", "."):
            self.index += 1
        if self.key == "TOP" and (
            self.key_at(1) == NUMBER or self.keys[self.index + 1 : self.index + 3] == ["(", NUMBER]
        ):
            self.index += 1
            parts["limit"] = self.operand()
            if self.accept_words("WITH", "TIES"):
                parts["with_ties"] = True
        parts["columns"] = self.expression_list(bare=True)

    def filters(self, parts: dict[str, Any]) -> None:
        """PREWHERE, WHERE, GROUP BY, HAVING, WINDOW and QUALIFY."""
        if self.accept("PREWHERE"):
            parts["prewhere"] = self.aliased(bare=False)
        if self.accept("WHERE"):
            parts["where"] = self.aliased(bare=False)
        if self.accept_words("GROUP", "BY"):
            parts["group_by"] = self.group_by()
        else:
            self.with_kind()  # there are no keys to leave out
        if self.accept_words("WITH", "TOTALS"):
            parts["totals"] = True
            self.late_kind(parts)
        if self.accept("HAVING"):
            parts["having"] = self.aliased(bare=False)
        if self.accept("WINDOW"):
            parts["windows"] = self.windows()
        if self.accept("QUALIFY"):
            parts["qualify"] = self.aliased(bare=False)

    def group_by(self) -> ast.GroupBy:
        start = self.here
        key = self.key
        if self.accept_words("GROUPING", "SETS", "("):
            return self.grouping_sets(start)
        if key in ("ROLLUP", "CUBE") and self.key_at(1) == "(":
            self.index += 2
            expressions = self.expression_list()
            self.expect(")")
            kind: Choice["rollup", "cube"] = "rollup" if key == "ROLLUP" else "cube"
            return ast.GroupBy(expressions, kind, start=start, end=self.last_end)
        if key == "ALL" and self.key_at(1) not in (",", ".", "("):
            self.index += 1
            return ast.GroupBy((), self.with_kind(), all=True, start=start, end=self.last_end)
        expressions = self.expression_list()
        return ast.GroupBy(expressions, self.with_kind(), start=start, end=self.last_end)

    def with_kind(self) -> Choice["plain", "rollup", "cube"]:
        if self.accept_words("WITH", "ROLLUP"):
            return "rollup"
        return "cube" if self.accept_words("WITH", "CUBE") else "plain"

    def late_kind(self, parts: dict[str, Any]) -> None:
        """WITH ROLLUP or WITH CUBE behind WITH TOTALS."""
        group = parts.get("group_by")
        for kind in ("ROLLUP", "CUBE"):
            if group is not None and group.kind == "plain" and self.accept_words("WITH", kind):
                parts["group_by"] = replace(group, kind=kind.lower(), end=self.last_end)

    def grouping_sets(self, start: int) -> ast.GroupBy:
        sets = [self.grouping_set()]
        while self.accept(","):
            sets.append(self.grouping_set())
        self.expect(")")
        union = tuple(dict.fromkeys(expression for one in sets for expression in one))
        return ast.GroupBy(union, "grouping sets", tuple(sets), start=start, end=self.last_end)

    def grouping_set(self) -> tuple[ast.Expression, ...]:
        if not self.accept("("):
            return (self.aliased(bare=False),)
        items = () if self.key == ")" else self.expression_list()
        self.expect(")")
        return items

    def windows(self) -> tuple[tuple[str, ast.Window], ...]:
        found: list[tuple[str, ast.Window]] = []
        while True:
            name = self.name("window name")
            self.expect("AS")
            found.append((name, self.window_specification()))
            if not self.accept(","):
                return tuple(found)

    # --- ORDER BY, LIMIT, SETTINGS ---

    def order_clause(self, parts: dict[str, Any]) -> None:
        if not self.accept_words("ORDER", "BY"):
            return
        if self.key == "ALL" and self.key_at(1) not in (",", ".", "("):
            self.order_by_all(parts)
        else:
            parts["order_by"] = self.order_items()
        if self.accept("INTERPOLATE"):
            parts["interpolate"] = self.interpolate()

    def order_by_all(self, parts: dict[str, Any]) -> None:
        """ALL; a direction written behind it is kept as the one item of `order_by`."""
        item = self.order_item()
        parts["order_by_all"] = True
        if item.descending or item.nulls_first is not None:
            parts["order_by"] = (item,)

    def interpolate(self) -> tuple[ast.Interpolate, ...]:
        items: list[ast.Interpolate] = []
        if not self.accept("("):
            return ()
        while self.key != ")":
            start = self.here
            name = self.name()
            expression = self.expression() if self.accept("AS") else None
            items.append(ast.Interpolate(name, expression, start=start, end=self.last_end))
            if not self.accept(","):
                break
        self.expect(")")
        return tuple(items)

    def limit_clauses(self, parts: dict[str, Any]) -> None:
        if self.key == "LIMIT":
            self.limit(parts)
        if self.key == "LIMIT" and "limit" not in parts:
            self.limit(parts)
        if self.accept("OFFSET"):
            parts["offset"] = self.expression()
            if not self.accept("ROWS"):
                self.accept("ROW")
        if self.accept("FETCH"):
            self.fetch(parts)

    def limit(self, parts: dict[str, Any]) -> None:
        """One LIMIT: of the result, or `LIMIT n BY ..`."""
        start = self.here
        self.index += 1
        limit = self.expression()
        offset: ast.Expression | None = None
        if self.accept(","):
            offset, limit = limit, self.expression()
        elif self.accept("OFFSET"):
            offset = self.expression()
        if self.accept("BY"):
            if self.key == "ALL" and self.key_at(1) not in (",", "."):
                self.index += 1
                parts["limit_by"] = ast.LimitBy(limit, (), offset, True, start=start, end=self.last_end)
                return
            by = self.expression_list()
            parts["limit_by"] = ast.LimitBy(limit, by, offset, start=start, end=self.last_end)
            return
        parts["limit"] = limit
        if offset is not None:
            parts["offset"] = offset
        if self.accept_words("WITH", "TIES"):
            parts["with_ties"] = True

    def fetch(self, parts: dict[str, Any]) -> None:
        """`FETCH FIRST n ROWS ONLY` or `... WITH TIES`."""
        if not self.accept("FIRST"):
            self.expect("NEXT")
        parts["limit"] = self.expression()
        if not self.accept("ROWS"):
            self.expect("ROW")
        if self.accept_words("WITH", "TIES"):
            parts["with_ties"] = True
        else:
            self.expect("ONLY")

    def settings(self) -> tuple[ast.Setting, ...]:
        self.expect("SETTINGS")
        found = [self.setting()]
        while self.accept(","):
            found.append(self.setting())
        return tuple(found)

    def setting(self) -> ast.Setting:
        start = self.here
        name = self.column_name().name
        value: ast.LiteralValue = True
        if self.accept("="):
            value = self.setting_value()
        return ast.Setting(name, value, start=start, end=self.last_end)

    def setting_value(self) -> ast.LiteralValue:
        negative = self.accept("-")
        key, word = self.key, self.words[self.index]
        if key == NUMBER:
            number = number_value(word)
            value: ast.LiteralValue = -number if negative else number
        elif key == STRING:
            value = string_value(word)
        elif key in ("TRUE", "FALSE"):
            value = key == "TRUE"
        elif is_word(key) or key == QUOTED:
            value = word
        else:
            self.fail("literal")
        self.index += 1
        return value
