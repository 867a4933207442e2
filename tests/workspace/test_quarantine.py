"""What is in quarantine, and how it gets out again."""

from __future__ import annotations

from tbpy.workspace import Workspace
from tests.workspace.conftest import Folder
from tests.workspace.test_build import append, rows

STRICT = "id Int32 `json:$.id`; name String `json:$.name`"
LENIENT = "id String `json:$.id`; name Nullable(String) `json:$.name`"


def test_rows_that_fit_by_now_leave(folder: Folder, workspace: Workspace) -> None:
    folder.datasource("events", STRICT)
    folder.datasource("names", "name String; n UInt64", 'ENGINE "SummingMergeTree"\nENGINE_SORTING_KEY "name"\n')
    counts = "SELECT ifNull(name, '?') AS name, count() AS n FROM events GROUP BY name"
    folder.pipe("count_names", counts, "TYPE materialized\nDATASOURCE names\n")
    folder.build(workspace)
    append(folder, workspace, '{"id": 1, "name": "a"}\n{"id": "x", "name": "b"}\n{"id": "x"}\nno json\n')
    workspace.append("events", folder.write("rows.csv", "id,name\ny,c\n2,d\n"))
    workspace.append_events({"events": ['{"id": "x", "name": "b"}', '{"id": {}, "name": []}']})
    info = workspace.quarantine("events", sample=2)
    assert (info.rows, [(c.column, c.rows) for c in info.causes]) == (6, [("id", 5), ("", 1), ("name", 1)])
    assert [row.line for row in info.sample] == ['{"id": {}, "name": []}', '{"id": "x", "name": "b"}']
    assert workspace.replay("events").rows == 0
    folder.datasource("events", LENIENT)
    folder.build(workspace)
    report = workspace.replay("events")
    assert (report.rows, report.quarantined) == (5, 1)
    assert rows(workspace, "SELECT id, name FROM events ORDER BY ALL") == [
        ("1", "a"),
        ("2", "d"),
        ("x", "b"),
        ("x", "b"),
        ("x", None),
        ("y", "c"),
        ("{}", "[]"),
    ]
    assert rows(workspace, "SELECT * FROM names FINAL ORDER BY name") == [
        ("?", 1),
        ("[]", 1),
        ("a", 1),
        ("b", 2),
        ("c", 1),
        ("d", 1),
    ]
    assert workspace.replay("events").rows == 0
    assert workspace.quarantine("events", sample=0).rows == 1


def test_replacing_some_rows_makes_views_anew(folder: Folder, workspace: Workspace) -> None:
    folder.datasource("events", STRICT)
    folder.datasource("counts", "n UInt64")
    folder.pipe("to_counts", "SELECT count() AS n FROM events", "TYPE materialized\nDATASOURCE counts\n")
    folder.build(workspace)
    append(folder, workspace, '{"id": 1, "name": "a"}\n{"id": 2, "name": "b"}\n')
    file = folder.write("new.ndjson", '{"id": 3, "name": "c"}\n{"id": 4, "name": "c"}\n')
    assert workspace.replace("events", file, condition="id = 1").rows == 2
    assert rows(workspace, "SELECT id FROM events ORDER BY id") == [(2,), (3,), (4,)]
    assert rows(workspace, "SELECT n FROM counts") == [(3,)]
    workspace.replace("events", file)
    assert rows(workspace, "SELECT n FROM counts") == [(2,)]
