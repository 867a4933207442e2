"""A compiled expression: DuckDB SQL with the ClickHouse type of its value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from tbpy.clickhouse import types as t
from tbpy.clickhouse.storage import duckdb_type


class Unknown(Enum):
    """The value of an expression that is not known before it runs."""

    UNKNOWN = "unknown"


UNKNOWN = Unknown.UNKNOWN


@dataclass(frozen=True, slots=True)
class Typed:
    """DuckDB SQL and the ClickHouse type of what it gives.

    `sql` can stand as an operand anywhere: operators are in brackets. Its DuckDB type is `duckdb_type(type)`, but for
    constants: a bare `1` adapts to what it meets; `exact()` makes it precise. `condition` is the same value as a DuckDB
    BOOLEAN, kept beside the UInt8 form so that filters stay filters. `constant` says that every row has the same value,
    and `value` is that value (int, float, str, bool, Decimal, None, list, tuple) where it is known. `aggregate` and
    `window` say that SQL holds such a call.
    """

    sql: str
    type: t.Type
    condition: str | None = None
    constant: bool = False
    value: Any = UNKNOWN
    aggregate: bool = False
    window: bool = False

    @property
    def known(self) -> bool:
        return self.value is not UNKNOWN

    def as_type(self, type_: t.Type) -> Typed:
        """The same SQL seen as another type: for wrappers such as Nullable and LowCardinality, which store alike."""
        return replace(self, type=type_)

    def exact(self) -> str:
        """SQL whose DuckDB type is the storage type of `type`, also for constants."""
        return f"CAST({self.sql} AS {duckdb_type(self.type)})" if self.constant else self.sql


def boolean(condition: str, *, nullable: bool = False, **flags: Any) -> Typed:
    """A UInt8 from a DuckDB BOOLEAN."""
    type_: t.Type = t.Nullable(t.UINT8) if nullable else t.UINT8
    return Typed(f"CAST({condition} AS UTINYINT)", type_, condition=condition, **flags)


def condition_of(typed: Typed) -> str:
    """A DuckDB BOOLEAN that is true where ClickHouse takes the value for true."""
    if typed.condition is not None:
        return typed.condition
    if isinstance(t.plain(typed.type), t.Bool):
        return typed.sql
    if isinstance(t.plain(typed.type), t.Nothing):
        return "CAST(NULL AS BOOLEAN)"
    return f"({typed.sql} <> 0)"
