"""Loading of all that registers itself: functions, aggregates, table functions and special forms."""

from __future__ import annotations

from tbpy.clickhouse import functions


def load() -> None:
    """Register every row of the catalogue, once."""
    from tbpy.clickhouse.compiler import array_join, grouping, random_rows, table_functions

    assert array_join and grouping and random_rows and table_functions
    functions.load()
