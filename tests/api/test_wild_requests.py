"""Requests that nobody sends on purpose: each is answered, none as a mistake of the server, none opens too much.

`TBPY_EXAMPLES=10000 pytest tests/api/test_wild_requests.py` looks longer.
"""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
import zstandard
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tbpy.api.routes import ROUTES
from tbpy.api.service import Limits
from tests.api.client import Answer, Client
from tests.api.conftest import FILES, Server
from tests.projects import EVENTS, write_files

_EXAMPLES = int(os.environ.get("TBPY_EXAMPLES", "200"))
_SETTINGS = settings(
    max_examples=_EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=_EXAMPLES < 1000
)
_KEPT = "kept"  # the data source that no wild request names
_OPEN = {"/", "/health", "/version", "/v0/health", "/v0/regions", "/metrics", "/tokens"}  # need no token


@dataclass(frozen=True)
class Wild:
    """A request. `token` None sends none."""

    method: str
    path: str
    parameters: list[tuple[str, str]]
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def target(self) -> str:
        return quote(self.path, safe="/%:{}=?&") + (f"?{urlencode(self.parameters)}" if self.parameters else "")


_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
_EDGES = st.sampled_from([
    "", "0", "-1", "1e999", "NaN", "null", "true", "[]", "{}", "'", "\\", "%", "{{", "{% if", "../..", "\x00", "9" * 40,
    "1; DROP TABLE events", "2024-13-45", "events,names", "\u202e", "é" * 300, "SELECT 1", "1=1) OR (1", "*",
])  # fmt: skip
_NAMES = st.sampled_from([
    "events", "names", "by_name", "picky", "metric", "no_endpoint", "answer", "filtered", "dashboard",
    "events_quarantine", "by_name.json", "by_name.csv", "by_name.ndjson", "picky.parquet", "metric.prometheus",
    "by_name.xml", "tinybird",
])  # fmt: skip
_VALUES = st.one_of(_NAMES, _EDGES, _TEXT)
_PARAMETERS = st.sampled_from([
    "name", "format", "mode", "q", "pipeline", "wait", "token", "ids", "a", "b", "url", "delete_condition", "limit",
    "replace_condition", "dialect_delimiter", "page", "page_size", "scope", "expiration_time", "value", "status",
    "kind", "with_last_date", "output_format_json_quote_64bit_integers", "check", "dry_run",
    "allow_destructive_operations",
])  # fmt: skip
_QUERIES = st.sampled_from([
    "SELECT * FROM events", "SELECT", "SELECT 1 FORMAT Nothing", "% SELECT {{Int8(a)}}", "SELECT count() FROM names",
    "SELECT * FROM read_csv('/etc/passwd')", "DROP TABLE events", "SELECT * FROM tinybird.pipe_stats_rt", "SHOW TABLES",
    "SELECT throwIf(1)", "EXPLAIN SELECT 1", "SELECT * FROM _", "SELECT 1; SELECT 2",
    "WITH a AS (SELECT 1) SELECT * FROM a",
])  # fmt: skip
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _VALUES),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(_PARAMETERS, _VALUES), inner, max_size=3)
    ),
    max_leaves=6,
)
_ROWS = st.lists(
    st.fixed_dictionaries({}, optional={"id": st.one_of(st.integers(0, 9), _JSON), "name": _JSON, "at": _JSON}),
    max_size=4,
)
_MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="csv"; filename="a.csv"\r\n\r\n1,a\r\n--b\r\n'
    b'Content-Disposition: form-data; name="q"\r\n\r\nSELECT 1\r\n--b--\r\n'
)
_BODIES = st.one_of(
    st.just(b""),
    st.binary(max_size=60),
    _JSON.map(lambda document: json.dumps(document).encode()),
    _ROWS.map(lambda rows: "\n".join(map(json.dumps, rows)).encode()),
    st.one_of(_QUERIES, _EDGES).map(str.encode),
    st.lists(st.tuples(_PARAMETERS, _VALUES), max_size=4).map(lambda form: urlencode(form).encode()),
    st.sampled_from([b"1,a\n2,b\n", b'id,"name\n1', b"PAR1\x00PAR1", _MULTIPART, _MULTIPART[:70], b"[" * 3000]),
)
_ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda body: body,
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
    "br": lambda body: body,
    "gzip, gzip": lambda body: gzip.compress(body)[:-3],
}
_TYPES = st.sampled_from([
    "", "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "text/csv", "/",
    "multipart/form-data", "text/plain; charset=utf-16", "application/x-ndjson", "application/json; charset=nothing",
])  # fmt: skip
_PATHS = [(method, path) for methods, path, _ in ROUTES for method in methods]
_PATHS = [*_PATHS, ("POST", "/v0/events"), ("PATCH", "/v0/sql"), ("GET", "/v0/nothing"), ("OPTIONS", "/v0/events")]


