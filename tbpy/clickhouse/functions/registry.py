"""The catalogue of functions: one row per ClickHouse name, and what a row's builder is given.

A row is a Python function that gets a `Call` and gives a `Typed`. Around it the catalogue does what ClickHouse does
around its functions: it counts the arguments, lets NULL through (`nulls="propagate"`: the builder sees the types inside
Nullable and its result becomes Nullable), and keeps LowCardinality where ClickHouse keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.binary import bytes_of, is_binary
from tbpy.clickhouse.compiler.context import Context
from tbpy.clickhouse.compiler.conversion import coerce, common_type
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.typed import UNKNOWN, Typed, boolean
from tbpy.clickhouse.storage import duckdb_type

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.expressions import ExpressionCompiler


class LambdaArgument(Protocol):
    """A lambda given to a higher-order function: `apply` compiles its body with the parameters bound."""

    node: ast.Lambda

    def apply(self, *arguments: Typed) -> Typed: ...


@dataclass(slots=True)
class Call:
    """One call as a builder sees it. With `nulls="propagate"` the types in `args` are without Nullable."""

    name: str
    node: ast.Function
    args: tuple[Typed, ...]
    compiler: ExpressionCompiler
    original: tuple[Typed, ...] = ()  # the arguments with Nullable and LowCardinality as they came
    lambdas: tuple[LambdaArgument | None, ...] = ()  # in the places of lambda arguments; their `args` are placeholders

    @property
    def context(self) -> Context:
        return self.compiler.context

    @property
    def types(self) -> tuple[t.Type, ...]:
        return tuple(arg.type for arg in self.args)

    def sql(self, position: int) -> str:
        return self.args[position].sql

    def typed(self, sql: str, type_: t.Type, **changes: Any) -> Typed:
        """A result of this call: constant, aggregate and window follow from the arguments."""
        return Typed(sql, type_, **{**self._flags(), **changes})

    def condition(self, sql: str) -> Typed:
        """A UInt8 result from a DuckDB BOOLEAN."""
        return boolean(sql, **self._flags())

    def known(self, value: Any, type_: t.Type) -> Typed:
        """A result that is known now; NULL-ness has been dealt with."""
        return constant(value, type_)

    def _flags(self) -> dict[str, Any]:
        return {
            "constant": all(arg.constant for arg in self.args),
            "aggregate": any(arg.aggregate for arg in self.args),
            "window": any(arg.window for arg in self.args),
        }

    def is_known(self, position: int) -> bool:
        return position < len(self.args) and self.args[position].known

    def constant_value(self, position: int, what: str = "argument") -> Any:
        """The value of an argument that must be constant; refuses by name where it is not."""
        if not self.is_known(position):
            raise failures.unsupported(f"Function {self.name} with a {what} that is not a constant", self.node)
        return self.args[position].value

    def wrong_type(self) -> NoReturn:
        raise failures.wrong_type(self.name, [arg.type for arg in self.original or self.args], self.node)

    def wrong_count(self, wanted: str) -> NoReturn:
        raise failures.wrong_count(self.name, len(self.args), wanted, self.node)

    def unsupported(self, what: str) -> NoReturn:
        raise failures.unsupported(f"Function {self.name} with {what}", self.node)

    def common(self, *positions: int) -> tuple[t.Type, list[Typed]]:
        """The least supertype of some arguments, and the arguments as that type."""
        chosen = [self.args[position] for position in positions]
        type_ = common_type([arg.type for arg in chosen], self.node)
        return type_, [coerce(arg, type_) for arg in chosen]


Builder = Callable[[Call], Typed]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A row of the catalogue.

    `nulls`: "propagate" (ClickHouse's default) or "keep" (the builder sees Nullable types and does all itself).
    `strict`: the SQL of the builder is NULL when an argument is NULL; where it is not, the catalogue adds a CASE.
    `low_cardinality`: keep LowCardinality as ClickHouse does by default. `keeps_parts`: the function puts arrays, maps
    and tuples together or takes them apart without looking at the values, so LowCardinality stays inside them. `note`
    goes to the generated documentation.
    """

    name: str
    build: Builder
    minimum: int
    maximum: int | None
    nulls: str = "propagate"
    strict: bool = True
    low_cardinality: bool = True
    insensitive: bool = False
    lambdas: bool = False
    keeps_parts: bool = False
    note: str = ""


SCALARS: dict[str, Scalar] = {}
_INSENSITIVE: dict[str, str] = {}


def scalar(
    *names: str,
    args: int | tuple[int, int | None] = 1,
    nulls: str = "propagate",
    strict: bool = True,
    low_cardinality: bool = True,
    insensitive: bool | Sequence[str] = False,
    lambdas: bool = False,
    keeps_parts: bool = False,
    note: str = "",
) -> Callable[[Builder], Builder]:
    """Register a builder under one or more names. `args` is a count or (least, most); most None is without end.

    `insensitive`: True, or the names that ClickHouse reads in any case.
    """
    least, most = args if isinstance(args, tuple) else (args, args)

    def register(build: Builder) -> Builder:
        for name in names:
            free = insensitive if isinstance(insensitive, bool) else name in insensitive
            if name in SCALARS:
                raise AssertionError(f"function {name} is registered twice")
            SCALARS[name] = Scalar(
                name, build, least, most, nulls, strict, low_cardinality, free, lambdas, keeps_parts, note
            )
            if free:
                _INSENSITIVE[name.lower()] = name
        return build

    return register


def find_scalar(name: str) -> Scalar | None:
    exact = SCALARS.get(name)
    if exact is not None:
        return exact
    canonical = _INSENSITIVE.get(name.lower())
    return SCALARS[canonical] if canonical is not None else None


