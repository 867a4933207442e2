"""What the LIMIT of a statement tells of the rows that it left out."""

from __future__ import annotations

from dataclasses import dataclass

from tbpy.clickhouse import ast


@dataclass(frozen=True, slots=True)
class ResultLimit:
    """LIMIT `rows` OFFSET `offset`. `stops_early`: rows come as they are read, so that reading ends with the last."""

    rows: int
    offset: int
    stops_early: bool

    def rows_before(self, answered: int) -> int | None:
        """`rows_before_limit_at_least` of an answer with so many rows; None when a second query would have to count.

        Source: ClickHouse documentation, "JSON output format", and what chDB 26.9 answers.
        """
        if self.rows == 0:
            return 0
        if answered < self.rows:
            return self.offset + answered if answered or not self.offset else None
        return self.offset + answered if self.stops_early else None


def result_limit(query: ast.Query | None) -> ResultLimit | None:
    """The limit of the outermost SELECT; None without one, and for one that is no plain number."""
    if not isinstance(query, ast.Select) or query.limit is None or query.with_ties:
        return None
    rows, offset = _number(query.limit), _number(query.offset) if query.offset is not None else 0
    if rows is None or offset is None:
        return None
    sorts = query.order_by or query.order_by_all or query.distinct or query.distinct_on or query.limit_by
    return ResultLimit(rows, offset, stops_early=not sorts)


def _number(expression: ast.Expression) -> int | None:
    value = expression.value if isinstance(expression, ast.Literal) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
