"""Aggregates that go by the order of rows do so over big tables, which several threads read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tbpy.clickhouse.compiler import StaticCatalog, Table, TableColumn, compile_query
from tbpy.clickhouse.types import parse_type
from tbpy.engines.duckdb import DuckDBEngine

CATALOG = StaticCatalog(
    {"t": Table("t", "t", tuple(TableColumn(name, parse_type("Int64")) for name in ("n", "k", "mixed")))}
)


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDBEngine]:
    """Half a million rows, over four times what one thread takes at a time; `n` is the order of their insertion."""
    engine = DuckDBEngine(threads=4)
    engine.run("CREATE TABLE t AS SELECT n, n % 1000 AS k, n * 7919 % 500009 AS mixed FROM range(500000) r(n)")
    yield engine
    engine.close()


@pytest.mark.parametrize(
    "wrong",
    [
        "SELECT groupArray(n) AS a FROM t GROUP BY k HAVING a != arraySort(a)",
        "SELECT groupArrayIf(n, n > 9) AS a FROM t WHERE n % 3 = 0 GROUP BY k HAVING a != arraySort(a)",
        "SELECT any(n) AS a, anyLast(n) AS z FROM t GROUP BY k HAVING a != k OR z != 499000 + k",
        "SELECT any(n) AS a, anyLast(n) AS z FROM t HAVING a != 0 OR z != 499999",
        "SELECT anyMerge(s) AS a FROM (SELECT k, anyState(n) AS s FROM t GROUP BY k) GROUP BY k HAVING a != k",
        "SELECT groupArray(mixed) AS a FROM (SELECT k, mixed FROM t ORDER BY mixed) GROUP BY k "
        "HAVING a != arraySort(a)",
        "SELECT any(mixed) AS a FROM (SELECT k, mixed FROM t ORDER BY mixed DESC) GROUP BY k HAVING a != max(mixed)",
        "WITH o AS (SELECT k, mixed FROM t ORDER BY mixed) SELECT argMin(mixed, 1) AS a FROM o GROUP BY k "
        "HAVING a != min(mixed)",
        "WITH o AS (SELECT k, mixed FROM t ORDER BY mixed), p AS (SELECT k, mixed + 1 AS m FROM o WHERE k > 3) "
        "SELECT anyLast(m) AS a FROM p GROUP BY k HAVING a != max(m)",
    ],
)
def test_no_group_has_rows_out_of_order(engine: DuckDBEngine, wrong: str) -> None:
    assert engine.query(compile_query(wrong, CATALOG)).rows == []
