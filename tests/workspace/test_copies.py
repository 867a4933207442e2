"""Copy pipes and their schedules."""

from __future__ import annotations

import time
from datetime import datetime
from queue import Queue

import pytest

from tbpy.errors import NotFoundError, TbpyError, TemplateError, UsageError
from tbpy.workspace import Workspace
from tbpy.workspace.schedules import parse_schedule
from tbpy.workspace.scheduling import CopyScheduler
from tests.workspace.conftest import NOW, Folder
from tests.workspace.test_build import EVENTS, ROW, append, rows

COPY = "TYPE copy\nTARGET_DATASOURCE sums\nCOPY_SCHEDULE 0 * * * *\n"
SQL = "%\n    SELECT id, count() AS n FROM events WHERE id >= {{Int32(least, 0)}} GROUP BY id"


@pytest.fixture
def copies(folder: Folder, workspace: Workspace) -> Workspace:
    folder.datasource("events", EVENTS)
    folder.datasource("sums", "id Int32; n UInt64; at DateTime DEFAULT now()")
    folder.datasource("totals", "n UInt64")
    folder.pipe("to_sums", SQL, COPY)
    folder.pipe("to_totals", "SELECT sum(n) AS n FROM sums", "TYPE materialized\nDATASOURCE totals\n")
    folder.build(workspace)
    append(folder, workspace, ROW % 1 + ROW % 1 + ROW % 2)
    return workspace


def test_a_copy_appends_or_replaces(copies: Workspace) -> None:
    assert copies.copy("to_sums").rows == 2
    assert copies.copy("to_sums", {"least": "2"}).rows == 1
    assert rows(copies, "SELECT id, n, at FROM sums ORDER BY id") == [
        (1, 2, NOW.replace(tzinfo=None)),
        (2, 1, NOW.replace(tzinfo=None)),
        (2, 1, NOW.replace(tzinfo=None)),
    ]
    assert rows(copies, "SELECT n FROM totals ORDER BY n") == [(1,), (3,)]
    report = copies.copy("to_sums", {"least": 1}, mode="replace")
    assert (report.rows, report.mode, report.warning) == (2, "replace", None)
    assert rows(copies, "SELECT sum(n) FROM totals") == [(3,)]
    emptied = copies.copy("to_sums", {"least": 9}, mode="replace")
    assert emptied.rows == 0 and emptied.warning is not None
    assert rows(copies, "SELECT count() FROM sums") == [(0,)]


def test_a_copy_may_read_what_it_replaces(folder: Folder, copies: Workspace) -> None:
    folder.pipe("again", "SELECT id, n + 1 AS n FROM sums", COPY)
    folder.build(copies)
    copies.copy("to_sums")
    copies.copy("again", mode="replace")
    assert rows(copies, "SELECT id, n FROM sums ORDER BY id") == [(1, 3), (2, 2)]


def test_jobs_tell_how_copies_ended(folder: Folder, copies: Workspace) -> None:
    folder.pipe("failing", "SELECT id, throwIf(id = 2, 'two') AS n FROM events", COPY)
    folder.build(copies)
    copies.copy("to_sums")
    with pytest.raises(TbpyError):
        copies.copy("failing")
    with pytest.raises(TemplateError):
        copies.copy("to_sums", {"least": "x"})
    assert [(job.kind, job.pipe, job.status, job.rows) for job in copies.jobs()] == [
        ("copy", "to_sums", "error", None),
        ("copy", "failing", "error", None),
        ("copy", "to_sums", "done", 2),
    ]
    assert "two" in (copies.jobs()[1].error or "")
    assert rows(copies, "SELECT count() FROM sums") == [(2,)]


def test_what_is_no_copy(copies: Workspace) -> None:
    with pytest.raises(NotFoundError) as error:
        copies.copy("to_sum")
    assert error.value.hint == "did you mean to_sums?"
    with pytest.raises(NotFoundError, match="its type is materialized"):
        copies.copy("to_totals")
    with pytest.raises(UsageError):
        copies.copy("to_sums", mode="upsert")


