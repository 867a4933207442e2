"""The order of rows that aggregates see: that of the table, or of ORDER BY in a subquery, however many threads work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tbpy.clickhouse import ast

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.select import SelectCompiler

# DuckDB hands the rows of a limit on one after the other. It would drop a limit of all rows that a BIGINT can count.
_ALL = "LIMIT 9223372036854775806 OFFSET 0"


def keep_order(select: SelectCompiler) -> None:
    """Lets the rows come in order where an aggregate shows it, or picks one of rows that have been put in order.

    A value that is picked from a table is picked by its row's number instead, which needs no order (`pick`).
    """
    orders, clauses = select.scope.orders, select.clauses
    wanted = "listed" in orders or ("picked" in orders and select.ordered)
    if not wanted or not isinstance(select.select.from_, ast.TableName | ast.SubqueryTable | ast.TableFunction):
        return
    alias = clauses.from_.rpartition(" AS ")[2]
    columns = "*" if select.scope.row is None else f"{select.scope.row} AS rowid, *"
    where = f" WHERE {' AND '.join(clauses.where)}" if clauses.where else ""
    clauses.from_ = f"(SELECT {columns} FROM {clauses.from_}{where} {_ALL}) AS {alias}"
    clauses.where = []


def keeps_order(select: SelectCompiler) -> bool:
    """Whether the rows of a SELECT come in a given order: its own, or that of the rows that it reads."""
    if select.clauses.order_by:
        return True
    grouped = select.clauses.group_by or any(output.value.aggregate for output in select.outputs)
    return select.ordered and not grouped and not select.select.distinct
