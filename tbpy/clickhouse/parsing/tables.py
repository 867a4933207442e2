"""What stands behind FROM: tables, table functions, subqueries, joins and ARRAY JOIN."""

from __future__ import annotations

from dataclasses import replace

from tbpy.clickhouse import ast
from tbpy.clickhouse.parsing import operators as op
from tbpy.clickhouse.parsing.columns import ColumnParser
from tbpy.clickhouse.parsing.cursor import is_word
from tbpy.clickhouse.tokens import QUOTED, STRING

_KINDS = frozenset({"INNER", "LEFT", "RIGHT", "FULL", "CROSS", "PASTE"})
_STRICTNESS = frozenset({"ALL", "ANY", "SEMI", "ANTI", "ASOF"})
_JOIN_WORDS = _KINDS | _STRICTNESS | {"GLOBAL", "LOCAL", "OUTER", "NATURAL", "JOIN", "ARRAY"}


class TableParser(ColumnParser):
    """Reads table expressions."""

    __slots__ = ()

    def tables(self) -> ast.TableExpression:
        left = self.table()
        while True:
            start = left.start
            if self.accept(","):
                left = ast.Join(left, self.table(), "comma", start=start, end=self.last_end)
            elif self.key in _JOIN_WORDS:
                left = self.joined(left)
            else:
                return left

    def joined(self, left: ast.TableExpression) -> ast.TableExpression:
        if self.accept_words("LEFT", "ARRAY", "JOIN"):
            return self.array_join(left, outer=True)
        if self.accept_words("ARRAY", "JOIN") or self.accept_words("INNER", "ARRAY", "JOIN"):
            return self.array_join(left, outer=False)
        return self.join(left)

    def array_join(self, source: ast.TableExpression, *, outer: bool) -> ast.ArrayJoin:
        arrays = [self.aliased(bare=True)]
        while self.accept(","):
            arrays.append(self.aliased(bare=True))
        return ast.ArrayJoin(source, tuple(arrays), outer, start=source.start, end=self.last_end)

    def join(self, left: ast.TableExpression) -> ast.Join:
        kind: str | None = None
        strictness: str | None = None
        distributed = False
        while not self.accept("JOIN"):
            key = self.key
            if key in _KINDS and kind is None:
                kind = key.lower()
            elif key in _STRICTNESS and strictness is None:
                strictness = key.lower()
            elif key == "GLOBAL":
                distributed = True
            elif key not in ("OUTER", "LOCAL"):
                self.fail("JOIN")
            self.index += 1
        if kind is None:
            kind = "left" if strictness in ("semi", "anti") else "inner"
        if strictness in ("semi", "anti") and kind not in ("left", "right"):
            raise self.error_at(self.index, "SEMI|ANTI JOIN should be LEFT or RIGHT.")
        right = self.table()
        on, using = (None, ()) if kind in ("cross", "paste") else self.join_condition()
        return ast.Join(left, right, kind, strictness, distributed, on, using, start=left.start, end=self.last_end)

    def join_condition(self) -> tuple[ast.Expression | None, tuple[ast.Expression, ...]]:
        if self.accept("ON"):
            return self.aliased(bare=False), ()
        if not self.accept("USING"):
            self.fail("one of: USING, ON")
        if self.key != "(":
            return None, self.expression_list()
        self.index += 1
        columns = self.expression_list()
        self.expect(")")
        return None, columns

    # --- one table ---

    def table(self) -> ast.TableExpression:
        start = self.here
        if self.key == "(":
            if not self.at_query(1):
                return self.bracketed_tables()
            self.index += 1
            query = self.query()
            self.expect(")")
            return self.with_modifiers(ast.SubqueryTable(query, start=start, end=self.last_end))
        name = self.table_word()
        if self.key == "(":
            self.index += 1
            arguments = self.call_arguments()
            self.expect(")")
            return self.with_modifiers(ast.TableFunction(name, arguments, start=start, end=self.last_end))
        database: str | None = None
        while self.accept("."):
            database = name if database is None else f"{database}.{name}"
            name = self.table_word()
        return self.with_modifiers(ast.TableName(name, database, start=start, end=self.last_end))

    def table_word(self) -> str:
        """A name, or a parameter `{t: Identifier}` in its own spelling."""
        if self.key == STRING and self.key_at(1) not in (".", "("):
            return self.string()  # FROM 'name' is the table of that name
        if self.key != "{":
            return self.name("table, table function, subquery or list of joined tables")
        parameter = self.parameter(self.here)
        return f"{{{parameter.name}:{parameter.type}}}"

    def bracketed_tables(self) -> ast.TableExpression:
        self.index += 1
        inner = self.tables()
        self.expect(")")
        return inner

    def with_modifiers(
        self, table: ast.TableName | ast.TableFunction | ast.SubqueryTable
    ) -> ast.TableName | ast.TableFunction | ast.SubqueryTable:
        """The alias, FINAL and SAMPLE behind a table, in any order that ClickHouse takes."""
        final = self.accept("FINAL")
        alias = self.table_alias()
        columns: tuple[str, ...] = ()
        if alias is not None and self.key == "(" and not isinstance(table, ast.TableName):
            self.index += 1
            columns = self.name_list()
            self.expect(")")
        final = self.accept("FINAL") or final
        sample, offset = self.sample()
        if alias is None and sample is not None:
            alias = self.table_alias()
        found = replace(table, alias=alias, final=final, sample=sample, sample_offset=offset, end=self.last_end)
        return found if isinstance(found, ast.TableName) else replace(found, columns=columns)

    def table_alias(self) -> str | None:
        key = self.key
        if key == "AS":
            self.index += 1
            return self.name("alias")
        if key == QUOTED or (is_word(key) and key not in op.NO_ALIAS and not self.at_clause()):
            return self.name()
        return None

    def at_clause(self) -> bool:
        """Whether a word that may be an alias elsewhere opens the next clause of the query here."""
        key = self.key
        return key == "SELECT" or (key == "FETCH" and self.key_at(1) in ("FIRST", "NEXT"))

    def sample(self) -> tuple[ast.Expression | None, ast.Expression | None]:
        if not self.accept("SAMPLE"):
            return None, None
        share = self.expression()
        return share, self.expression() if self.accept("OFFSET") else None
