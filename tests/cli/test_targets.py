"""Servers from the command line: where a command goes and what it does there, against a real `tbpy server`."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tbpy.cli.targets import to_front
from tests.cli.conftest import Ran, Shell, environment

ADMIN = "an-admin-token-for-tests"

COPY = """
NODE rows
SQL >
    SELECT customer_id, sum(transaction_amount) AS total FROM customer_transactions GROUP BY customer_id

TYPE copy
TARGET_DATASOURCE totals
COPY_SCHEDULE @on-demand
COPY_MODE replace
"""
TOTALS = """
SCHEMA >
    `customer_id` String,
    `total` Float64

ENGINE "MergeTree"
ENGINE_SORTING_KEY "customer_id"
"""


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("query SELECT --cloud", "--cloud query SELECT"),
        ("--cloud query SELECT", "--cloud query SELECT"),
        ("append a.csv --profile prod --format csv", "--profile prod append a.csv --format csv"),
        ("-C folder datasource ls --host=h --token t", "-C folder --host=h --token t datasource ls"),
        ("endpoint data e --customer 1 --staging", "--staging endpoint data e --customer 1"),
        ("endpoint data e -- --cloud", "endpoint data e -- --cloud"),
        ("endpoint url e --host http://h", "endpoint url e --host http://h"),
        ("dev --host 0.0.0.0", "dev --host 0.0.0.0"),
        ("login --token t", "login --token t"),
        ("query --token", "--token query"),
    ],
)
def test_options_of_the_target_stand_anywhere(typed: str, read: str) -> None:
    assert to_front(typed.split()) == read.split()


@dataclass(frozen=True)
class Remote:
    """A project in a folder, and a server that it is deployed to. `tbpy` types with the server's variables."""

    shell: Shell
    host: str
    config: Path

    def tbpy(self, *arguments: str, stdin: str = "", token: str | None = ADMIN, **variables: str) -> Ran:
        env = environment() | {"TB_HOST": self.host, "TBPY_CONFIG": str(self.config)} | variables
        done = subprocess.run(
            [sys.executable, "-m", "tbpy.cli.main", *arguments],
            cwd=self.shell.folder,
            env=env | ({"TB_TOKEN": token} if token else {}),
            input=stdin.encode(),
            capture_output=True,
            timeout=120,
        )
        ran = Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert "Traceback" not in ran.err, ran.err
        return ran

    def cloud(self, *arguments: str, stdin: str = "") -> Ran:
        return self.tbpy(*arguments, "--cloud", stdin=stdin)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    """The template, deployed to a server with an empty folder of its own."""
    home = tmp_path_factory.mktemp("remote")
    shell = Shell(home)
    assert shell.tbpy("init", "project").code == 0
    shell.write("project/copies/keep_totals.pipe", COPY)
    shell.write("project/datasources/totals.datasource", TOTALS)
    (home / "data" / "datasources").mkdir(parents=True)
    (home / "data" / "endpoints").mkdir()
    port = free_port()
    command = [sys.executable, "-m", "tbpy.cli.main", "server", "--port", str(port)]
    env = environment() | {"TBPY_ADMIN_TOKEN": ADMIN}
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=home / "data", env=env, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 30
        while b"Serving" not in (home / "log").read_bytes():
            assert server.poll() is None and time.monotonic() < until, (home / "log").read_text()
            time.sleep(0.05)
        found = Remote(Shell(home / "project"), f"http://127.0.0.1:{port}", home / "config")
        ran = found.cloud("deploy")
        assert ran.code == 0, ran.err
        yield found
    finally:
        server.terminate()
        server.wait(20)


