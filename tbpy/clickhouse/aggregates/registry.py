"""The catalogue of aggregate functions, and what a row's builder is given.

A builder gets an `AggregateCall` and gives the SQL of the finished aggregate. It writes DuckDB aggregates through
`call.apply`, which adds DISTINCT, FILTER, ORDER BY and OVER where they belong, so that combinators (-If, -Distinct) and
windows work over every row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.context import Context
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.storage import default_sql

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.expressions import ExpressionCompiler


@dataclass(slots=True)
class AggregateCall:
    """One aggregate as a builder sees it.

    `args` have types without LowCardinality, and without Nullable unless the row says `nulls="keep"`. `where` are DuckDB
    BOOLEANs that a row must satisfy to count; `window` is the text inside OVER (...), None for a plain aggregate.
    """

    name: str
    node: ast.Function
    args: tuple[Typed, ...]
    compiler: ExpressionCompiler
    parameters: tuple[Typed, ...] = ()
    where: tuple[str, ...] = ()
    distinct: bool = False
    order_by: tuple[str, ...] = ()
    window: str | None = None
    nullable: bool = False  # the result will be Nullable: NULL, not the default, is the answer for no rows
    original: tuple[Typed, ...] = field(default=())

    @property
    def context(self) -> Context:
        return self.compiler.context

    def sql(self, position: int = 0) -> str:
        return self.args[position].sql

    def type(self, position: int = 0) -> t.Type:
        return self.args[position].type

    def apply(
        self,
        function: str,
        *arguments: str,
        where: Sequence[str] = (),
        order_by: Sequence[str] | None = None,
        distinct: bool | None = None,
    ) -> str:
        """`function(arguments)` of DuckDB with everything that belongs around it."""
        inside = ", ".join(arguments)
        if self.distinct if distinct is None else distinct:
            inside = f"DISTINCT {inside}"
        order = self.order_by if order_by is None else tuple(order_by)
        if order:
            inside += f" ORDER BY {', '.join(order)}"
        text = f"{function}({inside})"
        conditions = [*self.where, *where]
        if conditions:
            text += f" FILTER (WHERE {' AND '.join(conditions)})"
        return text if self.window is None else f"{text} OVER ({self.window})"

    def may_be_empty(self) -> bool:
        """Whether a group without rows can reach this aggregate."""
        return bool(self.where) or self.window is not None or not self.compiler.scope.grouped

    def or_default(self, sql: str, type_: t.Type) -> str:
        """The value, or the type's default where no row was aggregated; left alone where that cannot happen."""
        if self.nullable or t.is_nullable(type_) or not self.may_be_empty():
            return sql
        return f"coalesce({sql}, {default_sql(type_)})"

    def typed(self, sql: str, type_: t.Type, **changes: Any) -> Typed:
        flags = {"aggregate": self.window is None, "window": self.window is not None}
        return Typed(sql, type_, **{**flags, **changes})

    def parameter(self, position: int, default: Any = None) -> Any:
        if position >= len(self.parameters):
            return default
        if not self.parameters[position].known:
            raise failures.bad_arguments(f"Parameters of aggregate function {self.name} must be literals", self.node)
        return self.parameters[position].value

    def wrong_type(self) -> NoReturn:
        raise failures.wrong_type(self.name, [arg.type for arg in self.original or self.args], self.node)

    def unsupported(self, what: str) -> NoReturn:
        raise failures.unsupported(f"Aggregate function {self.name} with {what}", self.node)


AggregateBuilder = Callable[[AggregateCall], Typed]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A row of the catalogue.

    `nulls`: "skip" (ClickHouse's Null adapter: rows with a NULL argument do not count, the result is Nullable when an
    argument is, unless `never_null`) or "keep" (the builder sees Nullable and does all itself).
    `native_skip`: DuckDB's own aggregate leaves out NULLs, so no FILTER is needed.
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
    note: str = ""


AGGREGATES: dict[str, Aggregate] = {}
_INSENSITIVE: dict[str, str] = {}


def aggregate(
    *names: str,
    args: int | tuple[int, int | None] = 1,
    nulls: str = "skip",
    never_null: bool = False,
    native_skip: bool = True,
    insensitive: bool | Sequence[str] = False,
    window_only: bool = False,
    note: str = "",
) -> Callable[[AggregateBuilder], AggregateBuilder]:
    """Register a builder under one or more names."""
    least, most = args if isinstance(args, tuple) else (args, args)

    def register(build: AggregateBuilder) -> AggregateBuilder:
        for name in names:
            free = insensitive if isinstance(insensitive, bool) else name in insensitive
            if name in AGGREGATES:
                raise AssertionError(f"aggregate function {name} is registered twice")
            AGGREGATES[name] = Aggregate(
                name, build, least, most, nulls, never_null, native_skip, free, window_only, note
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
    count = len(call.args)
    if count < row.minimum or (row.maximum is not None and count > row.maximum):
        wanted = str(row.minimum) if row.minimum == row.maximum else f"at least {row.minimum}"
        raise failures.wrong_count(call.name, count, wanted, call.node)
    call.original = call.args
    call.args = tuple(replace(arg, type=t.without_low_cardinality(arg.type)) for arg in call.args)
    if row.nulls == "keep":
        return row.build(call)
    if not any(t.is_nullable(arg.type) for arg in call.args):
        return row.build(call)
    call.nullable = not row.never_null
    if not (row.native_skip and count == 1):
        missing = tuple(f"{arg.sql} IS NOT NULL" for arg in call.args if t.is_nullable(arg.type))
        call.where += missing
    call.args = tuple(replace(arg, type=t.not_nullable(arg.type)) for arg in call.args)
    result = row.build(call)
    return result if row.never_null else _nullable_result(result)


def _nullable_result(result: Typed) -> Typed:
    return replace(result, type=t.nullable(result.type))
