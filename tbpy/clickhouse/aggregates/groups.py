"""Grouping inside a list: SQL that splits the entries of a list into runs of equal keys."""

from __future__ import annotations

from collections.abc import Callable

from tbpy.clickhouse.compiler.context import Context


def by_key(context: Context, entries: str, each: Callable[[str], str]) -> str:
    """For every different `['k']` of a list of structs, in the order that keys come: `each(run)`, a SQL value.

    `run` is the list of the entries with that key, in their order. A Python function finds the places, since slices of
    a list inside a DuckDB lambda copy the whole list each time.
    """
    whole, item, places, place = (context.fresh(prefix) for prefix in ("s", "e", "g", "p"))
    keys = f"list_transform({whole}, lambda {item}: CAST({item}['k'] AS VARCHAR))"
    run = f"list_transform({places}, lambda {place}: {whole}[{place}])"
    groups = f"list_transform({context.udf('tb_group_places')}({keys}), lambda {places}: {each(run)})"
    return f"list_transform([{entries}], lambda {whole}: {groups})[1]"


def field(context: Context, entries: str, name: str) -> str:
    """One field of every struct of a list."""
    item = context.fresh("e")
    return f"list_transform({entries}, lambda {item}: {item}['{name}'])"
