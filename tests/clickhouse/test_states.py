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
