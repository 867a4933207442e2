"""The insertion that all formats share: one scan, which counts the rows that it does not take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tbpy.engines import Session
from tbpy.workspace.ingest.csv_dialect import FOUND_OUT, CsvStyle
from tbpy.workspace.ingest.quarantine import Import
from tbpy.workspace.ingest.scan import BAD_ROWS, Scan
from tbpy.workspace.ingest.target import Target

Progress = Callable[[float], None]
_LOOKED_AT = 10_000
_HARDLY_REPEATED = 0.5


@dataclass(frozen=True, slots=True)
class Loading:
    """Where to and under which import files are loaded. `session` is in a transaction, `progress` is told the done part
    (0 to 1) of a file, `style` is how CSV files are written."""

    session: Session
    target: Target
    import_: Import
    progress: Progress | None = None
    style: CsvStyle = FOUND_OUT

    def insert_good(self, scan: Scan, *, dictionaries: bool) -> tuple[int, int]:
        """Inserts the good rows of a scan; answers how many, and how many others there were."""
        session = self.session
        session.execute(f"CREATE OR REPLACE TEMP SEQUENCE {BAD_ROWS}")
        with session.bulk_insert(dictionaries=dictionaries), session.watched(self.progress):
            rows = session.value(f"INSERT INTO {self.target.table} {scan.good_values}")
        bad = session.value(f"SELECT nextval('{BAD_ROWS}') - 1")
        return int(rows), int(bad)

    def dictionaries_pay(self, beginning: Scan) -> bool:
        """Whether texts repeat enough to look for dictionaries, by the first rows. Sorting looks for them anyway."""
        sql = beginning.distinct_counts(_LOOKED_AT)
        if sql is None:
            return True
        rows, *distinct = self.session.rows(sql)[0]
        return any(count < _HARDLY_REPEATED * rows for count in distinct)
