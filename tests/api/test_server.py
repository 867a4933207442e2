"""What one request and one answer do not show: many at once, big ones, slow ones, and clients that go away."""

from __future__ import annotations

import gzip
import json
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, IncompleteRead
from io import BytesIO

import pyarrow.parquet
import pytest
import zstandard

from tbpy.api.service import Limits
from tests.api.client import Client
from tests.api.conftest import Server


def line(number: int) -> str:
    return json.dumps({"id": number, "name": "many"})


def count(server: Server, table: str = "events") -> int:
    rows: int = server.admin.sql(f"SELECT count() AS n FROM {table} FORMAT JSON")[0]["n"]
    return rows


def test_one_bad_event_never_fails_its_neighbours(server: Server) -> None:
    bodies = [line(n) if n % 3 else '{"id": "bad"}' for n in range(90)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda body: server.admin.post("/v0/events?name=events&wait=true", body), bodies))
    assert all(answer.status == 200 for answer in answers)
    told = [(answer.json["successful_rows"], answer.json["quarantined_rows"]) for answer in answers]
    assert told == [(1, 0) if n % 3 else (0, 1) for n in range(90)]
    assert (count(server), count(server, "events_quarantine")) == (60, 30)
    assert server.admin.sql("SELECT sum(events) AS n FROM names FORMAT JSON")[0]["n"] == 60


@pytest.mark.parametrize(
    ("encoding", "compress"), [("gzip", gzip.compress), ("zstd", zstandard.ZstdCompressor().compress)]
)
def test_compressed_events(server: Server, encoding: str, compress) -> None:  # type: ignore[no-untyped-def]
    body = compress("\n".join(map(line, range(1000))).encode())
    answer = server.admin.post("/v0/events?name=events&wait=true", body, content_encoding=encoding)
    assert answer.json == {"successful_rows": 1000, "quarantined_rows": 0}


def test_bodies_have_limits(server: Server) -> None:
    path = "/v0/events?name=events"
    assert server.admin.post(path, b"x" * 100_001).status == 413
    assert server.admin.post(path, gzip.compress(b"x" * 1_000_001), content_encoding="gzip").status == 413
    assert server.admin.post("/v0/sql", b"x" * (1 << 20) + b"x").status == 413
    assert count(server, "events_quarantine") == 0


def test_large_results_stream(server: Server) -> None:
    answer = server.admin.post("/v0/sql", "SELECT number, 'abcdefghij' AS text FROM numbers(100000) FORMAT CSV")
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert answer.text.count("\n") == 100_000


def test_an_answer_that_breaks_off_is_not_taken_for_whole(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server.service, "limits", Limits(query_seconds=0.3))
    monkeypatch.setattr(logging.getLogger("uvicorn"), "handlers", [caplog.handler])
    with pytest.raises(IncompleteRead):
        server.admin.post("/v0/sql", "SELECT number, toString(number) FROM numbers(30000000) FORMAT CSV")
    assert "without completing" in caplog.text and "Traceback" not in caplog.text
    errors = server.admin.sql(
        "SELECT status_code FROM tinybird.endpoint_errors ORDER BY start_datetime DESC LIMIT 1 FORMAT JSON"
    )
    assert errors == [{"status_code": 408}]


def test_parquet_has_the_names_of_the_query(server: Server) -> None:
    answer = server.admin.post("/v0/sql", "SELECT toUInt8(1) AS a, 'x' AS `B c`, 2 AS A FORMAT Parquet")
    assert answer.headers["Content-Type"] == "application/vnd.apache.parquet"
    assert pyarrow.parquet.read_table(BytesIO(answer.body)).to_pylist() == [{"a": 1, "B c": "x", "A_1": 2}]


