"""Projects of Tinybird Classic: pipes that describe their target, endpoints without TYPE, included files, fixtures."""

from __future__ import annotations

import pytest

from tbpy.errors import NotFoundError
from tests.workspace.conftest import Folder

EVENTS = "user String `json:$.user`; at DateTime `json:$.at`"
TARGET = 'TYPE materialized\nDATASOURCE users\nENGINE "AggregatingMergeTree"\nENGINE_SORTING_KEY "user"\n'
MATERIALIZED = "SELECT user, maxState(at) AS last, toNullable(1) AS one FROM events GROUP BY user"


def _classic(folder: Folder) -> None:
    folder.datasource("events", EVENTS)
    folder.write("datasources/fixtures/events.ndjson", '{"user": "ada", "at": "2024-05-01 10:00:00"}\n')
    folder.pipe("materialize", MATERIALIZED, TARGET)
    folder.write(
        "includes/active.incl", "NODE active\nSQL >\n    SELECT user, maxMerge(last) AS at FROM $FROM GROUP BY user\n"
    )
    read = "NODE end\nSQL >\n    SELECT user, at FROM active\n"
    folder.write("endpoints/last_seen.pipe", f'INCLUDE "../includes/active.incl" "FROM=users"\n{read}')


def test_a_pipe_makes_its_target_and_serves_its_last_node(folder: Folder) -> None:
    _classic(folder)
    with folder.open() as workspace:
        report = folder.build(workspace)
        assert [loaded.rows for loaded in report.fixtures] == [1]
        assert [(c.name, str(c.type)) for c in workspace.query("SELECT * FROM users").columns] == [
            ("user", "String"),
            ("last", "AggregateFunction(max, DateTime)"),
            ("one", "Nullable(UInt8)"),
        ]
        assert [str(row) for row in workspace.endpoint("last_seen").rows] == [
            "('ada', datetime.datetime(2024, 5, 1, 10, 0))"
        ]
        workspace.append("events", folder.write("more.ndjson", '{"user": "bob", "at": "2024-05-02 10:00:00"}\n'))
        assert len(list(workspace.endpoint("last_seen").rows)) == 2


def test_names_with_releases_and_versions_are_those_of_the_project(folder: Folder) -> None:
    folder.write(".tinyenv", "VERSION=1.0.2\n")
    folder.datasource("events", EVENTS)
    folder.pipe("count", "SELECT count() AS c FROM v1_0_2.events", "")
    folder.pipe("again", "SELECT c FROM count__v3", "")
    with folder.open() as workspace:
        folder.build(workspace)
        assert list(workspace.endpoint("again").rows) == [(0,)]


def test_one_endpoint_with_a_type_makes_a_project_of_forward(folder: Folder) -> None:
    folder.datasource("events", EVENTS, "VERSION 1\n")
    folder.pipe("served", "SELECT 1")
    folder.pipe("helper", "SELECT 1", "")
    with folder.open() as workspace:
        folder.build(workspace)
        with pytest.raises(NotFoundError):
            workspace.endpoint("helper")


def test_columns_of_the_kafka_connector_can_be_read(folder: Folder) -> None:
    settings = "KAFKA_CONNECTION_NAME c\nKAFKA_TOPIC t\nKAFKA_GROUP_ID g\nKAFKA_STORE_HEADERS 'True'\n"
    folder.datasource("messages", "id Int32 `json:$.id`; __offset Int64", settings)
    folder.pipe("latest", "SELECT id, __timestamp, __headers['k'] AS k FROM messages ORDER BY __offset")
    with folder.open() as workspace:
        folder.build(workspace)
        workspace.append("messages", folder.write("more.ndjson", '{"id": 1}\n'))
        names = [column.name for column in workspace.query("SELECT * FROM messages").columns]
        assert names == ["id", "__offset", "__value", "__topic", "__partition", "__timestamp", "__key", "__headers"]
        assert len(list(workspace.endpoint("latest").rows)) == 1


def test_a_move_between_releases_is_not_run(folder: Folder) -> None:
    _classic(folder)
    folder.pipe("move", "SELECT * FROM v0_0_1.events", "TYPE materialized\nDATASOURCE events\n")
    with folder.open() as workspace:
        report = folder.build(workspace)
        assert "release" in [warning.code for warning in report.warnings]
        assert list(workspace.query("SELECT count() FROM events").rows) == [(1,)]
