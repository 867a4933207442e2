"""The template project: its expected results are ClickHouse's own, and the wheel brings it along."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tbpy.datafiles import parse_pipe
from tbpy.templating import compile_template
from tbpy.testing import Case, find_suites

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "project_template"
CASES = [case for suite in find_suites(TEMPLATE) for case in suite.cases]

ORACLE = """
import sys
from chdb.session import Session
session = Session()
for name, columns in (
    ("customer_demographics", "customer_id String, age UInt8, location String"),
    ("customer_transactions", "customer_id String, transaction_date DateTime('UTC'), transaction_amount Float64"),
):
    session.query(f"CREATE TABLE {name} ({columns}) ENGINE = MergeTree ORDER BY customer_id")
    session.query(f"INSERT INTO {name} SELECT * FROM file('{sys.argv[1]}/fixtures/{name}.ndjson', JSONEachRow)")
for sql in sys.argv[2:]:
    sys.stdout.write(session.query(sql, "JSONEachRow").data() + "\\0")
"""


def statement(case: Case) -> str:
    """The SQL of the case's endpoint, its helper nodes as WITH clauses."""
    file = TEMPLATE / "endpoints" / f"{case.pipe}.pipe"
    pipe = parse_pipe(file.read_text(encoding="utf-8"), name=case.pipe)
    texts = {node.name: compile_template(node.sql.template).render(case.arguments()).sql for node in pipe.nodes}
    final = texts.pop(pipe.output_node.name)
    helpers = ", ".join(f"{name} AS ({sql})" for name, sql in texts.items())
    return f"WITH {helpers} {final}" if helpers else final


def test_expected_results_are_what_clickhouse_answers() -> None:
    command = [sys.executable, "-c", ORACLE, str(TEMPLATE), *map(statement, CASES)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "TZ": "UTC"})
    assert dict(zip([case.name for case in CASES], done.stdout.split("\0"), strict=False)) == {
        case.name: case.expected_result for case in CASES
    }


@pytest.mark.parametrize("fixture", ["customer_demographics", "customer_transactions"])
def test_fixtures_are_large_enough(fixture: str) -> None:
    lines = (TEMPLATE / "fixtures" / f"{fixture}.ndjson").read_text(encoding="utf-8").splitlines()
    assert len(lines) >= {"customer_demographics": 1_000, "customer_transactions": 20_000}[fixture]
    assert sum("cust_3377" in line for line in lines) >= 1


def test_the_wheel_brings_the_template(tmp_path: Path) -> None:
    site = tmp_path / "site"

    def python(*arguments: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(site), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
        return done.stdout

    python("-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", ".", str(ROOT))
    (wheel,) = tmp_path.glob("tbpy-*.whl")
    python("-m", "pip", "install", "--no-deps", "--target", str(site), str(wheel))
    assert python("-c", "import tbpy; print(tbpy.__file__)").startswith(str(site))
    python("-m", "tbpy.cli.main", "init", "cltv")
    assert files(tmp_path / "cltv") == files(TEMPLATE)


def files(folder: Path) -> set[str]:
    found = (file.relative_to(folder) for file in folder.rglob("*") if file.is_file())
    return {file.as_posix() for file in found if ".tbpy" not in file.parts}
