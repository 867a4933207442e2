"""Combinators: `sumIf`, `uniqArray`, `avgOrNull` and so on, composed over every aggregate, not listed.

A name is read from its end: the longest name that the catalogue has is the base, what follows are combinators, and they
apply from the outermost (last) inwards, as in ClickHouse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.registry import Aggregate, AggregateCall, build_aggregate, find_aggregate
from tbpy.clickhouse.compiler.failures import wrong_count
from tbpy.clickhouse.compiler.typed import Typed, condition_of

Inner = Callable[[AggregateCall], Typed]
Combinator = Callable[[AggregateCall, Inner], Typed]

COMBINATORS: dict[str, Combinator] = {}


def combinator(suffix: str) -> Callable[[Combinator], Combinator]:
    """Register what a suffix does: it gets the call and the function that compiles the aggregate inside."""

    def register(function: Combinator) -> Combinator:
        COMBINATORS[suffix] = function
        return function

    return register


def split_name(name: str) -> tuple[Aggregate, tuple[str, ...]] | None:
    """`sumArrayIf` → (row of sum, ("Array", "If")); None when no aggregate begins the name."""
    row = find_aggregate(name)
    if row is not None:
        return row, ()
    for suffix in sorted(COMBINATORS, key=len, reverse=True):
        if name.endswith(suffix) and len(name) > len(suffix):
            found = split_name(name[: -len(suffix)])
            if found is not None:
                return found[0], (*found[1], suffix)
    return None


def build_combined(row: Aggregate, suffixes: tuple[str, ...], call: AggregateCall) -> Typed:
    """Compile an aggregate with its combinators, the last suffix first."""
    if not suffixes:
        return build_aggregate(row, call)
    outer = COMBINATORS[suffixes[-1]]
    return outer(call, lambda inner: build_combined(row, suffixes[:-1], inner))


@combinator("If")
def _if(call: AggregateCall, inner: Inner) -> Typed:
    if not call.args:
        raise wrong_count(call.name, 0, "at least 1", call.node)
    *rest, condition = call.args
    where = (*call.where, condition_of(condition))
    result = inner(replace(call, args=tuple(rest), where=where))
    return result.as_type(t.nullable(result.type)) if _null_condition(condition, result) else result


def _null_condition(condition: Typed, result: Typed) -> bool:
    """ClickHouse's Null adapter sees the condition as an argument too: a Nullable one makes the result Nullable."""
    return t.is_nullable(condition.type) and not isinstance(t.plain(result.type), t.Int | t.Array)


@combinator("Distinct")
def _distinct(call: AggregateCall, inner: Inner) -> Typed:
    return inner(replace(call, distinct=True))