def test_slow_queries_do_not_stop_the_others(server: Server) -> None:
    with ThreadPoolExecutor(4) as pool:
        slow = [pool.submit(server.admin.get, "/v0/pipes/slow.json") for _ in range(4)]
        started = time.perf_counter()
        assert server.admin.post("/v0/events?name=events&wait=true", line(1)).status == 200
        assert count(server) == 1
        assert time.perf_counter() - started < 0.6
        assert [future.result().status for future in slow] == [408] * 4


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a niceness of their own on Linux alone")
def test_a_query_that_takes_long_steps_back_behind_the_others(server: Server) -> None:
    usual = os.getpriority(os.PRIO_PROCESS, 0)

    def priorities() -> dict[int, int]:
        """By thread, of those of queries that live."""
        threads = [found.native_id or 0 for found in threading.enumerate() if found.name.startswith("tbpy-query")]
        return {thread: os.getpriority(os.PRIO_PROCESS, thread) for thread in threads}

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(server.admin.get, "/v0/pipes/slow.json")
        until(lambda: any(found > usual for found in priorities().values()))
        assert server.admin.get("/v0/pipes/metric.json").status == 200
        assert usual in priorities().values()
        assert slow.result().status == 408
    until(lambda: set(priorities().values()) == {usual})  # the thread has ended with its query
    for _ in range(3):
        assert server.admin.get("/v0/pipes/metric.json").status == 200
    assert set(priorities().values()) == {usual}


def test_more_queries_than_may_run_are_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.service.queries, "most", 2)
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: server.admin.get("/v0/pipes/slow.json"), range(5)))
    assert sorted(answer.status for answer in answers) == [408, 408, 429, 429, 429]
    assert {answer.headers["Retry-After"] for answer in answers if answer.status == 429} == {"1"}
    assert server.admin.get("/v0/pipes/metric.json").status == 200


def test_a_query_ends_when_its_client_goes_away(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.service, "limits", Limits(query_seconds=30.0))
    with socket.create_connection(("127.0.0.1", server.listener.port)) as connection:
        request = f"GET /v0/pipes/slow.json?token={server.admin.token} HTTP/1.1\r\nHost: x\r\n\r\n"
        connection.sendall(request.encode())
        until(lambda: len(server.service.queries.running) == 1)
    until(lambda: not server.service.queries.running)


def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_imports_of_the_command_line_are_jobs(server: Server) -> None:
    answer = server.admin.post("/v1/datasources/events/append?format=ndjson", line(1) + '\n{"id":"x"}\n')
    assert answer.status == 200 and "error" not in answer.json
    job = server.admin.get(f"/v0/jobs/{answer.json['id']}", debug="blocks,block_log").json
    assert (job["status"], job["quarantine_rows"]) == ("done", 1)
    assert job["blocks"][0]["process_return"][0]["lines"] == 2
    failed = server.admin.post("/v1/datasources/events/append?format=parquet", "no parquet")
    job = server.admin.get(f"/v0/jobs/{failed.json['id']}").json
    assert job["status"] == "error" and job["error"]
    assert server.admin.get("/v0/jobs", status="error").json["jobs"][0]["id"] == failed.json["id"]


def test_files_in_forms(server: Server) -> None:
    boundary = "b0"
    part = 'Content-Disposition: form-data; name="csv"; filename="d.ndjson"\r\n\r\n' + line(1) + "\n"
    body = f"--{boundary}\r\n{part}\r\n--{boundary}--\r\n"
    path = "/v0/datasources?mode=append&name=events"
    answer = server.admin.post(path, body, content_type=f"multipart/form-data; boundary={boundary}")
    assert answer.json["successful_rows"] == 1, answer.text
    broken = server.admin.post(path, "nonsense", content_type="multipart/form-data")
    assert broken.status == 400


def test_tokens_survive_and_are_nobody_elses(server: Server) -> None:
    file = server.root / ".tbpy" / "tokens.json"
    assert file.stat().st_mode & 0o077 == 0
    answer = server.admin.post("/v0/tokens/dashboard/refresh")
    assert server.anybody.as_(answer.json["token"]).get("/v0/pipes/by_name.json", name="a").status == 200
    from tbpy.api.tokens import TokenStore

    assert TokenStore(file).get("dashboard").token == answer.json["token"]


