"""JWTs: what they open, which rows they show, how often they may come."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tbpy.api.tokens import sign_jwt
from tests.api.client import Client
from tests.api.conftest import Server

FORM = "application/x-www-form-urlencoded"
ROWS = '{"id":1,"name":"a"}\n{"id":2,"name":"b"}\n{"id":3,"name":"b"}'
OF_B = {"type": "DATASOURCES:READ", "resource": "events", "filter": "name = 'b'"}
BY_NAME = {"type": "PIPES:READ", "resource": "by_name"}

Holder = Callable[..., Client]


@pytest.fixture
def holder(server: Server, request: pytest.FixtureRequest) -> Holder:
    """Whoever has a JWT of some scopes; `claims` are others than the usual."""
    server.admin.post("/v0/events?name=events&wait=true", ROWS)

    def sign(*scopes: dict[str, Any], key: str | None = None, **claims: Any) -> Client:
        usual = {"workspace_id": "w", "name": request.node.name, "exp": int(time.time()) + 60, "scopes": scopes}
        return server.anybody.as_(sign_jwt(usual | claims, key or server.service.tokens.admin_token))

    return sign


def ids(client: Client, sql: str, **parameters: str) -> list[int]:
    return [row["id"] for row in client.get("/v0/sql", q=f"{sql} FORMAT JSON", **parameters).json["data"]]


def test_fixed_parameters_win(server: Server, holder: Holder) -> None:
    client = holder(BY_NAME | {"fixed_params": {"name": "a"}})
    assert [row["id"] for row in client.get("/v0/pipes/by_name.json", name="b").json["data"]] == [1]
    answer = client.post("/v0/sql", "q=SELECT+id+FROM+by_name+FORMAT+JSON&name=b", content_type=FORM)
    assert answer.json["data"] == [{"id": 1}], "in SQL, too"
    assert client.get("/v0/pipes/metric.json").status == 403
    assert client.post("/v0/events?name=events", "{}").status == 403


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM events ORDER BY id",
        "SELECT id FROM default.events ORDER BY id",
        "WITH x AS (SELECT * FROM events) SELECT id FROM x ORDER BY id",
        "SELECT a.id AS id FROM events AS a JOIN events AS b ON a.id = b.id ORDER BY id",
        "SELECT id FROM events PREWHERE id > 0 ORDER BY id",
        "SELECT arrayJoin(groupArray(id)) AS id FROM events FINAL ORDER BY id",
        "SELECT number AS id FROM numbers(10) WHERE number IN (SELECT id FROM events) ORDER BY id",
    ],
)
def test_row_filters_of_data_sources(holder: Holder, sql: str) -> None:
    assert ids(holder(OF_B), sql) == [2, 3]


def test_row_filters_together(holder: Holder) -> None:
    assert ids(holder(OF_B, OF_B | {"filter": "id = 1"}), "SELECT id FROM events ORDER BY id") == [1, 2, 3]
    whole = {"type": "DATASOURCES:READ", "resource": "events"}
    assert ids(holder(OF_B, whole), "SELECT id FROM events ORDER BY id") == [1, 2, 3]
    assert ids(holder(OF_B), "SELECT id FROM events ORDER BY id") == [2, 3], "plans are not shared with other filters"


def test_row_filters_of_pipes(holder: Holder) -> None:
    client = holder(BY_NAME | {"filter": "id > 2"})
    assert [row["id"] for row in client.get("/v0/pipes/by_name.json", name="b").json["data"]] == [3]
    assert client.get("/v0/pipes/by_name.csv", name="b", q="SELECT count() FROM _").text.split() == ['"count()"', "1"]
    assert ids(client, "SELECT id FROM _", pipeline="by_name", name="b") == [3]
    assert ids(client, "SELECT id FROM by_name", name="b") == [3]


def test_filtered_rows_are_all_that_is_shown(holder: Holder) -> None:
    client = holder(OF_B)
    assert client.get("/v0/sql", q="SELECT * FROM events_quarantine").status == 403
    assert client.get("/v0/sql", q="SELECT * FROM names").status == 403
    broken = holder(OF_B | {"filter": "name = 'b') --"})
    assert broken.get("/v0/sql", q="SELECT * FROM events").status == 400
    assert holder(OF_B | {"filter": 1}).get("/v0/sql", q="SELECT * FROM events").status == 403
    assert holder(OF_B | {"type": "DATASOURCES:APPEND"}).post("/v0/events?name=events", "{}").status == 403


def test_appending(holder: Holder) -> None:
    client = holder({"type": "DATASOURCES:APPEND", "resource": "events"})
    assert client.post("/v0/events?name=events&wait=true", '{"id":4,"name":"c"}').json["successful_rows"] == 1
    assert client.get("/v0/sql", q="SELECT * FROM events").status == 403


def test_rates(holder: Holder) -> None:
    client = holder(BY_NAME, {"type": "DATASOURCES:APPEND", "resource": "events"}, limits={"rps": 3})
    with ThreadPoolExecutor(8) as pool:  # together, so that a slow machine comes within a second, too
        asked = [pool.submit(client.get, "/v0/pipes/by_name.json", name="a") for _ in range(8)]
        asked += [pool.submit(client.post, "/v0/events?name=events", '{"id":5,"name":"e"}') for _ in range(8)]
    answers = [future.result() for future in asked]
    let_in = [answer for answer in answers if answer.status in (200, 202)]
    refused = [answer for answer in answers if answer.status == 429]
    assert let_in and refused and len(let_in) + len(refused) == 16
    assert {answer.headers["X-RateLimit-Remaining"] for answer in let_in} >= {"2", "1", "0"}
    assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {"3"}
    assert {answer.headers["X-RateLimit-Reset"] for answer in answers} == {"1"}
    assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
    assert not any("Retry-After" in answer.headers for answer in let_in)


def test_what_is_not_in_order_opens_nothing(server: Server, holder: Holder) -> None:
    good = holder(BY_NAME).token or ""
    for token in (
        holder(BY_NAME, key="another key").token,
        holder(BY_NAME, exp=int(time.time()) - 1).token,
        holder(BY_NAME, exp="soon").token,
        good[:-2],
        good.replace("eyJ", "e30", 1),
        f"{urlsafe_b64encode(b'[' * 3_000).decode()}.e30.e30",
        "a.b.c",
        "é.ü.ö",
    ):
        assert server.anybody.as_(None).get("/v0/pipes/by_name.json", name="a", token=token).status == 403


def test_made_jwts_open_what_they_say(server: Server) -> None:
    body = json.dumps({"scopes": [{"type": "PIPES:READ", "resource": "metric"}], "limits": {}})
    path = f"/v0/tokens?name=mine&expiration_time={int(time.time()) + 60}"
    token = server.admin.post(path, body, content_type="application/json").json["token"]
    assert server.anybody.as_(token).get("/v0/pipes/metric.json").status == 200
