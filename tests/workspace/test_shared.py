"""Data sources that other workspaces share: `vendor/` says what they hold, here they are tables like others."""

from __future__ import annotations

from tests.workspace.conftest import Folder

SCHEMA = "SCHEMA >\n    `id` Int32 `json:$.id`\n\nENGINE MergeTree\nENGINE_SORTING_KEY id\n"


def test_shared_data_sources_are_read_filled_and_materialized_from(folder: Folder) -> None:
    folder.write("vendor/sales/datasources/orders.datasource", SCHEMA)
    folder.write("fixtures/sales.orders.ndjson", '{"id": 1}\n')
    folder.datasource("sums", "total SimpleAggregateFunction(sum, Int64)", "ENGINE AggregatingMergeTree\n")
    node = "SELECT sumSimpleState(toInt64(id)) AS total FROM sales.orders"
    folder.pipe("materialize", node, "TYPE materialized\nDATASOURCE sums\n")
    folder.pipe("ids", "SELECT id FROM sales.orders ORDER BY id")
    with folder.open() as workspace:
        report = folder.build(workspace)
        assert [(loaded.datasource, loaded.rows) for loaded in report.fixtures] == [("sales.orders", 1)]
        workspace.append("sales.orders", folder.write("more.ndjson", '{"id": 5}\n'))
        assert list(workspace.endpoint("ids").rows) == [(1,), (5,)]
        assert list(workspace.query("SELECT sum(total) FROM sums").rows) == [(6,)]
        assert folder.build(workspace).added == ()
    folder.write("vendor/sales/datasources/orders.datasource", SCHEMA.replace("Int32", "String"))
    with folder.open() as workspace:
        folder.build(workspace)
        assert list(workspace.endpoint("ids").rows) == [("1",), ("5",)]
