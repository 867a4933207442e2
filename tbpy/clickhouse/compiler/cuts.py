"""LIMIT and OFFSET: how many rows of an answer, or of each key of LIMIT BY, stay.

A negative number counts from the last row, a fraction is a share of all rows, rounded up. Source: ClickHouse
documentation, "LIMIT Clause", and what chDB 26.9 answers.
"""

from __future__ import annotations

from dataclasses import dataclass

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.expressions import ExpressionCompiler
from tbpy.clickhouse.compiler.matchers import display_name


@dataclass(frozen=True, slots=True)
class Found:
    """A number of rows that is found when the query runs: SQL of a BIGINT, which must not be negative."""

    sql: str

    def __str__(self) -> str:
        return self.sql


Amount = int | float | Found


@dataclass(frozen=True, slots=True)
class Cut:
    """Which rows stay: OFFSET is taken off first, at the end that its sign says, then LIMIT is."""

    limit: Amount | None = None
    offset: Amount | None = None
    ties: bool = False

    @property
    def plain(self) -> bool:
        """Whether DuckDB's LIMIT and OFFSET say the same."""
        amounts = (self.limit or 0, self.offset or 0)
        return not self.ties and all(
            isinstance(amount, Found) or (isinstance(amount, int) and amount >= 0) for amount in amounts
        )

    def condition(self, row: str, count: str, up: str, down: str) -> str:
        """The rows that stay: `row` is a row's number, `up` and `down` its rank from the first and the last row.

        Without ties the ranks are the number itself, and the number from the end.
        """
        back = f"({count} - {row})"
        offset, limit = self.offset or 0, self.limit
        parts = []
        if offset:
            kept = f"{row} > {_rows(offset, count)}"
            parts.append(kept if isinstance(offset, Found) or offset > 0 else f"{back} >= {-offset}")
        if limit is not None and not isinstance(limit, Found) and limit < 0:
            last = -limit - (0 if isinstance(offset, Found) else min(offset, 0))
            parts.append(f"{down} <= {last}")
        elif limit is not None:
            taken = isinstance(offset, Found) or offset > 0
            first = f"{_rows(offset, count)} + {_rows(limit, count)}" if taken else _rows(limit, count)
            parts.append(f"{up} <= {first}")
        return " AND ".join(parts if limit != 0 else [f"{row} <= 0"]) or f"{row} > 0"


def _rows(amount: Amount, count: str) -> str:
    return str(amount) if isinstance(amount, int | Found) else f"ceil({count} * {amount!r})"


def cut_rows(rows: str, width: int, cut: Cut) -> str:
    """The rows of a query in its order that stay; WITH TIES reads their rank in its column `k`."""
    columns = ", ".join(f"c{position}" for position in range(width))
    numbered = f"SELECT *, row_number() OVER () AS r FROM ({rows}) AS l"
    up, down = ("r", "n - r + 1") if not cut.ties else ("up", "down")
    ranks = ", rank() OVER (ORDER BY k) AS up, rank() OVER (ORDER BY k DESC) AS down" if cut.ties else ""
    counted = f"SELECT *, count(*) OVER () AS n{ranks} FROM ({numbered}) AS l"
    return f"SELECT {columns} FROM ({counted}) AS l WHERE {cut.condition('r', 'n', up, down)} ORDER BY r"


def select_cut(compiler: ExpressionCompiler, select: ast.Select) -> Cut:
    """LIMIT and OFFSET of a SELECT."""
    if select.with_ties and not (select.order_by or select.order_by_all):
        text = "Can not use WITH TIES without ORDER BY"
        raise failures.failure(text, 476, "WITH_TIES_WITHOUT_ORDER_BY", select.limit)
    limit = None if select.limit is None else _amount(compiler, select.limit, "LIMIT")
    offset = None if select.offset is None else _amount(compiler, select.offset, "OFFSET")
    for one, other, what in ((limit, offset, ("LIMIT", "OFFSET")), (offset, limit, ("OFFSET", "LIMIT"))):
        if isinstance(one, float) and isinstance(other, int | float) and other < 0:
            text = f"Fractional {what[0]} is not supported with negative {what[1]} yet"
            raise _not_implemented(text, select)
    return Cut(limit, offset, select.with_ties)


def limit_by_cut(compiler: ExpressionCompiler, limit: ast.LimitBy) -> Cut:
    """LIMIT and OFFSET of LIMIT BY."""
    amount = _amount(compiler, limit.limit, "LIMIT")
    offset = None if limit.offset is None else _amount(compiler, limit.offset, "OFFSET")
    if isinstance(amount, float) or isinstance(offset, float):
        raise _not_implemented("Fractional LIMIT/OFFSET with LIMIT BY is not supported yet", limit)
    return Cut(amount, offset)


def _amount(compiler: ExpressionCompiler, node: ast.Expression, clause: str) -> Amount:
    """A constant number of rows, or a share of them between 0 and 1.

    What only the run can tell, such as a scalar subquery, is a whole number of rows there.
    """
    typed = compiler.compile(node)
    if typed.constant and not typed.known and isinstance(t.plain(typed.type), t.Int):
        return Found(f"CAST({typed.sql} AS BIGINT)")
    if not isinstance(t.plain(typed.type), t.Int | t.Float | t.Bool) or typed.value is None or not typed.constant:
        text = f"{clause} expression must be constant with numeric type. Actual: {display_name(compiler, node)}"
        raise _invalid(text, node)
    if not typed.known:
        raise failures.unsupported(f"{clause} with a number that is not known before the query runs", node)
    amount: int | float = typed.value
    if amount == int(amount):
        return int(amount)
    if not 0 < amount < 1:
        text = f"The value {amount} of {clause} expression is not representable as UInt64 or Int64 or Float64"
        raise _invalid(f"{text} in the range (0, 1)", node)
    return amount


def _invalid(text: str, node: ast.Node) -> failures.QueryError:
    return failures.failure(text, 440, "INVALID_LIMIT_EXPRESSION", node)


def _not_implemented(text: str, node: ast.Node) -> failures.QueryError:
    return failures.failure(text, 48, "NOT_IMPLEMENTED", node)
