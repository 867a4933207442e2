"""What rows are read into: a table, its quarantine, and the columns with the rules of each."""

from __future__ import annotations

from dataclasses import dataclass

from tbpy.clickhouse import types as t
from tbpy.workspace.ingest.paths import JsonPath


@dataclass(frozen=True, slots=True)
class TargetColumn:
    """A column of the data source.

    `default` is DuckDB SQL of the value to store where the input has none, None without a DEFAULT.
    """

    name: str
    type: t.Type
    path: JsonPath
    default: str | None = None

    @property
    def may_be_absent(self) -> bool:
        return self.default is not None or t.is_nullable(self.type)

    def store(self, value: str, present: str) -> str:
        """SQL of what is stored, for SQL of the value and of whether the input has one."""
        if self.default is None:
            return value
        return f"CASE WHEN {present} THEN {value} ELSE {self.default} END"


@dataclass(frozen=True, slots=True)
class Target:
    """`table` and `quarantine` are DuckDB names, quoted and qualified."""

    name: str
    table: str
    quarantine: str
    columns: tuple[TargetColumn, ...]
