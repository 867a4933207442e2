"""Compiled queries are kept, and only found again where they are the answer."""

from __future__ import annotations

from pathlib import Path

from tbpy.project import load_project
from tbpy.workspace import Workspace

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
