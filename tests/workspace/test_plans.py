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


def test_numbers_that_a_plan_does_not_depend_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sql = "SELECT k FROM numbers_ds WHERE n = {{UInt32(wanted)}} AND n < {{Int64(top)}} LIMIT {{Int32(most, 3)}}"
    (tmp_path / "found.pipe").write_text(f"NODE n\nSQL >\n    %\n    {sql}\n\nTYPE endpoint\n")
    with _workspace(tmp_path) as workspace:
        data = tmp_path / "rows.ndjson"
        data.write_text("".join(f'{{"k": "k{i}", "n": {i}}}\n' for i in range(300)))
        workspace.append("numbers_ds", data)

        def found(wanted: int, top: int) -> list[str]:
            return [row[0] for row in workspace.endpoint("found", {"wanted": str(wanted), "top": str(top)}).rows]

        assert [found(i, 1000 + i) for i in (10, 11, 290, 291)] == [["k10"], ["k11"], ["k290"], ["k291"]]
        monkeypatch.setattr(querying, "compile_query", None)  # from here on nothing is compiled
        assert [found(i, 2000 + i) for i in range(100, 120)] == [[f"k{i}"] for i in range(100, 120)]
        monkeypatch.undo()
        assert [found(i, i) for i in (150, 151, 152)] == [[], [], []]
        assert found(10, 1 << 40) == ["k10"]


