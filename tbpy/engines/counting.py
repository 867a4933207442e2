"""How many rows tables have, counted once for as long as nothing is written."""

from __future__ import annotations

import time
from collections.abc import Iterable

from tbpy.engines.result import Scan
from tbpy.engines.session import Session

_MOST_KNOWN = 10_000
# While rows come in all the time, every count is out of date at once: so many are made anew in a second.
_MOST_RECOUNTS = 20


class RowCounts:
    """Counts of one database. Whoever commits calls `changed`; counts from before are not believed any more."""

    def __init__(self) -> None:
        self._version = 0
        self._known: dict[str, tuple[int, int]] = {}
        self._second = self._recounts = 0

    def changed(self) -> None:
        self._version += 1

    def read_by(self, session: Session, scans: Iterable[Scan]) -> tuple[int, int]:
        """Rows and bytes of tables that are read whole."""
        rows = size = 0
        for scan in scans:
            count = self._count(session, scan.relation)
            rows, size = rows + count, size + count * scan.width
        return rows, size

    def _count(self, session: Session, relation: str) -> int:
        version = self._version
        known = self._known.get(relation)
        if known is not None and (known[0] == version or not self._may_recount()):
            return known[1]
        count = int(session.value(f"SELECT count(*) FROM {relation}"))
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[relation] = (version, count)
        return count

    def _may_recount(self) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._recounts = second, 0
        self._recounts += 1
        return self._recounts <= _MOST_RECOUNTS
