"""Conditions: if, multiIf, CASE, transform, and what deals with NULL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.conversion import coerce, common_or_variant, common_type
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.typed import UNKNOWN, Typed, boolean, condition_of
from tbpy.clickhouse.functions.comparable import comparable_sql
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.storage import default_sql, duckdb_type

# --- if, multiIf, CASE ------------------------------------------------------------------------------------------------


@scalar("if", args=3, nulls="keep", low_cardinality=False, insensitive=True)
def if_(call: Call) -> Typed:
    return _branches(call, [call.args[0]], [call.args[1], call.args[2]])


@scalar("multiIf", "caseWithoutExpression", "caseWithoutExpr", args=(1, None), nulls="keep", low_cardinality=False)
def multi_if(call: Call) -> Typed:
    """The conditions in turn with their values, and the value where none holds; CASE without ELSE gives NULL there."""
    args = list(call.args)
    if len(args) % 2 == 0 or len(args) < 3:
        text = f"Invalid number of arguments for function {call.name}"
        raise failures.failure(text, 42, "NUMBER_OF_ARGUMENTS_DOESNT_MATCH", call.node)
    return _branches(call, args[:-1:2], [*args[1:-1:2], args[-1]])


def _branches(call: Call, conditions: Sequence[Typed], values: Sequence[Typed]) -> Typed:
    for condition in conditions:
        if not isinstance(t.plain(condition.type), t.Bool | t.Nothing) and t.plain(condition.type) != t.UINT8:
            call.wrong_type()
    type_ = common_or_variant(call.context, [value.type for value in values], call.node)
    chosen = _decided(conditions, values)
    if chosen is not None:
        same = all(type(t.plain(value.type)) is t.DateTime for value in values)
        keeps = same and not t.is_nullable(type_) and not chosen.constant  # a decided column keeps its zone
        kept = chosen.type if keeps else type_
        return replace(coerce(chosen, kept), aggregate=any(arg.aggregate for arg in call.args))
    sides = [coerce(value, type_) for value in values]
    tests = [condition_of(condition) for condition in conditions]
    sql = _case(tests, [_exact(side) for side in sides])
    return call.typed(sql, type_, condition=_boolean_case(tests, sides))


def _exact(value: Typed) -> str:
    """A branch in its exact type: a bare number would take the type of its neighbours."""
    return value.exact() if isinstance(t.plain(value.type), t.Int | t.Float | t.Decimal) else value.sql


def _decided(conditions: Sequence[Typed], values: Sequence[Typed]) -> Typed | None:
    """The value that known conditions choose; None when it takes a row to tell."""
    for condition, value in zip(conditions, values, strict=False):
        if not condition.known:
            return None
        if condition.value:
            return value
    return values[-1]


def _case(tests: Sequence[str], values: Sequence[str]) -> str:
    arms = " ".join(f"WHEN {test} THEN {value}" for test, value in zip(tests, values, strict=False))
    return f"(CASE {arms} ELSE {values[-1]} END)"


def _boolean_case(tests: Sequence[str], sides: Sequence[Typed]) -> str | None:
    """The result as a condition, where every branch is one: filters stay filters."""
    conditions = [side.condition for side in sides]
    if all(condition is None for condition in conditions):
        return None
    plain = [
        condition if condition is not None else f"({side.sql} <> 0)"
        for condition, side in zip(conditions, sides, strict=True)
    ]
    numeric = all(isinstance(t.plain(side.type), t.Int | t.Bool) for side in sides)
    return _case(tests, plain) if numeric else None


@scalar("caseWithExpression", "caseWithExpr", args=(2, None), nulls="keep")
def case_with_expression(call: Call) -> Typed:
    """`CASE x WHEN a THEN b ... ELSE c END`; a WHEN NULL matches NULL."""
    if len(call.args) % 2:
        call.wrong_count("an even number")
    value, *rest = call.args
    keys, values = rest[:-1:2], [*rest[1:-1:2], rest[-1]]
    if isinstance(t.plain(value.type), t.Nothing):
        matched = [v for key, v in zip(keys, values, strict=False) if isinstance(t.plain(key.type), t.Nothing)]
        type_ = common_or_variant(call.context, [v.type for v in values], call.node)
        return coerce((matched or [values[-1]])[0], type_)
    return _matching(call, value, keys, values)


def _matching(call: Call, value: Typed, keys: Sequence[Typed], values: Sequence[Typed]) -> Typed:
    type_ = common_or_variant(call.context, [result.type for result in values], call.node)
    tests = [_matches(call, value, key) for key in keys]
    sides = [coerce(result, type_) for result in values]
    sql = _case(tests, [_exact(side) for side in sides])
    return call.typed(sql, type_)


def _matches(call: Call, value: Typed, key: Typed) -> str:
    if isinstance(t.plain(key.type), t.Nothing):
        return f"{value.sql} IS NULL"
    if any(isinstance(t.plain(side.type), t.Dynamic) for side in (value, key)):
        return condition_of(call.compiler.call("equals", value, key, node=call.node))
    one, other = comparable_sql(call.compiler, value, key, call.node)
    return f"{one} = {other}"


# --- transform --------------------------------------------------------------------------------------------------------


_SIZES = "BAD_ARGUMENTS: Second and third arguments of function transform must be arrays of same size"
# What an array that only the run knows is searched for: what DuckDB takes for equal as ClickHouse does.
_SOUGHT = t.Int | t.String | t.UUID | t.Date | t.Date32 | t.DateTime


@scalar("transform", args=(3, 4), nulls="keep")
def transform(call: Call) -> Typed:
    """`transform(x, from, to[, default])`: without a default, what is not found stays as it is."""
    if any(array.constant and not array.known for array in call.args[1:3]):
        return _transform_by_lists(call)
    value, keys, values = call.args[0], _constants(call, 1), _constants(call, 2)
    if len(keys) != len(values):
        raise failures.bad_arguments(
            "Second and third arguments of function transform must be arrays of same size", call.node
        )
    default = call.args[3] if len(call.args) == 4 else value
    if len(call.args) == 3 and t.is_number(value.type) != t.is_number(_item(call, 2)):
        call.wrong_type()
    keys = [_key(call, value, key) for key in keys]
    if isinstance(t.plain(value.type), t.Nothing):
        return call.unsupported("a NULL to transform")
    if not keys:
        return default
    return _with_default(call, value, keys, values, default)


def _with_default(call: Call, value: Typed, keys: Sequence[Typed], values: Sequence[Typed], default: Typed) -> Typed:
    item = _item(call, 2)
    type_ = common_type([item, default.type], call.node)
    tests = [_matches(call, value, key) for key in keys]
    sides = [coerce(side.as_type(item), type_) for side in values] + [coerce(default, type_)]
    return call.typed(_case(tests, [_exact(side) for side in sides]), type_)


def _transform_by_lists(call: Call) -> Typed:
    """With arrays that are constants which only the run knows, as those of a scalar subquery."""
    value, keys, values = call.args[0], call.args[1], call.args[2]
    default = call.args[3] if len(call.args) == 4 else value
    own, given = t.plain(value.type), t.plain(_item(call, 1))
    if not (isinstance(own, _SOUGHT) and (own == given or (isinstance(own, t.Int) and isinstance(given, t.Int)))):
        call.unsupported(f"an array that is not constant, of {_item(call, 1)} for a {value.type},")
    if len(call.args) == 3 and t.is_number(value.type) != t.is_number(_item(call, 2)):
        call.wrong_type()
    type_ = common_type([_item(call, 2), default.type], call.node)
    place = f"list_position({keys.sql}, {value.exact()})"
    tests = [f"len({keys.sql}) <> len({values.sql})", f"({value.sql} IS NOT NULL AND {place} > 0)"]
    sides = [coerce(Typed(f"{values.sql}[{place}]", _item(call, 2)), type_), coerce(default, type_)]
    return call.typed(_case(tests, [f"error('{_SIZES}')", *map(_exact, sides)]), type_)


def _item(call: Call, position: int) -> t.Type:
    type_ = t.plain(call.args[position].type)
    if not isinstance(type_, t.Array):
        call.wrong_type()
    return type_.item


def _constants(call: Call, position: int) -> list[Typed]:
    """The elements of a constant array."""
    item, values = _item(call, position), call.args[position].value
    if not isinstance(values, list):
        call.unsupported("an array that is not constant")
    if any(value is UNKNOWN or isinstance(value, list | tuple) for value in values):
        call.unsupported("elements that are no literals")
    return [_element(value, item) for value in values]


def _element(value: Any, item: t.Type) -> Typed:
    return constant(None) if value is None else constant(value, t.plain(item))


def _key(call: Call, value: Typed, key: Typed) -> Typed:
    """Keys are compared as values of the first argument's type."""
    own, given = t.plain(value.type), t.plain(key.type)
    if isinstance(given, t.Nothing) or own == given or (t.is_number(own) and t.is_number(given)):
        return key
    if isinstance(own, t.String) and t.is_number(given):
        return call.compiler.call("toString", key, node=call.node)
    if isinstance(own, t.FixedString | t.Enum) and isinstance(given, t.String):
        return key
    return call.unsupported(f"keys of type {given} for a {own}")