def build_scalar(row: Scalar, call: Call) -> Typed:
    """Run a row's builder within what ClickHouse does around every function."""
    count = len(call.args)
    if count < row.minimum or (row.maximum is not None and count > row.maximum):
        raise failures.wrong_count(row.name, count, _wanted(row), call.node)
    call.original = call.args
    bare = t.without_low_cardinality if row.keeps_parts else t.full
    call.args = tuple(replace(arg, type=bare(arg.type)) for arg in call.args)
    varying = next((place for place, arg in enumerate(call.args) if isinstance(arg.type, t.Variant)), None)
    if varying is not None and not _takes_variants(row):
        from tbpy.clickhouse.functions.variants import of_each_type

        return of_each_type(call, varying, lambda one: build_scalar(row, one))
    if any(isinstance(arg.type, t.Dynamic) for arg in call.args):
        _take_dynamic(row, call)
    result = row.build(call) if row.nulls == "keep" else _propagate_nulls(row, call)
    return _keep_low_cardinality(call, result) if row.low_cardinality else result


def _takes_variants(row: Scalar) -> bool:
    """Whether a function takes a Variant itself: conversions do, and what gives its argument back."""
    if row.nulls == "keep":
        return row.name not in ("arrayElement", "tupleElement")
    return row.name in ("materialize", "identity") or row.build.__module__.endswith("functions.conversion")


def _take_dynamic(row: Scalar, call: Call) -> None:
    """Values of JSON paths as the function takes them; one that is not known to do so is refused."""
    from tbpy.clickhouse.functions.dynamic import argument

    call.args = tuple(
        argument(call, arg, row.nulls == "keep") if isinstance(arg.type, t.Dynamic) else arg for arg in call.args
    )


def _wanted(row: Scalar) -> str:
    if row.maximum is None:
        return f"at least {row.minimum}"
    return str(row.minimum) if row.minimum == row.maximum else f"from {row.minimum} to {row.maximum}"


#: DuckDB SQL that may have a value although an operand is NULL.
_SWALLOWING = re.compile(r"\b(?:greatest|least|coalesce|concat|concat_ws)\(|\bELSE\b")


def _swallows_null(sql: str, optional: Sequence[Typed]) -> bool:
    """Whether the SQL may not be NULL where one of these arguments is; a tuple that is put together never is."""
    return (
        sql.startswith("{") or _SWALLOWING.search(sql) is not None or any(_operand(arg) not in sql for arg in optional)
    )


def _operand(arg: Typed) -> str:
    """The argument as builders write it: bytes where they need no text."""
    return bytes_of(arg) if is_binary(arg) else arg.sql


def _propagate_nulls(row: Scalar, call: Call) -> Typed:
    if any(isinstance(t.plain(arg.type), t.Nothing) and t.is_nullable(arg.type) for arg in call.args):
        return call.typed("NULL", t.Nullable(t.NOTHING), value=None)
    if any(isinstance(arg.type, t.Nothing) for arg in call.args) and not any(call.lambdas):
        return call.typed("NULL", t.NOTHING)  # an element of an empty array: there is no value to compute with
    optional = [arg for arg in call.args if isinstance(arg.type, t.Nullable)]
    if not optional:
        return row.build(call)
    missing = any(arg.value is None for arg in call.args)  # a known NULL: only the type of the result is to be found
    call.args = tuple(
        replace(arg, type=t.not_nullable(arg.type), value=UNKNOWN if arg.value is None else arg.value)
        for arg in call.args
    )
    result = row.build(call)
    if isinstance(result.type, t.Array) and all(t.not_nullable(arg.type) == t.STRING for arg in optional):
        return _of_empty_texts(row, call, optional)
    wrapped = t.nullable(result.type)
    if missing and t.is_nullable(wrapped):
        return call.typed(f"CAST(NULL AS {duckdb_type(wrapped)})", wrapped, value=None)
    if result.known or (row.strict and not _swallows_null(result.sql, optional)):
        return replace(result, type=wrapped)
    absent = " OR ".join(f"{_operand(arg)} IS NULL" for arg in optional)
    empty = f"CAST(NULL AS {duckdb_type(wrapped)})" if result.constant else "NULL"
    sql = f"CASE WHEN {absent} THEN {empty} ELSE {result.sql} END"
    return replace(result, sql=f"({sql})", type=wrapped, condition=None)


def _of_empty_texts(row: Scalar, call: Call, optional: Sequence[Typed]) -> Typed:
    """An array cannot be NULL: of a NULL text it is what the function makes of an empty one."""
    sources = {arg.sql for arg in optional}
    call.args = tuple(
        replace(arg, sql=f"coalesce({arg.sql}, '')") if arg.sql in sources and arg.type == t.STRING else arg
        for arg in call.args
    )
    return row.build(call)


def _keep_low_cardinality(call: Call, result: Typed) -> Typed:
    full = [isinstance(arg.type, t.LowCardinality) for arg in call.original if not arg.constant]
    some = any(isinstance(arg.type, t.LowCardinality) for arg in call.original)
    if not some or len(full) > 1 or not all(full) or isinstance(result.type, t.LowCardinality):
        return result
    inner = t.not_nullable(result.type)
    numbers, times = t.Int | t.Float | t.Bool | t.Interval, t.Date | t.Date32 | t.DateTime | t.Time
    allowed = numbers | times | t.String | t.FixedString | t.UUID | t.IPv4 | t.IPv6
    return replace(result, type=t.LowCardinality(result.type)) if isinstance(inner, allowed) else result
