"""CSV into a table.

All cells are read as text: one scan inserts the good rows and counts the others, and when there are others a second
scan settles them. What DuckDB's reader refuses as a record at all is taken from its table of rejects.
"""

from __future__ import annotations

from collections.abc import Sequence

from tbpy.clickhouse.quoting import duckdb_string
from tbpy.workspace.ingest.csv_dialect import CsvStyle, Dialect, detect
from tbpy.workspace.ingest.insertion import Loading
from tbpy.workspace.ingest.quarantine import Verdict, keep_invalid, settle, wrong_value
from tbpy.workspace.ingest.readings import Reading, fast_text, full_text
from tbpy.workspace.ingest.scan import Scan
from tbpy.workspace.ingest.sources import Input, read_sample
from tbpy.workspace.ingest.target import TargetColumn

_QUOTE = '"'
# DuckDB wants a spelling of NULL, and it may not have the escape in it: one that no file has.
_BACKSLASH, _NULL, _NO_NULL = "\\", "'\\N'", "chr(1)"
_REJECTS = "tbpy_rejects"
_REJECT_SCANS = "tbpy_reject_scans"
# What a record without an error looks like in `reject_errors`: one row a line, with the first thing wrong in it.
_REJECTED_LINES = f"""
SELECT arg_min(error_message, column_idx) AS reason, any_value(csv_line) AS line
FROM {_REJECTS} GROUP BY scan_id, line_byte_position
"""


def load_csv(loading: Loading, source: Input) -> Verdict:
    """Raises `IngestError` for a file that is no text."""
    session, columns = loading.session, loading.target.columns
    dialect = detect(read_sample(source), columns, source.label, loading.style)

    def scan(*, keep_rejects: bool) -> Scan:
        return _scan(source, dialect, loading.style, columns, keep_rejects=keep_rejects)

    _drop_rejects(loading)
    dictionaries = loading.dictionaries_pay(scan(keep_rejects=False))
    rows, bad = loading.insert_good(scan(keep_rejects=True), dictionaries=dictionaries)
    verdict = Verdict(rows)
    if session.value(f"SELECT count(*) FROM {_REJECTS}"):
        verdict += keep_invalid(session, loading.target, _REJECTED_LINES, loading.import_)
    _drop_rejects(loading)
    if bad:
        verdict += _settle(loading, scan(keep_rejects=False))
    return verdict


def _settle(loading: Loading, fast: Scan) -> Verdict:
    """Settles, by the full rules, what the fast readings did not take."""
    columns = loading.target.columns
    cells = ", ".join(f"s{i}" for i in range(len(columns)))
    left = f"SELECT {cells} FROM ({fast.converted}) WHERE NOT ({fast.good})"
    raw = ", ".join(f"s{i} AS r{i}" for i in range(len(columns)))
    full = Scan(f"SELECT {cells}, {raw}, NULL::VARCHAR AS line FROM ({left})", columns, _full(columns))
    absent = [wrong_value(column, "''") for column in columns]
    return settle(loading.session, loading.target, full, absent, loading.import_)


def _full(columns: Sequence[TargetColumn]) -> tuple[Reading, ...]:
    return tuple(full_text(column, f"s{i}", f"v{i}") for i, column in enumerate(columns))


def _fast(columns: Sequence[TargetColumn]) -> tuple[Reading, ...]:
    full = _full(columns)
    return tuple(fast_text(column, f"s{i}", f"v{i}") or full[i] for i, column in enumerate(columns))


def _scan(
    source: Input,
    dialect: Dialect,
    style: CsvStyle,
    columns: Sequence[TargetColumn],
    *,
    keep_rejects: bool,
) -> Scan:
    cells = ", ".join(
        f"{_cell(column, place)} AS s{i}"
        for i, (column, place) in enumerate(zip(columns, dialect.positions, strict=True))
    )
    types = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(dialect.width))
    rejects = (
        f"store_rejects = true, rejects_table = '{_REJECTS}', rejects_scan = '{_REJECT_SCANS}', rejects_limit = 0"
        if keep_rejects
        else "ignore_errors = true"
    )
    new_line = "" if style.new_line is None else f"new_line = {_escaped(style.new_line)}, "
    reader = (
        f"read_csv({duckdb_string(str(source.path))}, columns = {{{types}}}, header = {str(dialect.header).lower()}, "
        f"delim = {duckdb_string(dialect.delimiter)}, quote = '\"', escape = {duckdb_string(style.escape or _QUOTE)}, "
        f"nullstr = {_NO_NULL if style.escape == _BACKSLASH else _NULL}, auto_detect = false, "
        f"compression = '{source.compression}', {new_line}{rejects})"
    )
    return Scan(f"SELECT {cells} FROM {reader}", columns, _fast(columns))


def _escaped(new_line: str) -> str:
    """A line end as DuckDB's reader wants it named."""
    return duckdb_string(new_line.replace("\r", "\\r").replace("\n", "\\n"))


def _cell(column: TargetColumn, place: int | None) -> str:
    """An empty cell is a missing value where there may be one."""
    if place is None:
        return "NULL::VARCHAR"
    return f"nullif(c{place}, '')" if column.may_be_absent else f"c{place}"


def _drop_rejects(loading: Loading) -> None:
    for table in (_REJECTS, _REJECT_SCANS):
        loading.session.execute(f"DROP TABLE IF EXISTS temp.{table}")
