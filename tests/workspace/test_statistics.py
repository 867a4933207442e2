"""What the statistics of a query tell of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tbpy.workspace import Workspace

EVENTS = """
SCHEMA >
    `id` Int32 `json:$.id`,
    `name` String `json:$.name`

ENGINE "MergeTree"
ENGINE_SORTING_KEY "id"
"""
PIPE = "NODE only\nSQL >\n    SELECT count() AS n FROM events\n\nTYPE endpoint\n"

# rows_before_limit_at_least over ten rows; None is no such key. All but the last two are ClickHouse's own answers.
LIMITS = [
    ("SELECT id FROM events", None),
    ("SELECT id FROM events ORDER BY id OFFSET 3", None),
    ("SELECT id FROM events LIMIT 0", 0),
    ("SELECT id FROM events LIMIT 20", 10),
    ("SELECT id FROM events WHERE id < 2 LIMIT 3", 2),
    ("SELECT id FROM events ORDER BY id LIMIT 3 OFFSET 8", 10),
    ("SELECT number FROM numbers(10) LIMIT 3", 3),
    ("SELECT number FROM numbers(10) LIMIT 2 OFFSET 5", 7),
    ("SELECT id FROM events WHERE 0 LIMIT 3", 0),
    ("SELECT id FROM events ORDER BY id LIMIT 3", None),
    ("SELECT DISTINCT id FROM events LIMIT 3", None),
]


@pytest.fixture
def workspace(tmp_path: Path):
    (tmp_path / "events.datasource").write_text(EVENTS)
    (tmp_path / "total.pipe").write_text(PIPE)
    with Workspace.in_memory(tmp_path) as workspace:
        workspace.build()
        workspace.append_events({"events": [f'{{"id": {i}, "name": "n"}}' for i in range(10)]})
        yield workspace


@pytest.mark.parametrize(("sql", "expected"), LIMITS)
def test_rows_before_limit(workspace: Workspace, sql: str, expected: int | None) -> None:
    result = workspace.query(sql)
    assert result.rows is not None
    assert result.statistics.rows_before_limit_at_least == expected


READ = [
    ("SELECT id FROM events WHERE id = 1", 10, 200),
    ("SELECT n FROM total", 10, 200),
    ("SELECT count() FROM events AS a JOIN events_quarantine AS b ON a.name = b.name", 10, 200),
    ("SELECT 1", 1, 1),
    ("SELECT number FROM numbers(7)", 7, 56),
]


@pytest.mark.parametrize(("sql", "rows", "size"), READ)
def test_rows_read_are_those_of_the_tables(workspace: Workspace, sql: str, rows: int, size: int) -> None:
    result = workspace.query(sql)
    result.rows  # noqa: B018
    assert (result.statistics.rows_read, result.statistics.bytes_read) == (rows, size)


def test_counts_follow_what_is_written(workspace: Workspace) -> None:
    def read() -> int:
        result = workspace.endpoint("total")
        assert result.rows
        return result.statistics.rows_read

    assert read() == 10
    workspace.append_events({"events": ['{"id": 11, "name": "n"}']})
    assert read() == 11
    workspace.truncate("events")
    assert read() == 0
