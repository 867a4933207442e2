"""Loading of all that registers itself: functions, aggregates, table functions and special forms."""

from __future__ import annotations

import importlib
from functools import cache

from tbpy.clickhouse import functions

#: Modules of the compiler that register something; functions and aggregates load themselves.
_REGISTERING = ("array_join", "grouping", "random_rows", "table_functions")


@cache
def load() -> None:
    """Register every row of the catalogue, once."""
    for name in _REGISTERING:
        importlib.import_module(f"tbpy.clickhouse.compiler.{name}")
    functions.load()
