"""-State, -Merge, -MergeState and -SimpleState, over every aggregate, and what finishes a state outside of them."""

from __future__ import annotations

from dataclasses import replace

from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.call import AggregateCall, Elements, element_arguments
from tbpy.clickhouse.aggregates.combinators import (
    Inner,
    build_combined,
    combinator,
    conditional,
    split_name,
)
from tbpy.clickhouse.aggregates.registry import Aggregate, argument_type
from tbpy.clickhouse.aggregates.state_forms import (
    FORMS,
    hashed,
    make_rows,
    merge_rows,
    rows_of,
    state_parts,
    state_value,
)
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.names import column_name
from tbpy.clickhouse.states import base_function, state_layout


def state_name(row: Aggregate, suffixes: tuple[str, ...]) -> str:
    """The function as the type of its state spells it."""
    return row.name + "".join(suffixes)


@combinator("State")
def _state(call: AggregateCall, inner: Inner) -> Typed:
    types = tuple(argument_type(arg.type) for arg in call.args)
    written = (call.node.parameters or ())[: len(call.parameters)]  # -Resample around it takes the others
    parameters = tuple(column_name(parameter) for parameter in written)
    type_ = t.AggregateFunction(state_name(inner.row, inner.suffixes), types, parameters)
    inner.build(replace(call, args=call.args, elements=_probe(call), where=()))  # refuses what the function refuses
    layout = state_layout(type_.function, types)
    if layout.kind == "rows":
        return call.typed(state_value(layout, make_rows(replace(call))), type_)
    reduced = conditional(call) if inner.suffixes[-1:] == ("If",) else replace(call)
    return call.typed(state_value(layout, FORMS[layout.kind].make(reduced, inner.row)), type_)


def _probe(call: AggregateCall) -> Elements:
    """An empty list: what is built over it has the type of the result."""
    return Elements("[]", call.context.fresh("e"))


def merged(call: AggregateCall) -> tuple[t.AggregateFunction, tuple[str, ...]]:
    """The state type of a call's only argument, and the parts of all its states merged."""
    type_ = t.plain(call.type()) if len(call.args) == 1 else None
    if not isinstance(type_, t.AggregateFunction):
        text = f"Illegal type {call.type() if call.args else ''} of argument for aggregate function {call.name}"
        raise failures.failure(text, 43, "ILLEGAL_TYPE_OF_ARGUMENT", call.node)
    layout = state_layout(type_.function, type_.arguments)
    call.args = (replace(call.args[0], type=type_),)
    parts = state_parts(layout, call.sql())
    function, _ = base_function(type_.function, type_.arguments)
    merge = merge_rows if layout.kind == "rows" else FORMS[layout.kind].merge
    return type_, merge(call, function, parts)


@combinator("Merge")
def _merge(call: AggregateCall, inner: Inner) -> Typed:
    type_, parts = merged(replace(call, args=call.args))
    _check_function(call, inner, type_)
    return finished(call, type_, parts, inner)


@combinator("MergeState")
def _merge_state(call: AggregateCall, inner: Inner) -> Typed:
    type_, parts = merged(replace(call, args=call.args))
    _check_function(call, inner, type_)
    layout = state_layout(type_.function, type_.arguments)
    if layout.kind == "distinct":
        parts = (hashed(call, parts[0], type_.arguments[0]),)
    return call.typed(state_value(layout, parts), replace(type_, of_state=False))


def _check_function(call: AggregateCall, inner: Inner, type_: t.AggregateFunction) -> None:
    """A state merges into its own function; `quantile` and `quantiles` share one, `count` takes that of `countIf`."""
    found = split_name(type_.function)
    if found is not None and _shared_name(*found) == _shared_name(inner.row, inner.suffixes):
        return
    if type_.function == "countIf" and (inner.row.name, inner.suffixes) == ("count", ()):
        return
    given = len(base_function(type_.function, type_.arguments)[1])
    if given < inner.row.minimum:
        raise failures.wrong_count(inner.row.name, given, f"at least {inner.row.minimum}", call.node)
    text = (
        f"Illegal type {type_} of argument for aggregate function with Merge suffix because it corresponds to different"
        f" aggregate function: {type_.function} instead of {state_name(inner.row, inner.suffixes)}"
    )
    raise failures.failure(text, 43, "ILLEGAL_TYPE_OF_ARGUMENT", call.node)


def _shared_name(row: Aggregate, suffixes: tuple[str, ...]) -> str:
    return state_name(row, suffixes).replace("quantiles", "quantile", 1)


def finished(call: AggregateCall, type_: t.AggregateFunction, parts: tuple[str, ...], inner: Inner) -> Typed:
    """The result of a function of which the parts of a state are known."""
    layout = state_layout(type_.function, type_.arguments)
    finish = None if layout.kind == "rows" else FORMS[layout.kind].finish
    if finish is None:
        return _finished_over(call, type_, rows_of(call, layout, parts[0]), inner)
    result = _over(call, type_, _probe(call), inner)
    function, _ = base_function(type_.function, type_.arguments)
    return call.typed(finish(function, result.type, parts), result.type)


def _finished_over(call: AggregateCall, type_: t.AggregateFunction, elements: Elements, inner: Inner) -> Typed:
    """The function over what a state lists; several levels of a quantile look into one list."""
    if not elements.kind:
        result = _over(call, type_, elements, inner)
        return call.typed(result.sql, result.type)
    name = call.context.fresh("v")
    result = _over(call, type_, replace(elements, sql=name), inner)
    return call.typed(f"list_transform([{elements.sql}], lambda {name}: {result.sql})[1]", result.type)


def _over(call: AggregateCall, type_: t.AggregateFunction, elements: Elements, inner: Inner) -> Typed:
    args = element_arguments(elements.name, type_.arguments)
    return inner.build(replace(call, args=args, elements=elements, where=(), distinct=False))


def state_parameters(call: AggregateCall, type_: t.AggregateFunction) -> tuple[Typed, ...]:
    """The parameters that a state was made with; -Merge goes by its own instead."""
    from tbpy.clickhouse.parser import parse_expression

    return tuple(call.compiler.compile(parse_expression(text)) for text in type_.parameters)


def inner_of(type_: t.AggregateFunction, call: AggregateCall) -> Inner:
    """The aggregate of a state."""
    found = split_name(type_.function)
    if found is None:
        raise failures.unknown_function(type_.function, call.node, ())
    return Inner(*found)


#: The functions whose states are plain values, of the type of their result.
SIMPLE_FUNCTIONS = frozenset(
    (
        "any",
        "anyLast",
        "any_respect_nulls",
        "anyLast_respect_nulls",
        "min",
        "max",
        "sum",
        "sumWithOverflow",
        "groupBitAnd",
        "groupBitOr",
        "groupBitXor",
        "sumMap",
        "minMap",
        "maxMap",
        "sumMappedArrays",
        "minMappedArrays",
        "maxMappedArrays",
        "groupArrayArray",
        "groupArrayLastArray",
        "groupUniqArrayArray",
        "groupUniqArrayArrayMap",
        "sumCount",
        "deltaSumTimestamp",
    )
)


@combinator("SimpleState")
def _simple_state(call: AggregateCall, inner: Inner) -> Typed:
    """The value itself, typed as one that a SimpleAggregateFunction column merges."""
    name = state_name(inner.row, inner.suffixes)
    if name not in SIMPLE_FUNCTIONS:
        raise failures.bad_arguments(f"Unsupported aggregate function {name} for SimpleAggregateFunction", call.node)
    result = build_combined(inner.row, inner.suffixes, call)
    return result.as_type(t.SimpleAggregateFunction(name, result.type))
