"""The parser of ClickHouse's SELECT dialect: SQL text to `tbpy.clickhouse.ast`.

Hand-written, as ClickHouse's own is: result names depend on how a function was written, which general SQL parsers
normalise away. Each function raises `QueryError` with ClickHouse's code and wording and the place of the mistake.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tbpy.clickhouse import ast
from tbpy.clickhouse.depth import limited_depth
from tbpy.clickhouse.parsing.statements import StatementParser
from tbpy.clickhouse.tokens import END, tokenize
from tbpy.errors import QueryError, SqlPlace

_T = TypeVar("_T")


def parse_statement(sql: str) -> ast.Statement:
    """One statement with its FORMAT and SETTINGS: a query, EXPLAIN, DESCRIBE, SHOW or EXISTS. A `;` may end it."""
    return _parse(sql, StatementParser.statement)


def parse_query(sql: str) -> ast.Query:
    """A SELECT, a set operation or VALUES, and nothing but a `;` behind it."""
    return _parse(sql, StatementParser.query)


def parse_expression(sql: str) -> ast.Expression:
    """One expression, perhaps with an alias."""
    return _parse(sql, lambda parser: parser.aliased(bare=True))


def _parse(sql: str, rule: Callable[[StatementParser], _T]) -> _T:
    parser = StatementParser(tokenize(sql))
    if parser.key in (END, ";"):
        raise QueryError("Empty query", code=62, name="SYNTAX_ERROR", place=SqlPlace(0, len(sql)))
    with limited_depth(SqlPlace(0, len(sql))):
        result = rule(parser)
    while parser.accept(";"):
        pass
    if parser.key != END:
        parser.fail("end of query")
    return result
