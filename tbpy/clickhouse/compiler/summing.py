"""What a merge of SummingMergeTree adds up, and which rows go because their sums are all zero.

Nested columns whose table's name ends in `Map` are sums by key: the first of them is the key, the others are values.
ENGINE_COLUMNS chooses among all columns but those. Source: ClickHouse's documentation of SummingMergeTree, and what
its merges were seen to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.catalog import Table
from tbpy.clickhouse.compiler.scope import Column
from tbpy.clickhouse.parser import parse_expression
from tbpy.clickhouse.storage import duckdb_type

_NUMBERS = t.Int | t.Float | t.Decimal
_STATES = t.AggregateFunction | t.SimpleAggregateFunction
# A later column of a map with such a name is a part of its key.
_KEY_NAMES = ("ID", "Key", "Type")


def _stored(column: Column) -> str:
    return duckdb_type(column.value.type)


@dataclass(frozen=True, slots=True)
class Summing:
    """The columns of a table of SummingMergeTree, by what becomes of them."""

    table: Table
    columns: tuple[Column, ...]

    def value(self, column: Column) -> ast.Expression | None:
        """The merged value of a column that adds up; None for one that does not."""
        found = self._map_of(column)
        if found:
            names = tuple(ast.Identifier((other.name,)) for other in found)
            sums = ast.Function("sumMapWithOverflow", names)
            return ast.Function("tupleElement", (sums, parse_expression(str(1 + found.index(column)))))
        if not self._adds_up(column):
            return None
        number: ast.Expression = ast.Identifier((column.name,))
        if isinstance(t.plain(column.value.type), t.Bool):  # a UInt8 that is shown in another way
            number = ast.Function("toUInt8", (number,))
        return ast.Function("sumWithOverflow", (number,))

    def merges_state(self, column: Column) -> bool:
        """Whether a column is a state and not left out by ENGINE_COLUMNS."""
        return isinstance(column.value.type, _STATES) and self._chosen(column)

    def zero(self) -> str | None:
        """A condition, over the columns as `c0`, `c1`, ..., of rows that go; None when none does.

        Of a Nullable sum the zero is NULL: 0 counts as something. States and maps count as something, whatever is in
        them.
        """
        if any(self.merges_state(column) or self._map_of(column) for column in self.columns):
            return None
        zeros = [
            f"c{place} IS NULL" if t.is_nullable(column.value.type) else f"c{place} = CAST(0 AS {_stored(column)})"
            for place, column in enumerate(self.columns)
            if self._adds_up(column)
        ]
        return " AND ".join(zeros) or None

    def _adds_up(self, column: Column) -> bool:
        return (
            isinstance(t.plain(column.value.type), _NUMBERS | t.Bool)
            and not self._is_key(column)
            and self._chosen(column)
        )

    def _is_key(self, column: Column) -> bool:
        engine = self.table.engine
        return any(column.name == key.strip("`") for key in (*engine.sorting_key, *engine.partition_key))

    def _chosen(self, column: Column) -> bool:
        return not self.table.engine.summed or column.name in self.table.engine.summed

    def _map_of(self, column: Column) -> Sequence[Column]:
        """The columns of the map that a column is of; none when it is of no map."""
        table, dot, _ = column.name.rpartition(".")
        if not dot or not table.endswith("Map") or not isinstance(t.plain(column.value.type), t.Array):
            return ()
        found = [other for other in self.columns if other.name.startswith(f"{table}.")]
        items = [t.plain(other.value.type) for other in found]
        inner = [item.item for item in items if isinstance(item, t.Array)]
        if len(found) < 2 or len(inner) < len(found) or any(map(self._is_key, found)):
            return ()
        if any(other.name.endswith(_KEY_NAMES) for other in found[1:]):
            raise failures.unsupported(f"The map {table} of {self.table.name} with more than one key", None)
        first, *values = map(t.plain, inner)
        fits = not isinstance(first, t.Float | t.Decimal | t.Array | t.Map | t.Tuple)
        return found if fits and all(isinstance(value, _NUMBERS) for value in values) else ()
