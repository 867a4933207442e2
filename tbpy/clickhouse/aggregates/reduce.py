"""Functions that run an aggregate outside of GROUP BY: arrayReduce, initializeAggregation, finalizeAggregation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.call import AggregateCall, Elements, element_arguments
from tbpy.clickhouse.aggregates.combinators import build_combined, split_name
from tbpy.clickhouse.aggregates.registry import AGGREGATES
from tbpy.clickhouse.aggregates.state_combinators import finished, inner_of, merged, state_parameters
from tbpy.clickhouse.aggregates.state_forms import state_parts
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.neighbours import require_deprecated
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.states import state_layout

if TYPE_CHECKING:
    from collections.abc import Sequence


def _named(call: Call) -> ast.Function:
    """The aggregate that the first argument names, as a call: `'quantile(0.5)'` has parameters."""
    from tbpy.clickhouse.parser import parse_expression

    text = call.constant_value(0, "name of an aggregate function")
    if not isinstance(text, str):
        call.wrong_type()
    node = parse_expression(text)
    if isinstance(node, ast.Identifier):
        return ast.Function(node.name, (), start=call.node.start, end=call.node.end)
    if not isinstance(node, ast.Function):
        raise failures.bad_arguments(f"Not the name of an aggregate function: {text}", call.node)
    return ast.Function(node.name, (), node.arguments, start=call.node.start, end=call.node.end)


def _aggregate(call: Call, elements: Elements, types: Sequence[t.Type]) -> Typed:
    node = _named(call)
    found = split_name(node.name)
    if found is None:
        raise failures.unknown_aggregate(node.name, call.node, AGGREGATES)
    parameters = tuple(call.compiler.compile(parameter) for parameter in node.parameters or ())
    args = element_arguments(elements.name, types)
    inner = AggregateCall(node.name, node, args, call.compiler, parameters, elements=elements)
    return build_combined(*found, inner)


def _elements(call: Call, arrays: tuple[Typed, ...]) -> tuple[Elements, list[t.Type]]:
    """Arrays side by side as elements."""
    if not arrays or not all(isinstance(t.plain(array.type), t.Array) for array in arrays):
        call.wrong_type()
    types = [array.type.item for array in arrays if isinstance(array.type, t.Array)]
    name = call.context.fresh("e")
    if len(arrays) == 1:
        return Elements(arrays[0].exact(), name), types
    place = call.context.fresh("i")
    fields = ", ".join(f"'{index + 1}': {array.sql}[{place}]" for index, array in enumerate(arrays))
    return Elements(f"list_transform(range(1, len({arrays[0].sql}) + 1), lambda {place}: {{{fields}}})", name), types


@scalar("arrayReduce", args=(2, None), nulls="keep", low_cardinality=False)
def array_reduce(call: Call) -> Typed:
    elements, types = _elements(call, call.args[1:])
    result = _aggregate(call, elements, types)
    return call.typed(result.sql, result.type)


@scalar("arrayReduceInRanges", args=(3, None), nulls="keep", low_cardinality=False)
def array_reduce_in_ranges(call: Call) -> Typed:
    """For each (index, length) the aggregate over that part of the arrays; a negative index counts from the end."""
    ranges = t.plain(call.args[1].type)
    if not isinstance(ranges, t.Array) or not isinstance(ranges.item, t.Tuple) or len(ranges.item.items) != 2:
        call.wrong_type()
    elements, types = _elements(call, call.args[2:])
    part, rows = call.context.fresh("r"), call.context.fresh("v")
    start = f"CASE WHEN {part}['1'] < 0 THEN len({rows}) + {part}['1'] + 1 ELSE {part}['1'] END"
    sliced = f"(CASE WHEN ({start}) > 0 THEN {rows}[{start} : ({start}) + {part}['2'] - 1] ELSE [] END)"
    result = _aggregate(call, replace(elements, sql=sliced), types)
    body = f"list_transform({call.sql(1)}, lambda {part}: {result.sql})"
    return call.typed(f"list_transform([{elements.sql}], lambda {rows}: {body})[1]", t.Array(result.type))


@scalar("initializeAggregation", args=(2, None), nulls="keep", low_cardinality=False)
def initialize_aggregation(call: Call) -> Typed:
    """The aggregate, or its state, over the one row of the arguments."""
    args, name = call.args[1:], call.context.fresh("e")
    if len(args) == 1:
        row = args[0].exact()
    else:
        row = "{" + ", ".join(f"'{index + 1}': {arg.exact()}" for index, arg in enumerate(args)) + "}"
    result = _aggregate(call, Elements(f"[{row}]", name), [arg.type for arg in args])
    return call.typed(result.sql, result.type)


@scalar("finalizeAggregation", nulls="keep", low_cardinality=False)
def finalize_aggregation(call: Call) -> Typed:
    type_ = t.plain(call.args[0].type)
    if not isinstance(type_, t.AggregateFunction):
        call.wrong_type()
    if type_.of_state:  # the result is a state, as binary text
        call.unsupported(f"a {type_}")
    inner = AggregateCall(type_.function, call.node, (), call.compiler)
    inner.parameters = state_parameters(inner, type_)
    layout = state_layout(type_.function, type_.arguments)
    result = finished(inner, type_, state_parts(layout, call.sql(0)), inner_of(type_, inner))
    return call.typed(result.sql, result.type)


@scalar("runningAccumulate", args=(1, 2), nulls="keep", low_cardinality=False)
def running_accumulate(call: Call) -> Typed:
    """Each row's state merged with those of all rows before it."""
    require_deprecated(call)
    partition = f"PARTITION BY {call.sql(1)} " if len(call.args) == 2 else ""
    window = f"{partition}ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
    inner = AggregateCall(call.name, call.node, call.args[:1], call.compiler, window=window)
    type_, parts = merged(inner)
    inner.parameters = state_parameters(inner, type_)
    result = finished(inner, type_, parts, inner_of(type_, inner))
    return call.typed(result.sql, result.type, window=True)
