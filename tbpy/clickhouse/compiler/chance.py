"""Random values: calls with one text are one value in a row, wherever an alias repeats them, as in ClickHouse.

They are columns of the only source of a SELECT. Behind joins, and where rows are aggregated, each call is on its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tbpy.clickhouse import ast
from tbpy.clickhouse.aggregates.combinators import split_name
from tbpy.clickhouse.compiler.aliases import walk
from tbpy.clickhouse.compiler.typed import Typed

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.context import Context
    from tbpy.clickhouse.compiler.scope import Scope
    from tbpy.clickhouse.compiler.select import SelectCompiler


def once_per_row(scope: Scope, context: Context, text: str, value: Typed) -> Typed:
    """The value as a column that every call with the same `text` shares, where a column can be added."""
    found = scope.chances.get(text)
    if found is not None:
        return replace(value, sql=found[0])
    select = scope.select
    if select is None or scope.lambdas or not _is_simple(select):
        return value
    alias = scope.row_alias or (context.alias("r") if select.from_ is None else None)
    if alias is None:
        return value
    scope.row_alias = alias
    column = f"{alias}.chance{len(scope.chances)}"
    scope.chances[text] = (column, value.sql)
    return replace(value, sql=column)


def _is_simple(select: ast.Select) -> bool:
    """Whether a SELECT reads one source and gives a row for each of its rows."""
    if select.group_by is not None or isinstance(select.from_, ast.Join | ast.ArrayJoin):
        return False
    return not any(
        isinstance(node, ast.Function) and node.window is None and split_name(node.name) is not None
        for column in select.columns
        for node in walk(column)
    )


def row_alias(from_: str) -> str | None:
    """The alias of a FROM of one source."""
    alias = from_.rpartition(" AS ")[2]
    return alias if alias.isidentifier() else None


def draw(select: SelectCompiler) -> None:
    """Adds the columns to the source."""
    chances = select.scope.chances
    if not chances:
        return
    alias, clauses = select.scope.row_alias, select.clauses
    columns = [f"{sql} AS {column.rpartition('.')[2]}" for column, sql in chances.values()]
    if clauses.from_:
        row = [] if select.scope.row is None else [f"{select.scope.row} AS rowid"]
        columns = [*row, "*", *columns]
    rows = f" FROM {clauses.from_}" if clauses.from_ else ""
    clauses.from_ = f"(SELECT {', '.join(columns)}{rows}) AS {alias}"
    if select.source is not None:
        select.source = replace(select.source, sql=clauses.from_)