JSON = {"Content-Type": "application/json"}
FORM = "application/x-www-form-urlencoded"
WRONG = [
    ("POST", "/v0/events?name=events", b"\xff\xfe\x00", {}),
    ("POST", "/v0/events?name=%FF", b"{}", {}),
    ("POST", "/v0/events?name=events&wait=maybe&format=", b"{}", {}),
    ("POST", "/v0/events?name=events", b"[" * 50_000, {}),
    ("POST", "/v0/events?name=events&format=json", b"[" * 50_000, {}),
    ("POST", "/v0/events?name=events", b'{"id": 99999999999999999999999, "name": "\\ud800", "at": 1e999}', {}),
    ("POST", "/v0/events?name=events", b"{}", {"Content-Encoding": "zstd"}),
    ("POST", "/v0/sql", b"\xff\xfe", {}),
    ("POST", "/v0/sql", b"{", JSON),
    ("POST", "/v0/sql", b"[" * 100_000, JSON),
    ("POST", "/v0/sql", b'{"q": 1}', JSON),
    ("POST", "/v0/sql", b"SELECT " + b"(" * 5000 + b"1" + b")" * 5000, {}),
    ("POST", "/v0/sql", b"% {{", {}),
    ("POST", "/v0/sql", b"SELECT 1 \x00", {}),
    ("GET", "/v0/sql?q=%00", b"", {}),
    ("GET", "/v0/pipes/by_name.json?name=%00%ff", b"", {}),
    ("GET", "/v0/pipes/by_name.json?name=a&ids=%27", b"", {}),
    ("GET", "/v0/pipes/by_name.json?name=a&q=SELECT", b"", {}),
    ("POST", "/v0/pipes/by_name.json", b"\xff", JSON),
    (
        "POST",
        "/v0/pipes/by_name.json",
        b'{"name": {"a": [1]}, "ids": {"b": null}}',
        {"Content-Type": "application/json"},
    ),
    ("POST", "/v0/pipes/by_name.json", b'{"name": ["a", "b"], "ids": 1.5}', JSON),
    ("POST", "/v0/tokens?name=x&expiration_time=soon", b"{}", {}),
    ("POST", "/v0/tokens?name=x&expiration_time=1", b'{"scopes": 5}', JSON),
    ("POST", "/v0/variables", b"name=a b&value=1", {}),
    ("POST", "/v0/datasources?mode=append&name=events&format=csv", b"\xff\x00\xfe", {}),
    ("POST", "/v0/datasources?mode=append&name=events&format=ndjson", b"\xff\x00\xfe", {}),
    ("POST", "/v0/datasources?mode=sideways&name=events", b"1", {}),
    ("POST", "/v1/datasources/nothing/append", b"1", {}),
    ("POST", "/v0/datasources/events/delete", b"delete_condition=1%3D1)+OR+(1", {}),
    ("GET", "/v0/datasources/%2e%2e%2f%2e%2e", b"", {}),
    ("GET", "/v0/jobs/%00", b"", {}),
]


@pytest.mark.parametrize("case", WRONG, ids=lambda case: f"{case[0]} {case[1][:60]}")
def test_bad_input_is_the_clients_mistake(server: Server, case: tuple[str, str, bytes, dict[str, str]]) -> None:
    method, path, body, headers = case
    answer = server.admin.send(method, path, body or None, headers)
    assert answer.status < 500, answer.text
    if answer.status >= 400 and answer.body:
        assert isinstance(answer.json["error"], str)


def test_broken_requests_leave_the_server_alive(server: Server) -> None:
    for data in (
        b"\x00\x01\x02\r\n\r\n",
        b"POST /v0/events?name=events HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{",
    ):
        with socket.create_connection(("127.0.0.1", server.listener.port)) as connection:
            connection.sendall(data)
    connection = HTTPConnection("127.0.0.1", server.listener.port, timeout=5)
    connection.request("GET", "/v0/health")
    assert connection.getresponse().status == 200
    connection.close()


def test_admin_token_from_outside(server: Server) -> None:
    from tbpy.api.tokens import TokenStore

    store = TokenStore(None, admin_token="from the environment")
    access = store.find("from the environment")
    assert access is not None and access.is_admin
    assert store.find("something else") is None
    assert Client(1, store.admin_token).token == "from the environment"