def test_a_plan_before_a_deployment(remote: Remote) -> None:
    file = remote.shell.folder / "endpoints" / "one.pipe"
    file.write_text("NODE n\nSQL >\n    SELECT 1 AS one\n\nTYPE endpoint\n")
    checked = remote.cloud("deploy", "--check")
    assert checked.code == 0
    assert checked.out == "+ pipe one\n✓ Deployment is valid\n"
    assert checked.err.splitlines()[0] == f"→ cloud ({remote.host})"
    assert "| added | pipe `one` |" in remote.cloud("deploy", "--check", "--markdown").out
    plan = remote.cloud("deploy", "--check", "--json").json
    assert plan["deployment"]["changes"] == [{"what": "added", "kind": "pipe", "name": "one"}]
    assert remote.cloud("endpoint", "data", "one").code == 3, "nothing was deployed yet"
    assert re.search(r"✓ Deployment \d+ is live", remote.cloud("deploy").out)
    assert remote.cloud("endpoint", "data", "one", "--format", "csv").out == '"one"\n1\n'
    file.unlink()
    assert "- pipe one" in remote.cloud("deploy").out
    assert remote.cloud("deploy").out == "No changes. Deployment skipped\n"
    live = [each for each in remote.cloud("deployment", "ls", "--json").json if each["live"]]
    assert len(live) == 1


def test_mistakes_are_told_before_anything_is_sent(remote: Remote) -> None:
    file = remote.shell.folder / "endpoints" / "wrong.pipe"
    file.write_text("NODE n\nSQL >\n    SELECT nothing FROM customer_transactions\n\nTYPE endpoint\n")
    try:
        ran = remote.cloud("deploy")
    finally:
        file.unlink()
    assert ran.code == 1
    assert "endpoints/wrong.pipe:3:12: error:" in ran.err
    assert "→" not in ran.err


def test_what_loses_rows_needs_a_word(remote: Remote) -> None:
    extra = remote.shell.folder / "datasources" / "extra.datasource"
    extra.write_text('SCHEMA >\n    `a` Int32 `json:$.a`\n\nENGINE "MergeTree"\nENGINE_SORTING_KEY "a"\n')
    assert remote.cloud("deploy").code == 0
    assert remote.cloud("append", "extra", "-", "--format", "ndjson", stdin='{"a": 1}\n').code == 0
    extra.unlink()
    refused = remote.cloud("deploy")
    assert (refused.code, refused.out.splitlines()[-1]) == (1, "✗ Deployment failed")
    assert "--allow-destructive-operations" in refused.err
    assert remote.cloud("deploy", "--allow-destructive-operations").code == 0


def test_staging_comes_before_live_and_there_is_a_way_back(remote: Remote) -> None:
    file = remote.shell.folder / "endpoints" / "staged.pipe"
    file.write_text("NODE n\nSQL >\n    SELECT 2 AS two\n\nTYPE endpoint\n")
    try:
        assert "is ready in staging" in remote.cloud("deploy", "--no-auto").out
        assert remote.cloud("endpoint", "data", "staged").code == 3
        assert remote.cloud("endpoint", "data", "staged", "--staging", "--format", "csv").out == '"two"\n2\n'
        assert remote.cloud("deployment", "discard").code == 0
        assert remote.cloud("deployment", "promote").code == 3
        assert "is ready in staging" in remote.cloud("deployment", "create", "--wait").out
        assert "is live" in remote.cloud("deployment", "promote").out
        assert remote.cloud("endpoint", "data", "staged").code == 0
        assert remote.cloud("deployment", "rollback").code == 2, "there is nobody to ask"
        assert "is live" in remote.cloud("deployment", "rollback", "--yes").out
        assert remote.cloud("endpoint", "data", "staged").code == 3
    finally:
        file.unlink()


