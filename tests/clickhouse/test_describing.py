"""Statements that describe what there is, run on the tables of the recorded fixtures."""

import pytest

from tbpy.clickhouse.compiler import compile_query
from tests.conformance.dialect import DialectRunner, answer_of


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("SHOW TABLES LIKE 'e%'", ["edge", "events"]),
        ("SHOW TABLES FROM default ILIKE 'E%s'", ["events"]),
        ("SHOW TABLES NOT LIKE '%e%'", ["kinds", "logs", "products"]),
    ],
)
def test_tables_are_shown_by_pattern(statement: str, names: list[str]) -> None:
    runner = DialectRunner()
    try:
        answer = answer_of(runner.engine, compile_query(statement, runner.catalog))
    finally:
        runner.close()
    assert answer.rows == [[name] for name in names]
