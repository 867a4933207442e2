"""Grouping inside a list: SQL that puts the entries of a list into runs of equal keys, in order of the key."""

from __future__ import annotations

from collections.abc import Callable

from tbpy.clickhouse.compiler.context import Context


def by_key(context: Context, entries: str, each: Callable[[str], str]) -> str:
    """For every different `['k']` of a list of structs, in order: `each(run)`, where `run` is the list of its entries.

    Entries of a run are in the order of the fields after 'k'. Sorting once keeps it at n log n.
    """
    ordered, ends, place, turn, end, run = (context.fresh(prefix) for prefix in ("s", "b", "j", "t", "b", "r"))
    last = f"{place} = len({ordered}) OR {ordered}[{place}]['k'] IS DISTINCT FROM {ordered}[{place} + 1]['k']"
    places = f"list_filter(range(1, len({ordered}) + 1), lambda {place}: {last})"
    start = f"CASE WHEN {turn} = 1 THEN 1 ELSE {ends}[{turn} - 1] + 1 END"
    runs = f"list_transform({ends}, lambda {end}, {turn}: {ordered}[{start}:{end}])"
    result = f"list_transform({runs}, lambda {run}: {each(run)})"
    inner = f"list_transform([{places}], lambda {ends}: {result})[1]"
    return f"list_transform([list_sort({entries})], lambda {ordered}: {inner})[1]"


def field(context: Context, entries: str, name: str) -> str:
    """One field of every struct of a list."""
    item = context.fresh("e")
    return f"list_transform({entries}, lambda {item}: {item}['{name}'])"