def test_rows_go_there_and_come_back(remote: Remote, tmp_path: Path) -> None:
    assert "removed" in remote.cloud("datasource", "truncate", "customer_transactions", "--yes").out
    one = remote.cloud("append", "customer_transactions.ndjson")
    assert one.out.startswith("✓ 200 rows appended to customer_transactions")
    assert remote.cloud("append", "customer_transactions", "more.csv").out.startswith("✓ 100 rows")
    wrong = remote.cloud(
        "append", "customer_transactions", "-", "--format", "ndjson", stdin='{"customer_id": "a"}\nx\n'
    )
    assert wrong.code == 0
    assert "2 rows did not fit" in wrong.out
    assert "in quarantine" in remote.cloud("datasource", "quarantine", "customer_transactions").out
    counted = remote.cloud("query", "SELECT count() AS c FROM customer_transactions", "--json").json
    assert counted["data"] == [{"c": 300}]
    shown = remote.cloud("query", "SELECT number, NULL AS n, [1,2] AS l FROM numbers(5) -- five", "--rows-limit", "2")
    assert "ᴺᵁᴸᴸ" in shown.out and "[1,2]" in shown.out
    assert "Only the first 2 rows are shown" in shown.err
    assert remote.cloud("query", "SELECT 1 AS a FORMAT CSV").out == "1\n"
    output = tmp_path / "rows.parquet"
    assert remote.cloud("query", "SELECT * FROM customer_transactions", "-o", str(output)).code == 0
    assert output.read_bytes()[:4] == b"PAR1"
    listed = {each["name"]: each["rows"] for each in remote.cloud("datasource", "ls", "--json").json}
    assert listed["customer_transactions"] == 300
    condition = "transaction_amount > 100"
    would = remote.cloud(
        "datasource", "delete", "customer_transactions", "--sql-condition", condition, "--dry-run", "--json"
    ).json["rows"]
    gone = remote.cloud(
        "datasource", "delete", "customer_transactions", "--sql-condition", condition, "--yes", "--json"
    ).json["rows"]
    assert 0 < would == gone < 300
    replaced = remote.cloud("datasource", "replace", "customer_transactions", "more.csv", "--yes")
    assert "100 rows" in replaced.out


def test_copies_run_there(remote: Remote) -> None:
    assert remote.cloud("append", "customer_transactions.ndjson").code == 0
    ran = remote.cloud("copy", "run", "keep_totals", "--json").json
    assert ran["mode"] == "replace" and ran["rows"] > 0
    totals = remote.cloud("query", "SELECT count() AS c FROM totals", "--json").json["data"]
    assert totals == [{"c": ran["rows"]}]
    assert "paused" in remote.cloud("copy", "pause", "keep_totals").out
    copies = remote.cloud("copy", "ls", "--json").json
    assert [(each["name"], each["target"], each["mode"]) for each in copies] == [("keep_totals", "totals", "replace")]
    assert {each["kind"] for each in remote.cloud("job", "ls", "--json").json} >= {"copy", "import"}
    job = remote.cloud("job", "ls", "--kind", "copy", "--json").json[0]
    assert "keep_totals" in remote.cloud("job", "details", job["id"]).out


def test_tokens_and_secrets(remote: Remote) -> None:
    token = remote.cloud("token", "create", "static", "reader", "--scope", "PIPES:READ", "--resource", "cltv_summary")
    assert remote.tbpy("endpoint", "data", "cltv_summary", "--cloud", token=token.out.strip()).code == 0
    assert remote.tbpy("endpoint", "data", "customer_cltv", "--cloud", token=token.out.strip()).code == 7
    assert remote.cloud("token", "scopes", "reader").out == "PIPES:READ:cltv_summary\n"
    other = remote.cloud("token", "refresh", "reader", "--yes").out.strip()
    assert other != token.out.strip()
    assert remote.tbpy("endpoint", "data", "cltv_summary", "--cloud", token=token.out.strip()).code == 7
    signed = remote.cloud(
        *("token", "create", "jwt", "visitor", "--ttl", "1h", "--scope", "PIPES:READ", "--resource", "customer_cltv"),
        *("--fixed-params", "customer_id=cust_3377"),
    ).out.strip()
    seen = remote.tbpy(
        "endpoint", "data", "customer_cltv", "--customer_id", "cust_1", "--cloud", "--json", token=signed
    )
    assert {row["customer_id"] for row in seen.json["data"]} <= {"cust_3377"}
    assert remote.cloud("token", "rm", "reader", "--yes").code == 0
    assert remote.cloud("token", "scopes", "reader").code == 3
    assert remote.cloud("secret", "set", "key", stdin="hush\n").code == 0
    assert [each["name"] for each in remote.cloud("secret", "ls", "--json").json] == ["key"]
    assert remote.cloud("secret", "rm", "key", "--yes").code == 0
    assert remote.cloud("secret", "rm", "key", "--yes").code == 3


