"""What a server tells of its own work: service data sources, metrics, access log; and answers as gzip."""

from __future__ import annotations

import gzip
import io
import json
import re
from typing import Any
from urllib.parse import quote

import pytest

from tbpy.api.access_log import AccessLog
from tbpy.api.app import Api
from tbpy.api.serving import Listener, listen
from tests.api.client import Answer, Client
from tests.api.conftest import Server


def noted(server: Server, source: str, columns: str, marked: str) -> list[dict[str, Any]]:
    """What the calls with the parameter `marked` left behind."""
    where = f"WHERE url LIKE '%mark={marked}%' ORDER BY status_code, pipe_name"
    return server.admin.sql(f"SELECT {columns} FROM tinybird.{source} {where}")


def test_calls_are_noted_with_what_they_read(server: Server) -> None:
    server.admin.post("/v0/events?name=events&wait=true", '{"id":1,"name":"a"}\n{"id":2,"name":"b"}')
    client = server.token("dashboard")
    client.get("/v0/pipes/by_name.json", name="a", mark="calls", token="secret")
    client.get("/v0/pipes/by_name.json", mark="calls")
    server.admin.get("/v0/pipes/picky.json", b="x", mark="calls")
    server.admin.get("/v0/sql", q="SELECT 1", mark="calls")
    columns = "pipe_name, token_name, status_code, error, read_rows, result_rows, parameters['name'] AS name, method"
    assert [tuple(row.values()) for row in noted(server, "pipe_stats_rt", columns, "calls")] == [
        ("by_name", "dashboard", 200, 0, 2, 1, "a", "GET"),
        ("query_api", "workspace admin token", 200, 0, 1, 1, "", "GET"),
        ("by_name", "dashboard", 400, 1, 0, 0, "", "GET"),
        ("picky", "workspace admin token", 422, 1, 0, 0, "", "GET"),
    ]
    errors = noted(server, "endpoint_errors", "pipe_name, status_code, error LIKE '%arameter%' AS text", "calls")
    assert [tuple(row.values()) for row in errors] == [("by_name", 400, 1), ("picky", 422, 0)]
    assert "secret" not in str(noted(server, "pipe_stats_rt", "url", "calls"))


def test_reading_what_was_noted_is_not_noted(server: Server) -> None:
    sql = "SELECT count() FROM tinybird.pipe_stats_rt WHERE pipe_id = 'query_api' AND 'not' = 'noted'"
    server.admin.sql(sql)
    found = server.admin.sql("SELECT count() AS n FROM tinybird.pipe_stats_rt WHERE parameters['q'] LIKE '%''noted''%'")
    assert found == [{"n": 0}]


def test_only_the_admin_reads_service_data_sources(server: Server) -> None:
    answer = server.token("dashboard").post("/v0/sql", "SELECT 1 FROM tinybird.jobs_log", content_type="text/plain")
    assert answer.status == 403


def test_jobs_are_noted(server: Server) -> None:
    answer = server.admin.post("/v0/datasources/events/delete", "delete_condition=id%3D1",
                               content_type="application/x-www-form-urlencoded")  # fmt: skip
    job = answer.json["job_id"]
    server.admin.get(f"/v0/jobs/{job}")
    sql = f"SELECT job_type, status, datasource_id FROM tinybird.jobs_log WHERE job_id = '{job}'"
    assert server.admin.sql(sql) == [
        {"job_type": "delete_data", "status": "done", "datasource_id": answer.json["job"]["datasource"]["id"]}
    ]


def test_metrics(server: Server) -> None:
    def value(name: str) -> float:
        found = re.search(rf"^{re.escape(name)} (\S+)$", server.anybody.get("/metrics").text, re.M)
        return float(found.group(1)) if found else 0

    names = (
        'tbpy_http_requests_total{route="/v0/events",method="POST",status="200"}',
        'tbpy_http_request_duration_seconds_count{route="/v0/events"}',
        'tbpy_http_request_duration_seconds_bucket{route="/v0/events",le="+Inf"}',
        'tbpy_ingested_rows_total{datasource="events"}',
        'tbpy_quarantined_rows_total{datasource="events"}',
    )
    before = [value(name) for name in names]
    server.admin.post("/v0/events?name=events&wait=true", '{"id":1,"name":"a"}\n{"id":"x","name":"b"}')
    assert [value(name) - old for name, old in zip(names, before, strict=True)] == [1, 1, 1, 1, 1]
    server.anybody.get("/v0/nothing/here")
    assert value('tbpy_http_requests_total{route="other",method="GET",status="404"}') >= 1
    assert value("tbpy_database_bytes") > 0


LONG = "SELECT number, 'abcdefghij' AS text FROM numbers({}) FORMAT CSV"
ACCEPTING = [
    ("gzip", True),
    ("gzip, deflate, br", True),
    ("*", True),
    ("identity", False),
    ("gzip;q=0", False),
    ("*;q=0", False),
    ("gzip;q=x", False),
]


def ask(server: Server, sql: str, accepted: str) -> Answer:
    return server.admin.send("GET", f"/v0/sql?q={quote(sql)}", headers={"Accept-Encoding": accepted})


@pytest.mark.parametrize(("accepted", "zipped"), ACCEPTING)
def test_gzip_is_for_who_takes_it(server: Server, accepted: str, zipped: bool) -> None:
    answer = ask(server, LONG.format(1000), accepted)
    assert (answer.headers["Content-Encoding"] == "gzip") is zipped
    body = gzip.decompress(answer.body) if zipped else answer.body
    assert body.count(b"\n") == 1000
    assert int(answer.headers["Content-Length"]) == len(answer.body)


def test_what_streams_is_compressed_too_and_what_is_short_is_not(server: Server) -> None:
    streamed = ask(server, LONG.format(90_000), "gzip")
    assert streamed.headers["Transfer-Encoding"] == "chunked"
    assert gzip.decompress(streamed.body).count(b"\n") == 90_000
    assert ask(server, "SELECT 1", "gzip").headers["Content-Encoding"] is None
    listed = server.admin.send("GET", "/v0/pipes", headers={"Accept-Encoding": "gzip"})
    assert {pipe["name"] for pipe in json.loads(gzip.decompress(listed.body))["pipes"]} >= {"by_name"}


def test_the_access_log_has_a_line_a_request_and_no_token(server: Server) -> None:
    stream = io.StringIO()
    log = AccessLog(stream)
    listener = Listener(Api(server.service, log), listen("127.0.0.1", 0))
    listener.start()
    try:
        client = Client(listener.port, server.service.tokens.admin_token)
        client.get("/v0/pipes/by_name.json", name="a", token="hush")
        client.post("/v0/events?name=nothing", "{}")
        client.get("/elsewhere")
    finally:
        listener.stop()
        log.close()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["method"], line["path"], line["route"], line["status"]) for line in lines] == [
        ("GET", "/v0/pipes/by_name.json", "/v0/pipes/{file}", 200),
        ("POST", "/v0/events", "/v0/events", 404),
        ("GET", "/elsewhere", "other", 404),
    ]
    assert all(line["duration_ms"] > 0 and line["bytes"] > 0 and line["client"] for line in lines)
    assert "hush" not in stream.getvalue()
