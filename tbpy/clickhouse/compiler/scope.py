"""Names of a SELECT: its sources, its aliases, lambda arguments, and the scopes around it.

An identifier is looked up as ClickHouse does (`prefer_column_name_to_alias = 0`): lambda argument, then an alias of the
SELECT unless we are inside that alias' own expression, then a column of the sources, then the scope outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from tbpy.clickhouse import ast
from tbpy.clickhouse.compiler.catalog import Catalog
from tbpy.clickhouse.compiler.context import Context
from tbpy.clickhouse.compiler.places import unnested
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.types import UINT8, Type


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a source.

    `shared` marks a USING key, one column of two tables, by its place in USING from 1; `in_place` the element that an
    ARRAY JOIN without alias puts in the place of its array. `same_as` is the SQL of the column of the same name that an
    INNER JOIN says it equals.
    """

    name: str
    value: Typed
    shared: int = 0
    in_place: bool = False
    same_as: str | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """One source of FROM. `names` are the qualifiers it answers to: its alias, or table and database.table.

    `hidden` columns are no part of `*`: USING keys as this source itself has them, elements of an aliased ARRAY JOIN.
    Those `elements` are a source of their own, whose names hide those of others. `origin` is the same for sources that
    read the same: the name of the table, or the query.
    """

    names: tuple[str, ...]
    columns: tuple[Column, ...]
    hidden: tuple[Column, ...] = ()
    order: tuple[str, ...] = ()  # the names of its own columns in their order, where some are hidden
    elements: bool = False
    origin: object = None

    def column(self, name: str, *, own: bool = False) -> Column | None:
        """The column that a name means; `own`, after a qualifier, is what this source has, not what USING merged."""
        first, then = (self.hidden, self.columns) if own else (self.columns, self.hidden)
        return next((column for column in (*first, *then) if column.name == name), None)

    def own_columns(self) -> tuple[Column, ...]:
        """What `source.*` means."""
        merged = {column.name for column in self.columns}
        mine = {column.name: column for column in reversed(self.hidden)}
        rest = (column for column in self.hidden if column.name not in merged)
        found = (*(mine.get(column.name, column) for column in self.columns), *rest)
        return tuple(sorted(found, key=lambda column: self.order.index(column.name))) if self.order else found

    @property
    def title(self) -> str:
        return self.names[0] if self.names else ""


#: What a SELECT without FROM reads: the one row of `system.one`.
NO_SOURCE = Relation(("one", "system.one"), (Column("dummy", Typed("CAST(0 AS UTINYINT)", UINT8)),))


@dataclass(frozen=True, slots=True)
class CommonTableEntry:
    """A WITH query, and the scope whose names its own text sees."""

    definition: ast.CommonTable
    scope: Scope
    recursive: bool = False


