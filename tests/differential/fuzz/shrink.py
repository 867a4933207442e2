"""Makes a query that goes wrong smaller, as long as it goes wrong in the same way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, Field, fields, replace
from typing import Any

from tbpy.clickhouse import ast
from tbpy.clickhouse.formatter import format_query
from tbpy.clickhouse.parser import parse_query
from tests.differential.fuzz.tables import RandomTable

StillWrong = Callable[[str, bool], bool]

_EXPRESSIONS = (ast.Literal, ast.Identifier, ast.Parameter, ast.Lambda, ast.Subquery, ast.Alias, ast.Function)
_LITERALS = (ast.Literal(1, "1"), ast.Literal("a", "'a'"))


def shrunk(query: str, still_wrong: StillWrong, *, attempts: int = 300) -> str:
    """The smallest query found; the text itself when its formatted form does not go wrong.

    `still_wrong` is given a text and whether its rows come in the order of the whole query.
    """
    tree = whole = parse_query(query)
    best = _text(tree)
    if best is None or not still_wrong(best, True):
        return query
    while (found := _smaller(whole, tree, best, still_wrong, attempts)) is not None:
        tree, best, attempts = found
    return best


def _smaller(
    whole: ast.Query, tree: Any, best: str, still_wrong: StillWrong, attempts: int
) -> tuple[Any, str, int] | None:
    """The shortest variant that still goes wrong, and how many attempts are left."""
    texts = {text: node for node in variants(tree) if (text := _text(node)) is not None and len(text) < len(best)}
    for text in sorted(texts, key=len)[: max(attempts, 0)]:
        as_before = _keeps_order(whole, texts[text])
        if not as_before and _cuts(texts[text]):
            continue
        attempts -= 1
        if still_wrong(text, as_before):
            return texts[text], text, attempts
    return None


def _text(query: Any) -> str | None:
    """The query on one line; None for a tree that has no text, as a call without its arguments may have none."""
    try:
        return " ".join(format_query(query).split())
    except (IndexError, ValueError, AttributeError, TypeError, AssertionError):
        return None


def _keeps_order(whole: ast.Query, query: ast.Query) -> bool:
    """Whether the rows have the order of the whole query; places of columns must mean what they meant."""
    if not isinstance(whole, ast.Select) or not isinstance(query, ast.Select):
        return False
    places = any(isinstance(item.expression, ast.Literal) for item in whole.order_by)
    return query.order_by == whole.order_by and (not places or len(query.columns) == len(whole.columns))


def _cuts(query: ast.Query) -> bool:
    """Whether the query takes some of its rows, which depend on their order."""
    return isinstance(query, ast.Select) and (query.limit is not None or query.limit_by is not None)


def variants(node: Any) -> Iterator[Any]:
    """The same tree with one thing less."""
    if isinstance(node, _EXPRESSIONS):
        yield from (child for child in _children(node) if isinstance(child, _EXPRESSIONS))
        if not isinstance(node, ast.Literal):
            yield from _LITERALS
    if isinstance(node, ast.SetOperation):
        yield from (node.left, node.right)
    if isinstance(node, ast.Join | ast.ArrayJoin):
        yield from (
            part
            for part in (getattr(node, "left", None), getattr(node, "right", None), getattr(node, "source", None))
            if isinstance(part, ast.Node)
        )
    if isinstance(node, ast.Node):
        for field in fields(node):
            if field.name not in ("start", "end"):
                yield from _field_variants(node, field)


def _children(node: ast.Node) -> Iterator[Any]:
    for field in fields(node):
        value = getattr(node, field.name)
        yield from value if isinstance(value, tuple) else (value,)


def _field_variants(node: Any, field: Field[Any]) -> Iterator[Any]:
    value = getattr(node, field.name)
    if field.default is not MISSING and value != field.default and not isinstance(value, str):
        yield replace(node, **{field.name: field.default})
    if isinstance(value, tuple):
        for place, item in enumerate(value):
            if len(value) > 1 or not isinstance(node, ast.Select):
                yield replace(node, **{field.name: value[:place] + value[place + 1 :]})
            for variant in variants(item) if isinstance(item, ast.Node) else ():
                yield replace(node, **{field.name: (*value[:place], variant, *value[place + 1 :])})
    elif isinstance(value, ast.Node):
        for variant in variants(value):
            if not (isinstance(node, ast.SubqueryTable) and _order(variant) != _order(value)):
                yield replace(node, **{field.name: variant})


def _order(query: Any) -> Any:
    """The order in which a query gives its rows, on which what reads them may depend."""
    return getattr(query, "order_by", ())


def shrunk_tables(tables: Sequence[RandomTable], fails: Callable[[Sequence[RandomTable]], bool]) -> list[RandomTable]:
    """The tables with as few rows and columns as the failure needs."""
    found = list(tables)
    for place, table in enumerate(found):
        size = max(len(table.rows) // 2, 1)
        while size:
            start = 0
            while start < len(table.rows):
                smaller = table.without_row(start, size)
                if fails([*found[:place], smaller, *found[place + 1 :]]):
                    table = found[place] = smaller
                else:
                    start += size
            size //= 2
    return found


def with_values(query: str, tables: Sequence[RandomTable]) -> str:
    """The query with the rows of its tables in a WITH of its own; unused columns are left out."""
    heads = []
    for table in tables:
        if not _names(table.name, query):
            continue
        for place in range(len(table.columns) - 1, -1, -1):
            if len(table.columns) > 1 and "*" not in query and not _names(table.columns[place][0], query):
                table = table.without_column(place)
        heads.append(f"{table.name} AS ({table.values()})")
    rest = query.removeprefix("WITH ")
    joined = ", ".join(heads)
    return f"WITH {joined}, {rest}" if rest != query else f"WITH {joined} {query}"


def _names(name: str, query: str) -> bool:
    return re.search(rf"\b{name}\b", query) is not None
