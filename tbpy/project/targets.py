"""Whether the rows of a materialized or copy node fit the data source they go to."""

from __future__ import annotations

from collections.abc import Mapping

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.datafiles import Datasource, Node, Pipe
from tbpy.errors import Span
from tbpy.project.merging_targets import check_engine_fits
from tbpy.project.model import OutputColumn
from tbpy.project.report import Report, did_you_mean
from tbpy.project.statements import NodeSql

_NESTED = t.Array | t.Map


def check_target_fits(
    report: Report,
    pipe: Pipe,
    node: Node,
    sql: NodeSql,
    columns: tuple[OutputColumn, ...],
    target: Datasource,
    types: Mapping[str, t.Type],
) -> None:
    """Result columns go to the columns of the same name; `types` are those of the target's columns."""
    for column in columns:
        wanted = types.get(column.name)
        if target.column(column.name) is None:
            message = f"Column '{column.name}' of node '{node.name}' is not in its target '{target.name}'"
            hint = did_you_mean(column.name, [known.name for known in target.columns])
            report.error("target-column", message, pipe.file, _place(node, sql, column.name), hint=hint)
        elif wanted is not None and not fits(column.type, wanted):
            message = (
                f"Column '{column.name}' of node '{node.name}' is {column.type}, "
                f"which does not fit {wanted} of its target '{target.name}'"
            )
            hint = _state_hint(column.type, wanted)
            report.error("target-type", message, pipe.file, _place(node, sql, column.name), hint=hint)
    _warn_of_missing(report, pipe, node, columns, target)
    if node.type == "materialized":
        check_engine_fits(report, pipe, node, columns, target, types, _made_by(sql))


def _warn_of_missing(
    report: Report, pipe: Pipe, node: Node, columns: tuple[OutputColumn, ...], target: Datasource
) -> None:
    given = {column.name for column in columns}
    missing = [column.name for column in target.columns if column.name not in given and column.default is None]
    if missing:
        message = f"Node '{node.name}' does not fill {', '.join(missing)} of its target '{target.name}'"
        hint = "Such columns get the default of their type."
        report.warning("target-incomplete", message, pipe.file, node.span, hint=hint)


def fits(source: t.Type, target: t.Type) -> bool:
    """Whether ClickHouse would convert the values: not states to values, other states, or shapes that differ."""
    source, target = t.plain(source), t.plain(target)
    if isinstance(source, t.AggregateFunction) or isinstance(target, t.AggregateFunction):
        both = isinstance(source, t.AggregateFunction) and isinstance(target, t.AggregateFunction)
        return both and _state(source) == _state(target)
    if isinstance(target, _NESTED):
        return isinstance(source, type(target) | t.String | t.Nothing)
    return not isinstance(source, _NESTED) or isinstance(target, t.String | t.Json | t.Dynamic | t.Variant | t.Tuple)


def _state(type_: t.Type) -> str:
    """The function that made a state. `If` only chooses rows, so its states are those of the bare function."""
    name = type_.function if isinstance(type_, t.AggregateFunction) else ""
    return name.removesuffix("If").lower()


def _state_hint(source: t.Type, target: t.Type) -> str | None:
    if isinstance(target, t.AggregateFunction) and not isinstance(source, t.AggregateFunction):
        return f"Write a state: {target.function}State(...)."
    if isinstance(source, t.AggregateFunction) and not isinstance(target, t.AggregateFunction):
        return f"Declare the column as {source}."
    return None


def _place(node: Node, sql: NodeSql, name: str) -> Span:
    """Where the SELECT list makes the column, or the node when a star does."""
    found = _made_by(sql).get(name)
    return found[1] if found else node.span


def _made_by(sql: NodeSql) -> dict[str, tuple[ast.Expression, Span]]:
    """The expressions of the SELECT list by the names of their columns, and where they are."""
    query = sql.query
    while isinstance(query, ast.SetOperation):
        query = query.left
    found: dict[str, tuple[ast.Expression, Span]] = {}
    for expression in query.columns if isinstance(query, ast.Select) else ():
        if isinstance(expression, ast.Alias | ast.Identifier):
            name = expression.name if isinstance(expression, ast.Alias) else expression.parts[-1]
            found.setdefault(name, (expression, sql.span(expression.start, expression.end)))
    return found