@dataclass(slots=True)
class Scope:
    catalog: Catalog
    parent: Scope | None = None
    relations: tuple[Relation, ...] = ()
    aliases: dict[str, ast.Expression] = field(default_factory=dict)
    with_aliases: dict[str, ast.Expression] = field(default_factory=dict)
    common_tables: dict[str, CommonTableEntry] = field(default_factory=dict)
    windows: dict[str, ast.Window] = field(default_factory=dict)
    expanding: list[str] = field(default_factory=list)
    expanded: dict[str, Typed] = field(default_factory=dict)
    lambdas: list[dict[str, Typed]] = field(default_factory=list)
    laterals: dict[str, Typed] = field(default_factory=dict)  # arrays joined by arrayJoin(), by their SQL
    joined_values: dict[str, Typed] = field(default_factory=dict)  # subqueries that lambdas need, by their SQL
    unnested: set[str] = field(default_factory=set)  # arrays of aggregates joined by arrayJoin()
    elements: set[str] = field(default_factory=set)  # names that ARRAY JOIN gave to elements, also those of aliases
    grouped: bool = False
    grouping_sets: bool = False
    all_missing: bool = False  # in the row of totals of several sets of keys
    key_sql: frozenset[str] = frozenset()  # the SQL of the keys of GROUP BY
    key_readings: Mapping[str, Typed] = field(default_factory=dict)  # what stands for a key outside of aggregates
    joins: int = 0
    row: str | None = None  # SQL that numbers the rows of the only source as they were inserted, where it is a table
    placed: bool = False  # whether elements that arrayJoin() gives have their places beside them
    select: ast.Select | None = None
    row_alias: str | None = None  # the alias of the only source, to which columns can be added
    chances: dict[str, tuple[str, str]] = field(default_factory=dict)  # random values: their columns and SQL, by call
    orders: set[str] = field(default_factory=set)  # how aggregates of this SELECT go by the order of rows

    def lambda_argument(self, name: str) -> Typed | None:
        for frame in reversed(self.lambdas):
            if name in frame:
                return frame[name]
        return None

    def lateral(self, array: str, item: Type, context: Context) -> Typed:
        """The element of an array that multiplies the rows of this SELECT; the same array is joined once."""
        found = self.laterals.get(array)
        if found is None:
            found = self.laterals[array] = Typed(f"{context.alias('j')}.c0", item)
        return found

    def beside(self, value: Typed, context: Context) -> Typed:
        """A subquery joined to the rows of this SELECT: for lambdas, in which DuckDB takes none."""
        found = self.joined_values.get(value.sql)
        if found is None:
            sql = f"{context.alias('j')}.c0"
            found = self.joined_values[value.sql] = replace(value, sql=sql, condition=None, constant=False)
        return found

    def lateral_sql(self) -> list[str]:
        """The joins to add to FROM, in the order in which their arrays were met."""
        return [
            f"LATERAL (SELECT {unnested((array,), placed=self.placed)}) AS {element.sql.removesuffix('.c0')}"
            for array, element in self.laterals.items()
        ] + [f"(SELECT {sql} AS c0) AS {value.sql.removesuffix('.c0')}" for sql, value in self.joined_values.items()]

    def alias(self, name: str) -> ast.Expression | None:
        """The expression that `name` stands for here, unless it is being expanded right now."""
        if name in self.expanding or name in self.elements:
            return None
        return self.aliases.get(name) or self.with_aliases.get(name)

    def read_keys_as(self, readings: Mapping[str, Typed]) -> None:
        """From here on the keys with this SQL read as another expression; aliases compile anew."""
        self.key_readings = readings
        self.expanded.clear()

    @contextmanager
    def keys_read_as(self, readings: Mapping[str, Typed]) -> Iterator[None]:
        before, expanded = self.key_readings, dict(self.expanded)
        self.read_keys_as(readings)
        try:
            yield
        finally:
            self.key_readings, self.expanded = before, expanded

    @contextmanager
    def raw_keys(self) -> Iterator[None]:
        """Inside an aggregate a key is the column of the rows."""
        if not self.key_readings:
            yield
            return
        with self.keys_read_as({}):
            yield

    def common_table(self, name: str) -> CommonTableEntry | None:
        scope: Scope | None = self
        while scope is not None:
            entry = scope.common_tables.get(name)
            if entry is not None:
                return entry
            scope = scope.parent
        return None

    def columns_named(self, name: str, qualifier: str | None) -> list[tuple[Relation, Column]]:
        """The columns that an identifier may mean, in order of FROM; a USING key counts once."""
        found = []
        for relation in self._qualified(qualifier):
            column = relation.column(name, own=qualifier is not None)
            if column is not None:
                found.append((relation, column))
        return found

    def _qualified(self, qualifier: str | None) -> Iterable[Relation]:
        """The sources that a qualifier means: by alias before by name, as `t AS a JOIN a AS t` needs."""
        if qualifier is None:
            return self.relations
        titled = [relation for relation in self.relations if relation.title == qualifier]
        return titled or (relation for relation in self.relations if qualifier in relation.names)

    def column_names(self) -> Iterator[str]:
        for relation in self.relations:
            for column in relation.columns:
                yield column.name
        yield from self.aliases
