"""The catalogue of aggregate functions: one row per function, and what runs around every row.

Around a row's builder the catalogue does what ClickHouse does around its aggregates: it counts the arguments, drops
LowCardinality, and leaves out rows that have a NULL argument.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.call import AggregateCall
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.typed import Typed

AggregateBuilder = Callable[[AggregateCall], Typed]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A row of the catalogue. `name` is how states spell it; aliases (`median`, `first_value`) share a row.

    `nulls`: "skip" (ClickHouse's Null adapter: rows with a NULL argument do not count, the result is Nullable when an
    argument is, unless `never_null`) or "keep" (the builder sees Nullable and does all itself).
    `native_skip`: DuckDB's own aggregate leaves out NULLs, so no FILTER is needed for a single argument.
    `order`: "listed" when the result shows the order of rows, "picked" when it is that of one of them.
    `parameters`: how many parameters it takes at most, None for any number.
    """

    name: str
    build: AggregateBuilder
    minimum: int
    maximum: int | None
    nulls: str = "skip"
    never_null: bool = False
    native_skip: bool = True
    insensitive: bool = False
    window_only: bool = False
    parameters: int | None = 0
    note: str = ""
    order: str = ""

    @property
    def counts_dynamic(self) -> bool:
        """Whether it counts values: those of Dynamic that are NULL, too."""
        return self.never_null and self.native_skip


AGGREGATES: dict[str, Aggregate] = {}
_INSENSITIVE: dict[str, str] = {}


def aggregate(
    *names: str,
    args: int | tuple[int, int | None] = 1,
    nulls: str = "skip",
    never_null: bool = False,
    native_skip: bool = False,
    insensitive: bool | Sequence[str] = False,
    window_only: bool = False,
    parameters: int | None = 0,
    note: str = "",
    order: str = "",
) -> Callable[[AggregateBuilder], AggregateBuilder]:
    """Register a builder under its name and its aliases. `insensitive`: True, or the names read in any case."""
    least, most = args if isinstance(args, tuple) else (args, args)

    def register(build: AggregateBuilder) -> AggregateBuilder:
        for name in names:
            free = insensitive if isinstance(insensitive, bool) else name in insensitive
            if name in AGGREGATES:
                raise AssertionError(f"aggregate function {name} is registered twice")
            AGGREGATES[name] = Aggregate(
                names[0], build, least, most, nulls, never_null, native_skip, free, window_only, parameters, note, order
            )
            if free:
                _INSENSITIVE[name.lower()] = name
        return build

    return register


def find_aggregate(name: str) -> Aggregate | None:
    exact = AGGREGATES.get(name)
    if exact is not None:
        return exact
    canonical = _INSENSITIVE.get(name.lower())
    return AGGREGATES[canonical] if canonical is not None else None


def build_aggregate(row: Aggregate, call: AggregateCall) -> Typed:
    """Run a row's builder within what ClickHouse does around every aggregate."""
    skipping = adapt_arguments(row, call)
    if skipping and any(isinstance(arg.type, t.Nothing) for arg in call.args) and not row.never_null:
        return call.typed("CAST(NULL AS INTEGER)", t.Nullable(t.NOTHING))
    result = row.build(call)
    if not skipping or row.never_null:
        return result
    return replace(result, type=t.nullable(result.type))


def adapt_arguments(row: Aggregate, call: AggregateCall) -> bool:
    """Check the arguments and make NULLs go; True when the Null adapter applies, so that the result is Nullable."""
    _check_counts(row, call)
    call.original = call.args
    call.args = tuple(replace(arg, type=argument_type(arg.type)) for arg in call.args)
    if row.counts_dynamic:
        call.args = tuple(map(_counted, call.args))
    nullable = [arg for arg in call.args if _takes_null(row, arg)]
    if row.nulls == "keep" or not nullable:
        return False
    call.nullable = not row.never_null
    if not (row.native_skip and len(call.args) == 1):
        call.where += tuple(f"{arg.sql} IS NOT NULL" for arg in nullable)
    call.args = tuple(replace(arg, type=t.not_nullable(arg.type)) for arg in call.args)
    return True


def _takes_null(row: Aggregate, arg: Typed) -> bool:
    return t.is_nullable(arg.type) and not (row.counts_dynamic and isinstance(arg.type, t.Dynamic))


def _counted(arg: Typed) -> Typed:
    """A Dynamic that counts without a value, too: it is no Nullable, whose NULLs are left out."""
    return replace(arg, sql=f"coalesce({arg.sql}, 'null'::JSON)") if isinstance(arg.type, t.Dynamic) else arg


def argument_type(type_: t.Type) -> t.Type:
    """The type as an aggregate sees it: full columns of plain values, at every depth."""
    match type_:
        case t.LowCardinality(item) | t.SimpleAggregateFunction(_, item):
            return argument_type(item)
        case t.Array(item):
            return t.Array(argument_type(item))
        case t.Map(key, value):
            return t.Map(argument_type(key), argument_type(value))
        case t.Tuple(items, names):
            return t.Tuple(tuple(map(argument_type, items)), names)
    return type_


def _wanted(row: Aggregate) -> str:
    return str(row.minimum) if row.minimum == row.maximum else f"at least {row.minimum}"


def _check_counts(row: Aggregate, call: AggregateCall) -> None:
    count = len(call.args)
    if count < row.minimum or (row.maximum is not None and count > row.maximum):
        raise failures.wrong_count(call.name, count, _wanted(row), call.node)
    if row.parameters is not None and len(call.parameters) > row.parameters:
        text = f"Aggregate function {call.name} cannot have {len(call.parameters)} parameters"
        raise failures.failure(text, 42, "NUMBER_OF_ARGUMENTS_DOESNT_MATCH", call.node)
