"""One statement of a query and the nodes and pipes it reads: each name gives way to `(<its SQL>) AS <name or alias>`.

This is how a pipe's SQL goes to a server that knows the tables only. Source: recorded behaviour of the table
replacement of Tinybird's command-line tool.
"""

from __future__ import annotations

from collections.abc import Mapping

from tbpy.clickhouse import ast
from tbpy.clickhouse.formatter import format_query
from tbpy.clickhouse.parser import parse_query
from tbpy.errors import QueryError, SqlPlace, UsageError
from tbpy.project.references import TableWalk


def inline_subqueries(sql: str, queries: Mapping[str, str]) -> str:
    """`sql` with every table that `queries` names replaced, also inside those; formatted as ClickHouse does.

    Names match by exact case and without a database. A query that names itself reads the table of that name. Raises
    `UsageError` for a circle and `QueryError` for SQL that does not parse or a name after IN, which must be a table.
    """
    parsed = {name: parse_query(_without_brackets(text)) for name, text in queries.items()}
    return format_query(_Inlining(parsed, ()).walk(parse_query(sql)))


def _without_brackets(sql: str) -> str:
    text = sql.strip()
    return text[1:-1] if text.startswith("(") and text.endswith(")") else text


class _Inlining(TableWalk):
    """`path` are the names whose queries are being written, the outermost first."""

    def __init__(self, queries: Mapping[str, ast.Query], path: tuple[str, ...]) -> None:
        self.queries, self.path = queries, path

    def table(self, node: ast.TableName) -> ast.TableExpression:
        if node.database is not None or not self._replaces(node.name):
            return node
        query = _Inlining(self.queries, (*self.path, node.name)).walk(self.queries[node.name])
        return ast.SubqueryTable(
            query,
            node.alias or node.name,
            final=node.final,
            sample=node.sample,
            sample_offset=node.sample_offset,
            start=node.start,
            end=node.end,
        )

    def table_after_in(self, node: ast.Identifier) -> ast.Expression:
        if len(node.parts) == 1 and self._replaces(node.parts[0]):
            message = f"Can't replace '{node.parts[0]}' with a subquery"
            raise QueryError(message, code=1, name="UNSUPPORTED_METHOD", place=SqlPlace(node.start, node.end))
        return node

    def _replaces(self, name: str) -> bool:
        if name not in self.queries or (self.path and self.path[-1] == name):
            return False
        if name in self.path:
            circle = self.path[self.path.index(name) :]
            raise UsageError(_circle(circle), hint=" -> ".join((*circle, name)))
        return True


def _circle(names: tuple[str, ...]) -> str:
    following = (*names[1:], names[0])
    pairs = ", ".join(f"{('', name)!r}:{{{('', other)!r}}}" for name, other in zip(names, following, strict=True))
    return f"Circular dependencies exist among these items: {{{pairs}}}"
