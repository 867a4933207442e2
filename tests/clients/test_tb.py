"""The official command line, `tb` 5.0.3, unmodified: against `tbpy dev` as if that were Tinybird Local, and against
`tbpy server` as if that were the cloud."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients.conftest import TOKEN, Serving, pip_install, serving, write_project

# Its own pins ask for a certifi that not every index has, so its packages are named here.
TB = (
    "clickhouse-toolset==0.34.dev0 click<8.2 urllib3<2 docker boto3 confluent-kafka==2.8.2 cryptography~=41.0 "
    "pydantic~=2.11.7 shandy-sqlfmt[jinjafmt]==0.29.0 tornado~=6.5.5 watchdog==6.0.0 thefuzz python-dotenv==1.1.0 "
    "pyjwt[crypto]==2.9.0 croniter==6.2.2 GitPython humanfriendly~=8.2 logfire-api==4.2.0 prompt_toolkit==3.0.48 "
    "pyperclip==1.9.0 toposort==1.10 packaging<24 colorama aiofiles wheel requests pyyaml certifi",
    "--no-deps tinybird==5.0.3",
)
NUMBERED = '{"id": 3, "name": "c"}\n{"id": "x", "name": "d"}\n'


@dataclass(frozen=True)
class Said:
    code: int
    text: str


class Tb:
    """Runs commands in a folder; `target` says where they go, by options before the command."""

    def __init__(self, folder: Path, target: tuple[str, ...], **variables: str) -> None:
        self.folder = folder
        self._packages = pip_install("tb", *TB)
        self.target = target
        quiet = {"TB_CLI_TELEMETRY_OPTOUT": "1", "TB_VERSION_WARNING": "0", "CI": "true", "HOME": str(folder.parent)}
        self._environment = os.environ | quiet | {"PYTHONPATH": str(self._packages)} | variables

    def __call__(self, *command: str) -> str:
        """What it said; it must have succeeded."""
        said = self.run(*command)
        assert said.code == 0, said.text
        return said.text

    def run(self, *command: str) -> Said:
        done = subprocess.run(
            [sys.executable, str(self._packages / "bin" / "tb"), *self.target, *command],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        return Said(done.returncode, done.stdout)


def local(folder: Path, dev: Serving) -> Tb:
    return Tb(folder, ("--local",), TB_LOCAL_HOST="localhost", TB_LOCAL_PORT=dev.port)


@dataclass(frozen=True)
class Cloud:
    """A server, and `tb` in the folder of a project to deploy to it."""

    tb: Tb
    server: Serving

    @property
    def is_deployed(self) -> bool:
        return bool(self.server.get("/v1/deployments")["deployments"][0]["id"] != "0")

    def deploy_first(self) -> None:
        """Deploys unless an earlier test has: a command takes half a second."""
        if not self.is_deployed:
            self.tb("deploy")

    def count(self, table: str) -> int:
        return self.server.number(f"SELECT count() AS n FROM {table}")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    root = tmp_path_factory.mktemp("server")
    folder = write_project(tmp_path_factory.mktemp("home") / "project")
    (root / "datasources").mkdir()
    with serving(root, "server", "--data", str(root / "data"), TBPY_ADMIN_TOKEN=TOKEN) as url:
        yield Cloud(Tb(folder, ("--cloud", "--host", url, "--token", TOKEN)), Serving(url, TOKEN, root))


def test_a_project_of_its_own_beside_the_one_that_is_served(dev: Serving, tmp_path: Path) -> None:
    tb = local(write_project(tmp_path / "project"), dev)
    said = tb("build")
    assert "datasources/events.datasource created" in said and "endpoints/top.pipe created" in said, said
    assert "✓ 1 row appended" in tb("datasource", "append", "events", "--events", '{"id": 3, "name": "c"}')
    assert "1/1 passed" in tb("test", "run"), "the rows of tests are not their own"
    assert tb("--output", "csv", "sql", "SELECT sum(events) AS n FROM names").split()[-1] == "3", "no fixture"

    pipe = tmp_path / "project" / "endpoints" / "top.pipe"
    pipe.write_text(pipe.read_text().replace("SELECT id,", "SELECT ids,"))
    failed = tb.run("build")
    assert failed.code == 1 and "endpoints/top.pipe" in failed.text and "`ids`" in failed.text, failed.text
    assert "3 | c" in tb("endpoint", "data", "top", "--least", "3"), "the last good build is gone"


def test_the_served_project_from_its_own_folder(dev: Serving) -> None:
    tb = local(dev.root, dev)
    assert "No changes" in tb("build"), "tbpy dev has built it already"
    tb("datasource", "append", "events", "--events", '{"id": 5, "name": "own"}')
    assert dev.number("SELECT count() AS n FROM events WHERE name = 'own'") == 1
    assert f"localhost:{dev.port}/v0/pipes/top.json" in tb("endpoint", "url", "top")


def test_deployments(cloud: Cloud) -> None:
    tb = cloud.tb
    if not cloud.is_deployed:
        said = tb("deploy", "--check")
        assert "Deployment is valid" in said and "datasources/events.datasource" in said, said
        assert cloud.server.get("/v0/datasources") == {"datasources": []}, "a check made data sources"
        assert "Deployment #1 is live" in tb("deploy", "--wait", "--auto")
    assert "Not deploying. No changes" in tb("deploy")
    assert "Live" in tb("deployment", "ls")
    tb("datasource", "append", "events", "fixtures/events.ndjson")
    before = cloud.count("names")
    assert before >= 2

    pieces = [tb.folder / name for name in ("datasources/names.datasource", "materializations/count_names.pipe")]
    texts = [piece.read_text() for piece in pieces]
    for piece in pieces:
        piece.unlink()
    refused = tb.run("deploy")
    assert refused.code == 1 and "names.datasource" in refused.text, refused.text
    assert cloud.count("names") == before
    assert "is live" in tb("deploy", "--allow-destructive-operations")
    for piece, text in zip(pieces, texts, strict=True):
        piece.write_text(text)
    assert "Using Materialized Pipe count_names" in tb("deploy")
    assert cloud.count("names") == before


def test_staging_deployments(cloud: Cloud) -> None:
    tb, pipe = cloud.tb, cloud.tb.folder / "endpoints" / "top.pipe"
    cloud.deploy_first()
    text = pipe.read_text()
    pipe.write_text(text.replace("SELECT id,", "SELECT id + 1000 AS id,"))
    try:
        tb("datasource", "append", "events", "--events", '{"id": 7, "name": "staged"}')
        assert "endpoints/top.pipe" in tb("deployment", "create", "--wait")
        assert "Staging" in tb("deployment", "ls")
        assert "1007 | staged" in tb("--staging", "endpoint", "data", "top")
        assert "7 | staged" in (live := tb("endpoint", "data", "top")) and "1007" not in live
        tb("deployment", "discard", "--wait")
        assert "Staging" not in tb("deployment", "ls")
        tb("deploy", "--wait", "--no-auto")
        said = tb("deployment", "promote", "--wait")
        assert "1007 | staged" in tb("endpoint", "data", "top"), said
        assert tb.run("deployment", "promote").code == 1, "there is nothing to promote"
    finally:
        pipe.write_text(text)
    tb("deploy")


def test_data_of_a_server(cloud: Cloud) -> None:
    tb = cloud.tb
    cloud.deploy_first()
    (tb.folder / "more.ndjson").write_text(NUMBERED)
    tb("datasource", "truncate", "events", "--yes", "--cascade")
    tb("datasource", "append", "events", "more.ndjson")
    assert (cloud.count("events"), cloud.count("names"), cloud.count("events_quarantine")) == (1, 1, 1)
    tb("datasource", "replace", "events", "fixtures/events.ndjson")
    assert cloud.count("events") == 2
    assert "row_count: 2" in tb("datasource", "ls")
    assert "rows deleted" in tb("datasource", "delete", "events", "--sql-condition", "id = 1", "--yes", "--wait")
    assert "2 | b" in tb("endpoint", "data", "top", "--least", "1")
    assert "top" in tb("endpoint", "ls") and "materialized" in tb("pipe", "ls")
    assert "import" in tb("job", "ls", "-k", "import")


def test_what_runs_on_a_server(cloud: Cloud) -> None:
    tb, copy = cloud.tb, cloud.tb.folder / "copies" / "keep.pipe"
    copy.parent.mkdir(exist_ok=True)
    kept = 'SCHEMA >\n    `name` String,\n    `n` UInt64\n\nENGINE "MergeTree"\n'
    (tb.folder / "datasources" / "kept.datasource").write_text(kept)
    sql = "SELECT name, count() AS n FROM events GROUP BY name"
    copy.write_text(f"NODE n\nSQL >\n    {sql}\n\nTYPE copy\nTARGET_DATASOURCE kept\n")
    tb("deploy")
    tb("datasource", "append", "events", "--events", '{"id": 9, "name": "copied"}')
    tb("copy", "run", "keep", "--wait")
    assert "copied" in tb("sql", "SELECT name FROM kept WHERE name = 'copied'")
    assert "keep" in tb("copy", "ls") and "count_names" in tb("materialization", "ls")
    assert "/v0/pipes/top.json" in tb("endpoint", "url", "top")
    assert "copied" in tb("datasource", "data", "kept", "--limit", "1000")


def test_tokens_and_secrets_of_a_server(cloud: Cloud) -> None:
    tb = cloud.tb
    cloud.deploy_first()
    tb("token", "create", "static", "mine", "--scope", "PIPES:READ", "--resource", "top")
    assert "mine" in tb("token", "ls")
    assert "eyJ" in tb("token", "create", "jwt", "j", "--ttl", "1h", "--scope", "PIPES:READ", "--resource", "top")
    tb("token", "rm", "mine", "--yes")
    assert "mine" not in {token["name"] for token in cloud.server.get("/v0/tokens")["tokens"]}
    tb("secret", "set", "key", "value")
    assert "key" in tb("secret", "ls")
    tb("secret", "rm", "key")
    assert cloud.server.get("/v0/variables") == {"variables": []}


def test_a_wrong_token(cloud: Cloud) -> None:
    wrong = Tb(cloud.tb.folder, (*cloud.tb.target[:-1], "p.wrong"))
    for command in (("deploy", "--check"), ("sql", "SELECT 1")):
        said = wrong.run(*command)
        assert said.code == 1 and "token" in said.text, said.text
