"""NDJSON into a table.

One scan inserts the good rows and counts the others. When there are others, a second scan finds their numbers; their
raw lines are then fetched from the file and settled by the full rules. When already the beginning of the file has bad
rows, one scan through a temporary table does the work of both.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tbpy.errors import IngestError
from tbpy.workspace.ingest.insertion import Loading
from tbpy.workspace.ingest.lines import BlankLinesError, lines_by_ends, lines_exactly
from tbpy.workspace.ingest.ndjson_scan import count_objects, fast_positions, readings, scan_file, scan_lines
from tbpy.workspace.ingest.paths import pointer
from tbpy.workspace.ingest.quarantine import Verdict, missing_key, settle
from tbpy.workspace.ingest.scan import Scan
from tbpy.workspace.ingest.sources import Input, read_sample

# Above this size (bytes) a file is scanned twice rather than kept in a temporary table.
_STAGED_SIZE = 1 << 30
_NUMBERS_AT_ONCE = 100_000
_LINES_AT_ONCE = 200_000


@dataclass(frozen=True, slots=True)
class _Beginning:
    """What the first lines of a file let expect of the others.

    `fast` are the columns that may use their fast reading; `dirty` says that bad rows are to be expected, and
    `dictionaries` that texts repeat.
    """

    fast: frozenset[int]
    dirty: bool
    dictionaries: bool


def load_ndjson(loading: Loading, source: Input) -> Verdict:
    """Raises `IngestError` when nothing in the file looks like NDJSON."""
    columns = loading.target.columns
    beginning = _look_at_beginning(loading, source)
    scan = scan_file(source.path, source.compression, columns, readings(columns, beginning.fast))
    if beginning.dirty and source.path.stat().st_size <= _STAGED_SIZE:
        rows, bad = _insert_staged(loading, scan, beginning)
    else:
        rows, bad = loading.insert_good(scan, dictionaries=beginning.dictionaries)
        if bad:
            numbered = f"SELECT row_number() OVER () AS n, good FROM ({scan.judged})"
            _note_numbers(loading, f"SELECT n FROM ({numbered}) WHERE NOT good")
    verdict = Verdict(rows)
    if bad:
        verdict += _settle_noted(loading, source, rows + bad, bad)
    return verdict


def _look_at_beginning(loading: Loading, source: Input) -> _Beginning:
    columns = loading.target.columns
    with tempfile.NamedTemporaryFile(suffix=".ndjson") as file:
        file.write(read_sample(source))
        file.flush()
        path = Path(file.name)
        candidates = fast_positions(columns)
        scan = scan_file(path, "none", columns, readings(columns, candidates))
        fast = _sample_counts(loading, scan)
        if fast[0] and all(count == fast[0] for count in fast):
            return _Beginning(candidates, False, loading.dictionaries_pay(scan))
        if not loading.session.value(count_objects(path)):
            raise IngestError(
                f"{source.label} is not NDJSON: none of its first lines is a JSON object",
                hint="NDJSON has one object in each line; `jq -c '.[]'` makes it of an array",
            )
        full = _sample_counts(loading, scan_file(path, "none", columns, readings(columns)))
        chosen = frozenset(position for position in candidates if fast[2 + position] == full[2 + position])
        dirty = any(count != full[0] for count in full[1:])
        return _Beginning(chosen, dirty, loading.dictionaries_pay(scan))


def _sample_counts(loading: Loading, scan: Scan) -> tuple[int, ...]:
    return loading.session.rows(scan.good_counts)[0]


def _insert_staged(loading: Loading, scan: Scan, beginning: _Beginning) -> tuple[int, int]:
    """Inserts the good rows by way of a table whose row numbers are those of the file, and notes the other numbers."""
    session = loading.session
    with session.watched(loading.progress):
        session.execute(f"CREATE OR REPLACE TEMP TABLE tbpy_staged AS {scan.judged}")
    with session.bulk_insert(dictionaries=beginning.dictionaries):
        rows = session.value(f"INSERT INTO {loading.target.table} SELECT {scan.names} FROM temp.tbpy_staged WHERE good")
    # Within a transaction row numbers begin anywhere.
    first = "(SELECT min(rowid) FROM temp.tbpy_staged)"
    bad = _note_numbers(loading, f"SELECT rowid - {first} + 1 FROM temp.tbpy_staged WHERE NOT good")
    session.execute("DROP TABLE temp.tbpy_staged")
    return int(rows), bad


def _note_numbers(loading: Loading, sql: str) -> int:
    loading.session.execute(f"CREATE OR REPLACE TEMP TABLE tbpy_numbers (n) AS {sql}")
    return int(loading.session.value("SELECT count(*) FROM temp.tbpy_numbers"))


def _noted_numbers(loading: Loading) -> Iterator[int]:
    last = 0
    while rows := loading.session.rows(
        f"SELECT n FROM temp.tbpy_numbers WHERE n > $last ORDER BY n LIMIT {_NUMBERS_AT_ONCE}", {"last": last}
    ):
        yield from (row[0] for row in rows)
        last = rows[-1][0]


def _settle_noted(loading: Loading, source: Input, total: int, bad: int) -> Verdict:
    """Settles the `bad` lines whose numbers were noted; the file has `total` lines that are not blank."""
    session = loading.session
    session.execute("CREATE OR REPLACE TEMP TABLE tbpy_lines (line VARCHAR)")
    verdict = _settle_few(loading, source, total) if bad <= _LINES_AT_ONCE else None
    if verdict is None:
        verdict = Verdict()
        for waiting in _fetch(loading, lines_exactly(source, _noted_numbers(loading), total)):
            if waiting >= _LINES_AT_ONCE:
                verdict += _settle_lines(loading)
        verdict += _settle_lines(loading)
    session.execute("DROP TABLE temp.tbpy_numbers")
    session.execute("DROP TABLE temp.tbpy_lines")
    return verdict


def _settle_few(loading: Loading, source: Input, total: int) -> Verdict | None:
    """The fast way, possible when all lines can wait until it is clear that they are the right ones; None if not."""
    try:
        for _ in _fetch(loading, lines_by_ends(source, _noted_numbers(loading), total)):
            pass
    except BlankLinesError:
        loading.session.execute("DELETE FROM temp.tbpy_lines")
        return None
    return _settle_lines(loading)


def _fetch(loading: Loading, batches: Iterator[list[str]]) -> Iterator[int]:
    """Puts lines where they are settled from; after each batch answers how many wait there."""
    for batch in batches:
        loading.session.execute("INSERT INTO temp.tbpy_lines SELECT unnest($lines)", {"lines": batch})
        yield int(loading.session.value("SELECT count(*) FROM temp.tbpy_lines"))


def _settle_lines(loading: Loading) -> Verdict:
    columns = loading.target.columns
    absent = [missing_key(column, "doc", pointer(column.path.keys)) for column in columns]
    verdict = settle(loading.session, loading.target, scan_lines("temp.tbpy_lines", columns), absent, loading.import_)
    loading.session.execute("DELETE FROM temp.tbpy_lines")
    return verdict
