"""What rows are read into: a table, its quarantine, and the columns with the rules of each."""

from __future__ import annotations

from dataclasses import dataclass

from tbpy.clickhouse import types as t
from tbpy.workspace.ingest.paths import JsonPath


@dataclass(frozen=True, slots=True)
class TargetColumn:
    """A column of the data source.

    `default` is DuckDB SQL of the value to store where the input has none, None without a DEFAULT. The other values of
    the row stand in it as `v<position>`.
    """

    name: str
    type: t.Type
    path: JsonPath
    default: str | None = None

    @property
    def may_be_absent(self) -> bool:
        return self.default is not None or t.is_nullable(self.type)


@dataclass(frozen=True, slots=True)
class Target:
    """`table` and `quarantine` are DuckDB names, quoted and qualified."""

    name: str
    table: str
    quarantine: str
    columns: tuple[TargetColumn, ...]
