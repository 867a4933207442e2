"""Builds: what is made, kept, carried over, dropped, and reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from tbpy.errors import DiagnosticsError, NotFoundError, UsageError
from tbpy.project import load_project
from tbpy.workspace import Workspace
from tests.workspace.conftest import Folder

EVENTS = "id Int32 `json:$.id`; name String `json:$.name`; at DateTime `json:$.at`"
ROW = '{"id": %s, "name": "n", "at": "2024-01-02 03:04:05"}\n'


def rows(workspace: Workspace, sql: str) -> list[tuple[object, ...]]:
    return workspace.query(sql).rows


def append(folder: Folder, workspace: Workspace, text: str, name: str = "events") -> None:
    workspace.append(name, folder.write("rows.ndjson", text))


def test_a_build_is_once(folder: Folder, workspace: Workspace) -> None:
    folder.datasource("events", EVENTS)
    folder.pipe("top", "SELECT count() AS n FROM events")
    assert folder.build(workspace).added == ("datasource:events", "pipe:top")
    assert not folder.build(workspace)
    folder.pipe("top", "SELECT count() AS m FROM events")
    assert folder.build(workspace).changed == ("pipe:top",)
    assert rows(workspace, "SELECT * FROM top") == [(0,)]


def test_a_project_with_mistakes_changes_nothing(folder: Folder, workspace: Workspace) -> None:
    folder.datasource("events", EVENTS)
    folder.build(workspace)
    append(folder, workspace, ROW % 1)
    folder.datasource("events", "id Int32 `json:$.id`")
    folder.pipe("one", "SELECT nothing FROM events")
    folder.pipe("two", "SELECT * FROM nowhere")
    with pytest.raises(DiagnosticsError) as error:
        folder.build(workspace)
    assert {diagnostic.file for diagnostic in error.value.diagnostics} == {"pipes/one.pipe", "pipes/two.pipe"}
    assert [info.columns[1][0] for info in workspace.datasources()] == ["name"]


# What the schema becomes, and what the rows are then; `-` are the ones that went to quarantine.
MIGRATIONS = [
    ("a column more, with a default", EVENTS + "; n UInt8 DEFAULT 7", "SELECT id, n", [(1, 7), (300, 7)], 0),
    ("a column more, without one", EVENTS + "; n String", "SELECT id, n", [(1, ""), (300, "")], 0),
    ("a computed column", EVENTS + "; d Date DEFAULT toDate(at)", "SELECT toString(d)", [("2024-01-02",)] * 2, 0),
    ("wider", EVENTS.replace("Int32", "Int64"), "SELECT id", [(1,), (300,)], 0),
    ("narrower", EVENTS.replace("Int32", "Int8"), "SELECT id", [(1,)], 1),
    ("to text", EVENTS.replace("Int32", "String"), "SELECT id", [("1",), ("300",)], 0),
    ("nullable", EVENTS.replace("Int32", "Nullable(Int32)"), "SELECT id", [(1,), (300,)], 0),
    ("text to number", EVENTS.replace("name String", "name Int8"), "SELECT name", [], 2),
    ("text to document", EVENTS.replace("name String", "name JSON"), "SELECT name.a.:Int64", [], 2),
    ("time to date", EVENTS.replace("DateTime", "Date"), "SELECT toString(at)", [("2024-01-02",)] * 2, 0),
    ("a column less", "id Int32 `json:$.id`; at DateTime `json:$.at`", "SELECT id", [(1,), (300,)], 0),
    ("another order", "; ".join(reversed(EVENTS.split("; "))), "SELECT id", [(1,), (300,)], 0),
]  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "sql", "expected", "quarantined"), [m[1:] for m in MIGRATIONS], ids=[m[0] for m in MIGRATIONS]
)
def test_rows_survive_a_change_of_schema(
    folder: Folder, workspace: Workspace, columns: str, sql: str, expected: list[tuple[object, ...]], quarantined: int
) -> None:
    folder.datasource("events", EVENTS)
    folder.build(workspace)
    append(folder, workspace, ROW % 1 + ROW % 300 + ROW % '"bad"')
    folder.datasource("events", columns)
    report = folder.build(workspace)
    assert rows(workspace, f"{sql} FROM events ORDER BY 1") == expected
    assert [(m.kept, m.quarantined) for m in report.migrated] == [(len(expected), quarantined)]
    assert rows(workspace, "SELECT count() FROM events_quarantine") == [(1 + quarantined,)]
    append(folder, workspace, ROW % 5)


def test_forward_query(folder: Folder, workspace: Workspace) -> None:
    folder.datasource("events", EVENTS)
    folder.build(workspace)
    append(folder, workspace, ROW % 1)
    rest = 'ENGINE "MergeTree"\nFORWARD_QUERY >\n    SELECT toString(id + 1) AS id, upper(name) AS name\n'
    folder.datasource("events", "id String `json:$.id`; name String `json:$.name`", rest)
    folder.build(workspace)
    assert rows(workspace, "SELECT * FROM events") == [("2", "N")]


def test_what_does_not_touch_rows_keeps_them(folder: Folder, workspace: Workspace) -> None:
    folder.datasource("events", EVENTS)
    folder.build(workspace)
    append(folder, workspace, ROW % 2 + ROW % 1)
    folder.datasource("events", EVENTS.replace("$.id", "$.key"), 'ENGINE "MergeTree"\nENGINE_SORTING_KEY "id"\n')
    assert folder.build(workspace).migrated == ()
    assert rows(workspace, "SELECT id FROM events") == [(1,), (2,)]
    append(folder, workspace, '{"key": 3, "name": "n", "at": "2024-01-02 03:04:05"}\n')


def test_removed_data_sources_are_dropped_and_told(folder: Folder, workspace: Workspace) -> None:
    folder.datasource("events", EVENTS)
    folder.datasource("other", "a String")
    folder.build(workspace)
    append(folder, workspace, ROW % 1)
    (folder.root / "datasources/events.datasource").unlink()
    report = folder.build(workspace)
    assert (report.removed, report.dropped_rows) == (("datasource:events",), {"events": 1})
    with pytest.raises(NotFoundError, match="no data source events"):
        append(folder, workspace, ROW % 1)


def test_fixtures_are_replaced_not_doubled(folder: Folder, workspace: Workspace) -> None:
    folder.datasource("events", EVENTS)
    folder.write("fixtures/events.ndjson", ROW % 1 + ROW % 1 + ROW % '"x"')
    report = folder.build(workspace)
    assert [(f.datasource, f.rows, f.quarantined) for f in report.fixtures] == [("events", 2, 1)]
    append(folder, workspace, ROW % 1 + ROW % 9)
    assert not folder.build(workspace)
    folder.write("fixtures/events.ndjson", ROW % 5)
    folder.build(workspace)
    assert rows(workspace, "SELECT id FROM events ORDER BY id") == [(1,), (5,), (9,)]
    assert rows(workspace, "SELECT count() FROM events_quarantine") == [(0,)]
    (folder.root / "fixtures/events.ndjson").unlink()
    folder.build(workspace)
    assert rows(workspace, "SELECT id FROM events ORDER BY id") == [(1,), (9,)]


def test_a_fixture_follows_its_schema(folder: Folder, workspace: Workspace) -> None:
    folder.datasource("events", "id Int32 `json:$.id`")
    folder.write("fixtures/events.csv", "id,more\n1,a\n")
    folder.build(workspace)
    folder.datasource("events", "id Int32 `json:$.id`; more String `json:$.more`")
    folder.build(workspace)
    assert rows(workspace, "SELECT * FROM events") == [(1, "a")]


DAILY = "day Date; n AggregateFunction(count); total SimpleAggregateFunction(sum, Float64)"
DAILY_SQL = "SELECT toDate(at) AS day, countState() AS n, sum(toFloat64(id)) AS total FROM events GROUP BY day"
TO_DAILY = "TYPE materialized\nDATASOURCE daily\n"


def test_materialized_nodes_see_each_block_once(folder: Folder, workspace: Workspace) -> None:
    folder.datasource("events", EVENTS)
    folder.datasource("daily", DAILY, 'ENGINE "AggregatingMergeTree"\nENGINE_SORTING_KEY "day"\n')
    folder.datasource("totals", "total Float64")
    folder.write("fixtures/events.ndjson", ROW % 1)
    folder.pipe("to_daily", DAILY_SQL, TO_DAILY)
    folder.pipe("to_totals", "SELECT sum(total) AS total FROM daily", "TYPE materialized\nDATASOURCE totals\n")
    assert folder.build(workspace).populated == ("daily", "totals")
    append(folder, workspace, ROW % 2 + ROW % 3 + ROW % '"bad"')
    assert rows(workspace, "SELECT countMerge(n), sum(total) FROM daily") == [(3, 6.0)]
    assert rows(workspace, "SELECT total FROM totals ORDER BY total") == [(1.0,), (5.0,)]
    folder.pipe("to_daily", DAILY_SQL.replace("id)", "id * 10)"), TO_DAILY)
    assert folder.build(workspace).populated == ("daily", "totals")
    assert rows(workspace, "SELECT countMerge(n), sum(total) FROM daily") == [(3, 60.0)]
    assert rows(workspace, "SELECT total FROM totals") == [(60.0,)]


def test_a_materialized_node_that_cannot_run_is_told(folder: Folder, workspace: Workspace) -> None:
    folder.datasource("events", EVENTS)
    folder.datasource("target", "x String")
    folder.pipe("bad", "SELECT toString(number) AS x FROM numbers(3)", "TYPE materialized\nDATASOURCE target\n")
    report = folder.build(workspace)
    assert [w.file for w in report.warnings if "gets no rows" in w.message] == ["pipes/bad.pipe"]


def test_names_that_differ_in_case_only(folder: Folder, workspace: Workspace) -> None:
    folder.datasource("events", "id Int32 `json:$.id`; ID Int32 `json:$.ID`")
    folder.datasource("Events", "x String")
    folder.build(workspace)
    append(folder, workspace, '{"id": 1, "ID": 2}\n')
    assert rows(workspace, "SELECT ID, id FROM events") == [(2, 1)]
    assert rows(workspace, "SELECT count() FROM Events") == [(0,)]


def test_truncate_and_delete(folder: Folder, workspace: Workspace) -> None:
    folder.datasource("events", EVENTS)
    folder.build(workspace)
    append(folder, workspace, "".join(ROW % i for i in range(10)) + ROW % '"bad"')
    assert workspace.delete("events", "id IN (SELECT id FROM events WHERE id < 3) -- few") == 3
    with pytest.raises(UsageError):
        workspace.delete("events", " ")
    assert [(i.rows, i.quarantined) for i in workspace.datasources()] == [(7, 1)]
    assert (workspace.truncate("events_quarantine"), workspace.truncate("events")) == (1, 7)
    with pytest.raises(NotFoundError) as error:
        workspace.truncate("evnts")
    assert error.value.hint == "did you mean events?"


def test_endpoints(folder: Folder, workspace: Workspace) -> None:
    folder.datasource("events", EVENTS)
    folder.pipe("ids", "%\n    SELECT id FROM events WHERE id > {{Int32(above, 0)}} ORDER BY id")
    folder.build(workspace)
    append(folder, workspace, ROW % 1 + ROW % 2)
    assert workspace.endpoint("ids").rows == [(1,), (2,)]
    assert workspace.endpoint("ids", {"above": "1"}, sql="SELECT count() FROM _").rows == [(1,)]
    assert [(e.name, [p.name for p in e.parameters]) for e in workspace.endpoints()] == [("ids", ["above"])]
    with pytest.raises(NotFoundError, match="no endpoint id"):
        workspace.endpoint("id")


def test_in_memory(folder: Folder) -> None:
    folder.datasource("events", EVENTS)
    folder.write("fixtures/events.ndjson", ROW % 1)
    with Workspace.in_memory(folder.root) as workspace:
        workspace.build(load_project(folder.root))
        assert rows(workspace, "SELECT id FROM events") == [(1,)]
    assert not Path(folder.root / ".tbpy").exists()


def test_rows_expire_unless_there_are_fixtures(folder: Folder, workspace: Workspace) -> None:
    ttl = 'ENGINE "MergeTree"\nENGINE_TTL "toDateTime(at) + toIntervalDay(30) DELETE WHERE id != 3"\n'
    folder.datasource("events", EVENTS, ttl)
    folder.build(workspace)
    old, new = ROW, ROW.replace("2024-01", "2024-05")
    append(folder, workspace, old % 1 + new % 2 + old % 3)
    folder.write("fixtures/events.ndjson", old % 4)
    folder.build(workspace)
    assert rows(workspace, "SELECT id FROM events ORDER BY id") == [(1,), (2,), (3,), (4,)]
    (folder.root / "fixtures/events.ndjson").unlink()
    folder.build(workspace)
    assert rows(workspace, "SELECT id FROM events ORDER BY id") == [(2,), (3,)]


def test_engine_null_hands_rows_on(folder: Folder, workspace: Workspace) -> None:
    folder.datasource("events", EVENTS, 'ENGINE "Null"\n')
    folder.datasource("between", "id Int32", 'ENGINE "Null"\n')
    folder.datasource("kept", "id Int32")
    folder.pipe("to_between", "SELECT id FROM events", "TYPE materialized\nDATASOURCE between\n")
    folder.pipe("to_kept", "SELECT id * 10 AS id FROM between", "TYPE materialized\nDATASOURCE kept\n")
    folder.write("fixtures/events.ndjson", ROW % 1)
    folder.build(workspace)
    append(folder, workspace, ROW % 2)
    workspace.append_events({"events": [ROW % 3]})
    assert rows(workspace, "SELECT id FROM kept ORDER BY id") == [(10,), (20,), (30,)]
    assert rows(workspace, "SELECT id FROM events UNION ALL SELECT id FROM between") == []
    folder.pipe("to_kept", "SELECT id * 100 AS id FROM between", "TYPE materialized\nDATASOURCE kept\n")
    folder.build(workspace)
    assert rows(workspace, "SELECT id FROM events UNION ALL SELECT id FROM between") == []


def test_no_node_runs_where_nothing_comes_in(folder: Folder, workspace: Workspace) -> None:
    folder.datasource("events", EVENTS)
    folder.datasource("sums", "n UInt64")
    folder.datasource("counts", "n UInt64")
    folder.pipe("to_sums", "SELECT id AS n FROM events WHERE id > 5", "TYPE materialized\nDATASOURCE sums\n")
    folder.pipe("to_counts", "SELECT count() AS n FROM sums", "TYPE materialized\nDATASOURCE counts\n")
    folder.build(workspace)
    append(folder, workspace, ROW % 1)
    append(folder, workspace, ROW % '"bad"')
    workspace.append_events({"events": [(ROW % '"bad"')]})
    assert rows(workspace, "SELECT n FROM counts") == []
    workspace.append_events({"events": [ROW % 7]})
    assert rows(workspace, "SELECT n FROM counts") == [(1,)]


def test_fixtures_are_read_in_the_order_of_the_sorting_key(folder: Folder, workspace: Workspace) -> None:
    """A part of ClickHouse is sorted, and a query without ORDER BY shows it: tests of projects expect that."""
    key = 'ENGINE "MergeTree"\nENGINE_SORTING_KEY "name"\n'
    folder.datasource("sales", "name String `json:$.name`; id Int32 `json:$.id`", key)
    folder.datasource("names", "name String; id Int32", key)
    folder.pipe("to_names", "SELECT name, id FROM sales", "TYPE materialized\nDATASOURCE names\n")
    lines = ('{"name": "b", "id": 1}', '{"name": "a", "id": 2}', '{"name": "b", "id": 3}', '{"name": "a", "id": 4}')
    folder.write("fixtures/sales.ndjson", "\n".join(lines))
    folder.build(workspace)
    for table in ("sales", "names"):
        assert list(workspace.query(f"SELECT name, id FROM {table}").rows) == [("a", 2), ("a", 4), ("b", 1), ("b", 3)]
