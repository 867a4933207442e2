"""Compiled queries are kept, and only found again where they are the answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tbpy.errors import TbpyError
from tbpy.project import load_project
from tbpy.workspace import Workspace, querying

DATASOURCE = "SCHEMA >\n    `k` String `json:$.k`,\n    `n` UInt32 `json:$.n`\n"
PIPE = """NODE chosen
SQL >
    %
    SELECT n {% if defined(double) %} * 2 {% end %} AS n FROM numbers_ds WHERE k = {{String(k, 'a')}}

NODE answer
SQL >
    SELECT sum(n) AS total FROM chosen

TYPE endpoint
"""


def _workspace(root: Path) -> Workspace:
    (root / "numbers_ds.datasource").write_text(DATASOURCE)
    (root / "total.pipe").write_text(PIPE)
    workspace = Workspace.open(root)
    workspace.build(load_project(root))
    return workspace


def _total(workspace: Workspace, **parameters: str) -> int:
    [row] = workspace.endpoint("total", parameters).rows
    return int(row[0])


def test_a_plan_is_found_again_by_what_its_nodes_render_to(tmp_path: Path) -> None:
    with _workspace(tmp_path) as workspace:
        data = tmp_path / "rows.ndjson"
        data.write_text('{"k": "a", "n": 1}\n{"k": "b", "n": 10}\n')
        workspace.append("numbers_ds", data)
        for _ in range(2):
            assert _total(workspace) == 1
            assert _total(workspace, k="b") == 10
            assert _total(workspace, k="b", double="1") == 20
        workspace.append("numbers_ds", data)
        assert _total(workspace, k="b") == 20


def test_a_build_forgets_the_plans(tmp_path: Path) -> None:
    with _workspace(tmp_path) as workspace:
        assert _total(workspace) == 0
        (tmp_path / "total.pipe").write_text(PIPE.replace("sum(n)", "count() + 5"))
        workspace.build(load_project(tmp_path))
        assert _total(workspace) == 5


def test_texts_that_a_plan_does_not_depend_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with _workspace(tmp_path) as workspace:
        data = tmp_path / "rows.ndjson"
        data.write_text("".join(f'{{"k": "k{i}", "n": {i}}}\n' for i in range(30)) + '{"k": "it\'s", "n": 100}\n')
        workspace.append("numbers_ds", data)
        assert [_total(workspace, k=k) for k in ("k1", "k2")] == [1, 2]  # the second one tells that there are more
        monkeypatch.setattr(querying, "compile_query", None)  # from here on nothing is compiled
        assert [_total(workspace, k=f"k{i}") for i in range(30)] == list(range(30))
        monkeypatch.undo()
        assert _total(workspace, k="it's") == 100
        assert _total(workspace, k="k2'") == 0


# What ClickHouse makes of a constant is not what it makes of a column: these plans depend on their texts.
DEPENDING = (
    ("SELECT n FROM numbers_ds WHERE k LIKE {{String(x)}} ORDER BY n", ("k1", "k%", "%2")),
    (
        "SELECT n FROM numbers_ds WHERE toDate('2024-01-01') + n > {{String(x, '2024-01-01')}} ORDER BY n",
        ("2024-01-02", "2024-01-03"),
    ),
    ("SELECT n, {{String(x)}} FROM numbers_ds WHERE n < 2 ORDER BY n", ("a", "b")),
    ("SELECT n, {{String(x)}} AS x FROM numbers_ds WHERE n < 2 ORDER BY n", ("a", "b")),
    ("SELECT formatDateTime(toDateTime('2024-01-01 10:00:00'), {{String(x)}}) AS s", ("%Y", "%m", "x")),
    ("SELECT toTimeZone(toDateTime('2024-01-01 10:00:00', 'UTC'), {{String(x)}}) AS s", ("UTC", "Asia/Tokyo")),
    ("SELECT n FROM numbers_ds WHERE k = {{String(x)}} OR k = 'k1' ORDER BY n", ("k2", "k1", "k3")),
    ("SELECT n FROM numbers_ds WHERE k IN ('k1', {{String(x)}}) ORDER BY n", ("k2", "k1", "5")),
    ("SELECT n FROM numbers_ds WHERE n = {{String(x, '1')}} ORDER BY n", ("1", "2")),
    ("SELECT count() AS c, {{String(x)}} = 'a' AS same FROM numbers_ds GROUP BY same", ("a", "b")),
    ("SELECT CAST({{String(x, 'a')}} AS Enum8('a' = 1, 'b' = 2)) AS e", ("a", "b")),
    ('SELECT JSONExtractInt(\'{"a": 1, "b": 2}\', {{String(x)}}) AS v', ("a", "b", "c")),
    ("SELECT concat(k, '-', {{String(x)}}) AS s FROM numbers_ds WHERE k != {{String(x)}} ORDER BY s", ("k1", "k2")),
    ("SELECT n FROM numbers_ds WHERE match(k, {{String(x)}}) ORDER BY n", ("1", "k.", "^k1")),
    ("SELECT {{column(x, 'n')}} AS c FROM numbers_ds ORDER BY c", ("n", "k")),
    ("SELECT sum(n) AS s FROM numbers_ds WHERE k = {{String(x)}} AND k != concat('k', '1')", ("k1", "k", "1", ",")),
    ("SELECT splitByChar({{String(x)}}, 'a-b:c') AS s", ("-", ":")),
    ("SELECT toDateTime({{String(x)}}) AS s", ("2024-01-01", "1704067200")),
    ("SELECT dateDiff({{String(x)}}, toDate('2024-01-01'), toDate('2025-01-01')) AS s", ("day", "month")),
)


@pytest.mark.parametrize(("sql", "values"), DEPENDING)
def test_answers_are_those_of_a_fresh_plan(tmp_path: Path, sql: str, values: tuple[str, ...]) -> None:
    (tmp_path / "asked.pipe").write_text(f"NODE n\nSQL >\n    %\n    {sql}\n\nTYPE endpoint\n")

    def answer(workspace: Workspace, value: str) -> object:
        try:
            found = workspace.endpoint("asked", {"x": value})
            return [(column.name, str(column.type)) for column in found.columns], found.rows
        except TbpyError as error:
            return str(error)

    with _workspace(tmp_path) as workspace:
        data = tmp_path / "rows.ndjson"
        data.write_text("".join(f'{{"k": "k{i}", "n": {i}}}\n' for i in range(4)))
        workspace.append("numbers_ds", data)
        kept = [answer(workspace, value) for value in (*values, *reversed(values))]
        fresh = []
        for value in (*values, *reversed(values)):
            workspace.build(replace(workspace.project))
            fresh.append(answer(workspace, value))
        assert kept == fresh