def test_dates_that_a_plan_does_not_depend_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "days.datasource").write_text("SCHEMA >\n    `day` Date,\n    `at` DateTime,\n    `n` UInt32\n")
    sql = "SELECT n FROM days WHERE day >= {{Date(day)}} AND at < {{DateTime(until)}} ORDER BY n LIMIT {{Int32(most)}}"
    (tmp_path / "since.pipe").write_text(f"NODE n\nSQL >\n    %\n    {sql}\n\nTYPE endpoint\n")
    with _workspace(tmp_path) as workspace:
        data = tmp_path / "rows.ndjson"
        rows = (f'{{"day": "2024-01-{i:02}", "at": "2024-01-{i:02} 12:00:00", "n": {i}}}\n' for i in range(1, 29))
        data.write_text("".join(rows))
        workspace.append("days", data)

        def since(day: int, until: int) -> list[int]:
            given = {"day": f"2024-01-{day:02}", "until": f"2024-01-{until:02} 12:00:00", "most": "2"}
            return [row[0] for row in workspace.endpoint("since", given).rows]

        assert [since(1, 9), since(2, 9), since(3, 9)] == [[1, 2], [2, 3], [3, 4]]
        monkeypatch.setattr(querying, "compile_query", None)  # from here on nothing is compiled
        assert [since(day, day + 2) for day in range(4, 9)] == [[day, day + 1] for day in range(4, 9)]
        assert since(9, 9) == []


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
    ("SELECT n + {{Int32(x)}} AS s FROM numbers_ds ORDER BY s", ("5", "255", "256", "65536", "4294967296", "-1")),
    ("SELECT n - {{Int32(x)}} AS s, toTypeName(s) AS t FROM numbers_ds ORDER BY s", ("5", "6", "255", "256")),
    ("SELECT n, {{Int32(x)}} FROM numbers_ds WHERE n < 2 ORDER BY n", ("5", "6")),
    (
        "SELECT n % {{Int32(x, 2)}} AS s, intDiv(n, {{Int32(x, 2)}}) AS d FROM numbers_ds ORDER BY s, d",
        ("2", "3", "1", "0"),
    ),
    ("SELECT n / {{Int32(x)}} AS s FROM numbers_ds ORDER BY s", ("2", "3", "0")),
    ("SELECT bitShiftLeft(n, {{Int32(x)}}) AS s FROM numbers_ds ORDER BY s", ("2", "3", "70")),
    ("SELECT n FROM numbers_ds WHERE n IN (1, {{Int32(x)}}) ORDER BY n", ("2", "3", "1")),
    ("SELECT n FROM numbers_ds WHERE n NOT BETWEEN {{Int32(x)}} AND 2 ORDER BY n", ("1", "2", "3")),
    ("SELECT n FROM numbers_ds WHERE toInt8(n) < {{Int32(x)}} ORDER BY n", ("1", "100", "200", "255", "256")),
    ("SELECT n, k FROM numbers_ds ORDER BY {{Int32(x)}}, 1 LIMIT {{Int32(x)}}", ("1", "2")),
    ("SELECT sum(n) AS s FROM numbers_ds GROUP BY {{Int32(x)}}", ("1", "2", "3")),
    ("SELECT round(n / 3, {{Int32(x)}}) AS s FROM numbers_ds ORDER BY s", ("1", "2", "3")),
    ("SELECT substring(k, {{Int32(x)}}) AS s FROM numbers_ds ORDER BY s", ("1", "2", "0")),
    ("SELECT [10, 20, 30][{{Int32(x, 1)}}] AS s, tupleElement(tuple(1, 'b'), {{Int32(x, 1)}}) AS t", ("1", "2")),
    ("SELECT toDateTime({{Int32(x)}}, 'UTC') AS s, toDate({{Int32(x)}}) AS d", ("1", "65535", "65536", "1704067200")),
    ("SELECT addDays(toDate('2024-01-01'), {{Int32(x)}}) + INTERVAL {{Int32(x)}} DAY AS s", ("1", "31", "400")),
    ("SELECT if(n > {{Int32(x)}}, {{Int32(x)}}, n) AS s FROM numbers_ds ORDER BY s", ("1", "2", "300")),
    ("SELECT toDate('2024-01-05') > {{Date(x, '2024-01-01')}} AS s", ("2024-01-04", "2024-01-06", "2024-02-30")),
    ("SELECT toDateTime('2024-01-05 00:00:00') > {{Date(x, '2024-01-01')}} AS s", ("2024-01-04", "2024-01-06")),
    ("SELECT toStartOfMonth(toDate({{Date(x, '2024-01-01')}})) AS s", ("2024-01-01", "2024-02-01", "2024-02-03")),
    ("SELECT toDate32({{Date(x, '2024-01-01')}}) AS s, {{Date(x, '2024-01-01')}} AS t", ("2024-01-01", "1999-02-01")),
    ("SELECT toDate('2024-01-05', 'UTC') > toDate({{String(x, '2024-01-01')}}) AS s", ("2024-01-04", "2024-01-06")),
    (
        "SELECT toDateTime('2024-01-05 00:00:00', 'Asia/Tokyo') > {{DateTime(x, '2024-01-01 00:00:00')}} AS s",
        ("2024-01-04 14:59:59", "2024-01-04 15:00:01"),
    ),
    (
        "SELECT toDateTime('2024-01-05 00:00:00') > {{DateTime(x, '2024-01-01 00:00:00')}} AS s",
        ("2024-01-04 14:59:59", "2024-01-05 15:00:01", "2024-01-04"),
    ),
    (
        "SELECT toDateTime64('2024-01-05 00:00:00.5', 3) > {{DateTime(x, '2024-01-01 00:00:00')}} AS s",
        ("2024-01-04 14:59:59", "2024-01-05 15:00:01"),
    ),
    (
        "SELECT toDateTime({{DateTime(x, '2024-01-01 00:00:00')}}, 'Asia/Tokyo') AS s",
        ("2024-01-04 14:59:59", "2024-01-05 15:00:01"),
    ),
    (
        "SELECT toString({{Int32(x)}}) AS s, -{{Int32(x)}} AS m, - {{Int32(x)}} AS k, 1-{{Int32(x)}} AS j",
        ("1", "2", "128"),
    ),
    (
        "SELECT count() AS c FROM numbers_ds WHERE n * 1000000000 > {{Int64(x)}}",
        ("2147483647", "2147483648", "5000000000"),
    ),
    (
        "SELECT toInt64(n) * {{Int64(x)}} AS s FROM numbers_ds ORDER BY s",
        ("7", "2147483647", "2147483648", "4294967296"),
    ),
    ("SELECT n + {{Float64(x)}} AS s FROM numbers_ds ORDER BY s", ("7", "8", "1.5")),
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
        assert repr(kept) == repr(fresh)  # NaN is no equal of itself