# --- NULL -------------------------------------------------------------------------------------------------------------


@scalar("isNull", nulls="keep", low_cardinality=False, insensitive=True)
def is_null(call: Call) -> Typed:
    return _null_test(call, "IS NULL", 1)


@scalar("isNotNull", nulls="keep", low_cardinality=False)
def is_not_null(call: Call) -> Typed:
    return _null_test(call, "IS NOT NULL", 0)


def _null_test(call: Call, test: str, of_null: int) -> Typed:
    [value] = call.args
    if value.known:
        return replace(constant(of_null if value.value is None else 1 - of_null), aggregate=value.aggregate)
    return call.condition(f"({value.sql} {test})")


@scalar("isZeroOrNull", nulls="keep")
def is_zero_or_null(call: Call) -> Typed:
    [value] = call.args
    if isinstance(t.plain(value.type), t.Nothing):
        return constant(1)
    if not t.is_number(value.type):
        call.wrong_type()
    return call.condition(f"(NOT coalesce({condition_of(value)}, false))")


@scalar("isNullable", nulls="keep", low_cardinality=False)
def is_nullable(call: Call) -> Typed:
    return constant(int(t.is_nullable(call.original[0].type)))


@scalar("coalesce", args=(0, None), nulls="keep", insensitive=True)
def coalesce(call: Call) -> Typed:
    """The first argument that is not NULL. What follows one that cannot be NULL plays no part, not even in the type."""
    chosen: list[int] = []
    for position, arg in enumerate(call.args):
        if isinstance(t.plain(arg.type), t.Nothing):
            continue
        chosen.append(position)
        if not t.is_nullable(arg.type):
            break
    if not chosen:
        return constant(None)
    if len(chosen) == 1:
        return _chosen(call, chosen[0])
    return _first_of(call, [call.args[position] for position in chosen])


