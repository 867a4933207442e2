"""Rows that are not what the data source says: kept in its quarantine, with what is wrong, column by column.

The quarantine has, in this order, `c__error_column`, `c__error`, `c__import_id`, every column of the data source as
text, and `insertion_date` (Tinybird docs, "Quarantine"). DuckDB's table has one more at its end, the whole raw line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tbpy.clickhouse.quoting import duckdb_name, duckdb_string
from tbpy.engines import Session
from tbpy.workspace.ingest.report import Cause
from tbpy.workspace.ingest.scan import Scan
from tbpy.workspace.ingest.target import Target, TargetColumn

RAW_LINE = "c__line"
_MOST_CAUSES = 10
_EXAMPLE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Import:
    """Which import rows belong to, and when it happened (naive UTC)."""

    id: str
    moment: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many rows landed after all, how many went to quarantine, and how many of those could not be read at all."""

    rows: int = 0
    quarantined: int = 0
    invalid_lines: int = 0

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(
            self.rows + other.rows,
            self.quarantined + other.quarantined,
            self.invalid_lines + other.invalid_lines,
        )


def quarantine_ddl(name: str, columns: Sequence[str]) -> str:
    """`name` is quoted, `columns` are the data source's names."""
    texts = ", ".join(f"{duckdb_name(column)} VARCHAR" for column in columns)
    return (
        f"CREATE TABLE {name} (c__error_column VARCHAR[] NOT NULL, c__error VARCHAR[] NOT NULL, c__import_id VARCHAR, "
        f"{texts}, insertion_date TIMESTAMP NOT NULL, {RAW_LINE} VARCHAR)"
    )


def settle(session: Session, target: Target, scan: Scan, absent: Sequence[str], import_: Import) -> Verdict:
    """Sends each row of a scan to the data source or to its quarantine.

    The scan's relation has for each column its raw text `r<i>`, and `line`, the raw line or NULL; `absent` is for each
    column SQL of what is wrong when `r<i>` is NULL.
    """
    session.execute(
        f"CREATE OR REPLACE TEMP TABLE tbpy_settled AS SELECT *, {scan.good} AS good FROM ({scan.converted})"
    )
    landed = session.value(f"INSERT INTO {target.table} SELECT {scan.values} FROM temp.tbpy_settled WHERE good")
    parameters = {"import_id": import_.id, "moment": import_.moment}
    bad = session.value(_insert_bad(target, scan, absent), parameters)
    invalid = session.value(f"SELECT count(*) FROM temp.tbpy_settled WHERE NOT ({scan.readable})")
    session.execute("DROP TABLE temp.tbpy_settled")
    return Verdict(landed, bad, invalid)


def keep_invalid(session: Session, target: Target, records: str, import_: Import) -> Verdict:
    """Quarantines what is no record at all: `records` is SQL of rows `(reason, line)`."""
    nulls = ", ".join("NULL" for _ in target.columns)
    count = session.value(
        f"INSERT INTO {target.quarantine} SELECT [], [{_invalid_text('reason', 'line')}], $import_id, {nulls}, "
        f"$moment, line FROM ({records})",
        {"import_id": import_.id, "moment": import_.moment},
    )
    return Verdict(0, count, count)


def causes(session: Session, quarantine: str, import_: Import | None) -> tuple[Cause, ...]:
    """The most frequent reasons of an import, or of all that is in a quarantine."""
    where = "" if import_ is None else " WHERE c__import_id = $id"
    rows = session.rows(
        "SELECT coalesce(column_name, ''), count(*) AS n, any_value(error) FROM ("
        "SELECT unnest(CASE WHEN len(c__error_column) = 0 THEN [NULL] ELSE c__error_column END) AS column_name, "
        f"unnest(c__error) AS error FROM {quarantine}{where}) "
        "GROUP BY 1 ORDER BY n DESC, 1",
        None if import_ is None else {"id": import_.id},
    )
    return tuple(Cause(column, count, example[:_EXAMPLE_LENGTH]) for column, count, example in rows[:_MOST_CAUSES])


def wrong_value(column: TargetColumn, raw: str) -> str:
    """SQL of the text that says a value is not of the column's type."""
    head = duckdb_string("value '")
    tail = duckdb_string(f"' on column '{column.name}' is not {column.type}")
    return f"{head} || {raw} || {tail}"


def missing_key(column: TargetColumn, document: str, pointer: str) -> str:
    """SQL of the text for a key that a JSON document does not have, or has as null."""
    text = duckdb_string(
        f"Strict type checking failed. Object does not have column '{column.name}', you should send a value or "
        f"recreate the table with a Nullable column type. While accessing jsonpath '{column.path.text}'"
    )
    null = wrong_value(column, duckdb_string("null"))
    return f"CASE WHEN json_exists({document}, {pointer}) THEN {null} ELSE {text} END"


def _insert_bad(target: Target, scan: Scan, absent: Sequence[str]) -> str:
    wrong = [
        (f"{scan.readable} AND NOT ({reading.good})", duckdb_string(column.name), _reason(column, i, missing))
        for i, (column, reading, missing) in enumerate(zip(target.columns, scan.readings, absent, strict=True))
    ]
    names = ", ".join(f"CASE WHEN {bad} THEN {name} END" for bad, name, _ in wrong)
    reasons = ", ".join(f"CASE WHEN {bad} THEN {reason} END" for bad, _, reason in wrong)
    unreadable = f"CASE WHEN NOT ({scan.readable}) THEN {_invalid_text(duckdb_string('Not a JSON object'), 'line')} END"
    raw = ", ".join(f"r{i}" for i in range(len(target.columns)))
    errors = f"{_without_nulls(names)}, {_without_nulls(f'{reasons}, {unreadable}')}"
    return (
        f"INSERT INTO {target.quarantine} SELECT {errors}, $import_id, {raw}, $moment, line "
        "FROM temp.tbpy_settled WHERE NOT good"
    )


def _reason(column: TargetColumn, position: int, missing: str) -> str:
    return f"CASE WHEN r{position} IS NULL THEN {missing} ELSE {wrong_value(column, f'r{position}')} END"


def _without_nulls(items: str) -> str:
    return f"list_filter([{items}], lambda item: item IS NOT NULL)"


def _invalid_text(reason: str, line: str) -> str:
    return f"{reason} || ': ' || coalesce({line}, '')"
