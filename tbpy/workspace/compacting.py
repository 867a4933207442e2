"""Merging a table now, in the transaction of whoever asks for it (see `merging` for the background)."""

from __future__ import annotations

from collections.abc import Mapping

from tbpy.engines import Session
from tbpy.workspace import catalogue
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.sorting import count_rows, needs_sorting, sort_rows


def compact(session: Session, datasource: StoredDatasource, fixtures: Mapping[str, str], *, always: bool) -> bool:
    """Sorts and merges a table when its new rows are many, or `always`; answers whether it did."""
    rows, before = count_rows(session, datasource), catalogue.sorted_rows(session, datasource.name)
    if not (rows != before if always else needs_sorting(datasource, rows, before)):
        return False
    sort_rows(session, datasource, merged=datasource.name not in fixtures)
    return True