def _chosen(call: Call, position: int) -> Typed:
    """One of the arguments as the result; it is constant only where all of them are."""
    value = call.args[position]
    if value.constant and not all(arg.constant for arg in call.args):
        return replace(value, sql=value.exact(), constant=False, value=UNKNOWN)
    return value


def _first_of(call: Call, args: Sequence[Typed]) -> Typed:
    optional = t.is_nullable(args[-1].type)
    type_ = common_or_variant(call.context, [t.not_nullable(arg.type) for arg in args], call.node)
    type_ = t.nullable(type_) if optional else type_
    for arg in args:
        if arg.known and arg.value is not None:
            return coerce(arg, type_) if arg is args[0] else _coalesced(call, args, type_)
        break
    return _coalesced(call, args, type_)


def _coalesced(call: Call, args: Sequence[Typed], type_: t.Type) -> Typed:
    sides = [coerce(arg, type_ if not t.is_nullable(arg.type) else t.nullable(type_)) for arg in args]
    conditions = [side.condition for side in sides]
    texts = [condition for condition in conditions if condition is not None]
    condition = f"coalesce({', '.join(texts)})" if len(texts) == len(sides) else None
    return call.typed(f"coalesce({', '.join(side.sql for side in sides)})", type_, condition=condition)


@scalar("firstNonDefault", args=(1, None), nulls="keep", insensitive=True, low_cardinality=False)
def first_non_default(call: Call) -> Typed:
    """The first argument that is not its type's default, which for Nullable is NULL."""
    args = [arg for arg in call.args if not isinstance(t.plain(arg.type), t.Nothing)]
    type_ = t.without_low_cardinality(common_type([arg.type for arg in call.args], call.node))
    arms = [f"WHEN {_is_set(arg)} THEN {coerce(arg, type_).exact()}" for arg in args]
    default = f"CAST({default_sql(type_)} AS {duckdb_type(type_)})"
    return call.typed(f"(CASE {' '.join(arms)} ELSE {default} END)" if arms else default, type_)


