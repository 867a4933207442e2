"""Queries nested more deeply than Python's stack can follow: refused, as ClickHouse refuses those past its limit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tbpy.errors import QueryError, SqlPlace


@contextmanager
def limited_depth(place: SqlPlace | None = None) -> Iterator[None]:
    """Turn a `RecursionError` of the block into `QueryError` 306."""
    try:
        yield
    except RecursionError:
        message = "Maximum parse depth exceeded: the query is nested too deeply"
        raise QueryError(message, code=306, name="TOO_DEEP_RECURSION", place=place) from None
