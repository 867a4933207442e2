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

    def count(self, table: str) -> int:
        return int(self("--output", "csv", "sql", f"SELECT count() AS n FROM {table}").split()[-1])


def local(folder: Path, dev: Serving) -> Tb:
    return Tb(folder, ("--local",), TB_LOCAL_HOST="localhost", TB_LOCAL_PORT=dev.port)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tb]:
    """A `tbpy server` without a project, and a folder with one to deploy to it."""
    root = tmp_path_factory.mktemp("server")
    folder = write_project(tmp_path_factory.mktemp("home") / "project")
    (root / "datasources").mkdir()
    with serving(root, "server", "--data", str(root / "data"), TBPY_ADMIN_TOKEN=TOKEN) as url:
        yield Tb(folder, ("--cloud", "--host", url, "--token", TOKEN))


def test_a_project_of_its_own_beside_the_one_that_is_served(dev: Serving, tmp_path: Path) -> None:
    tb = local(write_project(tmp_path / "project"), dev)
    said = tb("build")
    assert "datasources/events.datasource created" in said and "endpoints/top.pipe created" in said, said
    assert tb.count("events") == 2, "the fixture is not there"
    assert "No changes" in tb("build")
    assert "✓ 1 row appended" in tb("datasource", "append", "events", "--events", '{"id": 3, "name": "c"}')
    assert tb.count("names") == 3
    assert "1/1 passed" in tb("test", "run"), "tests have rows of their own"
    assert tb.count("events") == 3

    pipe = tmp_path / "project" / "endpoints" / "top.pipe"
    pipe.write_text(pipe.read_text().replace("SELECT id,", "SELECT ids,"))
    failed = tb.run("build")
    assert failed.code == 1 and "endpoints/top.pipe" in failed.text and "`ids`" in failed.text, failed.text
    assert "c" in tb("endpoint", "data", "top", "--least", "3"), "the last good build is gone"


def test_the_served_project_from_its_own_folder(dev: Serving) -> None:
    tb = local(dev.root, dev)
    assert "No changes" in tb("build"), "tbpy dev has built it already"
    tb("datasource", "truncate", "events", "--yes", "--cascade")
    tb("datasource", "append", "events", "--events", '{"id": 5, "name": "own"}')
    assert "own" in tb("sql", "SELECT * FROM events")
    assert f"localhost:{dev.port}/v0/pipes/top.json" in tb("endpoint", "url", "top")
    assert "No changes" in tb("deploy")


def test_deployments(cloud: Tb) -> None:
    said = cloud("deploy", "--check")
    assert "Deployment is valid" in said and "datasources/events.datasource" in said, said
    assert cloud.run("datasource", "data", "events").code == 1, "a check made a data source"
    assert "Deployment #1 is live" in cloud("deploy", "--wait", "--auto")
    assert "Not deploying. No changes" in cloud("deploy")
    assert "Live" in cloud("deployment", "ls")
    cloud("datasource", "append", "events", "fixtures/events.ndjson")

    names, pipe = cloud.folder / "datasources/names.datasource", cloud.folder / "materializations/count_names.pipe"
    texts = names.read_text(), pipe.read_text()
    names.unlink()
    pipe.unlink()
    refused = cloud.run("deploy")
    assert refused.code == 1 and "names.datasource" in refused.text, refused.text
    assert cloud.count("names") == 2
    assert "Deployment #2 is live" in cloud("deploy", "--allow-destructive-operations")
    names.write_text(texts[0])
    pipe.write_text(texts[1])
    assert "Using Materialized Pipe count_names" in cloud("deploy")
    assert cloud.count("names") == 2

    staged = cloud.run("deployment", "create")
    assert staged.code == 1 and "no staging deployments" in staged.text, staged.text
    assert cloud.run("deployment", "promote").code == 1


def test_data_of_a_server(cloud: Tb) -> None:
    cloud("deploy")
    more = cloud.folder / "more.ndjson"
    more.write_text(NUMBERED)
    cloud("datasource", "truncate", "events", "--yes", "--cascade")
    cloud("datasource", "append", "events", "more.ndjson")
    assert (cloud.count("events"), cloud.count("names"), cloud.count("events_quarantine")) == (1, 1, 1)
    cloud("datasource", "replace", "events", "fixtures/events.ndjson")
    assert "events" in cloud("datasource", "ls") and cloud.count("events") == 2
    assert "rows deleted" in cloud("datasource", "delete", "events", "--sql-condition", "id = 1", "--yes", "--wait")
    assert "2 | b" in cloud("endpoint", "data", "top", "--least", "1")
    assert "top" in cloud("endpoint", "ls") and "materialized" in cloud("pipe", "ls")
    assert "import" in cloud("job", "ls", "-k", "import")


def test_tokens_and_secrets_of_a_server(cloud: Tb) -> None:
    cloud("deploy")
    cloud("token", "create", "static", "mine", "--scope", "PIPES:READ", "--resource", "top")
    assert "mine" in cloud("token", "ls")
    assert "eyJ" in cloud("token", "create", "jwt", "j", "--ttl", "1h", "--scope", "PIPES:READ", "--resource", "top")
    cloud("token", "rm", "mine", "--yes")
    assert "mine" not in cloud("token", "ls")
    cloud("secret", "set", "key", "value")
    assert "key" in cloud("secret", "ls")
    cloud("secret", "rm", "key")
    assert "key" not in cloud("secret", "ls").replace("Secrets", "")


def test_a_wrong_token(cloud: Tb) -> None:
    wrong = Tb(cloud.folder, (*cloud.target[:-1], "p.wrong"))
    for command in (("deploy", "--check"), ("sql", "SELECT 1"), ("datasource", "ls")):
        said = wrong.run(*command)
        assert said.code == 1 and "token" in said.text, said.text
