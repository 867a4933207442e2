"""A server over a small project, on a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tbpy.api.app import Api
from tbpy.api.service import Limits, Service, open_service
from tbpy.api.serving import Listener, listen
from tbpy.project import load_project
from tbpy.workspace import Workspace
from tests.api.client import Client
from tests.projects import COUNTED_EVENTS, EVENTS, write_files

FILES = {
    **COUNTED_EVENTS,
    "datasources/events.datasource": EVENTS.replace("`name` String", "`name` LowCardinality(String)"),
    "endpoints/by_name.pipe": """
        TOKEN dashboard READ
        DESCRIPTION >
            Events of one name
        NODE filtered
        SQL >
            %
            SELECT id, name FROM events
            WHERE name = {{String(name, description='Which ones', required=True)}}
            {% if defined(ids) %} AND id IN {{Array(ids, 'Int32')}} {% end %}

        NODE answer
        SQL >
            SELECT * FROM filtered ORDER BY id

        TYPE endpoint
        """,
    "endpoints/picky.pipe": """
        NODE answer
        SQL >
            %
            {% if not defined(a) %}{{ custom_error({'error': 'a is missing', 'code': 42}, 422) }}{% end %}
            {% if String(b, '') == 'wrong' %}{{ error('b is wrong') }}{% end %}
            SELECT {{Int32(a, 1)}} AS a, {{String(b, 'x')}} AS b, tb_secret_value
            FROM (SELECT {{tb_secret('key', 'none')}} AS tb_secret_value)

        TYPE endpoint
        """,
    "endpoints/metric.pipe": """
        NODE answer
        SQL >
            SELECT 'events_total' AS name, toFloat64(count()) AS value, 'counter' AS type FROM events

        TYPE endpoint
        """,
    "endpoints/slow.pipe": """
        NODE answer
        SQL >
            SELECT sum(cityHash64(number)) AS s FROM numbers(100000000000)

        TYPE endpoint
        """,
    "pipes/no_endpoint.pipe": """
        NODE only
        SQL >
            SELECT 1 AS one
        """,
}


class Server:
    """A service that listens; `admin` may do everything."""

    def __init__(self, root: Path, limits: Limits | None = None) -> None:
        self.root = root
        self.workspace = Workspace.open(root)
        self.service: Service = open_service(self.workspace, limits=limits)
        project = load_project(root)
        assert not project.errors, project.errors
        self.service.take_in(project)
        self.listener = Listener(Api(self.service), listen("127.0.0.1", 0))
        self.listener.start()
        self.anybody = Client(self.listener.port)
        self.admin = Client(self.listener.port, self.service.tokens.admin_token)

    def token(self, name: str) -> Client:
        return self.anybody.as_(self.service.tokens.get(name).token)

    def close(self) -> None:
        self.listener.stop()
        self.service.close()
        self.workspace.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("project")
    write_files(root, FILES)
    server = Server(root, Limits(query_seconds=0.7, event_bytes=100_000, event_bytes_decompressed=1_000_000))
    yield server
    server.close()


@pytest.fixture(autouse=True)
def no_rows(server: Server) -> None:
    """Every test begins without rows, whatever it finds built."""
    for name in ("events", "events_quarantine", "names"):
        server.workspace.truncate(name)
