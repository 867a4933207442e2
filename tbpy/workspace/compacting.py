"""Merging what many small inserts left, as ClickHouse does in the background: reads do not grow with the number of
inserts, only with what they inserted.

A data source whose fixture is loaded is not merged, so that another fixture can take the place of its rows, and where
there are fixtures at all no TTL removes rows: fixtures are older than they would be allowed to.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tbpy.engines import DuckDBEngine, Session
from tbpy.workspace import catalogue
from tbpy.workspace.catalogue import Catalogue
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.sorting import count_rows, expire_rows, needs_sorting, sort_rows

# How many rows come in, in small inserts, before tables are looked at.
_ROWS_BETWEEN_LOOKS = 1_000
# A table whose merge took a second is left alone for so many seconds.
_PAUSE = 20.0
_BETWEEN_EXPIRIES = timedelta(minutes=10)


def compact(session: Session, datasource: StoredDatasource, fixtures: Mapping[str, str], *, always: bool) -> bool:
    """Sorts and merges a table when its new rows are many, or `always`; answers whether it did."""
    rows, before = count_rows(session, datasource), catalogue.sorted_rows(session, datasource.name)
    if not (rows != before if always else needs_sorting(datasource, rows, before)):
        return False
    sort_rows(session, datasource, merged=datasource.name not in fixtures)
    return True


@dataclass
class Compactor:
    """Looks after the tables of one workspace between two builds. `expires` is whether TTLs remove rows."""

    engine: DuckDBEngine
    expires: bool = True
    _waiting: dict[str, int] = field(default_factory=dict)
    _rests_until: dict[str, float] = field(default_factory=dict)
    _expired: dict[str, datetime] = field(default_factory=dict)

    def note(self, names: Iterable[str], rows: int) -> None:
        """Tells that up to `rows` rows came into each of some data sources."""
        for name in names:
            self._waiting[name] = self._waiting.get(name, 0) + rows

    def run(self, stored: Catalogue, moment: datetime) -> None:
        """Merges and expires where it is due."""
        due = [name for name, rows in self._waiting.items() if rows >= _ROWS_BETWEEN_LOOKS]
        for name in due:
            self._waiting[name] = 0
            datasource = stored.datasources.get(name)
            if datasource is not None:
                self._expire(stored, datasource, moment)
                self._merge(stored, datasource)

    def _merge(self, stored: Catalogue, datasource: StoredDatasource) -> None:
        started = time.monotonic()
        rests = started < self._rests_until.get(datasource.name, 0.0)
        if datasource.merge is None or datasource.name in stored.fixtures or rests:
            return
        with self.engine.transaction((*datasource.functions, *datasource.merge_functions)) as session:
            merged = compact(session, datasource, stored.fixtures, always=False)
        if merged:
            finished = time.monotonic()
            self._rests_until[datasource.name] = finished + _PAUSE * (finished - started)

    def _expire(self, stored: Catalogue, datasource: StoredDatasource, moment: datetime) -> None:
        if datasource.expiry is None or not self.expires or stored.fixtures:
            return
        last = self._expired.get(datasource.name)
        if last is not None and moment - last < _BETWEEN_EXPIRIES:
            return
        self._expired[datasource.name] = moment
        with self.engine.transaction(datasource.expiry.functions) as session:
            expire_rows(session, datasource, moment)
