"""Aggregates over events in the order of time: windowFunnel, retention, sequenceMatch, sequenceCount."""

from __future__ import annotations

from dataclasses import replace

from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.call import AggregateCall
from tbpy.clickhouse.aggregates.registry import aggregate
from tbpy.clickhouse.compiler.failures import bad_arguments, failure, wrong_count
from tbpy.clickhouse.compiler.typed import Typed, condition_of
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import duckdb_type

_MOST_EVENTS = 32
_FUNNEL_MODES = ("strict_deduplication", "strict_order", "strict_increase", "strict_once", "allow_reentry")


def moment(call: AggregateCall, position: int = 0) -> str:
    """A time among the arguments as a whole number in the unit of its type."""
    time = call.sql(position)
    match call.type(position):
        case t.Int(bits, False) if bits <= 64:
            return f"CAST({time} AS HUGEINT)"
        case t.Date():
            return f"CAST(date_diff('day', DATE '1970-01-01', {time}) AS HUGEINT)"
        case t.DateTime():
            return f"CAST(epoch({time}) AS HUGEINT)"
    call.wrong_type()


def _conditions(call: AggregateCall, first: int) -> list[str]:
    conditions = call.args[first:]
    if not conditions or len(conditions) > _MOST_EVENTS:
        raise wrong_count(call.name, len(call.args), f"from {first + 1} to {first + _MOST_EVENTS}", call.node)
    if not all(isinstance(condition.type, t.Int | t.Bool) for condition in conditions):
        call.wrong_type()
    return [condition_of(condition) for condition in conditions]


def _events(call: AggregateCall, all_rows: bool) -> tuple[str, int]:
    """Rows as structs of time and a mask of the conditions that hold; and how many conditions there are."""
    conditions = _conditions(call, 1)
    where = () if all_rows else (f"({' OR '.join(conditions)})",)
    row = f"{{'t': {moment(call)}, 'm': CAST({_mask(conditions)} AS BIGINT)}}"
    return call.collect(row, where), len(conditions)


def _mask(conditions: list[str]) -> str:
    """A number whose bit i says that condition i holds."""
    return " + ".join(f"CASE WHEN {condition} THEN {1 << bit} ELSE 0 END" for bit, condition in enumerate(conditions))


_EVENT = "STRUCT(t HUGEINT, m BIGINT)[]"


@aggregate("windowFunnel", args=(2, None), parameters=None)
def window_funnel(call: AggregateCall) -> Typed:
    """How many conditions of the chain were met in order within the window that the first one opens."""
    if not call.parameters:
        text = f"Aggregate function {call.name} requires at least one parameter: <window>, [option, [option, ...]]"
        raise failure(text, 42, "NUMBER_OF_ARGUMENTS_DOESNT_MATCH", call.node)
    window = call.parameter(0)
    if not isinstance(window, int):
        raise bad_arguments("windowFunnel needs the length of its window", call.node)
    modes = []
    for position in range(1, len(call.parameters)):
        mode = call.parameter(position)
        if mode not in _FUNNEL_MODES:
            raise bad_arguments(f"Aggregate function windowFunnel doesn't support a parameter: {mode}", call.node)
        if mode == "allow_reentry":
            call.unsupported("the mode allow_reentry")
        modes.append(mode)
    events, count = _events(call, "strict_order" in modes)
    name = call.context.udf("tb_window_funnel")
    level = f"{name}(CAST({events} AS {_EVENT}), {count}, {window}, {duckdb_string(','.join(modes))})"
    return _whole(call, level, t.UINT8)


def _whole(call: AggregateCall, value: str, type_: t.Int) -> Typed:
    """A count; NULL for Nullable arguments where no row is without NULL."""
    sql = call.when_rows(f"CAST({value} AS {duckdb_type(type_)})")
    return call.typed(f"({sql})" if call.nullable else sql, type_)


def _pattern(call: AggregateCall) -> str:
    pattern = call.parameter(0)
    if not isinstance(pattern, str):
        raise bad_arguments(f"Aggregate function {call.name} needs a pattern", call.node)
    from tbpy.clickhouse.udf.sequences import PatternError, parse_pattern

    try:
        parse_pattern(pattern, len(call.args) - 1)
    except PatternError as error:
        raise bad_arguments(str(error), call.node) from error
    return duckdb_string(pattern)


@aggregate("sequenceMatch", args=(3, None), parameters=1)
def sequence_match(call: AggregateCall) -> Typed:
    pattern = _pattern(call)
    events, count = _events(call, all_rows=False)
    name = call.context.udf("tb_sequence_count")
    return _whole(call, f"{name}(CAST({events} AS {_EVENT}), {count}, {pattern}, 1)", t.UINT8)


@aggregate("sequenceCount", args=(3, None), parameters=1)
def sequence_count(call: AggregateCall) -> Typed:
    pattern = _pattern(call)
    events, count = _events(call, all_rows=False)
    name = call.context.udf("tb_sequence_count")
    return _whole(call, f"{name}(CAST({events} AS {_EVENT}), {count}, {pattern}, -1)", t.UINT64)


@aggregate("retention", args=(2, None), never_null=True)
def retention(call: AggregateCall) -> Typed:
    """Whether the first condition was ever met, and for each other one whether both were."""
    met = [f"coalesce({call.apply('bool_or', condition)}, false)" for condition in _conditions(call, 0)]
    values = [met[0], *(f"({met[0]} AND {other})" for other in met[1:])]
    return call.typed(f"[{', '.join(f'CAST({value} AS UTINYINT)' for value in values)}]", t.Array(t.UINT8))


# --- the node after a chain ---

_BASES = {
    "forward": ("head", "first_match", "last_match"),
    "backward": ("tail", "first_match", "last_match"),
}


@aggregate("sequenceNextNode", args=(4, None), nulls="keep", parameters=2)
def sequence_next_node(call: AggregateCall) -> Typed:
    """The event next to a chain of events: after it, or with `backward` before it. NULL where there is none."""
    direction, base = call.parameter(0), call.parameter(1)
    if base not in _BASES.get(direction, ()):
        raise bad_arguments(
            f"Aggregate function {call.name} doesn't support the parameters {direction}, {base}", call.node
        )
    if not t.is_text(t.not_nullable(call.type(1))):
        call.wrong_type()
    present = [f"{arg.sql} IS NOT NULL" for arg in call.args[:2] if t.is_nullable(arg.type)]
    given = replace(call, args=tuple(arg.as_type(t.not_nullable(arg.type)) for arg in call.args))
    can_be_base, *conditions = _conditions(given, 2)
    fields = f"'e': {call.sql(1)}, 'b': coalesce({can_be_base}, false), 'm': CAST({_mask(conditions)} AS BIGINT)"
    rows = given.collect(f"{{'t': {moment(given)}, {fields}}}", present)
    rows = f"CAST(list_sort({rows}) AS STRUCT(t HUGEINT, e VARCHAR, b BOOLEAN, m BIGINT)[])"
    name = call.context.udf("tb_sequence_next_node")
    where_to = f"{duckdb_string(direction)}, {duckdb_string(base)}"
    return call.typed(f"{name}({rows}, {len(conditions)}, {where_to})", t.Nullable(t.STRING))
