"""The quarantine, looked at and judged again: rows that fit what the data source says by now land in it."""

from __future__ import annotations

from datetime import datetime

from tbpy.clickhouse.quoting import duckdb_name
from tbpy.engines import Session
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.infos import QuarantinedRow, QuarantineInfo
from tbpy.workspace.ingest.ndjson_scan import scan_lines
from tbpy.workspace.ingest.quarantine import RAW_LINE, causes
from tbpy.workspace.ingest.readings import full_text
from tbpy.workspace.ingest.scan import Scan
from tbpy.workspace.ingest.target import Target
from tbpy.workspace.targets import target_of

_JUDGED = "tbpy_judged"


def quarantine_info(session: Session, datasource: StoredDatasource, sample: int) -> QuarantineInfo:
    """How many rows are in quarantine, why, and the newest `sample` of them."""
    columns = ", ".join(duckdb_name(column.physical) for column in datasource.columns)
    names = [column.name for column in datasource.columns]
    found = session.rows(
        f"SELECT insertion_date, c__import_id, c__error, {RAW_LINE}, {columns} FROM {datasource.quarantine} "
        f"ORDER BY insertion_date DESC, rowid DESC LIMIT {sample}"
    )
    return QuarantineInfo(
        datasource.name,
        int(session.value(f"SELECT count(*) FROM {datasource.quarantine}")),
        causes(session, datasource.quarantine, None),
        tuple(
            QuarantinedRow(moment, import_id or None, tuple(errors), dict(zip(names, values, strict=True)), line)
            for moment, import_id, errors, line, *values in found
        ),
    )


def replay(session: Session, datasource: StoredDatasource, moment: datetime) -> int:
    """Judges what is in quarantine by the columns of now; what fits is stored and leaves. Answers how many rows did.

    A row that came as a line of NDJSON is read again by its JSON paths, any other by the text of its cells as if they
    were of a CSV file. The caller sends the stored rows on.
    """
    target = target_of(datasource, moment)
    session.register(datasource.functions)
    lines = f"(SELECT DISTINCT {RAW_LINE} AS line FROM {datasource.quarantine} WHERE {RAW_LINE} IS NOT NULL)"
    distinct = scan_lines(lines, target.columns)
    _judge(session, distinct)
    # As often as it came: the same line is judged once.
    again = f"FROM temp.{_JUDGED} JOIN {datasource.quarantine} ON {RAW_LINE} = line WHERE good"
    rows = _move(session, datasource, distinct, again, f"{RAW_LINE} IN (SELECT line FROM temp.{_JUDGED} WHERE good)")
    cells = _scan_cells(datasource, target)
    _judge(session, cells)
    number = f"rowid IN (SELECT n FROM temp.{_JUDGED} WHERE good)"
    rows += _move(session, datasource, cells, f"FROM temp.{_JUDGED} WHERE good", number)
    session.execute(f"DROP TABLE temp.{_JUDGED}")
    return rows


def _judge(session: Session, scan: Scan) -> None:
    rows = f"SELECT *, {scan.good} AS good FROM ({scan.converted})"
    session.execute(f"CREATE OR REPLACE TEMP TABLE {_JUDGED} AS {rows}")


def _move(session: Session, datasource: StoredDatasource, scan: Scan, good: str, which: str) -> int:
    rows = int(session.value(f"INSERT INTO {datasource.table} SELECT {scan.values} {good}"))
    if rows:
        session.execute(f"DELETE FROM {datasource.quarantine} WHERE {which}")
    return rows


def _scan_cells(datasource: StoredDatasource, target: Target) -> Scan:
    cells = ", ".join(
        f"nullif({duckdb_name(stored.physical)}, '') AS s{i}"
        if column.may_be_absent
        else f"{duckdb_name(stored.physical)} AS s{i}"
        for i, (stored, column) in enumerate(zip(datasource.columns, target.columns, strict=True))
    )
    readings = tuple(full_text(column, f"s{i}", f"v{i}") for i, column in enumerate(target.columns))
    return Scan(
        f"SELECT {cells}, rowid AS n FROM {datasource.quarantine} WHERE {RAW_LINE} IS NULL", target.columns, readings
    )
