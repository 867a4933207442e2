"""Queries in the layout of ClickHouse's formatter: a clause a line, subqueries indented by four."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from tbpy.clickhouse import ast
from tbpy.clickhouse.formatting.expressions import ExpressionWriter, name_text
from tbpy.clickhouse.names import literal_name
from tbpy.clickhouse.quoting import quote_identifier

_WEAK = ("union", "except")


class QueryWriter(ExpressionWriter):
    """Writes queries; every line of one starts with `depth` times four blanks."""

    def query(self, query: ast.Query, depth: int) -> str:
        match query:
            case ast.Select():
                return "\n".join("    " * depth + clause for clause in self.clauses(query, depth))
            case ast.SetOperation():
                left = self.set_operand(query.left, query, depth, right=False)
                right = self.set_operand(query.right, query, depth, right=True)
                return f"{left}\n{'    ' * depth}{query.kind.upper()}\n{right}"
            case ast.Values():
                rows = ", ".join(f"({self.list(row, depth)})" for row in query.rows)
                return f"{'    ' * depth}VALUES {rows}"

    def set_operand(self, node: ast.Query, around: ast.SetOperation, depth: int, *, right: bool) -> str:
        """One side of a set operation, in brackets where INTERSECT or the order of reading would bind it otherwise."""
        if isinstance(node, ast.SetOperation):
            weak = node.kind.startswith(_WEAK)
            around_weak = around.kind.startswith(_WEAK)
            if (weak and not around_weak) or (right and weak == around_weak):
                return "    " * depth + self.bracketed_query(node, depth)
        elif around.kind.startswith("except"):
            return "    " * depth + self.bracketed_query(node, depth)
        return self.query(node, depth)

    def clauses(self, node: ast.Select, depth: int) -> Iterator[str]:
        if node.with_:
            yield self.with_clause(node, depth)
        yield self.select_clause(node, depth)
        if node.from_ is not None:
            table = self.tables(node.from_, depth)
            yield f"FROM{'' if table.startswith(chr(10)) else ' '}{table}"
        for word, condition in (("PREWHERE", node.prewhere), ("WHERE", node.where)):
            if condition is not None:
                yield f"{word} {self.expression(condition, depth)}"
        yield from self.grouping(node, depth)
        yield from self.ordering(node, depth)
        yield from self.limits(node, depth)
        if node.settings:
            yield "SETTINGS " + ", ".join(f"{one.name} = {_setting(one)}" for one in node.settings)

    def items(self, texts: list[str], depth: int) -> str:
        """One item on the line of its clause, several on a line each."""
        if len(texts) == 1:
            return f" {texts[0]}"
        pad = "\n" + "    " * (depth + 1)
        return pad + f",{pad}".join(texts)

    def expressions(self, nodes: tuple[ast.Expression, ...], depth: int) -> str:
        return self.items([self.expression(node, depth + (len(nodes) > 1)) for node in nodes], depth)

    # --- WITH and SELECT ---

    def with_clause(self, node: ast.Select, depth: int) -> str:
        items = [self.with_item(item, depth + 1) for item in node.with_]
        word = "WITH RECURSIVE" if node.recursive else "WITH"
        if all(isinstance(item, ast.WithExpression) for item in node.with_):
            return word + self.items(items, depth)
        pad = "\n" + "    " * (depth + 1)
        return word + pad + f",{pad}".join(items)

    def with_item(self, item: ast.WithExpression | ast.CommonTable, depth: int) -> str:
        if isinstance(item, ast.WithExpression):
            return f"{self.expression(item.expression, depth)} AS {name_text(item.name)}"
        columns = f"({', '.join(map(name_text, item.columns))})" if item.columns else ""
        kept = " MATERIALIZED" if item.materialized else ""
        body = self.bracketed_query(item.query, depth)
        return f"{name_text(item.name)}{columns} AS{kept}\n{'    ' * depth}{body}"

    def select_clause(self, node: ast.Select, depth: int) -> str:
        distinct = " DISTINCT" if node.distinct and not node.distinct_on else ""
        return f"SELECT{distinct}{self.expressions(node.columns, depth)}"

    # --- FROM ---

    def tables(self, node: ast.TableExpression, depth: int) -> str:
        """A table expression; it starts with a new line when it opens with a subquery."""
        pad = "\n" + "    " * depth
        match node:
            case ast.Join(kind="comma"):
                return f"{self.tables(node.left, depth)},{_spaced(self.right_table(node, depth))}"
            case ast.Join():
                words = self.join_words(node)
                right = _spaced(self.right_table(node, depth))
                return f"{self.tables(node.left, depth)}{pad}{words}{right}{self.join_condition(node, depth)}"
            case ast.ArrayJoin():
                word = "LEFT ARRAY JOIN" if node.left else "ARRAY JOIN"
                return f"{self.tables(node.source, depth)}{pad}{word}{self.expressions(node.arrays, depth)}"
            case ast.SubqueryTable():
                return f"{pad}{self.bracketed_query(node.query, depth)}{self.table_suffix(node, depth)}"
            case ast.TableFunction():
                return f"{name_text(node.name)}({self.table_arguments(node, depth)}){self.table_suffix(node, depth)}"
            case ast.TableName():
                return f"{_table_name(node)}{self.table_suffix(node, depth)}"

    def right_table(self, node: ast.Join, depth: int) -> str:
        text = self.tables(node.right, depth)
        return f"({text})" if isinstance(node.right, ast.Join | ast.ArrayJoin) else text

    def join_words(self, node: ast.Join) -> str:
        strictness = (node.strictness or "").upper()
        return " ".join(
            word for word in ("GLOBAL" * node.global_, strictness, node.kind.upper(), _outer(node), "JOIN") if word
        )

    def join_condition(self, node: ast.Join, depth: int) -> str:
        if node.on is not None:
            return f" ON {self.expression(node.on, depth)}"
        return f" USING ({self.list(node.using, depth)})" if node.using else ""

    def table_arguments(self, node: ast.TableFunction, depth: int) -> str:
        if len(node.arguments) == 1 and isinstance(node.arguments[0], ast.Subquery):
            return self.bracketed_query(node.arguments[0].query, depth)[1:-1]
        return self.list(node.arguments, depth)

    def ratio(self, node: ast.Expression, depth: int) -> str:
        """The share of a SAMPLE: ClickHouse keeps it as a fraction of whole numbers."""
        if not isinstance(node, ast.Literal) or not isinstance(node.value, float):
            return self.expression(node, depth)
        exponent = Decimal(node.text).as_tuple().exponent
        places = -exponent if isinstance(exponent, int) and exponent < 0 else 0
        size = 10**places
        return f"{int(Decimal(node.text) * size)} / {size}" if places else self.expression(node, depth)

    def table_suffix(self, node: ast.TableName | ast.TableFunction | ast.SubqueryTable, depth: int) -> str:
        pad = "\n" + "    " * depth
        text = f" AS {name_text(node.alias)}" if node.alias is not None else ""
        if not isinstance(node, ast.TableName) and node.columns:
            text += f"({', '.join(map(name_text, node.columns))})"
        if node.final:
            text += f"{pad}FINAL"
        if node.sample is not None:
            text += f"{pad}SAMPLE {self.ratio(node.sample, depth)}"
            if node.sample_offset is not None:
                text += f" OFFSET {self.ratio(node.sample_offset, depth)}"
        return text

    # --- GROUP BY, ORDER BY, LIMIT ---

    def grouping(self, node: ast.Select, depth: int) -> Iterator[str]:
        pad = "\n" + "    " * (depth + 1)
        totals = f"{pad}WITH TOTALS" if node.totals else ""
        if node.group_by is not None:
            yield f"GROUP BY{self.group_by(node.group_by, depth)}{totals}"
        elif totals:
            yield "WITH TOTALS"
        if node.having is not None:
            yield f"HAVING {self.expression(node.having, depth)}"
        if node.windows:
            windows = [f"{name_text(name)} AS {self.window(window, depth)}" for name, window in node.windows]
            yield f"WINDOW{self.items(windows, depth)}"
        if node.qualify is not None:
            yield f"QUALIFY {self.expression(node.qualify, depth)}"

    def group_by(self, group: ast.GroupBy, depth: int) -> str:
        pad = "\n" + "    " * (depth + 1)
        if group.kind == "grouping sets":
            inner = f",{pad}    ".join(f"({self.list(one, depth)})" for one in group.sets)
            return f"{pad}GROUPING SETS ({pad}    {inner})"
        kind = "" if group.kind == "plain" else f"{pad}WITH {group.kind.upper()}"
        return (" ALL" if group.all else self.expressions(group.expressions, depth)) + kind

    def ordering(self, node: ast.Select, depth: int) -> Iterator[str]:
        if node.order_by_all:
            item = node.order_by[0] if node.order_by else ast.OrderItem(ast.Identifier(("ALL",)))
            yield f"ORDER BY ALL{self.order_item(item, depth).removeprefix(self.expression(item.expression, depth))}"
        elif node.order_by:
            items = [self.order_item(item, depth + (len(node.order_by) > 1)) for item in node.order_by]
            yield f"ORDER BY{self.items(items, depth)}"
        if node.interpolate is not None:
            items = [self.interpolated(item, depth) for item in node.interpolate]
            yield f"INTERPOLATE ({', '.join(items)})" if items else "INTERPOLATE"

    def interpolated(self, item: ast.Interpolate, depth: int) -> str:
        value = name_text(item.name) if item.expression is None else self.expression(item.expression, depth)
        return f"{quote_identifier(item.name)} AS {value}"

    def limits(self, node: ast.Select, depth: int) -> Iterator[str]:
        by = node.limit_by
        if node.distinct_on:  # DISTINCT ON is another spelling, with which LIMIT BY cannot stand
            by = ast.LimitBy(ast.Literal(1, "1"), node.distinct_on)
        if by is not None:
            columns = " ALL" if by.all else self.expressions(by.expressions, depth)
            yield f"LIMIT {self.offset_limit(by.offset, by.limit, depth)} BY{columns}"
        if node.limit is not None:
            ties = " WITH TIES" if node.with_ties else ""
            yield f"LIMIT {self.offset_limit(node.offset, node.limit, depth)}{ties}"
        elif node.offset is not None:
            yield f"OFFSET {self.expression(node.offset, depth)}"

    def offset_limit(self, offset: ast.Expression | None, limit: ast.Expression, depth: int) -> str:
        count = self.expression(limit, depth)
        return count if offset is None else f"{self.expression(offset, depth)}, {count}"


def _spaced(text: str) -> str:
    return text if text.startswith("\n") else f" {text}"


def _outer(node: ast.Join) -> str:
    return "OUTER" if node.kind == "full" else ""


def _table_name(node: ast.TableName) -> str:
    parts = (node.name,) if node.database is None else (node.database, node.name)
    return ".".join(part if part.startswith("{") else name_text(part) for part in parts)


def _setting(setting: ast.Setting) -> str:
    return literal_name(setting.value).removesuffix(".")
