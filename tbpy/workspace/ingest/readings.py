"""How one column is read in one scan: what the reader is asked for, the value that follows, and when it counts.

A column has two readings. The full one follows every rule of `coercion`. The fast one lets the reader convert, takes
fewer spellings than the full one and never one that the full one refuses: rows that it does not take are read again in
full. `s` is the name of what the reader gives, `v` that of the value made of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from tbpy.clickhouse import types as t
from tbpy.clickhouse.storage import duckdb_type
from tbpy.workspace.ingest.coercion import from_json, from_text, reads_text
from tbpy.workspace.ingest.target import TargetColumn


@dataclass(frozen=True, slots=True)
class Reading:
    """`read_as` is a DuckDB type for the reader, `value` SQL over `s`, `good` SQL over `s` and `v`, never NULL."""

    read_as: str
    value: str
    good: str


def full_json(column: TargetColumn, s: str, v: str) -> Reading:
    """Takes exactly what the rules take. `s` is bare text where `reads_text` says so, else JSON text."""
    text = reads_text(column.type)
    value = from_text(column.type, s) if text else from_json(column.type, s)
    return Reading("VARCHAR" if text else "JSON", value, _good(column, s, v))


def full_text(column: TargetColumn, s: str, v: str) -> Reading:
    """As `full_json`, for a cell of a CSV file."""
    return Reading("VARCHAR", from_text(column.type, s), _good(column, s, v))


def fast_json(column: TargetColumn, s: str, v: str) -> Reading | None:
    """A reading that costs next to nothing more than the reader's own conversion; None where there is none."""
    if column.may_be_absent:
        return None  # the reader's NULL would not tell a wrong value from a missing one
    inner = t.plain(column.type)
    given = f"{v} IS NOT NULL"
    match inner:
        case t.Float() | t.UUID():
            return Reading(duckdb_type(inner), s, given)
        case t.DateTime(None | "UTC" | "Etc/UTC"):
            # 32 bits without a sign are the type's range. Zero is what DuckDB makes of the word 'epoch'.
            seconds = f"nullif(TRY_CAST(epoch_us({s}) // 1000000 AS UINTEGER), 0)"
            return Reading("TIMESTAMPTZ", f"make_timestamp(CAST({seconds} AS BIGINT) * 1000000)", given)
        case t.DateTime64(precision, None | "UTC" | "Etc/UTC") if precision <= 6:
            unit = 10 ** (6 - precision)
            value = f"make_timestamp(epoch_us({s}) // {unit} * {unit})"
            low, high = "TIMESTAMP '1970-01-02'", "TIMESTAMP '2299-12-31'"
            return Reading("TIMESTAMPTZ", value, f"{given} AND {v} BETWEEN {low} AND {high}")
        case t.Date() | t.Date32():
            return Reading("DATE", s, f"{given} AND {v} BETWEEN DATE '1970-01-02' AND DATE '2149-06-06'")
        case t.Int(bits, _) if bits < 256:
            plain = f"NOT contains({s}, '.') AND NOT contains({s}, 'e')"
            return Reading("JSON", f"TRY_CAST({s} AS {duckdb_type(inner)})", f"{given} AND {plain}")
        case t.Bool():
            return Reading("JSON", f"{s} = 'true'", f"{given} AND {s} IN ('true', 'false')")
    return None


def fast_text(column: TargetColumn, s: str, v: str) -> Reading | None:
    """As `fast_json`, for a cell of a CSV file."""
    if column.may_be_absent:
        return None
    inner = t.plain(column.type)
    given = f"{v} IS NOT NULL"
    match inner:
        case t.Float():
            return Reading("VARCHAR", f"TRY_CAST({s} AS {duckdb_type(inner)})", f"{given} AND NOT contains({s}, '_')")
        case t.Int(bits, _) if bits < 256:
            value = f"TRY_CAST({s} AS {duckdb_type(inner)})"
            return Reading("VARCHAR", value, f"{given} AND CAST({v} AS VARCHAR) = {s}")
        case t.DateTime(None | "UTC" | "Etc/UTC"):
            seconds = f"TRY_CAST(epoch_us(TRY_CAST({s} AS TIMESTAMP)) // 1000000 AS UINTEGER)"
            value = f"make_timestamp(CAST({seconds} AS BIGINT) * 1000000)"
            return Reading("VARCHAR", value, f"{given} AND strlen({s}) = 19 AND {s}[17] = ':'")
    return None


def _good(column: TargetColumn, s: str, v: str) -> str:
    return f"({s} IS NULL OR {v} IS NOT NULL)" if column.may_be_absent else f"{v} IS NOT NULL"
