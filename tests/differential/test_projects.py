"""The runner of whole projects, over the worked example."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from tests.differential.projects.__main__ import main
from tests.differential.projects.comparing import compared_project
from tests.differential.projects.folders import project_roots

TEMPLATE = Path(__file__).parents[2] / "project_template"


def test_every_node_of_the_example_runs_and_its_tests_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(TEMPLATE)]) == 0
    told = capsys.readouterr()
    header, row = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in told.out.splitlines() if "---" not in line
    ][:2]
    found = dict(zip(header, row, strict=True))
    assert int(found["asked"]) > 0 and int(found["tests passed"]) > 0
    assert [found[kind] for kind in ("files left out", "refused", "failed", "crashed", "tests failed")] == ["0"] * 5
    assert told.err == ""


def test_the_nodes_of_the_example_answer_as_clickhouse_does() -> None:
    (root,) = project_roots(TEMPLATE)
    found = [one for one in compared_project(root, datetime(2025, 7, 1, 12), 3) if one.kind != "equal (no rows)"]
    assert {one.kind for one in found} == {"equal"}, [(one.node, one.detail) for one in found if one.kind != "equal"]
