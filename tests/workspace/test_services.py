"""`tinybird.<name>`: what a workspace notes of its own work."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tbpy.clickhouse.formats import write
from tbpy.errors import IngestError, QueryError
from tbpy.workspace import Workspace
from tbpy.workspace.identifiers import resource_id
from tbpy.workspace.services.columns import NAMES, OF_ORGANIZATION

EVENTS = """
SCHEMA >
    `id` Int32 `json:$.id`,
    `name` String `json:$.name`

ENGINE "MergeTree"
ENGINE_SORTING_KEY "id"
"""
COPY = (
    "NODE n\nSQL >\n    SELECT id, name FROM events\n\nTYPE copy\nTARGET_DATASOURCE copied\nCOPY_SCHEDULE @on-demand\n"
)
OPERATIONS = "NODE n\nSQL >\n    SELECT event_type, rows FROM tinybird.datasources_ops_log\n\nTYPE endpoint\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "events.datasource").write_text(EVENTS)
    (tmp_path / "copied.datasource").write_text(EVENTS)
    (tmp_path / "copy_events.pipe").write_text(COPY)
    (tmp_path / "operations.pipe").write_text(OPERATIONS)
    return tmp_path


def rows_of(workspace: Workspace, sql: str) -> list[dict[str, Any]]:
    result = workspace.query(sql)
    found: list[dict[str, Any]] = json.loads(b"".join(write("JSON", result.columns, result)))["data"]
    return found


def test_every_operation_is_noted_once(project: Path) -> None:
    with Workspace.in_memory(project) as workspace:
        workspace.build()
        workspace.append_events({"events": ['{"id": 1, "name": "a"}', '{"id": "x"}'], "copied": ['{"id":1,"name":""}']})
        workspace.append_events({"events": ['{"id": 2, "name": "a"}']})
        (project / "more.csv").write_text("id,name\n3,c\ny,c\n")
        report = workspace.append("events", project / "more.csv")
        workspace.copy("copy_events")
        workspace.delete("events", "id = 1")
        with pytest.raises(QueryError):
            workspace.delete("events", "throwIf(id > 0, 'no')")
        workspace.truncate("events")
        found = rows_of(
            workspace,
            "SELECT event_type AS e, datasource_name AS d, result AS r, sum(rows) AS n, sum(rows_quarantine) AS q, "
            "max(pipe_name) AS p FROM tinybird.datasources_ops_log GROUP BY e, d, r ORDER BY e, d, r",
        )
        assert [tuple(row.values()) for row in found] == [
            ("append", "events", "ok", 1, 1, ""),
            ("append-hfi", "copied", "ok", 1, 0, ""),
            ("append-hfi", "events", "ok", 2, 1, ""),
            ("copy", "copied", "ok", 3, 0, "copy_events"),
            ("create", "copied", "ok", 0, 0, ""),
            ("create", "events", "ok", 0, 0, ""),
            ("delete", "events", "error", 0, 0, ""),
            ("delete", "events", "ok", 1, 0, ""),
            ("truncate", "events", "ok", 2, 0, ""),
        ]
        times = rows_of(workspace, "SELECT DISTINCT length(toString(timestamp)) AS n FROM tinybird.datasources_ops_log")
        assert times == [{"n": len("2024-01-01 00:00:00")}]
        blocks = rows_of(workspace, "SELECT import_id, rows, quarantine_lines, status FROM tinybird.block_log")
        assert [tuple(row.values()) for row in blocks] == [(report.import_id, 2, 1, "done")]
        jobs = rows_of(workspace, "SELECT job_type, status, pipe_id FROM tinybird.jobs_log")
        assert [tuple(row.values()) for row in jobs] == [("copy", "done", resource_id("pipe", "copy_events"))]
        storage = "SELECT rows, rows_quarantine FROM tinybird.datasources_storage WHERE datasource_name = 'copied'"
        assert rows_of(workspace, storage) == [{"rows": 4, "rows_quarantine": 0}]


def test_a_pipe_reads_them_and_a_failed_append_is_among_them(project: Path) -> None:
    with Workspace.in_memory(project) as workspace:
        workspace.build()
        (project / "bad.parquet").write_text("no parquet")
        with pytest.raises(IngestError):
            workspace.append("events", project / "bad.parquet")
        assert ("append", 0) in workspace.endpoint("operations").rows


def test_copies_keep_them_and_materialized_nodes_do_not_read_them(project: Path) -> None:
    (project / "kept.datasource").write_text("SCHEMA >\n    `event_type` String,\n    `n` UInt64\n")
    copy = "SELECT event_type, count() AS n FROM tinybird.datasources_ops_log GROUP BY event_type"
    (project / "keep.pipe").write_text(f"NODE n\nSQL >\n    {copy}\n\nTYPE copy\nTARGET_DATASOURCE kept\n")
    joined = "SELECT name AS event_type, id AS n FROM events WHERE name IN (SELECT status FROM tinybird.jobs_log)"
    (project / "live.pipe").write_text(f"NODE n\nSQL >\n    {joined}\n\nTYPE materialized\nDATASOURCE kept\n")
    with Workspace.in_memory(project) as workspace:
        report = workspace.build()
        assert any("reads no service data sources" in warning.message for warning in report.warnings)
        workspace.append_events({"events": ['{"id": 1, "name": "done"}']})
        workspace.copy("keep")
        kept = workspace.query("SELECT event_type, n FROM kept ORDER BY event_type").rows
        assert kept == [("append-hfi", 1), ("create", 3)]


def test_conditions_read_what_was_noted_just_now(project: Path) -> None:
    with Workspace.in_memory(project) as workspace:
        workspace.build()
        workspace.append_events({"events": ['{"id": 1, "name": "append-hfi"}', '{"id": 2, "name": "b"}']})
        noted = "SELECT event_type FROM tinybird.datasources_ops_log"
        assert workspace.delete("events", f"name IN ({noted})") == 1


def test_sizes(project: Path) -> None:
    """A row of `events` is 4 bytes of a number, and a text."""
    sizes = "SELECT toString(timestamp) AS t, rows, bytes FROM tinybird.datasources_storage"
    hours = f"{sizes} WHERE datasource_name = 'events'"
    moment = datetime(2024, 1, 1, 10, 30, tzinfo=UTC)
    with Workspace.in_memory(project, clock=lambda: moment) as workspace:
        workspace.build()
        workspace.append_events({"events": ['{"id": 1, "name": "a"}', '{"id": 2, "name": "b"}']})
        for _ in range(2):
            workspace.log.measure()
        moment += timedelta(hours=1)
        workspace.append_events({"events": ['{"id": 3, "name": "c"}']})
        workspace.log.measure()
        found = [tuple(row.values()) for row in rows_of(workspace, f"{hours} ORDER BY timestamp")]
        assert found[:2] == [("2024-01-01 10:00:00", 2, 40), ("2024-01-01 11:00:00", 3, 60)]
        assert [row[1:] for row in found[2:]] == [(3, 60)], "as it is now"
        written = "SELECT sum(written_bytes) AS n FROM tinybird.datasources_ops_log WHERE event_type = 'append-hfi'"
        assert rows_of(workspace, written) == [{"n": 60}]


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_service_data_source_answers(project: Path, name: str) -> None:
    with Workspace.in_memory(project) as workspace:
        workspace.build()
        assert workspace.query(f"SELECT * FROM tinybird.{name} LIMIT 1").columns


@pytest.mark.parametrize("name", sorted(OF_ORGANIZATION))
def test_an_organization_has_them_with_the_id_of_the_workspace(project: Path, name: str) -> None:
    with Workspace.in_memory(project) as workspace:
        workspace.build()
        columns = [column.name for column in workspace.query(f"SELECT * FROM organization.{name}").columns]
        own = [column.name for column in workspace.query(f"SELECT * FROM tinybird.{name}").columns]
        assert sorted(columns) == sorted({*own, "workspace_id"})


def test_an_organization_has_this_workspace_alone(project: Path) -> None:
    sql = """
        SELECT w.name AS workspace, l.event_type AS event_type, sum(l.rows) AS rows
        FROM organization.datasources_ops_log AS l JOIN organization.workspaces AS w ON w.workspace_id = l.workspace_id
        WHERE l.datasource_name = 'events' AND l.event_type = 'append' GROUP BY workspace, event_type
    """
    with Workspace.in_memory(project) as workspace:
        workspace.build()
        (project / "one.ndjson").write_text('{"id": 1, "name": "a"}')
        workspace.append("events", project / "one.ndjson")
        assert rows_of(workspace, sql) == [{"workspace": project.name, "event_type": "append", "rows": 1}]
        workspace.log.identify("an id", "shop")
        assert rows_of(workspace, sql) == [{"workspace": "shop", "event_type": "append", "rows": 1}]
        copied = workspace.copy("copy_events")
        assert rows_of(workspace, "SELECT DISTINCT workspace_id FROM organization.jobs_log") == [
            {"workspace_id": "an id"}
        ], copied
        with pytest.raises(QueryError, match="organization"):
            workspace.query("SELECT 1 FROM organization.nothing")


def test_statistics_of_endpoints_are_states(project: Path) -> None:
    with Workspace.in_memory(project) as workspace:
        for duration in (1, 3):
            workspace.log.note(
                "pipe_stats_rt",
                {"start_datetime": datetime(2030, 1, 1), "pipe_name": "p", "duration": duration, "error": 0},
            )
        sql = """
            SELECT pipe_name, avgMerge(avg_duration_state) AS mean, sum(view_count) AS views,
                quantilesTimingMerge(0.9, 0.95, 0.99)(quantile_timing_state) AS quantiles
            FROM tinybird.pipe_stats GROUP BY pipe_name
        """
        assert rows_of(workspace, sql) == [{"pipe_name": "p", "mean": 2, "views": 2, "quantiles": [3, 3, 3]}]


def test_they_outlive_the_process_and_are_kept_for_a_time(project: Path) -> None:
    now = [datetime(2024, 1, 1, tzinfo=UTC)]

    def noted() -> list[str]:
        with Workspace.open(project, clock=lambda: now[0]) as workspace:
            found = rows_of(workspace, "SELECT event_type FROM tinybird.datasources_ops_log ORDER BY event_type")
            return [row["event_type"] for row in found]

    with Workspace.open(project, clock=lambda: now[0]) as workspace:
        workspace.build()
    assert noted() == ["create", "create"]
    now[0] += timedelta(days=29)
    assert noted() == ["create", "create"]
    now[0] += timedelta(days=2)
    assert noted() == []
