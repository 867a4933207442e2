"""The formatter writes what ClickHouse's writes, and its text reads back as the same tree."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tbpy.clickhouse.formatter import format_expression, format_query
from tbpy.clickhouse.parser import parse_expression, parse_query, parse_statement
from tests.clickhouse.recorded import own, statements
from tests.clickhouse.trees import meaning
from tests.conformance import cases


def squeezed(text: str) -> str:
    return "".join(text.split())


def formatted(sql: str) -> str:
    statement = parse_statement(sql)
    assert statement.query is not None
    text = format_query(statement.query)
    return text if statement.format is None else f"{text}\nFORMAT {statement.format}"


def test_text_is_that_of_clickhouse() -> None:
    recorded = own("parser/formatted.jsonl")
    wrong = {}
    for case in recorded:
        text = formatted(case["sql"])
        if squeezed(text) != squeezed(case["formatted"]):
            wrong[case["sql"]] = text
    assert wrong == {}


def test_formatted_subqueries_stay_as_they_are() -> None:
    for case in cases.load("subquery_cases.json"):
        if "out" in case:
            assert squeezed(format_query(parse_query(case["out"]))) == squeezed(case["out"])


def test_layout() -> None:
    assert format_query(parse_query(SQL)) == LAYOUT


SQL = """
select a, sum(b) as s from (select 1 as a) as t join u using a where x in (select 1) group by a order by s desc limit 1
"""
LAYOUT = """\
SELECT
    a,
    sum(b) AS s
FROM
(
    SELECT 1 AS a
) AS t
INNER JOIN u USING (a)
WHERE x IN (
    SELECT 1
)
GROUP BY a
ORDER BY s DESC
LIMIT 1"""


def test_every_recorded_statement_reads_back() -> None:
    for case in statements():
        query = parse_statement(case["query"]).query
        assert query is not None
        text = format_query(query)
        again = parse_query(text)
        assert meaning(again) == meaning(query), text
        assert format_query(again) == text


@pytest.mark.parametrize("case", own("parser/formatted.jsonl")[::7], ids=lambda case: case["sql"][:40])
def test_formatted_text_reads_back(case: dict[str, str]) -> None:
    query = parse_statement(case["sql"]).query
    assert query is not None
    assert meaning(parse_query(format_query(query))) == meaning(query)


_ATOM_TEXTS = """
a | t.b | `x y` | 1 | 2.5 | -1 | 's' | NULL | true | f(x) | [1, a] | (a, b) | (x -> x + 1) | {p:UInt8} | date | t.1
CASE WHEN a THEN b END | CAST(a AS Int8) | INTERVAL 1 DAY | (SELECT 1) | count(*) | j.^a | interval | quantile(0.5)(a)
sum(DISTINCT a) OVER (PARTITION BY b ORDER BY c) | count() FILTER (WHERE a > 1)
"""
_ATOMS = st.sampled_from([text.strip() for line in _ATOM_TEXTS.strip().split("\n") for text in line.split(" | ")])
_OPERATOR_TEXTS = "+ - * / % = != < >= AND OR || LIKE IN <=> DIV BETWEEN NOT_IN NOT_LIKE IS_DISTINCT_FROM"
_OPERATORS = st.sampled_from([text.replace("_", " ") for text in _OPERATOR_TEXTS.split()])
_WRAPPING_TEXTS = "({}) | NOT {} | - {} | {} IS NULL | ({})[1] | ({}).1 | ({})::String | f({}, 1) | [{}] | (x -> {})"
_WRAPPINGS = _WRAPPING_TEXTS.split(" | ")


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def binary(left: str, operator: str, right: str) -> str:
        return f"{left} BETWEEN ({right}) AND 2" if operator == "BETWEEN" else f"{left} {operator} {right}"

    wrapped = st.builds(str.format, st.sampled_from(_WRAPPINGS), inner)
    return st.builds(binary, inner, _OPERATORS, inner) | wrapped


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.recursive(_ATOMS, _compound, max_leaves=8))
def test_any_expression_reads_back(sql: str) -> None:
    expression = parse_expression(sql)
    text = format_expression(expression)
    again = parse_expression(text)
    assert meaning(again) == meaning(expression), text
    assert format_expression(again) == text
