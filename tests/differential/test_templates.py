"""The templates that queries for the oracle are written in, and when the order of an answer is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.comparison import Answer
from tests.conformance.dialect_cases import own
from tests.differential.compare import is_ordered
from tests.differential.record_dialect import QUERIES, queries


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        ("f(«1 ¦ 'a'», «2»)", ["SELECT f(1, 2)", "SELECT f('a', 2)"]),
        ("@x = 1 ¦ 2\n«@x ¦ 3»", ["SELECT 1", "SELECT 2", "SELECT 3"]),
        ("a, f(b, 'x, y'), [1, 2] FROM t", ["SELECT a FROM t", "SELECT f(b, 'x, y') FROM t", "SELECT [1, 2] FROM t"]),
        ("trim(BOTH 'it''s, \\'' FROM 'a')", ["SELECT trim(BOTH 'it''s, \\'' FROM 'a')"]),
        ("SELECT a, b FROM t", ["SELECT a, b FROM t"]),
        ("# a remark\n\n1\n1", ["SELECT 1"]),
    ],
)
def test_a_template_stands_for_queries(tmp_path: Path, template: str, wanted: list[str]) -> None:
    path = tmp_path / "area.txt"
    path.write_text(template, encoding="utf-8")
    assert list(queries(path)) == wanted


@pytest.mark.parametrize(
    ("query", "rows", "ordered"),
    [
        ("SELECT a FROM t", 2, False),
        ("SELECT a FROM t", 1, True),
        ("SELECT a FROM t ORDER BY a", 2, True),
        ("SELECT a FROM (SELECT a FROM t ORDER BY a)", 2, False),
    ],
)
def test_order_is_given_by_the_outermost_query(query: str, rows: int, ordered: bool) -> None:
    assert is_ordered(query, Answer((("a", "UInt8"),), [[1]] * rows)) is ordered


def test_every_recorded_query_comes_from_a_template() -> None:
    asked = {query for path in QUERIES.glob("*.txt") if path.stem != "sets" for query in queries(path)}
    assert [case.id for case in own() if case.query not in asked] == []
