"""Copies, materializations and quarantine from the command line."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Shell

FILES = {
    "datasources/events.datasource": "SCHEMA >\n    `id` Int32 `json:$.id`\n",
    "datasources/sums.datasource": "SCHEMA >\n    `n` UInt64\n",
    "datasources/counts.datasource": "SCHEMA >\n    `n` UInt64\n",
    "pipes/to_sums.pipe": (
        "NODE n\nSQL >\n    %\n    SELECT sum(id) AS n FROM events WHERE id >= {{Int32(least, 0)}} HAVING n > 0\n\n"
        "TYPE copy\nTARGET_DATASOURCE sums\nCOPY_MODE replace\nCOPY_SCHEDULE 0 0 1 1 *\n"
    ),
    "pipes/to_counts.pipe": (
        "NODE n\nSQL >\n    SELECT count() AS n FROM events\n\nTYPE materialized\nDATASOURCE counts\n"
    ),
    "rows.ndjson": '{"id": 1}\n{"id": 2}\n{"id": "x"}\n{}\n',
}


@pytest.fixture
def project(shell: Shell) -> Shell:
    for name, text in FILES.items():
        shell.write(name, text)
    assert shell.tbpy("build").code == 0
    assert shell.tbpy("append", "events", "rows.ndjson").code == 0
    return shell


def test_copies(project: Shell) -> None:
    assert "1 row replaced the rows of sums" in project.tbpy("copy", "run", "to_sums").out
    emptied = project.tbpy("copy", "run", "to_sums", "--least", "9", "--json")
    assert emptied.json["warning"] == "to_sums answered no rows: sums is empty now"
    assert project.tbpy("copy", "run", "to_sums", "-p", "least=2", "--mode", "append").code == 0
    assert project.tbpy("sql", "SELECT n FROM sums", "--json").json["data"] == [{"n": 2}]
    assert project.tbpy("copy", "pause", "to_sums").out == "✓ to_sums is paused\n"
    (paused,) = project.tbpy("copy", "ls", "--json").json
    assert (paused["paused"], paused["next_runs"], paused["last"]["rows"]) == (True, [], 1)
    assert project.tbpy("copy", "resume", "to_sums").code == 0
    assert "-01-01 00:00" in project.tbpy("copy", "ls").out
    unknown = project.tbpy("copy", "run", "to_sum")
    assert unknown.code != 0 and "did you mean to_sums?" in unknown.err


def test_quarantine_and_replay(project: Shell) -> None:
    shown = project.tbpy("datasource", "quarantine", "events").out
    assert "2 rows of events in quarantine" in shown and '{"id": "x"}' in shown
    project.write("datasources/events.datasource", "SCHEMA >\n    `id` Nullable(Int32) `json:$.id`\n")
    assert project.tbpy("build").code == 0
    replayed = project.tbpy("datasource", "replay", "events").out
    assert "1 row left the quarantine of events" in replayed and "1 row still does not fit" in replayed
    assert project.tbpy("sql", "SELECT sum(n) AS n FROM counts", "--json").json["data"] == [{"n": 3}]


def test_replace(project: Shell) -> None:
    project.write("more.csv", "id\n5\n")
    assert project.tbpy("datasource", "replace", "events", "more.csv", "--where", "id = 1", "--yes").code == 0
    assert project.tbpy("sql", "SELECT sum(id) AS s FROM events", "--json").json["data"] == [{"s": 7}]
    (found,) = project.tbpy("materialization", "ls", "--json").json
    assert (found["source"], found["target"], found["why_not"]) == ("events", "counts", None)
