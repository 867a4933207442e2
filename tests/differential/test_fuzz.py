"""The fuzzer itself, without ClickHouse: its queries parse and repeat, and what goes wrong gets small."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tbpy.clickhouse.parser import parse_query
from tests.differential.fuzz.aggregations import AggregateGenerator
from tests.differential.fuzz.calls import CallGenerator
from tests.differential.fuzz.rarities import RarityGenerator
from tests.differential.fuzz.shrink import shrunk, shrunk_tables, with_values
from tests.differential.fuzz.statements import StatementGenerator
from tests.differential.fuzz.tables import RandomTable, random_table

Kind = Callable[..., StatementGenerator | CallGenerator | AggregateGenerator]


def _queries(kind: Kind, seed: int, count: int) -> list[str]:
    source = random.Random(seed)
    tables = [random_table(source, f"t{place}") for place in (1, 2, 3)]
    generator = CallGenerator(source) if kind is CallGenerator else kind(source, tables)
    return [generator.query().text for _ in range(count)]


@pytest.mark.parametrize("kind", [StatementGenerator, RarityGenerator, CallGenerator, AggregateGenerator])
def test_queries_parse_and_repeat(kind: Kind) -> None:
    queries = _queries(kind, 7, 60)
    for query in queries:
        parse_query(query)
    assert _queries(kind, 7, 60) == queries
    assert _queries(kind, 8, 60) != queries


def test_a_query_shrinks_to_what_goes_wrong() -> None:
    query = "SELECT a + 1 AS x, toString(lower(b)) FROM t WHERE c > 2 AND d GROUP BY x, b ORDER BY x LIMIT 3"
    assert shrunk(query, lambda text, _: "lower(" in text) == "SELECT lower()"


def test_rows_that_order_depends_on_stay() -> None:
    query = "SELECT a FROM t ORDER BY a, b LIMIT 3"
    assert "ORDER BY a ASC, b ASC" in shrunk(query, lambda text, _: "LIMIT" in text)


def test_tables_shrink_to_the_rows_that_matter() -> None:
    table = RandomTable("t", (("id", "int", "UInt8"), ("s", "str", "String")), tuple((n, str(n)) for n in range(20)))
    [small] = shrunk_tables([table], lambda tables: any(row[0] == 13 for row in tables[0].rows))
    assert small.rows == ((13, "13"),)
    assert with_values("SELECT id FROM t", [small]) == (
        "WITH t AS (SELECT * FROM values('id UInt8', (13))) SELECT id FROM t"
    )
