"""What is shared by all parts of one compilation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tbpy.clickhouse import ast
from tbpy.clickhouse.compiler.catalog import View
from tbpy.clickhouse.compiler.typed import Typed


@dataclass(frozen=True, slots=True)
class Output:
    """A column of a compiled query: its ClickHouse name, and SQL, type and constness of its value.

    `expression` is the name of what REPLACE put in the column's place.
    """

    name: str
    value: Typed
    expression: str | None = None


@dataclass(frozen=True, slots=True)
class Hoisted:
    """A subquery that stands in the WITH of the DuckDB statement, so that several readers share it."""

    name: str
    sql: str
    outputs: tuple[Output, ...]
    totals: str | None = None
    ordered: bool = False


@dataclass(slots=True)
class Context:
    """The state of one compilation: names given out, subqueries hoisted, and what the statement will need to run.

    `few_rows`: a plan that begins soon is better than one that many rows go through fast.
    """

    parameters: Mapping[str, str] = field(default_factory=dict)
    settings: dict[str, ast.LiteralValue] = field(default_factory=dict)
    hoisted: list[Hoisted] = field(default_factory=list)
    views: dict[tuple[int, str], Hoisted] = field(default_factory=dict)
    compiling: list[View] = field(default_factory=list)
    functions: set[str] = field(default_factory=set)
    tables: set[str] = field(default_factory=set)
    recursive: bool = False
    few_rows: bool = False
    counter: int = 0
    bound: int = 0
    subqueries: int = 0
    numbers: dict[int, int] = field(default_factory=dict)

    def alias(self, prefix: str) -> str:
        """A name of a source that nothing else in the statement has."""
        self.counter += 1
        return f"{prefix}{self.counter}"

    def count_subquery(self, node: ast.Node) -> None:
        """Give a subquery its number in the whole statement, which is its name as a column."""
        self.subqueries += 1
        self.numbers.setdefault(id(node), self.subqueries)

    def subquery_name(self, node: ast.Node) -> str:
        return f"_subquery_{self.numbers.get(id(node), 1)}"

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """Subqueries met meanwhile take no numbers: ClickHouse comes to them after the columns."""
        before = self.subqueries
        try:
            yield
        finally:
            self.subqueries = before

    def fresh(self, prefix: str) -> str:
        """A name for a lambda parameter, which differs from those of the lambdas around it."""
        self.bound += 1
        return f"{prefix}{self.bound}"

    @contextmanager
    def expression(self) -> Iterator[None]:
        """Names given out meanwhile are free again after: so the same expression is always the same SQL."""
        before = self.bound
        try:
            yield
        finally:
            self.bound = before

    def now(self) -> str:
        """DuckDB SQL of the moment the query runs at, a TIMESTAMP in UTC that the engine binds."""
        return "CAST($now AS TIMESTAMP)"

    def udf(self, name: str) -> str:
        """The DuckDB name of a Python function of `tbpy.clickhouse.udf`, noted so that the engine registers it."""
        self.functions.add(name)
        return name

    def enabled(self, setting: str, default: bool = False) -> bool:
        value = self.settings.get(setting)
        return default if value is None else str(value).lower() in ("1", "true")
