"""One aggregate as a builder sees it: over the rows of a group, or over the elements of a list.

A builder writes DuckDB aggregates through `apply` and `collect` only. Over rows these are aggregates with DISTINCT,
FILTER and OVER where they belong; over the elements of a list they are list functions. So every row of the catalogue
works plainly, in windows, below -Array, -ForEach and -Map, in arrayReduce, and on the states that keep their rows.
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


@dataclass(frozen=True, slots=True)
class Elements:
    """A DuckDB list whose elements stand for rows; arguments and conditions name an element as `name`.

    `kind` "ordered": they are values in ascending order, without NaN; "digest": `sql` is a t-digest of them instead.
    """

    sql: str
    name: str
    kind: str = ""


@dataclass(slots=True)
class AggregateCall:
    """`args` have types without LowCardinality, and without Nullable unless the row says `nulls="keep"`.

    `where` are DuckDB BOOLEANs that a row must satisfy to count; `window` is the text inside OVER (...), None for a
    plain aggregate; `elements` is the list that is aggregated instead of rows.
    """

    name: str
    node: ast.Function
    args: tuple[Typed, ...]
    compiler: ExpressionCompiler
    parameters: tuple[Typed, ...] = ()
    where: tuple[str, ...] = ()
    distinct: bool = False
    window: str | None = None
    nullable: bool = False  # the result will be Nullable: NULL, not the default, is the answer for no rows
    original: tuple[Typed, ...] = field(default=())
    elements: Elements | None = None

    @property
    def context(self) -> Context:
        return self.compiler.context

    def sql(self, position: int = 0) -> str:
        return self.args[position].sql

    def type(self, position: int = 0) -> t.Type:
        return self.args[position].type

    def kept_type(self, position: int = 0) -> t.Type:
        """The type of an aggregate that gives one of its values: SimpleAggregateFunction stays, but not around NULL."""
        given = self.original[position].type
        simple = isinstance(given, t.SimpleAggregateFunction) and not t.is_nullable(given)
        return given if simple else self.type(position)

    # --- DuckDB aggregates ---

    def apply(self, function: str, *arguments: str, where: Sequence[str] = (), distinct: bool | None = None) -> str:
        """`function(arguments)` of DuckDB over what is aggregated; NULL, or 0 for count, where nothing is."""
        unique = self.distinct if distinct is None else distinct
        if self.elements is not None:
            return self._over_list(function, arguments, [*self.where, *where], unique)
        text = f"{function}({'DISTINCT ' if unique else ''}{', '.join(arguments)})"
        conditions = [*self.where, *where]
        if conditions and self.window is not None and function in ("first", "last"):
            return self._end_of_frame(function, arguments[0], " AND ".join(conditions))
        if conditions:
            text += f" FILTER (WHERE {' AND '.join(conditions)})"
        return text if self.window is None else f"{text} OVER ({self.window})"

    def _end_of_frame(self, function: str, argument: str, condition: str) -> str:
        """The first or last value of a frame among those that a condition keeps; DuckDB has no FILTER there."""
        if self.node.nulls == "respect":
            place = 1 if function == "first" else -1
            return f"(list({argument}) FILTER (WHERE {condition}) OVER ({self.window}))[{place}]"
        return f"{function}(CASE WHEN {condition} THEN {argument} END IGNORE NULLS) OVER ({self.window})"

    def _over_list(self, function: str, arguments: tuple[str, ...], conditions: list[str], unique: bool) -> str:
        assert self.elements is not None
        name, source = self.elements.name, self.elements.sql
        if conditions:
            source = f"list_filter({source}, lambda {name}: {' AND '.join(conditions)})"
        if function in ("arg_min", "arg_max"):
            return self._extreme_of_list(function, arguments, source)
        if arguments != ("*",) and arguments[0] != name:
            source = f"list_transform({source}, lambda {name}: {arguments[0]})"
        if unique:
            source = f"list_distinct({source})"
        if function == "list":
            return source
        if arguments == ("*",):
            return f"len({source})"
        extra = "".join(f", {argument}" for argument in arguments[1:])
        return f"list_aggregate({source}, '{function}'{extra})"

    def _extreme_of_list(self, function: str, arguments: tuple[str, ...], source: str) -> str:
        """arg_min and arg_max: of equal keys the first element counts, as it does over rows."""
        assert self.elements is not None
        value, key = arguments
        index = self.context.fresh("i")
        place, best = (index, "min") if function == "arg_min" else (f"-{index}", "max")
        item = f"{{'k': {key}, 'i': {place}, 'v': {value}}}"
        return f"list_{best}(list_transform({source}, lambda {self.elements.name}, {index}: {item}))['v']"

    def pick(self, function: str, argument: str, where: Sequence[str] = (), *, nulls: bool = False) -> str:
        """The first or the last value: by the numbers of rows where they have some, which threads cannot mix up.

        `function` is DuckDB's; NULL is left out, unless with `nulls`.
        """
        row = self.compiler.scope.row
        if row is None or self.elements is not None or self.window is not None:
            return self.apply(function, argument, where=where, distinct=False)
        extreme = "arg_max" if function == "last" else "arg_min"
        return self.apply(f"{extreme}_null" if nulls else extreme, argument, row, where=where, distinct=False)

    def collect(self, expression: str | None = None, where: Sequence[str] = ()) -> str:
        """The values of `expression` (by default the only argument) as a list in the order of rows, never NULL."""
        if self.distinct:
            return replace(self, distinct=False)._collect_distinct(expression, where)
        text = self.apply("list", self.sql() if expression is None else expression, where=where)
        if self.elements is not None or not (self.may_be_empty() or where):
            return text
        return f"coalesce({text}, [])"

    def _collect_distinct(self, expression: str | None, where: Sequence[str]) -> str:
        """The different values in the order that they come; DuckDB's own DISTINCT would lose that order."""
        item, place = self.context.fresh("e"), self.context.fresh("p")

        def unique(values: str) -> str:
            texts = f"list_transform({values}, lambda {item}: CAST({item} AS VARCHAR))"
            places = f"{self.context.udf('tb_first_places')}({texts})"
            return f"list_transform({places}, lambda {place}: {values}[{place}])"

        return self.let(self.collect(expression, where), unique)

    def collect_rows(self, args: Sequence[Typed] | None = None) -> Elements:
        """The arguments of every row as a list of structs "1", "2", ...; of bare values when there is one argument."""
        chosen = self.args if args is None else args
        if len(chosen) == 1:
            return Elements(self.collect(chosen[0].sql), self.context.fresh("e"))
        fields = ", ".join(f"'{position + 1}': {arg.sql}" for position, arg in enumerate(chosen))
        return Elements(self.collect(f"{{{fields}}}" if fields else "true"), self.context.fresh("e"))

    def over(self, elements: Elements, types: Sequence[t.Type]) -> AggregateCall:
        """The same call over the elements of a list as `collect_rows` makes it; the conditions have been applied."""
        return replace(self, args=element_arguments(elements.name, types), elements=elements, where=(), distinct=False)

    def let(self, sql: str, use: Callable[[str], str]) -> str:
        """`use(name)`, where `name` stands for the value of `sql` that is computed once."""
        if sql.isidentifier():
            return use(sql)
        name = self.context.fresh("v")
        return f"list_transform([{sql}], lambda {name}: {use(name)})[1]"

    # --- results ---

    def may_be_empty(self) -> bool:
        """Whether a group without rows can reach this aggregate."""
        if self.where or self.window is not None or self.elements is not None:
            return True
        return not self.compiler.scope.grouped

    def or_default(self, sql: str, type_: t.Type, default: str | None = None) -> str:
        """The value, or the default where no row was aggregated; left alone where that cannot happen."""
        if self.nullable or t.is_nullable(type_) or not self.may_be_empty():
            return sql
        return f"coalesce({sql}, {_empty_sql(type_) if default is None else default})"

    def or_nan(self, sql: str) -> str:
        """A DOUBLE; NaN, as ClickHouse has it, where DuckDB says NULL."""
        return sql if self.nullable else f"coalesce({sql}, CAST('nan' AS DOUBLE))"

    def when_rows(self, sql: str) -> str:
        """The value, NULL where no row was aggregated and the result is Nullable."""
        if not self.nullable or not self.may_be_empty():
            return sql
        return f"CASE WHEN {self.rows()} > 0 THEN {sql} END"

    def rows(self) -> str:
        """How many rows count."""
        return self.apply("count", "*", distinct=False)

    def typed(self, sql: str, type_: t.Type, **changes: Any) -> Typed:
        flags = {"aggregate": self.window is None, "window": self.window is not None}
        return Typed(sql, type_, **{**flags, **changes})

    # --- parameters and refusals ---

    def parameter(self, position: int, default: Any = None) -> Any:
        if position >= len(self.parameters):
            return default
        if not self.parameters[position].known:
            raise failures.bad_arguments(f"Parameters of aggregate function {self.name} must be literals", self.node)
        return self.parameters[position].value

    def whole_parameter(self, position: int, default: int | None = None) -> int | None:
        """A parameter that must be a positive whole number."""
        value = self.parameter(position, default)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value <= 0):
            raise failures.bad_arguments(f"Parameter of {self.name} must be a positive whole number", self.node)
        return value

    def wrong_type(self) -> NoReturn:
        raise failures.wrong_type(self.name, [arg.type for arg in self.original or self.args], self.node)

    def unsupported(self, what: str) -> NoReturn:
        raise failures.unsupported(f"Aggregate function {self.name} with {what}", self.node)


def _empty_sql(type_: t.Type) -> str:
    """What an aggregate of one value gives for no rows: the default, but day 0 for Date32 too."""
    return "DATE '1970-01-01'" if isinstance(t.plain(type_), t.Date32) else default_sql(type_)


def element_arguments(name: str, types: Sequence[t.Type]) -> tuple[Typed, ...]:
    """The arguments of a call over list elements: the element itself, or its fields "1", "2", ..."""
    if len(types) == 1:
        return (Typed(name, types[0]),)
    return tuple(Typed(f"{name}['{position + 1}']", type_) for position, type_ in enumerate(types))