def _is_set(value: Typed) -> str:
    if t.is_nullable(value.type):
        return f"{value.sql} IS NOT NULL"
    return f"{value.sql} <> CAST({default_sql(value.type)} AS {duckdb_type(value.type)})"


@scalar("ifNull", args=2, nulls="keep", insensitive=True)
def if_null(call: Call) -> Typed:
    first, second = call.args
    if isinstance(t.plain(first.type), t.Nothing):
        return _chosen(call, 1)
    if not t.is_nullable(first.type) or isinstance(t.plain(second.type), t.Nothing):
        return _chosen(call, 0)
    return _first_of(call, [first, second])


@scalar("nullIf", args=2, nulls="keep", insensitive=True)
def null_if(call: Call) -> Typed:
    first, second = call.args
    if isinstance(t.plain(first.type), t.Nothing):
        return constant(None)
    if isinstance(t.plain(first.type), t.Array | t.Map):
        call.wrong_type()
    type_ = t.nullable(first.type)
    if isinstance(t.plain(second.type), t.Nothing):
        return first.as_type(type_)
    if isinstance(t.plain(first.type), t.Tuple | t.Json):
        same = condition_of(call.compiler.call("equals", first, second, node=call.node))
        return call.typed(f"(CASE WHEN {same} THEN NULL ELSE {first.exact()} END)", type_)
    one, other = comparable_sql(call.compiler, first, second, call.node)
    if one == first.sql and not first.constant:
        return call.typed(f"nullif({one}, {other})", type_)
    return call.typed(f"(CASE WHEN {one} = {other} THEN NULL ELSE {first.exact()} END)", type_)


def _distinct(call: Call, negated: bool) -> Typed:
    first, second = call.args
    if any(isinstance(t.plain(arg.type), t.Nothing) for arg in call.args):
        nothing, other = (first, second) if isinstance(t.plain(first.type), t.Nothing) else (second, first)
        condition = f"({other.sql} IS {'NULL' if negated else 'NOT NULL'})"
        both = isinstance(t.plain(other.type), t.Nothing) and nothing is not other
        return boolean(("true" if negated else "false") if both else condition, **_flags(call))
    if any(isinstance(t.plain(arg.type), t.Dynamic) for arg in call.args):
        call.unsupported("values of JSON paths")  # for ClickHouse 1 is no Int64 there
    one, other_sql = comparable_sql(call.compiler, first, second, call.node)
    if any(isinstance(t.plain(arg.type), t.Float) for arg in call.args):
        same = f"(({one} = {other_sql} AND NOT isnan({one})) IS TRUE OR ({one} IS NULL AND {other_sql} IS NULL))"
        return boolean(same if negated else f"(NOT {same})", **_flags(call))
    return boolean(f"({one} IS {'NOT ' if negated else ''}DISTINCT FROM {other_sql})", **_flags(call))


def _flags(call: Call) -> dict[str, bool]:
    return {
        "constant": all(arg.constant for arg in call.args),
        "aggregate": any(arg.aggregate for arg in call.args),
        "window": any(arg.window for arg in call.args),
    }


@scalar("isDistinctFrom", args=2, nulls="keep", low_cardinality=False)
def is_distinct_from(call: Call) -> Typed:
    return _distinct(call, False)


@scalar("isNotDistinctFrom", args=2, nulls="keep", low_cardinality=False)
def is_not_distinct_from(call: Call) -> Typed:
    return _distinct(call, True)