def test_schedules_are_kept_once_each_and_paused(copies: Workspace) -> None:
    (info,) = copies.copies()
    assert [f"{run:%H:%M}" for run in info.next_runs] == ["08:00", "09:00", "10:00"]
    assert copies.due_copies(NOW)[1] == ()
    assert copies.due_copies(NOW.replace(hour=1)) == (NOW.replace(tzinfo=None), ("to_sums",))
    copies.copy("to_sums")
    copies.pause_copy("to_sums")
    assert copies.copies()[0].paused and copies.copies()[0].next_runs == ()
    assert copies.due_copies(NOW.replace(hour=1))[1] == ()
    copies.pause_copy("to_sums", False)
    assert copies.copies()[0].last is not None and copies.copies()[0].last.rows == 2


def test_the_scheduler_runs_each_copy_once_a_schedule(folder: Folder) -> None:
    folder.datasource("sums", "n UInt64")
    folder.pipe("one", "SELECT 1 AS n", COPY)
    moment = [NOW]
    ran: Queue[str] = Queue()
    with Workspace.open(folder.root, clock=lambda: moment[0]) as workspace:
        folder.build(workspace)
        scheduler = CopyScheduler(workspace, lambda name: ran.put(workspace.copy(name).pipe), period=0.01)
        scheduler.start()
        time.sleep(0.05)
        moment[0] = NOW.replace(hour=NOW.hour + 3)
        assert ran.get(timeout=10) == "one"
        time.sleep(0.05)
        scheduler.stop()
        assert ran.empty()
        assert rows(workspace, "SELECT count() FROM sums") == [(1,)]


@pytest.mark.parametrize(
    "text, runs",
    [
        ("*/20 * * * *", ["2024-05-06 07:20", "2024-05-06 07:40", "2024-05-06 08:00"]),
        ("0 9 * * mon-fri", ["2024-05-06 09:00", "2024-05-07 09:00", "2024-05-08 09:00"]),
        ("5/25 7,9 * * *", ["2024-05-06 07:30", "2024-05-06 07:55", "2024-05-06 09:05"]),
        ("0 0 29 2 *", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("0 0 13 * 5", ["2024-05-10 00:00", "2024-05-13 00:00", "2024-05-17 00:00"]),
        ("30 3 l * *", ["2024-05-31 03:30", "2024-06-30 03:30", "2024-07-31 03:30"]),
        ("0 9 * * 5#2", ["2024-05-10 09:00", "2024-06-14 09:00", "2024-07-12 09:00"]),
        ("0 9 * * l5", ["2024-05-31 09:00", "2024-06-28 09:00", "2024-07-26 09:00"]),
        ("0 9 1w * *", ["2024-06-03 09:00", "2024-07-01 09:00", "2024-08-01 09:00"]),
        ("0 9 31w * *", ["2024-05-31 09:00", "2024-06-28 09:00", "2024-07-31 09:00"]),
        ("8 7 * * * */30", ["2024-05-06 07:08:30", "2024-05-07 07:08", "2024-05-07 07:08:30"]),
        ("0 0 1 1 * 0 2025-2026", ["2025-01-01 00:00", "2026-01-01 00:00"]),
        ("0 0 1-7 * mon#1", ["2024-06-03 00:00", "2024-07-01 00:00", "2024-08-05 00:00"]),
        ("@monthly", ["2024-06-01 00:00", "2024-07-01 00:00", "2024-08-01 00:00"]),
        ("0 0 30 2 *", []),
        ("@on-demand", None),
    ],
)
def test_next_runs(text: str, runs: list[str] | None) -> None:
    schedule = parse_schedule(text)
    moments = schedule.next_runs(datetime(2024, 5, 6, 7, 8, 9), 3) if schedule else None
    assert moments is None if runs is None else [str(moment).removesuffix(":00") for moment in moments or ()] == runs
