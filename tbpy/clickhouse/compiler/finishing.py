"""What one DuckDB SELECT cannot say: DISTINCT under LIMIT BY, LIMIT WITH TIES, ORDER BY WITH FILL."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tbpy.clickhouse import ast
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.block import Block, select_list
from tbpy.clickhouse.compiler.expressions import ExpressionCompiler
from tbpy.clickhouse.compiler.scope import Column, Relation, Scope
from tbpy.clickhouse.compiler.typed import Typed

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.select import Clauses, SelectCompiler


def finish(select: SelectCompiler) -> Block:
    """The block of a SELECT whose clauses are complete."""
    clauses = select.clauses
    if select.select.distinct and (select.limit_keys or _foreign_order(select)):
        clauses = _distinct_first(select)
    if select.select.with_ties and any(item.fill is not None for item in select.select.order_by):
        raise failures.unsupported("WITH FILL together with WITH TIES", select.select)
    if select.select.with_ties:
        _with_ties(select, clauses)
    if any(item.fill is not None for item in select.select.order_by):
        from tbpy.clickhouse.compiler.fill import filled_sql

        return Block(filled_sql(select, clauses), select.outputs, select.totals)
    return Block(select.sql(clauses), select.outputs, select.totals)


def _with_ties(select: SelectCompiler, clauses: Clauses) -> None:
    """LIMIT n WITH TIES: rows up to the n-th, and those that sort as equal to it."""
    if not clauses.order_by or select.select.limit is None:
        raise failures.bad_arguments("LIMIT WITH TIES needs ORDER BY", select.select)
    first, order = int(clauses.offset or 0), ", ".join(clauses.order_by)
    clauses.qualify.append(f"rank() OVER (ORDER BY {order}) <= {int(clauses.limit) + first}")
    if first:
        clauses.qualify.append(f"row_number() OVER (ORDER BY {order}) > {first}")
    clauses.limit = clauses.offset = ""


def _foreign_order(select: SelectCompiler) -> bool:
    """Whether DISTINCT rows are ordered by what is not selected as it stands: DuckDB wants the very expressions."""
    selected = {output.value.sql for output in select.outputs}
    keys = [key for value, item in select.order_values for key in select.order_keys(value, item)]
    return any(key.split(" NULLS ")[0].removesuffix(" DESC") not in selected for key in keys)


def _distinct_first(select: SelectCompiler) -> Clauses:
    """DISTINCT rows in a subquery, and what follows DISTINCT said over its columns."""
    rows = DistinctRows(select)
    inner = replace(select.clauses, qualify=list(select.base_qualify), order_by=[], limit="", offset="")
    sql = inner.sql(select_list(tuple(output.value for output in select.outputs)))
    outer = type(inner)(from_=f"({sql}) AS d", limit=select.clauses.limit, offset=select.clauses.offset)
    select.order_values = [(rows.column(value, item.expression), item) for value, item in select.order_values]
    outer.order_by = [key for value, item in select.order_values for key in select.order_keys(value, item)]
    if select.limit_keys:
        assert select.select.limit_by is not None
        pairs = zip(select.limit_keys, select.select.limit_by.expressions, strict=True)
        outer.qualify = [select.limit_by_condition([rows.column(*pair) for pair in pairs], outer.order_by)]
    select.outputs = tuple(replace(output, value=rows.column(output.value, None)) for output in select.outputs)
    return outer


class DistinctRows:
    """The columns of DISTINCT rows: an expression is one of them, or is made of them."""

    def __init__(self, select: SelectCompiler) -> None:
        self._select = select
        self._places = {output.value.sql: position for position, output in enumerate(select.outputs)}
        columns = tuple(
            Column(output.name, Typed(f"d.c{position}", output.value.type))
            for position, output in enumerate(select.outputs)
        )
        self._scope = Scope(select.scope.catalog, relations=(Relation((), columns),))

    def column(self, value: Typed, node: ast.Expression | None) -> Typed:
        if value.sql in self._places:
            return Typed(f"d.c{self._places[value.sql]}", value.type)
        try:
            assert node is not None
            return ExpressionCompiler(self._select.context, self._scope).compile(node)
        except failures.QueryError as error:
            what = "DISTINCT followed by ORDER BY or LIMIT BY of something that is not selected"
            raise failures.unsupported(what, node) from error
