"""Tests of Tinybird Classic: rules that no row may break, and commands with what they print."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tbpy import testing
from tbpy.testing import Report, classic
from tbpy.workspace import Workspace

RULES = """
- no-early-birds:
    max_bytes_read: null
    sql: |
      SELECT * FROM hours WHERE hour < 10
- none-for-ada:
    sql: SELECT * FROM top HAVING n > 0;
    pipe:
      name: top
      params:
        who: ada
- broken:
    sql: SELECT nothing FROM hours
"""
TOP = """
NODE n
SQL >
    %
    SELECT who, count() AS n FROM hours WHERE who = {{String(who, 'bob')}} GROUP BY who
"""
TABLE = """
--------------------
| who      | count |
--------------------
| bob      |     1 |
| caroline |    12 |
--------------------
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = {
        "datasources/hours.datasource": "VERSION 1\nSCHEMA >\n    `who` String,\n    `hour` Int32\n",
        "datasources/fixtures/hours.csv": "who,hour\nbob,9\nbob,11\n",
        "endpoints/top.pipe": TOP,
        "tests/default.yaml": RULES,
        "tests/regression.yaml": "- pipe: '.*'\n  tests:\n    - [coverage]:\n",
        "tests/csv.test": "tb pipe data top --who=bob --format CSV\n",
        "tests/csv.test.result": '"who","n"\n\n"bob",2\n\n',
        "tests/json.test": "tb pipe data top --who ada --format json",
        "tests/json.test.result": "{}\n",
        "tests/shell.test": "tb pipe stats top | head",
        "tests/shell.test.result": "\n",
        "tests/table.test": "tb sql \"SELECT who, 1 AS n FROM hours WHERE hour = 9 AND who != 'x y'\"",
        "tests/table.test.result": "-----------\n| who | n |\n-----------\n| bob | 1 |\n-----------\n",
        "tests/alone.test": "tb sql 'SELECT 1'",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def report_of(root: Path, *names: str) -> Report:
    suites = testing.find_suites(root, names)
    with Workspace.in_memory(root, clock=lambda: datetime(2024, 1, 1, tzinfo=UTC)) as workspace:
        workspace.build()
        return testing.run(suites, workspace.project.pipes, lambda case: testing.ask(workspace, case), workers=1)


def test_rules_and_commands_are_judged(project: Path) -> None:
    report = report_of(project)
    assert {outcome.case.title: outcome.passed for outcome in report.outcomes} == {
        "default.no-early-birds": False,
        "default.none-for-ada": True,
        "default.broken": False,
        "top.csv": True,
        "top.json": False,
        "table.table": True,
    }
    early = report.outcomes[[outcome.case.name for outcome in report.outcomes].index("no-early-birds")]
    assert (early.message, early.difference, early.case.line) == (
        "rows break the rule",
        ('{"who":"bob","hour":9}',),
        2,
    )
    assert {suite.file: suite.skipped for suite in report.skipped} == {
        "tests/regression.yaml": "regression tests compare two releases of Tinybird Classic",
        "tests/shell.test": "only `tb pipe data` and `tb sql` can be run",
        "tests/alone.test": "there is no alone.test.result",
    }


def test_one_file_can_be_chosen_and_updates_leave_it_alone(project: Path) -> None:
    report = report_of(project, "csv", "default")
    assert len(report.outcomes) == 4
    updated = testing.update(project, [(outcome.case, outcome.answer) for outcome in report.outcomes])
    assert updated.files == {} and (project / "tests/default.yaml").read_text() == RULES


def test_tables_are_those_of_the_command_line() -> None:
    text = "who\tcount\nbob\t1\ncaroline\t12\n"
    assert classic.printed(text, classic.TABLE) == TABLE.lstrip()
    assert classic.printed("", classic.TABLE) == ""
