"""Whether the engine of a materialized node's target keeps what the node makes: said when built, with what to write.

The rule for AggregatingMergeTree is ClickHouse's `allow_dimensions_outside_sorting_key`.
"""

from __future__ import annotations

from collections.abc import Mapping

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.registry import find_aggregate
from tbpy.clickhouse.aggregates.state_combinators import SIMPLE_FUNCTIONS
from tbpy.datafiles import Datasource, Node, Pipe
from tbpy.errors import Span
from tbpy.project.catalog import table_engine
from tbpy.project.model import OutputColumn
from tbpy.project.report import Report

_STATES = t.AggregateFunction | t.SimpleAggregateFunction


def check_engine_fits(
    report: Report,
    pipe: Pipe,
    node: Node,
    columns: tuple[OutputColumn, ...],
    target: Datasource,
    types: Mapping[str, t.Type],
    made_by: Mapping[str, tuple[ast.Expression, Span]],
) -> None:
    """Warns of columns that merges would not keep; `made_by` is how the node's SELECT makes a column, and where."""
    engine = table_engine(target)
    states = [column.name for column in columns if isinstance(types.get(column.name), _STATES)]
    if target.engine is not None and engine.name == "MergeTree" and states:
        message = f"'{target.name}' has states, but rows of ENGINE MergeTree are never merged"
        hint = f'Write in {target.name}.datasource: ENGINE "AggregatingMergeTree"'
        report.warning("target-engine", message, pipe.file, made_by.get(states[0], (None, node.span))[1], hint=hint)
    if engine.name != "AggregatingMergeTree":
        return
    keys = {key.strip("`") for key in (*engine.sorting_key, *engine.partition_key)}
    text = " ".join((*engine.sorting_key, *engine.partition_key))
    for column in columns:
        type_ = types.get(column.name)
        if type_ is None or isinstance(type_, _STATES) or column.name in keys or column.name in text:
            continue
        expression, span = made_by.get(column.name, (None, node.span))
        message = (
            f"Column '{column.name}' of '{target.name}' is neither in its ENGINE_SORTING_KEY nor a state: "
            "merges keep the value of any one row"
        )
        report.warning("target-engine", message, pipe.file, span, hint=_advice(column.name, type_, expression))


def _advice(name: str, type_: t.Type, expression: ast.Expression | None) -> str:
    """What to write for a column: of an aggregate its state, of anything else a place in the key."""
    function = expression.expression if isinstance(expression, ast.Alias) else expression
    if isinstance(function, ast.Function) and find_aggregate(function.name) is not None:
        called = function.name
        simple = "sum" if called == "count" else called
        if simple in SIMPLE_FUNCTIONS:
            return f"Declare it as SimpleAggregateFunction({simple}, {type_}), and read {simple}({name})."
        return f"Declare it as AggregateFunction({called}, ...), and write {called}State(...) AS {name}."
    return f"Add it to ENGINE_SORTING_KEY, or declare it as SimpleAggregateFunction(anyLast, {type_})."