@st.composite
def wild_requests(draw: st.DrawFn) -> Wild:
    """Routes that exist, with names, parameters, bodies and headers that fit together only by chance."""
    method, route = draw(st.sampled_from(_PATHS))
    path = re.sub(r"\{[^}]*\}", lambda _: quote(draw(_VALUES), safe=""), route)
    values = st.one_of(_VALUES, _QUERIES)
    parameters = draw(st.lists(st.tuples(_PARAMETERS, values), max_size=4))
    encoding, content_type = draw(st.sampled_from(sorted(_ENCODINGS))), draw(_TYPES)
    headers = {"Content-Encoding": encoding, "Content-Type": content_type}
    headers["Accept-Encoding"] = draw(st.sampled_from(["", "gzip", "br;q=1, *;q=0", "zstd, gzip;q=nothing"]))
    body = _ENCODINGS[encoding](draw(_BODIES))
    return Wild(method, path, parameters, body, {name: value for name, value in headers.items() if value})


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    write_files(tmp_path, {**FILES, f"datasources/{_KEPT}.datasource": EVENTS.replace("TOKEN ingest APPEND\n", "")})
    running = Server(tmp_path, Limits(query_seconds=0.7, event_bytes=100_000, event_bytes_decompressed=1_000_000))
    yield running
    running.close()


def ask(client: Client, request: Wild) -> Answer:
    note(repr(request))
    return client.send(request.method, request.target, request.body or None, request.headers)


def test_every_request_is_answered_and_no_row_is_lost(server: Server) -> None:
    stored = 0

    @given(wild_requests())
    @_SETTINGS
    def answered(request: Wild) -> None:
        nonlocal stored
        answer = ask(server.admin, request)
        assert answer.status < 500, answer.text
        event = server.admin.post(f"/v0/events?name={_KEPT}", json.dumps({"id": stored, "name": "kept"}))
        assert event.status == 202, event.text
        stored += 1

    answered()
    found = server.admin.sql(f"SELECT count() AS rows, uniq(id) AS ids FROM {_KEPT}")
    assert found == [{"rows": stored, "ids": stored}]


@pytest.mark.parametrize("token", [None, "", "wild", "é", "p.eyJ1IjoxfQ.x", "eyJhbGciOiJub25lIn0.eyJzY29wZXMiOltdfQ."])
def test_nothing_opens_without_a_token(server: Server, token: str | None) -> None:
    client = server.anybody

    @given(wild_requests())
    @settings(_SETTINGS, max_examples=max(20, _EXAMPLES // 5))
    def closed(request: Wild) -> None:
        sent = [(name, value) for name, value in request.parameters if name != "token"]
        if token is not None:
            sent.append(("token", token))
        answer = ask(client, Wild(request.method, request.path, sent, request.body, request.headers))
        assert answer.status < 500, answer.text
        assert answer.status >= 300 or request.path in _OPEN or request.method == "OPTIONS", answer.text

    closed()


def test_a_token_opens_what_its_scopes_say(server: Server) -> None:
    """`dashboard` may read one endpoint: nothing else of the project is in any answer."""
    secret = "the name that only one event has"
    assert server.admin.post("/v0/events?name=events", json.dumps({"id": 1, "name": secret})).status == 202
    client = server.token("dashboard")

    @given(wild_requests())
    @_SETTINGS
    def told(request: Wild) -> None:
        sent = [(name, value) for name, value in request.parameters if name != "token"]
        answer = ask(client, Wild(request.method, request.path, sent, request.body, request.headers))
        assert answer.status < 500, answer.text
        assert secret.encode() not in answer.body

    told()
    assert server.admin.sql("SELECT count() AS n FROM events") == [{"n": 1}]
