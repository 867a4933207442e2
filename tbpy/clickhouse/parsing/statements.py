"""Statements: a query with its FORMAT, EXPLAIN, DESCRIBE, SHOW TABLES, SHOW CREATE, EXISTS."""

from __future__ import annotations

from tbpy.clickhouse import ast
from tbpy.clickhouse.parsing import operators as op
from tbpy.clickhouse.parsing.select import SelectParser

_EXPLAINS = (
    ("QUERY", "TREE"),
    ("TABLE", "OVERRIDE"),
    ("CURRENT", "TRANSACTION"),
    ("AST",),
    ("SYNTAX",),
    ("PLAN",),
    ("PIPELINE",),
    ("ESTIMATE",),
    ("ANALYZE",),
)


class StatementParser(SelectParser):
    """Reads whole statements."""

    __slots__ = ()

    def statement(self) -> ast.Statement:
        key = self.key
        if key == "EXPLAIN":
            return self.explain()
        if key in ("DESCRIBE", "DESC"):
            return self.describe()
        if key == "SHOW":
            return self.show()
        if key == "EXISTS":
            return self.exists()
        start = self.here
        query = self.query()
        format_, settings = self.output()
        return ast.Statement(query, "select", format_, settings, start=start, end=self.last_end)

    def output(self) -> tuple[str | None, tuple[ast.Setting, ...]]:
        """FORMAT and SETTINGS behind a query, in either order."""
        format_: str | None = None
        settings: tuple[ast.Setting, ...] = ()
        while self.key in ("FORMAT", "SETTINGS"):
            if self.accept("FORMAT"):
                format_ = self.name("format")
            else:
                settings += self.settings()
        return format_, settings

    def explain(self) -> ast.Statement:
        start = self.here
        self.index += 1
        kind = next((" ".join(words) for words in _EXPLAINS if self.accept_words(*words)), "")
        while self.key_at(1) == "=":
            self.setting()
            self.accept(",")
        inner = self.statement()
        return ast.Statement(
            inner.query, "explain", inner.format, inner.settings, None, kind, start=start, end=self.last_end
        )

    def describe(self) -> ast.Statement:
        start = self.here
        self.index += 1
        if self.key == "TABLE" and self.key_at(1) != "":
            self.index += 1
        query: ast.Query | None = None
        table: ast.TableName | ast.TableFunction | None = None
        if self.key in ("SELECT", "WITH"):
            query = self.query()
        else:
            found = self.table()
            if isinstance(found, ast.SubqueryTable):
                query = found.query
            elif isinstance(found, ast.TableName | ast.TableFunction):
                table = found
        format_, settings = self.output()
        return ast.Statement(query, "describe", format_, settings, table, start=start, end=self.last_end)

    def show(self) -> ast.Statement:
        start = self.here
        self.index += 1
        self.accept("FULL")
        if self.accept("CREATE"):
            self.accept("TABLE") or self.accept("VIEW")
            table = self.plain_table()
            format_, settings = self.output()
            return ast.Statement(None, "show create", format_, settings, table, start=start, end=self.last_end)
        self.expect("TABLES")
        database: str | None = None
        if self.accept("FROM") or self.accept("IN"):
            database = self.name("database")
        like = self.name_filter()
        format_, settings = self.output()
        shown = None if database is None else ast.TableName("", database, start=start, end=self.last_end)
        return ast.Statement(None, "show tables", format_, settings, shown, like=like, start=start, end=self.last_end)

    def name_filter(self) -> ast.Expression | None:
        """`[NOT] LIKE 'pattern'` or ILIKE, as a condition on the column `name`."""
        start = self.here
        negated = self.accept("NOT")
        key = self.key
        if key not in ("LIKE", "ILIKE"):
            return self.fail("one of: LIKE, ILIKE") if negated else None
        self.index += 1
        pattern = self.string()
        name = op.NEGATED[key] if negated else key.lower()
        arguments = (ast.Identifier(("name",)), ast.Literal(pattern, pattern))
        return ast.Function(name, arguments, syntax="operator", start=start, end=self.last_end)

    def exists(self) -> ast.Statement:
        start = self.here
        self.index += 1
        if not self.accept("TABLE"):
            self.accept("VIEW")
        table = self.plain_table()
        format_, settings = self.output()
        return ast.Statement(None, "exists", format_, settings, table, start=start, end=self.last_end)

    def plain_table(self) -> ast.TableName:
        found = self.table()
        if not isinstance(found, ast.TableName):
            self.fail("table name")
        return found
