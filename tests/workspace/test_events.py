"""Events: lines in memory, judged one by one, stored together."""

from __future__ import annotations

import json

import pytest

from tbpy.errors import NotFoundError
from tbpy.workspace import Workspace
from tests.workspace.conftest import Folder


def line(**values: object) -> str:
    return json.dumps(values)


@pytest.fixture
def events(folder: Folder, workspace: Workspace) -> Workspace:
    folder.datasource(
        "events", "id Int32 `json:$.id`; name String `json:$.name`; at DateTime `json:$.at` DEFAULT now()"
    )
    folder.pipe(
        "by_name", "SELECT name, count() AS n FROM events GROUP BY name", "TYPE materialized\nDATASOURCE names\n"
    )
    folder.datasource("names", "name String; n UInt64")
    folder.build(workspace)
    return workspace


def test_bad_events_are_kept_apart_from_good_ones(events: Workspace) -> None:
    lines = [line(id=1, name="a"), line(id="x", name="b"), "{no json", line(id=2, name="a"), line(name="c")]
    assert events.append_events({"events": lines}) == {"events": frozenset({1, 2, 4})}
    assert events.query("SELECT id, name, at FROM events ORDER BY id").rows[0][:2] == (1, "a")
    assert events.query("SELECT count() FROM events WHERE at = '2024-05-06 07:08:09'").rows == [(2,)]
    quarantined = events.query("SELECT c__error_column, c__import_id, name FROM events_quarantine ORDER BY name").rows
    assert sorted(quarantined, key=lambda row: len(row[0])) == [([], "", None), (["id"], "", "b"), (["id"], "", "c")]


def test_materialized_rows_are_of_the_same_events(events: Workspace) -> None:
    events.append_events({"events": [line(id=1, name="a"), line(id=2, name="a")]})
    assert events.query("SELECT name, n FROM names").rows == [("a", 2)]


def test_all_or_nothing(events: Workspace) -> None:
    with pytest.raises(NotFoundError):
        events.append_events({"events": [line(id=1, name="a")], "other": ["{}"]})
    assert events.query("SELECT count() FROM events").rows == [(0,)]


def test_replacing_rows_replaces_what_was_made_of_them(events: Workspace, folder: Folder) -> None:
    events.append_events({"events": [line(id=1, name="a"), line(id=2, name="b")]})
    file = folder.write("new.ndjson", line(id=3, name="c") + "\n")
    events.replace("events", file, condition="id = 1")
    assert events.query("SELECT id FROM events ORDER BY id").rows == [(2,), (3,)]
    events.replace("events", file)
    assert events.query("SELECT id FROM events").rows == [(3,)]
    assert events.query("SELECT name, n FROM names").rows == [("c", 1)]


def test_odd_lines_stay_what_they_are(events: Workspace) -> None:
    lines = ["it's; DROP TABLE events --", "nul\0inside", '{"id": 1, "name": "it\'s \\u0000"}', "", "\\", "$1"]
    assert events.append_events({"events": lines}) == {"events": frozenset({0, 1, 3, 4, 5})}
    assert events.query("SELECT count() FROM events_quarantine").rows == [(5,)]
    assert events.query("SELECT name FROM events").rows == [("it's \0",)]


def test_a_table_made_anew_takes_events(events: Workspace, folder: Folder) -> None:
    """What was prepared for the old table must not be used for the new one."""
    events.append_events({"events": [line(id=1, name="a")]})
    folder.datasource("events", "id Int64 `json:$.id`; name String `json:$.name`; more String DEFAULT 'x'")
    folder.build(events)
    events.append_events({"events": [line(id=2, name="b")]})
    assert events.query("SELECT id, more FROM events ORDER BY id").rows == [(1, "x"), (2, "x")]
