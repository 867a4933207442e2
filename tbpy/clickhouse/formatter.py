"""ClickHouse SQL text of a syntax tree, as ClickHouse's own formatter lays it out.

As there, what the parser reads as a function is written as one: `CASE` as `multiIf`, `x::T` as `CAST(x, 'T')`,
`count(DISTINCT x)` as `countDistinct(x)`. Comments are gone. Source: the output of ClickHouse's `formatQuery`.
"""

from __future__ import annotations

from tbpy.clickhouse import ast
from tbpy.clickhouse.depth import limited_depth
from tbpy.clickhouse.formatting.queries import QueryWriter
from tbpy.errors import SqlPlace

_WRITER = QueryWriter()


def format_query(query: ast.Query) -> str:
    """The text of a query, over several lines."""
    with limited_depth(SqlPlace(query.start, query.end)):
        return _WRITER.query(query, 0)


def format_expression(expression: ast.Expression) -> str:
    """The text of one expression."""
    with limited_depth(SqlPlace(expression.start, expression.end)):
        return _WRITER.expression(expression, 0)
