"""What a workspace knows of a data source without its file: enough to read rows into it and to keep it sorted.

It is kept as JSON in the catalogue, so that an append needs neither the project nor the compiler.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tbpy.clickhouse import types as t
from tbpy.clickhouse.documents import reading_functions
from tbpy.clickhouse.memory import row_width
from tbpy.clickhouse.quoting import duckdb_name
from tbpy.clickhouse.storage import default_sql, duckdb_type

QUARANTINE_SCHEMA = "quarantine"
# Types that most columns have: known without the parser, whose import takes as long as a small append.
_PLAIN_TYPES: dict[str, t.Type] = {
    str(type_): type_
    for type_ in (
        *(t.Int(bits, signed) for bits in (8, 16, 32, 64) for signed in (True, False)),
        *(t.Float(32), t.Float(64), t.String(), t.Bool(), t.UUID(), t.Date(), t.DateTime(), t.DateTime64(3)),
    )
}


@dataclass(frozen=True, slots=True)
class StoredExpression:
    """DuckDB SQL of an expression of the data source's file.

    Columns stand in it as `v<position>`, the current time as `$now`. `functions` are the Python functions it calls.
    """

    sql: str
    functions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredColumn:
    """`type` is the ClickHouse type as text, `physical` the name of the column in DuckDB, `path` its JSON path."""

    name: str
    type: str
    physical: str
    path: str
    default: StoredExpression | None = None

    @property
    def parsed_type(self) -> t.Type:
        return _PLAIN_TYPES.get(self.type) or t.parse_type(self.type)

    @property
    def may_be_null(self) -> bool:
        """Whether the table lets NULL in. The state of an aggregate over no rows is NULL, whatever its type says."""
        type_ = self.parsed_type
        return t.is_nullable(type_) or isinstance(type_, t.AggregateFunction | t.Dynamic | t.Variant | t.Nothing)

    @property
    def ddl(self) -> str:
        null = "" if self.may_be_null else " NOT NULL"
        return f"{duckdb_name(self.physical)} {duckdb_type(self.parsed_type)}{null}"

    @property
    def fallback(self) -> str:
        """DuckDB SQL of the value of a row that was there before the column was."""
        return default_sql(self.parsed_type) if self.default is None else self.default.sql


@dataclass(frozen=True, slots=True)
class StoredDatasource:
    """`sorting` are the expressions of the sorting key that rows are ordered by.

    `merge` is the query of the rows that a merge of its engine leaves, with `$table` as the table, None when that is
    all rows. `expiry` is the condition of the rows that ENGINE_TTL removes.
    """

    name: str
    physical: str
    columns: tuple[StoredColumn, ...]
    sorting: tuple[StoredExpression, ...] = ()
    engine: str = "MergeTree"
    merge: StoredExpression | None = None
    expiry: StoredExpression | None = None

    @property
    def table(self) -> str:
        return duckdb_name(self.physical)

    @property
    def row_width(self) -> int:
        """The estimated bytes of a row."""
        return row_width(column.parsed_type for column in self.columns)

    @property
    def quarantine(self) -> str:
        return f"{QUARANTINE_SCHEMA}.{duckdb_name(self.physical)}"

    @property
    def table_ddl(self) -> str:
        return self.table_ddl_as(self.table)

    def table_ddl_as(self, table: str) -> str:
        """DDL of a table with these columns by another name."""
        return f"CREATE TABLE {table} ({', '.join(column.ddl for column in self.columns)})"

    @property
    def functions(self) -> tuple[str, ...]:
        """The Python functions that its DEFAULTs, its sorting key and the reading of JSON call."""
        expressions = [*(column.default for column in self.columns), *self.sorting]
        reading = reading_functions(column.parsed_type for column in self.columns if "JSON" in column.type)
        return tuple(
            dict.fromkeys([*reading, *(name for one in expressions if one is not None for name in one.functions)])
        )

    def column(self, name: str) -> StoredColumn | None:
        return next((column for column in self.columns if column.name == name), None)

    def has_table_of(self, other: StoredDatasource) -> bool:
        """Whether rows stay as they are: at most DEFAULTs, JSON paths and the sorting key are others."""
        return self.physical == other.physical and [(c.name, c.type, c.physical) for c in self.columns] == [
            (c.name, c.type, c.physical) for c in other.columns
        ]

    def positional(self) -> str:
        """The select list that names the columns `v<position>`, as stored expressions want them."""
        return ", ".join(f"{duckdb_name(column.physical)} AS v{i}" for i, column in enumerate(self.columns))

    @property
    def merge_functions(self) -> tuple[str, ...]:
        """The Python functions that a merge calls."""
        return self.merge.functions if self.merge else ()

    @property
    def stores_rows(self) -> bool:
        """Whether rows stay: ENGINE Null only hands them on."""
        return self.engine != "Null"

    def sorted(self, table: str, *, merged: bool) -> str:
        """SQL of the rows of a table that has these columns, in the order to store them.

        Rows with the same key stay in the order in which they came.
        """
        values = ", ".join(f"v{i}" for i in range(len(self.columns)))
        keys = [expression.sql for expression in self.sorting]
        if merged and self.merge is not None:
            relation = f"({self.merge.sql.replace('$table', table)}) AS merged({values})"
        else:
            relation = f"(SELECT {self.positional()}, rowid AS came FROM {table})"
            keys = [*keys, "came"] if keys else []
        order = f" ORDER BY {', '.join(keys)}" if keys else ""
        return f"SELECT {values} FROM {relation}{order}"


def to_json(datasource: StoredDatasource) -> str:
    return json.dumps(asdict(datasource))


def from_json(text: str) -> StoredDatasource:
    return from_data(json.loads(text))


def from_data(data: Mapping[str, Any]) -> StoredDatasource:
    """From the fields of one, as `asdict` gives them."""
    columns = tuple(
        StoredColumn(item["name"], item["type"], item["physical"], item["path"], _expression(item["default"]))
        for item in data["columns"]
    )
    sorting = tuple(StoredExpression(item["sql"], tuple(item["functions"])) for item in data["sorting"])
    return StoredDatasource(
        data["name"],
        data["physical"],
        columns,
        sorting,
        data.get("engine", "MergeTree"),
        _expression(data.get("merge")),
        _expression(data.get("expiry")),
    )


def _expression(data: Mapping[str, Any] | None) -> StoredExpression | None:
    return None if data is None else StoredExpression(data["sql"], tuple(data["functions"]))


def physical_names(names: Sequence[str], reserved: Sequence[str] = ()) -> dict[str, str]:
    """A DuckDB name for each: its own, with a number where names differ in case only, which DuckDB does not see."""
    taken = {name.lower() for name in reserved}
    found: dict[str, str] = {}
    for name in names:
        physical, number = name, 2
        while physical.lower() in taken:
            physical, number = f"{name}__{number}", number + 1
        taken.add(physical.lower())
        found[name] = physical
    return found
