"""Jobs: work that is remembered after it is done, with how it ended. Kept in the table `tbpy.jobs`."""

from __future__ import annotations

import uuid
from datetime import datetime

from tbpy.engines import Session
from tbpy.workspace.infos import JobInfo

_KEPT = 1_000
_DDL = (
    "CREATE TABLE IF NOT EXISTS tbpy.jobs (id VARCHAR, kind VARCHAR, status VARCHAR, pipe VARCHAR, datasource VARCHAR, "
    "created_at TIMESTAMP, updated_at TIMESTAMP, rows BIGINT, error VARCHAR)"
)
_COLUMNS = "id, kind, status, pipe, datasource, created_at, updated_at, rows, error"


def prepare(session: Session, moment: datetime) -> None:
    """Makes the table where there is none. Jobs that a killed process left behind have failed."""
    session.execute(_DDL)
    if session.value("SELECT count(*) FROM tbpy.jobs WHERE status = 'working'"):
        session.execute(
            "UPDATE tbpy.jobs SET status = 'error', updated_at = $moment, error = 'the process ended before the job'"
            " WHERE status = 'working'",
            {"moment": moment},
        )


def start(session: Session, kind: str, pipe: str, datasource: str, moment: datetime) -> str:
    """Answers the id of a job that now runs."""
    identifier = str(uuid.uuid4())
    session.execute(
        f"INSERT INTO tbpy.jobs ({_COLUMNS}) VALUES ($id, $kind, 'working', $pipe, $datasource, $at, $at, NULL, NULL)",
        {"id": identifier, "kind": kind, "pipe": pipe, "datasource": datasource, "at": moment},
    )
    return identifier


def finish(session: Session, identifier: str, moment: datetime, *, rows: int) -> None:
    session.execute(
        "UPDATE tbpy.jobs SET status = 'done', rows = $rows, updated_at = $at WHERE id = $id",
        {"id": identifier, "rows": rows, "at": moment},
    )
    session.execute(
        "DELETE FROM tbpy.jobs WHERE id IN (SELECT id FROM tbpy.jobs WHERE status != 'working' "
        f"ORDER BY created_at DESC OFFSET {_KEPT})"
    )


def fail(session: Session, identifier: str, moment: datetime, error: str, *, status: str = "error") -> None:
    """`status` is error or cancelled."""
    session.execute(
        "UPDATE tbpy.jobs SET status = $status, error = $error, updated_at = $at WHERE id = $id",
        {"id": identifier, "status": status, "error": error, "at": moment},
    )


def read(session: Session, *, pipe: str | None = None, limit: int = 100) -> tuple[JobInfo, ...]:
    """The newest first."""
    where = "" if pipe is None else "WHERE pipe = $pipe"
    sql = f"SELECT {_COLUMNS} FROM tbpy.jobs {where} ORDER BY created_at DESC, rowid DESC LIMIT {limit}"
    return tuple(JobInfo(*row) for row in session.rows(sql, None if pipe is None else {"pipe": pipe}))
