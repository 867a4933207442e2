"""States of aggregates live in tables: written batch by batch, they merge into what the whole rows give."""

from __future__ import annotations

import pytest

from tbpy.clickhouse.compiler import StaticCatalog, Table, TableColumn, compile_query
from tbpy.clickhouse.storage import duckdb_type
from tbpy.clickhouse.types import parse_type
from tbpy.engines.duckdb import DuckDBEngine

ROWS = {
    "id": "UInt64",
    "name": "String",
    "n": "Int64",
    "price": "Float64",
    "maybe": "Nullable(Float64)",
    "ts": "DateTime",
}

STATES = [
    ("count()", "AggregateFunction(count)"),
    ("sum(n)", "AggregateFunction(sum, Int64)"),
    ("sum(maybe)", "AggregateFunction(sum, Nullable(Float64))"),
    ("avg(price)", "AggregateFunction(avg, Float64)"),
    ("avg(n)", "AggregateFunction(avg, Float64)"),
    ("min(ts)", "AggregateFunction(min, DateTime)"),
    ("max(name)", "AggregateFunction(max, String)"),
    ("any(name)", "AggregateFunction(any, String)"),
    ("argMax(name, ts)", "AggregateFunction(argMax, String, DateTime)"),
    ("uniq(name)", "AggregateFunction(uniq, String)"),
    ("uniqExact(name, n)", "AggregateFunction(uniqExact, String, Int64)"),
    ("quantile(0.9)(price)", "AggregateFunction(quantile(0.9), Float64)"),
    ("median(maybe)", "AggregateFunction(median, Nullable(Float64))"),
    ("quantiles(0.1, 0.9)(n)", "AggregateFunction(quantiles(0.1, 0.9), Int64)"),
    ("quantileExact(0.3)(ts)", "AggregateFunction(quantileExact(0.3), DateTime)"),
    (
        "quantilesExactInclusive(0.25, 0.9)(maybe)",
        "AggregateFunction(quantilesExactInclusive(0.25, 0.9), Nullable(Float64))",
    ),
    ("quantileTDigest(0.3)(price)", "AggregateFunction(quantileTDigest(0.3), Float64)"),
    ("quantilesTDigest(0.3, 0.9)(maybe)", "AggregateFunction(quantilesTDigest(0.3, 0.9), Nullable(Float64))"),
    ("medianExactHigh(n)", "AggregateFunction(medianExactHigh, Int64)"),
    ("stddevPop(price)", "AggregateFunction(stddevPop, Float64)"),
    ("groupUniqArray(name)", "AggregateFunction(groupUniqArray, String)"),
    ("topK(2)(name)", "AggregateFunction(topK(2), String)"),
    ("corr(n, price)", "AggregateFunction(corr, Int64, Float64)"),
    ("sumMap(map(name, n))", "AggregateFunction(sumMap, Map(String, Int64))"),
    ("countIf(n > 3)", "AggregateFunction(countIf, UInt8)"),
    ("sumIf(price, n > 3)", "AggregateFunction(sumIf, Float64, UInt8)"),
    ("uniqIf(name, n > 100)", "AggregateFunction(uniqIf, String, UInt8)"),
    ("uniqArray([name, 'x'])", "AggregateFunction(uniqArray, Array(String))"),
]


def _table(name: str, columns: dict[str, str]) -> Table:
    return Table(name, f'"{name}"', tuple(TableColumn(column, parse_type(type_)) for column, type_ in columns.items()))


def _split(call: str) -> tuple[str, str]:
    """`quantile(0.9)(x)` → ("quantile", "(0.9)(x)")."""
    name, bracket, rest = call.partition("(")
    return name, bracket + rest


def _parameters(call: str) -> str:
    brackets = _split(call)[1]
    return brackets[: brackets.index(")") + 1] if ")(" in brackets else ""


@pytest.fixture
def engine() -> DuckDBEngine:
    engine = DuckDBEngine()
    columns = ", ".join(f'"{name}" {duckdb_type(parse_type(type_))}' for name, type_ in ROWS.items())
    engine.run(f"CREATE TABLE rows ({columns})")
    engine.run(
        "INSERT INTO rows SELECT i, 'n' || (i % 7), i % 11 - 3, i / 4, CASE WHEN i % 3 > 0 THEN i / 2 END,"
        " TIMESTAMP '2024-01-01' + to_seconds(i * 37 % 100) FROM range(60) t(i)"
    )
    return engine


