"""Events: lines of NDJSON that are in memory already, a few or some thousands at a time.

They go through the same readings as a file. One statement inserts the good ones; only when it takes fewer than there
are, the others are looked for and settled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from tbpy.clickhouse.quoting import duckdb_string
from tbpy.engines import Session
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.ingest.ndjson_scan import scan_lines
from tbpy.workspace.ingest.paths import parse_path, pointer
from tbpy.workspace.ingest.quarantine import Import, missing_key, settle
from tbpy.workspace.ingest.target import TargetColumn
from tbpy.workspace.targets import target_of

# One literal for all lines is planned in less time than a list of literals.
_GIVEN = "(SELECT unnest(string_split($1::VARCHAR, chr(10))) AS line)"
_BAD = "tbpy_events"
# Tinybird leaves the import of quarantined events empty.
_NO_IMPORT = ""


@dataclass(frozen=True, slots=True)
class _Statements:
    """`insert` stores the good ones of the lines `$1`, `judge` answers for each line whether it is good."""

    insert: str
    judge: str
    uses_now: bool


def store_events(
    session: Session, datasource: StoredDatasource, lines: Sequence[str], moment: datetime
) -> frozenset[int]:
    """Stores events in the transaction that `session` is in; answers the positions of those that went to quarantine.

    `lines` are one or more events; a line end within one is a blank. `moment` (naive UTC) is what `now()` is in
    DEFAULTs.
    """
    statements = _statements(datasource)
    session.register(datasource.functions)
    joined = "\n".join(lines)
    if joined.count("\n") >= len(lines):
        lines = [line.replace("\n", " ") for line in lines]
        joined = "\n".join(lines)
    arguments = [duckdb_string(joined)]
    if statements.uses_now:
        arguments.append(f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S.%f}'")
    if session.prepared_value(statements.insert, arguments) == len(lines):
        return frozenset()
    judged = session.rows(statements.judge, [joined])
    bad = frozenset(position for position, (good,) in enumerate(judged) if not good)
    _quarantine(session, datasource, [lines[position] for position in sorted(bad)], moment)
    return bad


def _quarantine(session: Session, datasource: StoredDatasource, lines: Sequence[str], moment: datetime) -> None:
    given = "SELECT unnest($lines::VARCHAR[]) AS line"
    session.execute(f"CREATE OR REPLACE TEMP TABLE {_BAD} AS {given}", {"lines": lines})
    target = target_of(datasource, moment)
    absent = [missing_key(column, "doc", pointer(column.path.keys)) for column in target.columns]
    settle(session, target, scan_lines(f"temp.{_BAD}", target.columns), absent, Import(_NO_IMPORT, moment))
    session.execute(f"DROP TABLE temp.{_BAD}")


@lru_cache(maxsize=256)
def _statements(datasource: StoredDatasource) -> _Statements:
    columns = tuple(
        TargetColumn(c.name, c.parsed_type, parse_path(c.path), c.default.sql if c.default else None)
        for c in datasource.columns
    )
    scan = scan_lines(_GIVEN, columns)
    # Materialized, or DuckDB would take the condition down to the lines and read every value twice.
    insert = (
        f"INSERT INTO {datasource.table} WITH judged AS MATERIALIZED ({scan.judged}) "
        f"SELECT {scan.names} FROM judged WHERE good"
    )
    judge = f"SELECT {scan.good} FROM ({scan.converted})"
    return _Statements(insert.replace("$now", "$2"), judge, "$now" in insert)
