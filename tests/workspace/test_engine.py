"""The engine below the workspace: streams, limits, and what its errors become."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from tbpy.clickhouse.compiler import StaticCatalog, compile_query
from tbpy.engines import DuckDBEngine
from tbpy.errors import ConflictError, QueryError, QueryTimeoutError, UnsupportedError


def test_a_result_streams(tmp_path: Path) -> None:
    with DuckDBEngine(tmp_path / "a.db") as engine:
        result = engine.query(compile_query("SELECT number FROM numbers(100000)", StaticCatalog({})), batch_size=1000)
        assert len(next(result.batches)) == 1000
        assert engine.run("SELECT 1") == [(1,)]
        assert len(result.rows) == 99_000
        assert result.statistics.rows_read == 100_000


def test_now_is_bound() -> None:
    with DuckDBEngine() as engine:
        compiled = compile_query("SELECT now()", StaticCatalog({}))
        assert engine.query(compiled, now=datetime(2024, 1, 2, 3, 4, 5)).rows == [(datetime(2024, 1, 2, 3, 4, 5),)]


def test_time_limit() -> None:
    with DuckDBEngine() as engine:
        compiled = compile_query("SELECT sum(number * number) FROM numbers(100000000000)", StaticCatalog({}))
        with pytest.raises(QueryTimeoutError, match=r"0\.2 seconds"):
            engine.query(compiled, time_limit=0.2)
        assert engine.run("SELECT 1") == [(1,)]


def test_a_session_is_used_again_and_a_late_stop_does_not_reach_its_next_query() -> None:
    compiled = compile_query("SELECT count() FROM numbers(1000000)", StaticCatalog({}))
    stops = []
    with DuckDBEngine() as engine:
        assert engine.query(compiled, on_start=stops.append).rows == [(1_000_000,)]
        following = engine.query(compiled, on_start=stops.append)
        first, second = (stop.__self__ for stop in stops)  # type: ignore[attr-defined]
        assert first.session is second.session
        interrupted: list[bool] = []
        first.session.interrupt = lambda: interrupted.append(True)
        stops[0]()
        assert not interrupted
        stops[1]()
        assert interrupted
        assert following.rows == [(1_000_000,)]


def test_a_session_with_rows_to_fetch_is_not_used_again() -> None:
    compiled = compile_query("SELECT number FROM numbers(100000)", StaticCatalog({}))
    with DuckDBEngine() as engine:
        for _ in range(3):
            result = engine.query(compiled, batch_size=10)
            assert len(next(result.batches)) == 10
            result.close()
        assert len(engine.query(compiled).rows) == 100_000


def test_small_transactions_plan_again_only_after_others() -> None:
    """DuckDB plans what was prepared anew each time that it runs, once anything in the catalog has changed."""
    insert = "INSERT INTO numbers SELECT unnest([1, $1])"
    with DuckDBEngine() as engine:
        engine.run("CREATE TABLE numbers (n BIGINT)")
        sessions = []
        for others in (False, False, True, False):
            if others:
                with engine.transaction() as session:
                    session.execute("CREATE TABLE other (n BIGINT)")
            with engine.small_transaction() as session:
                session.prepared_value(insert, ["2"])
                sessions.append(session)
        assert sessions[0] is sessions[1] is not sessions[2] is sessions[3]
        assert engine.run("SELECT count(*), sum(n) FROM numbers") == [(8, 12)]


def test_errors_are_ours() -> None:
    with DuckDBEngine() as engine:
        with pytest.raises(QueryError) as error:
            engine.run("SELECT CAST('x' AS INTEGER)")
        assert error.value.code == 6
        assert "LINE 1" not in error.value.message


@pytest.mark.parametrize(
    "sql",
    ["SELECT '\\xff' || 'a'", "SELECT count() FROM (SELECT '\\xff' AS x) GROUP BY x", "SELECT toInt8OrNull('\\xff')"],
)
def test_bytes_that_are_no_text_are_refused(sql: str) -> None:
    with DuckDBEngine() as engine, pytest.raises(UnsupportedError, match="not UTF-8"):
        engine.query(compile_query(sql, StaticCatalog({}))).rows  # noqa: B018


def test_a_failed_transaction_leaves_nothing() -> None:
    with DuckDBEngine() as engine:
        engine.run("CREATE TABLE t (a INTEGER)")
        with pytest.raises(QueryError), engine.transaction() as session:
            session.execute("INSERT INTO t VALUES (1)")
            session.execute("INSERT INTO t VALUES ('x')")
        assert engine.run("SELECT * FROM t") == []


def test_a_file_that_another_engine_has(tmp_path: Path) -> None:
    import subprocess
    import sys

    path = tmp_path / "a.db"
    code = f"import duckdb; c = duckdb.connect({str(path)!r}); print('open', flush=True); input()"
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline() == "open\n"
    with pytest.raises(ConflictError, match=f"process {holder.pid}"):
        DuckDBEngine(path)
    holder.communicate("\n")


def test_a_function_outlives_the_transaction_that_needed_it() -> None:
    from tbpy.clickhouse.udf import FUNCTIONS

    name = next(iter(FUNCTIONS))
    with DuckDBEngine() as engine:
        with pytest.raises(QueryError), engine.transaction() as session:
            session.register([name])
            session.execute("SELECT nothing")
        with engine.transaction([name]) as session:
            session.register([name])
        for _ in range(2):
            with engine.session() as session:
                session.register([name])
                assert session.value("SELECT count(*) FROM duckdb_functions() WHERE function_name = $n", {"n": name})


def test_memory_limit(tmp_path: Path) -> None:
    with DuckDBEngine(tmp_path / "a.duckdb", memory_limit="50MB") as engine:
        with pytest.raises(QueryError, match=r"^Memory limit exceeded: [^\n]*$") as failed:
            engine.run("SELECT len(list(i)) FROM range(20000000) t(i)")
        assert (failed.value.code, failed.value.name) == (241, "MEMORY_LIMIT_EXCEEDED")
        assert engine.run("SELECT 1") == [(1,)]