@pytest.mark.parametrize(("call", "type_"), STATES, ids=[call for call, _ in STATES])
def test_batches_of_states_merge_into_the_whole(engine: DuckDBEngine, call: str, type_: str) -> None:
    catalog = StaticCatalog({"rows": _table("rows", ROWS), "states": _table("states", {"s": type_})})
    engine.run(f"CREATE TABLE states (s {duckdb_type(parse_type(type_))})")
    name, arguments = _split(call)
    for batch in range(3):
        made = compile_query(f"SELECT {name}State{arguments} FROM rows WHERE id % 3 = {batch}", catalog)
        engine.query(made)  # registers what it calls
        engine.run(f"INSERT INTO states {made.sql}")
    empty = compile_query(f"SELECT {name}State{arguments} FROM rows WHERE id < 0", catalog)
    engine.run(f"INSERT INTO states {empty.sql}")
    merged = compile_query(f"SELECT {name}Merge{_parameters(call)}(s) FROM states", catalog)
    whole = compile_query(f"SELECT {call} FROM (SELECT * FROM rows ORDER BY id % 3, id)", catalog)
    assert [str(column.type) for column in merged.columns] == [str(column.type) for column in whole.columns]
    [[got]], [[want]] = engine.query(merged).rows, engine.query(whole).rows
    assert got == (pytest.approx(want) if isinstance(want, float) else want)


@pytest.mark.parametrize(("call", "type_"), STATES, ids=[call for call, _ in STATES])
def test_states_merge_to_states(engine: DuckDBEngine, call: str, type_: str) -> None:
    catalog = StaticCatalog({"rows": _table("rows", ROWS)})
    name, arguments = _split(call)
    parts = f"SELECT {name}State{arguments} AS s FROM rows GROUP BY id % 4"
    again = f"SELECT {name}MergeState{_parameters(call)}(s) AS s FROM ({parts})"
    once = compile_query(f"SELECT {name}Merge{_parameters(call)}(s) FROM ({parts})", catalog)
    twice = compile_query(f"SELECT {name}Merge{_parameters(call)}(s) FROM ({again})", catalog)
    [[got]], [[want]] = engine.query(twice).rows, engine.query(once).rows
    if isinstance(want, list):
        got, want = sorted(got), sorted(want)
    assert got == (pytest.approx(want) if isinstance(want, float) else want)


@pytest.mark.parametrize("sizes", ["n < 100000", "n < 300 OR n > 50000", "n % 4096 = 0", "true"])
def test_states_of_many_values_stay_small_and_near_the_exact_quantile(engine: DuckDBEngine, sizes: str) -> None:
    """However unevenly 200,000 values come into states, and the states into one another."""
    values = "SELECT number AS n, cityHash64(number) % 1000000 AS v FROM numbers(200000)"
    batches = f"SELECT quantileState(v) AS s FROM ({values}) GROUP BY if({sizes}, n % 3, n % 20000)"
    merged = f"SELECT quantileMergeState(s) AS s FROM ({batches})"
    query = f"SELECT quantilesMerge(0.001, 0.1, 0.5, 0.99)(s) FROM ({merged})"
    [[got]] = engine.query(compile_query(query, StaticCatalog({}))).rows
    assert got == pytest.approx([1_000, 100_000, 500_000, 990_000], abs=10_000)
    made = compile_query(f"SELECT s FROM ({merged})", StaticCatalog({}))
    assert 4_000 < len(engine.query(made).rows[0][0]["values"]) <= 8192


def test_a_digest_of_many_values_is_near_the_exact_quantile(engine: DuckDBEngine) -> None:
    values = "SELECT number AS n, cityHash64(number) % 1000000 AS v FROM numbers(100000)"
    batches = f"SELECT quantileTDigestState(v) AS s FROM ({values}) GROUP BY n < 30000, if(n < 30000, 0, n % 2)"
    query = f"SELECT quantilesTDigestMerge(0.001, 0.1, 0.5, 0.99)(s) FROM ({batches})"
    [[got]] = engine.query(compile_query(query, StaticCatalog({}))).rows
    assert got == pytest.approx([1_000, 100_000, 500_000, 990_000], abs=5_000)
