"""What one DuckDB SELECT cannot say: DISTINCT under LIMIT BY, LIMIT WITH TIES, ORDER BY WITH FILL."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from tbpy.clickhouse import ast
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.block import Block, select_list
from tbpy.clickhouse.compiler.cuts import cut_rows
from tbpy.clickhouse.compiler.expressions import ExpressionCompiler
from tbpy.clickhouse.compiler.matchers import columns_of
from tbpy.clickhouse.compiler.scope import Column, Relation, Scope
from tbpy.clickhouse.compiler.typed import Typed

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.select import Clauses, SelectCompiler


def finish(select: SelectCompiler) -> Block:
    """The block of a SELECT whose clauses are complete."""
    clauses = select.clauses
    if _needs_nesting(select):
        clauses = _nested(select)
    if _is_filled(select):
        from tbpy.clickhouse.compiler.fill import filled_sql

        return Block(filled_sql(select, clauses), select.outputs, select.totals)
    if select.cut.plain:
        return Block(select.sql(clauses), select.outputs, select.totals)
    more = [f"rank() OVER ({_order(clauses)}) AS k"] if select.cut.ties else []
    rows = cut_rows(select.sql(clauses, *more), len(select.outputs), select.cut)
    return Block(rows, select.outputs, select.totals)


def _order(clauses: Clauses) -> str:
    return f"ORDER BY {', '.join(clauses.order_by)}" if clauses.order_by else ""


def _is_filled(select: SelectCompiler) -> bool:
    return any(item.fill is not None for item in select.select.order_by)


def _needs_nesting(select: SelectCompiler) -> bool:
    """Whether what follows the rows has to be said over a subquery of them."""
    numbers_rows = bool(select.limit_keys) or select.cut.ties or _is_filled(select)
    if select.select.distinct:
        return numbers_rows or _foreign_order(select)
    if not numbers_rows:
        return False
    return any(key.window for key in (*select.limit_keys, *(value for value, _ in select.order_values)))


def _foreign_order(select: SelectCompiler) -> bool:
    """Whether DISTINCT rows are ordered by what is not selected as it stands: DuckDB wants the very expressions."""
    selected = {output.value.sql for output in select.outputs}
    keys = [key for value, item in select.order_values for key in select.order_keys(value, item)]
    return any(key.split(" NULLS ")[0].removesuffix(" DESC") not in selected for key in keys)


def _nested(select: SelectCompiler) -> Clauses:
    """The rows in a subquery, and what follows them, ORDER BY, LIMIT BY and LIMIT, said over its columns."""
    rows = NestedRows(select)
    clauses, limit = select.clauses, select.select.limit_by
    inner = replace(clauses, qualify=list(select.base_qualify), order_by=[], limit="", offset="")
    order = [(rows.column(value, item.expression), item) for value, item in select.order_values]
    keys = [rows.column(key, node) for key, node in _limit_keys(select, limit)]
    outer = type(inner)(from_=f"({rows.sql(inner)}) AS d", limit=clauses.limit, offset=clauses.offset)
    select.order_values = order
    outer.order_by = [key for value, item in order for key in select.order_keys(value, item)]
    if limit is not None:
        outer.qualify = [select.limit_by_condition(keys, outer.order_by)]
    select.outputs = tuple(replace(output, value=rows.column(output.value, None)) for output in select.outputs)
    return outer


def _limit_keys(select: SelectCompiler, limit: ast.LimitBy | None) -> list[tuple[Typed, ast.Expression | None]]:
    nodes: tuple[ast.Expression | None, ...] = (None,) * len(select.limit_keys)
    if limit is not None and not limit.all:
        nodes = columns_of(select.expressions, limit.expressions)
    return list(zip(select.limit_keys, nodes, strict=True))


class NestedRows:
    """The columns of a subquery of rows: an expression is one of them, is made of them, or joins them.

    What joins DISTINCT rows is what the first of equal rows has, as ClickHouse takes it.
    """

    def __init__(self, select: SelectCompiler) -> None:
        self._select = select
        self._values = [output.value for output in select.outputs]
        columns = tuple(
            Column(output.name, Typed(f"d.c{position}", output.value.type))
            for position, output in enumerate(select.outputs)
        )
        self._scope = Scope(select.scope.catalog, relations=(Relation((), columns),))

    def sql(self, clauses: Clauses) -> str:
        selected = len(self._select.outputs)
        if self._select.select.distinct and len(self._values) > selected:
            keys = ", ".join(value.exact() for value in self._values[:selected])
            clauses = replace(clauses, distinct=f"DISTINCT ON ({keys}) ")
        return clauses.sql(select_list(tuple(self._values)))

    def column(self, value: Typed, node: ast.Expression | None) -> Typed:
        position = next((place for place, one in enumerate(self._values) if one.sql == value.sql), None)
        if position is not None:
            return Typed(f"d.c{position}", value.type)
        if self._select.select.distinct and node is not None:
            with suppress(failures.QueryError):
                return ExpressionCompiler(self._select.context, self._scope).compile(node)
        self._values.append(value)
        return Typed(f"d.c{len(self._values) - 1}", value.type)
