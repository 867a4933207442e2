"""docs/clickhouse-support.md: it is what the catalogue says, and the examples of its statements do what it says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tbpy.clickhouse.compiler import compile_query
from tbpy.clickhouse.support.page import support_page
from tbpy.clickhouse.support.statements import ANSWERED, APPROXIMATE, REFUSED, Statement
from tbpy.errors import UnsupportedError
from tests.conformance.dialect import DialectRunner

PAGE = Path(__file__).parents[2] / "docs" / "clickhouse-support.md"


@pytest.fixture(scope="module")
def runner() -> Iterator[DialectRunner]:
    runner = DialectRunner()
    yield runner
    runner.close()


def test_the_page_is_what_the_catalogue_says() -> None:
    again = "write it again: python -m tbpy.clickhouse.support > docs/clickhouse-support.md"
    assert PAGE.read_text(encoding="utf-8") == support_page(), again


@pytest.mark.parametrize("statement", ANSWERED + APPROXIMATE, ids=lambda statement: statement.what)
def test_answered_statements_run(runner: DialectRunner, statement: Statement) -> None:
    compiled = compile_query(statement.example, runner.catalog, parameters={"n": "1"})
    assert list(runner.engine.query(compiled).rows)


@pytest.mark.parametrize("statement", REFUSED, ids=lambda statement: statement.what)
def test_refused_statements_are_named(runner: DialectRunner, statement: Statement) -> None:
    with pytest.raises(UnsupportedError):
        compile_query(statement.example, runner.catalog)