def test_workspaces_are_apart(remote: Remote) -> None:
    made = remote.cloud("workspace", "create", "other", "--json").json
    assert remote.tbpy("datasource", "ls", "--cloud", token=made["token"]).out == "No data sources\n"
    assert "other" in remote.cloud("workspace", "ls").out
    assert remote.tbpy("workspace", "current", "--cloud", token=made["token"]).out.startswith("other ")
    assert remote.cloud("workspace", "delete", "other", "--yes").code == 0


def test_profiles_are_the_owners(remote: Remote) -> None:
    refused = remote.tbpy("login", "--host", remote.host, "--token", "wrong", token=None)
    assert refused.code == 7 and not remote.config.exists()
    assert remote.tbpy("profile", "add", "prod", "--host", remote.host, stdin=f"{ADMIN}\n", token=None).code == 0
    file = remote.config / "profiles.json"
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert remote.tbpy("query", "SELECT 1", "--profile", "prod", token=None, TB_HOST="").code == 0
    assert remote.tbpy("--cloud", "query", "SELECT 1", token=None, TB_HOST="").code == 0, "the only one is in use"
    assert remote.tbpy("query", "SELECT 1", "--host", remote.host, token=None, TB_HOST="").code == 0, "its token fits"
    assert ADMIN not in remote.tbpy("profile", "ls", "--json", token=None).out
    unknown = remote.tbpy("query", "SELECT 1", "--profile", "nix", token=None)
    assert unknown.code == 3 and "there are: prod" in unknown.err
    elsewhere = remote.tbpy("query", "SELECT 1", "--host", "http://127.0.0.1:1", token=None, TB_HOST="")
    assert elsewhere.code == 2 and "no token for" in elsewhere.err, "a token never goes to another host"
    assert remote.tbpy("profile", "rm", "prod", token=None).code == 0
    assert remote.tbpy("--cloud", "query", "SELECT 1", token=None, TB_HOST="").code == 2
    assert json.loads(file.read_text()) == {"default": None, "profiles": {}}


def test_the_official_clients_file_is_read(remote: Remote) -> None:
    file = remote.shell.folder / ".tinyb"
    file.write_text(json.dumps({"host": remote.host, "token": ADMIN, "name": "analytics"}))
    try:
        ran = remote.tbpy("--cloud", "datasource", "truncate", "totals", "--yes", token=None, TB_HOST="")
    finally:
        file.unlink()
    assert ran.code == 0
    assert ran.err.startswith(f"→ analytics ({remote.host})")


def test_a_server_that_is_not_there(remote: Remote) -> None:
    ran = remote.tbpy("--host", "http://127.0.0.1:1", "--token", "t", "query", "SELECT 1")
    assert ran.code == 7
    assert "cannot be reached" in ran.err
    nobody = remote.tbpy("deployment", "ls", token=None)
    assert nobody.code == 6 and "nothing serves" in nobody.err
    assert remote.tbpy("build", "--cloud").code == 2


@pytest.mark.parametrize("name", [".github/workflows/tbpy.yml", ".gitlab-ci.yml"])
def test_the_workflows_type_commands_that_exist(remote: Remote, name: str) -> None:
    document = yaml.safe_load((remote.shell.folder / name).read_text())
    assert document
    typed = re.findall(r"tbpy --project \"\$PROJECT\" ([^\n>|]*)", (remote.shell.folder / name).read_text())
    assert {" ".join(words.split()) for words in typed} == {
        "check",
        "test run",
        "deploy --cloud --check --markdown",
        "deploy --cloud",
    }
    for words in typed:
        assert remote.tbpy(*words.split()).code == 0, words
