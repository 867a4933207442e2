"""The order of rows that aggregates see: that of the table, or of ORDER BY in a subquery, however many threads work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tbpy.clickhouse import ast
from tbpy.clickhouse.compiler.places import NO_ROWS, placed

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.select import SelectCompiler

# DuckDB hands the rows of a limit on one after the other. It would drop a limit of all rows that a BIGINT can count.
_ALL = "LIMIT 9223372036854775806 OFFSET 0"


def keep_order(select: SelectCompiler) -> None:
    """Lets the rows come in order where an aggregate shows it, or picks one of rows that have been put in order.

    A value that is picked from a table is picked by its row's number instead, which needs no order (`pick`).
    """
    orders, clauses = select.scope.orders, select.clauses
    wanted = "listed" in orders or ("picked" in orders and select.source is not None and select.source.ordered)
    if not wanted or not isinstance(select.select.from_, ast.TableName | ast.SubqueryTable | ast.TableFunction):
        return
    alias = clauses.from_.rpartition(" AS ")[2]
    columns = "*" if select.scope.row is None else f"{select.scope.row} AS rowid, *"
    where = f" WHERE {' AND '.join(clauses.where)}" if clauses.where else ""
    clauses.from_ = f"(SELECT {columns} FROM {clauses.from_}{where} {_ALL}) AS {alias}"
    clauses.where = []


def follow_places(select: SelectCompiler) -> None:
    """Sorts by the places of rows that come in an order which DuckDB would not keep, and the SELECT shows."""
    rows = NO_ROWS if select.source is None else placed(select.source)
    if rows is None or select.clauses.order_by or _rearranged(select) or not _stirred(select):
        return
    scope, clauses = select.scope, select.clauses
    scope.placed = True
    elements = (element.sql.removesuffix(".c0") + ".place" for element in scope.laterals.values())
    clauses.from_, clauses.order_by = rows.sql, [*rows.keys, *elements]
    if select.limit_keys:
        clauses.qualify = [*select.base_qualify, select.limit_by_condition(select.limit_keys, clauses.order_by)]
    if select.select.distinct:
        clauses.distinct = f"DISTINCT ON ({', '.join(output.value.exact() for output in select.outputs)}) "


def _rearranged(select: SelectCompiler) -> bool:
    """Whether rows leave in another order than they come: in groups, or as window functions put them."""
    values = [output.value for output in select.outputs]
    if select.clauses.group_by or any(value.aggregate or value.window for value in (*values, *select.limit_keys)):
        return True
    return bool(select.limit_keys and (select.select.distinct or select.cut.ties))


def _stirred(select: SelectCompiler) -> bool:
    """Whether DuckDB may change the order: in joins, those for subqueries too, and where it looks for equal rows."""
    joined = select.source is not None and select.source.placed is not None
    parts = (*select.clauses.where, *(output.value.sql for output in select.outputs))
    elements = len(select.scope.laterals) > (select.source is None)
    return (
        joined or elements or bool(select.select.distinct or select.limit_keys) or any("SELECT" in sql for sql in parts)
    )


def keeps_order(select: SelectCompiler) -> bool:
    """Whether the rows come in a given order: that of ORDER BY, or of the rows that it reads; or there is one row."""
    if select.clauses.order_by:
        return True
    if any(output.value.aggregate for output in select.outputs) and not select.clauses.group_by:
        return True
    given = select.source is None or placed(select.source) is not None
    return given and not _rearranged(select)
