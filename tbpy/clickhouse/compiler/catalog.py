"""What a query may read: stored tables, and views (pipes and nodes) that compile in a scope of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tbpy.clickhouse.types import Type


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A stored column. `physical` is its name in DuckDB, the same as `name` unless told otherwise."""

    name: str
    type: Type
    physical: str | None = None


@dataclass(frozen=True, slots=True)
class JoinStorage:
    """What a table of ENGINE Join is made for: `strictness` is any, all, semi or anti, `kind` left, inner, right or
    full, `keys` are the names of its key columns."""

    strictness: str
    kind: str
    keys: tuple[str, ...]

    @property
    def keeps_first(self) -> bool:
        """Whether it keeps only the first row of each key."""
        return self.strictness != "all" and self.kind in ("left", "inner")


@dataclass(frozen=True, slots=True)
class TableEngine:
    """What reading and FINAL must know: the engine's name, its keys (ClickHouse SQL) and special columns.

    `merging` asks it for the rows as a background merge leaves them (see `final.merge_query`).
    """

    name: str = "MergeTree"
    sorting_key: tuple[str, ...] = ()
    version: str | None = None
    is_deleted: str | None = None
    sign: str | None = None
    summed: tuple[str, ...] = ()
    partition_key: tuple[str, ...] = ()
    merging: bool = False
    join: JoinStorage | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Stored data. `physical` is its DuckDB name, quoted and qualified as it is to stand in SQL."""

    name: str
    physical: str
    columns: tuple[TableColumn, ...]
    engine: TableEngine = field(default_factory=TableEngine)

    @property
    def numbered(self) -> bool:
        """Whether `rowid` numbers its rows as they were inserted: of a query only where that is its first column."""
        return not self.physical.startswith("(") or self.physical.startswith("(SELECT rowid,")


@dataclass(frozen=True, slots=True)
class View:
    """A pipe or node: SQL in ClickHouse's dialect, whose names resolve in `catalog`."""

    name: str
    sql: str
    catalog: Catalog


class Catalog(Protocol):
    def resolve(self, name: str, database: str | None = None) -> Table | View | None:
        """The table or view of that exact name, None where there is none."""
        ...

    def names(self) -> tuple[str, ...]:
        """All names, for SHOW TABLES and for suggestions."""
        ...


@dataclass(frozen=True, slots=True)
class StaticCatalog:
    """A catalog made of a mapping."""

    entries: Mapping[str, Table | View]

    def resolve(self, name: str, database: str | None = None) -> Table | View | None:
        return self.entries.get(name if database in (None, "default") else f"{database}.{name}")

    def names(self) -> tuple[str, ...]:
        return tuple(self.entries)
