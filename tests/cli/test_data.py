"""Appending, asking and removing, by hand."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import Shell, environment

ROW = {"customer_id": "cust_9000", "transaction_date": "2025-08-01 00:00:00", "transaction_amount": 1.5}
COUNT = "SELECT count() FROM customer_transactions"


def count(shell: Shell, sql: str = COUNT) -> int:
    ran = shell.tbpy("query", sql, "--format", "csv")
    return int(ran.out.splitlines()[1])


def test_every_third_row_is_wrong(cltv: Shell) -> None:
    rows = [ROW | {"transaction_amount": "much"} if i % 3 == 2 else ROW for i in range(30)]
    cltv.write("customer_transactions.ndjson", "".join(json.dumps(row) + "\n" for row in rows))
    ran = cltv.tbpy("append", "customer_transactions.ndjson")
    assert ran.code == 0
    assert "20 rows appended to customer_transactions" in ran.out
    assert "10 rows did not fit" in ran.out
    assert "10 × transaction_amount: " in ran.out
    assert count(cltv) == 24_020
    assert count(cltv, "SELECT count() FROM customer_transactions_quarantine") == 10
    told = cltv.tbpy("append", "customer_transactions.ndjson", "--json").json
    assert (told[0]["rows"], told[0]["quarantined"], told[0]["causes"][0]["column"]) == (20, 10, "transaction_amount")


def test_a_refused_file_changes_nothing(cltv: Shell) -> None:
    cltv.write("bad.parquet", "this is no parquet file")
    assert cltv.tbpy("append", "customer_transactions", "bad.parquet").code == 5
    assert count(cltv) == 24_000


def test_rows_come_from_patterns_standard_input_and_urls(cltv: Shell) -> None:
    for name in ("a", "b"):
        cltv.write(f"in/{name}.ndjson", json.dumps(ROW) + "\n")
    assert "2 rows appended" in cltv.tbpy("append", "customer_transactions", "in/*.ndjson").out
    assert "1 row appended" in cltv.tbpy("append", "customer_transactions", "-", stdin=json.dumps(ROW)).out
    assert "1 row appended" in cltv.tbpy("datasource", "append", "customer_transactions", stdin=json.dumps(ROW)).out
    with served(cltv.folder) as url:
        assert "100 rows appended" in cltv.tbpy("append", "customer_transactions", f"{url}/more.csv").out
    assert count(cltv) == 24_104


def test_a_data_source_is_inferred_from_its_file(cltv: Shell) -> None:
    cltv.write("visits.ndjson", '{"page":"/a","at":"2025-01-01 00:00:00","n":1}\n{"page":"/b","n":2.5}\n')
    refused = cltv.tbpy("append", "visits.ndjson")
    assert (refused.code, "--infer" in refused.err) == (3, True)
    ran = cltv.tbpy("append", "visits.ndjson", "--infer")
    assert (ran.code, "2 rows appended to visits" in ran.out) == (0, True), ran.err
    assert "`json:$.page`" in (cltv.folder / "datasources/visits.datasource").read_text()
    assert cltv.tbpy("fmt", "--check").code == 0
    assert count(cltv, "SELECT count() FROM visits") == 2
    cltv.write("datasources/bad.datasource", "SCHEMA >\n    `a` string\n")
    cltv.write("more_visits.csv", "a,b\n1,2\n")
    assert cltv.tbpy("append", "more_visits.csv", "--infer").code == 1
    assert not (cltv.folder / "datasources/more_visits.datasource").exists()


def test_an_empty_project_grows_from_a_file(shell: Shell) -> None:
    assert shell.tbpy("init", "new", "--empty").code == 0
    shell.write("new/visits.csv", "page,n\n/a,1\n")
    assert "1 row appended to visits" in shell.tbpy("append", "visits.csv", "--infer", cwd="new").out
    assert "/a" in shell.tbpy("query", "SELECT * FROM visits", cwd="new").out


@contextmanager
def served(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


TWO = "SELECT customer_id, age FROM customer_demographics ORDER BY customer_id LIMIT 2"


@pytest.mark.parametrize(
    ("options", "out"),
    [
        (("-f", "csv"), '"customer_id","age"\n"cust_2501",27\n"cust_2502",22\n'),
        (("-f", "ndjson"), '{"customer_id":"cust_2501","age":27}\n{"customer_id":"cust_2502","age":22}\n'),
        (("-f", "TSV"), "cust_2501\t27\ncust_2502\t22\n"),
        (("-f", "csv", "--rows-limit", "1"), '"customer_id","age"\n"cust_2501",27\n'),
    ],
)
def test_rows_are_written_in_the_format_that_is_asked_for(cltv: Shell, options: tuple[str, ...], out: str) -> None:
    assert cltv.tbpy("query", TWO, *options).out == out


def test_a_query_comes_from_anywhere_and_its_format_counts(cltv: Shell) -> None:
    cltv.write("q.sql", f"{TWO} FORMAT CSV")
    assert cltv.tbpy("query", "--file", "q.sql").out == '"cust_2501",27\n"cust_2502",22\n'
    assert cltv.tbpy("sql", stdin=f"{TWO} FORMAT JSONEachRow").out.startswith('{"customer_id":"cust_2501"')
    assert cltv.tbpy("query", TWO, "--json").json["meta"][1] == {"name": "age", "type": "UInt8"}
    assert cltv.tbpy("query", TWO, "-o", "two.ndjson").code == 0
    assert (cltv.folder / "two.ndjson").read_text().count("\n") == 2


def test_parquet_goes_to_files_and_pipes(cltv: Shell) -> None:
    assert "Wrote all.parquet" in cltv.tbpy("query", "SELECT * FROM customer_demographics", "-o", "all.parquet").out
    assert pq.read_table(cltv.folder / "all.parquet").num_rows == 1200
    cltv.tbpy("query", TWO + " FORMAT Parquet", "--rows-limit", "1", "-o", "one.bin")
    assert pq.read_table(cltv.folder / "one.bin").to_pylist() == [{"customer_id": "cust_2501", "age": 27}]
    cltv.tbpy("endpoint", "data", "cltv_by_location", "-o", "places.parquet")
    assert pq.read_table(cltv.folder / "places.parquet").column_names == ["location", "customers", "average_cltv"]


def test_a_table_is_whole_and_says_when_there_is_more(cltv: Shell) -> None:
    ran = cltv.tbpy("query", "SELECT repeat('x', 300) AS long FROM customer_demographics", "--stats")
    assert ran.out.count("x" * 300) == 100
    assert "Only the first 100 rows are shown" in ran.err
    assert "read" in ran.err
    whole = cltv.tbpy("query", "SELECT 1 FROM customer_demographics", "--rows-limit", "0", "-f", "TSV")
    assert (whole.out.count("\n"), whole.err) == (1200, "")


def test_queries_reach_pipes_and_their_nodes(cltv: Shell) -> None:
    assert count(cltv, "SELECT count() FROM cltv_by_location") == 8
    assert count(cltv, "SELECT count() FROM cltv_summary.value_per_customer") == 1_200


def test_now_can_be_frozen(cltv: Shell) -> None:
    ran = cltv.tbpy("query", "SELECT now(), today()", "--now", "2025-07-17T00:00:00", "-f", "TSV")
    assert ran.out == "2025-07-17 00:00:00\t2025-07-17\n"


def test_an_endpoint_takes_its_parameters_as_options(cltv: Shell) -> None:
    outs = {
        cltv.tbpy("endpoint", "data", "customer_cltv", *words, "-f", "ndjson").out
        for words in (
            ("--customer_id", "cust_3377"),
            ("--customer_id=cust_3377",),
            ("-p", "customer_id=cust_3377"),
        )
    }
    (out,) = outs
    assert json.loads(out)["transactions"] == 14
    ran = cltv.tbpy("endpoint", "data", "cltv_by_location", "-q", "SELECT count() AS n FROM _", "--json")
    assert ran.json["data"] == [{"n": 8}]


def test_lists_tell_what_there_is(cltv: Shell) -> None:
    assert "customer_cltv" in cltv.tbpy("endpoint", "ls").out
    assert cltv.tbpy("endpoint", "ls", "--json").json[2]["parameters"][0]["default"] == "default_customer"
    assert cltv.tbpy("endpoint", "url", "customer_cltv").out == (
        "http://localhost:7181/v0/pipes/customer_cltv.json?customer_id=default_customer\n"
    )
    assert "value_per_customer, summary" in cltv.tbpy("pipe", "ls").out
    assert "24,000" in cltv.tbpy("datasource", "ls").out
    assert cltv.tbpy("datasource", "data", "customer_demographics", "--limit", "3", "-f", "TSV").out.count("\n") == 3
    info = cltv.tbpy("info", "--json").json
    assert (info["datasources"], info["endpoints"], info["rows"], info["mistakes"]) == (2, 3, 25_200, 0)


def test_rows_are_removed_when_told_twice(cltv: Shell) -> None:
    condition = ("--sql-condition", "customer_id = 'cust_3377'")
    assert (
        "14 rows would be removed"
        in cltv.tbpy("datasource", "delete", "customer_transactions", *condition, "--dry-run").out
    )
    assert cltv.tbpy("datasource", "delete", "customer_transactions", *condition).code == 2
    assert "14 rows removed" in cltv.tbpy("datasource", "delete", "customer_transactions", *condition, "-y").out
    assert "23,986 rows removed" in cltv.tbpy("datasource", "truncate", "customer_transactions", "--yes").out
    assert count(cltv) == 0


def test_ctrl_c_stops_a_query_and_leaves_the_workspace_free(cltv: Shell) -> None:
    endless = "SELECT sum(a.number * b.number) FROM numbers(2000000) AS a, numbers(2000000) AS b"
    previous = signal.signal(
        signal.SIGINT, signal.SIG_DFL
    )  # a child of a background job would inherit that it is ignored
    command = [sys.executable, "-m", "tbpy.cli.main", "query", endless]
    process = subprocess.Popen(command, cwd=cltv.folder, env=environment(), stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, previous)
    try:
        wait_for((cltv.folder / ".tbpy" / "process.json").exists)
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, said) == (130, "")
    assert count(cltv) == 24_000


def test_two_shells_append_at_once(cltv: Shell) -> None:
    command = [sys.executable, "-m", "tbpy.cli.main", "append", "customer_transactions", "more.csv"]
    processes = [
        subprocess.Popen(command, cwd=cltv.folder, env=environment(), stdout=subprocess.DEVNULL) for _ in range(3)
    ]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    assert count(cltv) == 24_300


def wait_for(condition: Callable[[], bool], *, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_connectors_and_sinks_are_checked_and_said_not_to_run(shell: Shell) -> None:
    kafka = "SCHEMA >\n    `v` String\n\nKAFKA_CONNECTION_NAME k\nKAFKA_TOPIC orders\nKAFKA_GROUP_ID g\n"
    shell.write("datasources/orders.datasource", kafka)
    shell.write("datasources/plain.datasource", "SCHEMA >\n    `v` String `json:$.v`\n")
    shell.write("connections/k.connection", "TYPE kafka\nKAFKA_BOOTSTRAP_SERVERS localhost:9092\n")
    sink = "TYPE sink\nEXPORT_CONNECTION_NAME k\nEXPORT_KAFKA_TOPIC out\nEXPORT_SCHEDULE @on-demand\n"
    shell.write("sinks/out.pipe", f"NODE n\nSQL >\n    SELECT v FROM plain\n\n{sink}")
    checked = shell.tbpy("check")
    assert checked.code == 0
    assert "'orders' gets no rows by itself" in checked.err and "does not run sinks yet" in checked.err
    told = {name: shell.tbpy("datasource", "sync", name) for name in ("orders", "plain", "nothing")}
    assert [ran.code for ran in told.values()] == [1, 2, 3]
    assert "does not read from Kafka yet" in told["orders"].err
