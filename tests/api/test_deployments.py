"""Builds and deployments over HTTP, and the workspaces beside the project's own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import quote

import pytest

from tbpy.api import deploying
from tbpy.api.app import Api
from tbpy.api.names import names_of_folder
from tbpy.api.service import Service, open_service
from tbpy.api.serving import Listener, listen
from tbpy.api.tokens import sign_jwt
from tbpy.workspace import Workspace
from tbpy.workspace.deployments.staging import fill_tables
from tests.api.client import Answer, Client

EVENTS = 'SCHEMA >\n    `id` Int32 `json:$.id`{more}\n\nENGINE "MergeTree"\nENGINE_SORTING_KEY "id"\n'
TOTAL = "NODE n\nSQL >\n    SELECT {what} AS total FROM events\n\nTYPE endpoint\n"
FILES = {"datasources/events.datasource": EVENTS.format(more=""), "endpoints/total.pipe": TOTAL.format(what="count()")}
TOKEN = "p.the-admin-token"


def parts(files: Mapping[str, str], part: str = "data_project://") -> tuple[bytes, str]:
    """The body and content type of what `tb` sends."""
    told = [("context://", "cli-version", "1.0.0"), *((part, name, text) for name, text in files.items())]
    body = "".join(
        f'--limit\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\n'
        f"Content-Type: text/plain\r\n\r\n{text}\r\n"
        for name, file, text in told
    )
    return f"{body}--limit--\r\n".encode(), "multipart/form-data; boundary=limit"


def send(client: Client, route: str, files: Mapping[str, str], part: str = "data_project://") -> Answer:
    body, content_type = parts(files, part)
    return client.post(route, body, content_type=content_type)


def deploy(client: Client, files: Mapping[str, str], options: str = "auto_promote=true") -> Answer:
    return send(client, f"/v1/deploy?{options}", files)


class Running:
    """A server whose folder of data stays when it is closed and started again."""

    def __init__(self, root: Path, *, local: bool, files: Path | None = None) -> None:
        self.workspace = Workspace.open(root)
        self.service: Service = open_service(self.workspace, local=local, admin_token=TOKEN, files=files)
        self.service.build()
        self.listener = Listener(Api(self.service), listen("127.0.0.1", 0))
        self.listener.start()
        self.admin = Client(self.listener.port, TOKEN)

    def close(self) -> None:
        self.listener.stop()
        self.service.close()
        self.workspace.close()

    def workspace_of(self, name: str) -> Client:
        made = self.admin.send("POST", f"/v1/workspaces?name={quote(name)}").json
        return self.admin.as_(made["token"])


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path, local=False)
    yield running
    running.close()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Running]:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    running = Running(tmp_path, local=True)
    yield running
    running.close()


def total(client: Client) -> Any:
    return client.get("/v0/pipes/total.json").json["data"][0]["total"]


def test_a_check_changes_nothing(remote: Running) -> None:
    checked = deploy(remote.admin, FILES, "check=true").json
    assert checked["result"] == "success" and checked["deployment"]["new_pipe_names"] == ["total"]
    assert remote.admin.get("/v0/datasources").json == {"datasources": []}
    assert [one["id"] for one in remote.admin.get("/v1/deployments").json["deployments"]] == ["0"]


def test_deployments_come_one_after_another(remote: Running) -> None:
    first = deploy(remote.admin, FILES).json["deployment"]
    assert (first["id"], first["status"], first["live"], first["errors"]) == ("1", "data_ready", True, [])
    assert remote.admin.post("/v0/events?name=events&wait=true", '{"id": 1}').status == 200
    assert deploy(remote.admin, FILES).json["result"] == "no_changes"
    changed = deploy(remote.admin, FILES | {"endpoints/total.pipe": TOTAL.format(what="sum(id) + 10")}).json
    assert changed["deployment"]["changed_pipe_names"] == ["total"] and total(remote.admin) == 11
    assert [one["id"] for one in remote.admin.get("/v1/deployments").json["deployments"]] == ["2"]
    everything = remote.admin.get("/v1/deployments", include_deleted="true").json["deployments"]
    assert [(one["id"], one["status"]) for one in everything] == [
        ("0", "deleted"),
        ("1", "deleted"),
        ("2", "data_ready"),
    ]
    assert remote.admin.get("/v1/deployments/1").json["deployment"]["status"] == "deleted"
    assert remote.admin.get("/v1/deployments/7").status == 404
    assert "sum(id)" in remote.admin.get("/v1/pipes/total.pipe").text


@pytest.mark.parametrize("route", ["/v1/deploy?auto_promote=true", "/v1/deploy?check=true", "/v1/build"])
def test_mistakes_leave_what_is_live(remote: Running, route: str) -> None:
    deploy(remote.admin, FILES)
    wrong = FILES | {
        "endpoints/total.pipe": TOTAL.format(what="idd"),
        "datasources/more.datasource": EVENTS.format(more=""),
    }
    failed = send(remote.admin, route, wrong)
    assert failed.status == 400 and failed.json["result"] == "failed"
    (error,) = failed.json["errors"]
    assert error["filename"] == "endpoints/total.pipe" and "3:12: " in error["error"] and "`idd`" in error["error"]
    assert total(remote.admin) == 0
    assert [one["name"] for one in remote.admin.get("/v0/datasources").json["datasources"]] == ["events"]
    assert remote.admin.get("/v1/deployments").json["deployments"][0]["id"] == "1"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"endpoints/one.pipe": "NODE n\nSQL >\n    SELECT 1 AS total\n\nTYPE endpoint\n"}, "removed with its 1 rows"),
        (FILES | {"datasources/events.datasource": EVENTS.format(more="").replace("Int32", "Date")}, "do not fit"),
    ],
)
def test_losses_want_a_permission(remote: Running, changed: dict[str, str], said: str) -> None:
    deploy(remote.admin, FILES)
    remote.admin.post("/v0/events?name=events&wait=true", '{"id": -1}')
    for options in ("check=true", "auto_promote=true"):
        refused = deploy(remote.admin, changed, options)
        assert refused.status == 400 and said in refused.json["errors"][0]["error"]
        assert refused.json["deployment"]["changed_pipe_names"] or refused.json["deployment"]["deleted_pipe_names"]
    assert total(remote.admin) == 1
    assert deploy(remote.admin, changed, "auto_promote=true&allow_destructive_operations=true").status == 200


STAGED = FILES | {
    "datasources/events.datasource": EVENTS.format(more=",\n    `name` String `json:$.name` DEFAULT 'none'"),
    "endpoints/total.pipe": TOTAL.format(what="count() AS n, max(name)"),
}


def answer(client: Client, deployment: str = "") -> Any:
    return client.get("/v0/pipes/total.json", __tb__deployment=deployment).json["data"]


def append(client: Client, *events: str) -> None:
    assert client.post("/v0/events?name=events&wait=true", "\n".join(events)).json["successful_rows"] == len(events)


def test_a_staging_deployment_beside_the_live_one(remote: Running) -> None:
    admin = remote.admin
    deploy(admin, FILES)
    append(admin, '{"id": 1}')
    staged = deploy(admin, STAGED, "").json["deployment"]
    assert (staged["id"], staged["status"], staged["live"]) == ("2", "data_ready", False)
    assert [(one["id"], one["live"]) for one in admin.get("/v1/deployments").json["deployments"]] == [
        ("1", True),
        ("2", False),
    ]
    append(admin, '{"id": 2, "name": "x"}')
    assert answer(admin) == [{"total": 2}] and answer(admin, "live") == answer(admin)
    for name in ("staging", "2"):
        assert answer(admin, name) == [{"n": 2, "total": "none"}], "live rows have the columns that are live"
    sql = admin.get("/v0/sql", q="SELECT name FROM events FORMAT JSON", __tb__deployment="staging")
    assert sql.json["data"] == [{"name": "none"}, {"name": "none"}]
    described = admin.get("/v0/datasources/events", __tb__deployment="staging").json
    assert [column["name"] for column in described["schema"]["columns"]] == ["id", "name"]
    assert deploy(admin, FILES).status == 409
    assert admin.send("POST", "/v1/deployments/2/set-live").json["deployment"]["live"]
    append(admin, '{"id": 3, "name": "y"}')
    assert answer(admin) == [{"n": 3, "total": "y"}]
    assert admin.get("/v0/pipes/total.json", __tb__deployment="staging").status == 404
    assert admin.send("DELETE", "/v1/deployments/1").json["deployment"]["status"] == "deleted"
    assert admin.send("POST", "/v1/deployments/1/set-live").status == 200, "it can be gone back to"
    append(admin, '{"id": 4}')
    assert answer(admin) == [{"total": 4}]
    assert admin.send("POST", "/v1/deployments/2/set-live").status == 200
    assert answer(admin) == [{"n": 4, "total": "y"}]


def test_a_staging_deployment_that_is_discarded(remote: Running) -> None:
    deploy(remote.admin, FILES)
    append(remote.admin, '{"id": 1}')
    deploy(remote.admin, STAGED, "")
    assert remote.admin.send("DELETE", "/v1/deployments/2").json["deployment"]["status"] == "deleted"
    assert remote.admin.send("POST", "/v1/deployments/2/set-live").status == 409
    assert remote.admin.send("DELETE", "/v1/deployments/1").status == 409, "the live one"
    append(remote.admin, '{"id": 2}')
    assert answer(remote.admin) == [{"total": 2}]
    assert deploy(remote.admin, STAGED).json["deployment"]["id"] == "3"
    assert answer(remote.admin) == [{"n": 2, "total": "none"}]


def test_going_back(remote: Running) -> None:
    admin = remote.admin
    assert admin.post("/v1/deployments/rollback").status == 404
    deploy(admin, FILES)
    deploy(admin, STAGED)
    append(admin, '{"id": 1, "name": "x"}')
    assert admin.post("/v1/deployments/rollback").json["deployment"]["id"] == "1"
    assert answer(admin) == [{"total": 1}]
    assert admin.post("/v1/deployments/rollback").json["deployment"]["id"] == "2", "that was live last"
    assert answer(admin) == [{"n": 1, "total": "x"}]
    assert admin.post("/v1/deployments/1/rollback").json["deployment"]["live"]
    deploy(admin, STAGED, "")
    assert (
        admin.post("/v1/deployments/3/rollback").status == 409
        and admin.post("/v1/deployments/2/rollback").status == 409
        and admin.post("/v1/deployments/9/rollback").status == 404
    )


def test_data_that_cannot_be_moved(remote: Running) -> None:
    deploy(remote.admin, FILES)
    append(remote.admin, '{"id": -1}')
    changed = EVENTS.format(more="").replace("Int32", "UInt8")
    failed = deploy(remote.admin, FILES | {"datasources/events.datasource": changed})
    assert failed.status == 400 and "1 rows do not fit" in failed.json["errors"][0]["error"]
    gone = remote.admin.get("/v1/deployments", include_deleted="true").json["deployments"][-1]
    assert (gone["id"], gone["status"]) == ("2", "failed") and "do not fit" in gone["errors"][0]
    assert remote.admin.get("/v1/deployments/2").json["deployment"]["status"] == "deleted"
    assert answer(remote.admin) == [{"total": 1}]
    assert [found["id"] for found in remote.admin.get("/v1/deployments").json["deployments"]] == ["1"]


def test_data_that_is_moved_for_long(remote: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer does not wait for it; who asks for the deployment is told how far it is, and how it ended."""
    monkeypatch.setattr(deploying, "_MOVING", 0.02)
    goes_on = Event()
    fill = fill_tables

    def slowly(*arguments: Any) -> Any:
        goes_on.wait(20)
        return fill(*arguments)

    monkeypatch.setattr("tbpy.workspace.deployments.staging.fill_tables", slowly)

    def ended(number: str) -> Any:
        goes_on.set()
        remote.service.deployer.submit(lambda: None).result()
        goes_on.clear()
        return remote.admin.get(f"/v1/deployments/{number}").json["deployment"]

    first = deploy(remote.admin, FILES).json
    assert (first["result"], first["deployment"]["status"], first["deployment"]["live"]) == (
        "success",
        "creating_schema",
        False,
    )
    assert first["deployment"]["new_pipe_names"] == ["total"]
    assert remote.admin.get("/v0/sql", q="SELECT 1", __tb__deployment="1").status == 409
    assert remote.admin.send("POST", "/v1/deployments/1/set-live").status == 409
    assert (ended("1")["status"], answer(remote.admin)) == ("data_ready", [{"total": 0}])
    append(remote.admin, '{"id": -1}')
    wrong = {**FILES, "datasources/events.datasource": EVENTS.format(more="").replace("Int32", "UInt8")}
    assert deploy(remote.admin, wrong).json["deployment"]["status"] == "creating_schema"
    append(remote.admin, '{"id": 2}')
    failed = ended("2")
    assert failed["status"] == "deleted" and "do not fit" in failed["errors"][0]
    assert answer(remote.admin) == [{"total": 2}]


def test_a_deployment_that_takes_long_is_discarded(remote: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it does is interrupted. It has failed then, and the server ends without waiting for it."""
    deploy(remote.admin, FILES)
    append(remote.admin, *(f'{{"id": {i}}}' for i in range(20_000)))
    monkeypatch.setattr(deploying, "_MOVING", 0.02)
    # Takes seconds: nothing of it is known before a row is read.
    terms = (f"arrayMax(arrayMap(x -> intDiv(x * id, {n}) % 11, range(2000)))" for n in range(3, 33))
    forward = f"FORWARD_QUERY >\n    SELECT toInt64({' + '.join(terms)}) AS id\n"
    slow = {**FILES, "datasources/events.datasource": EVENTS.format(more="").replace("Int32", "Int64") + forward}
    for end in ("discard", "close"):
        made = deploy(remote.admin, slow).json["deployment"]
        assert made["status"] == "creating_schema"
        if end == "close":
            remote.service.workspace.stop_deploying(for_good=True)
            assert deploy(remote.admin, slow).status == 409
        else:
            assert (
                remote.admin.send("DELETE", f"/v1/deployments/{made['id']}").json["deployment"]["status"] == "deleted"
            )
        assert remote.service.workspace.find_deployment(made["id"]).errors
        assert answer(remote.admin) == [{"total": 20_000}]


def test_what_is_lost_is_told(remote: Running) -> None:
    deploy(remote.admin, STAGED | {"datasources/more.datasource": EVENTS.format(more="")})
    append(remote.admin, '{"id": 1, "name": "x"}')
    checked = deploy(remote.admin, FILES, "check=true&allow_destructive_operations=true").json["deployment"]
    told = {(one["resource"], one["level"]): one["message"] for one in checked["feedback"]}
    assert told[("Datasource events.datasource", "WARNING")] == "What is in the columns name is lost"
    assert told[("Datasource events.datasource", "INFO")] == "1 rows are carried over to the new schema"
    assert told[("Datasource more.datasource", "WARNING")] == "Removed with its 0 rows"


def test_tokens_and_texts_are_changes(remote: Running) -> None:
    deploy(remote.admin, FILES)
    told = FILES | {"endpoints/total.pipe": "TOKEN reader READ\n" + FILES["endpoints/total.pipe"]}
    checked = deploy(remote.admin, told, "check=true").json["deployment"]
    (change,) = checked["token_changes"]
    added = {"resource_name": "total", "resource_type": "pipe", "permission": "READ"}
    assert (change["token_name"], change["change_type"]) == ("reader", "added")
    assert change["permission_changes"] == {"added_permissions": [added], "removed_permissions": []}
    assert deploy(remote.admin, told).json["deployment"]["changed_pipe_names"] == ["total"]
    (reader,) = [token for token in remote.admin.get("/v0/tokens").json["tokens"] if token["name"] == "reader"]
    assert answer(remote.admin.as_(reader["token"])) == [{"total": 0}]
    assert deploy(remote.admin, told).json["result"] == "no_changes"
    remote.admin.send("POST", "/v1/deployments/1/set-live")
    assert remote.admin.as_(reader["token"]).get("/v0/pipes/total.json").status == 403


@pytest.mark.parametrize(
    "path", ["../events.datasource", "/etc/events.datasource", "a/../../e.pipe", "events.txt", "", "..\\e.pipe"]
)
def test_paths_stay_in_the_project(remote: Running, path: str) -> None:
    refused = deploy(remote.admin, {path: EVENTS.format(more="")})
    assert refused.status == 400 and "error" in refused.json


def test_only_who_may_deploy(remote: Running) -> None:
    deploy(remote.admin, FILES)
    created = remote.admin.post("/v0/tokens?name=ci&scope=WORKSPACE:DEPLOY").json
    other = remote.admin.post("/v0/tokens?name=other&scope=DATASOURCES:CREATE").json
    assert deploy(remote.admin.as_(created["token"]), FILES).json["result"] == "no_changes"
    for client in (remote.admin.as_(other["token"]), remote.admin.as_("p.wrong"), remote.admin.as_(None)):
        assert deploy(client, FILES).status == 403
        assert send(client, "/v1/build", FILES).status == 403


def test_what_was_deployed_is_there_after_a_restart(tmp_path: Path) -> None:
    running = Running(tmp_path, local=False)
    deploy(running.admin, FILES)
    running.admin.post("/v0/events?name=events&wait=true", '{"id": 5}')
    running.close()
    running = Running(tmp_path, local=False)
    try:
        assert total(running.admin) == 1
        assert deploy(running.admin, FILES).json["result"] == "no_changes"
        assert "count()" in running.admin.get("/v1/pipes/total.pipe").text
    finally:
        running.close()


def test_the_served_folder_is_built_from_its_own_files(local: Running) -> None:
    assert send(local.admin, "/v1/build", FILES).json["build"]["new_pipe_names"] == []
    other = FILES | {"endpoints/total.pipe": TOTAL.format(what="count() + 5")}
    built = send(local.admin, "/v1/build", other).json["build"]
    assert built["changed_pipe_names"] == ["total"] and "Built as it was sent" in built["feedback"][0]["message"]
    assert total(local.admin) == 5
    local.service.build()
    assert total(local.admin) == 0


def test_other_names_are_workspaces_apart(local: Running) -> None:
    apart = local.workspace_of("Tinybird_Local_Build_elsewhere")
    assert apart.get("/v1/workspace").json["name"] == "Tinybird_Local_Build_elsewhere"
    assert apart.get("/v0/datasources").json == {"datasources": []}
    assert send(apart, "/v1/build", FILES).json["build"]["new_datasource_names"] == ["events"]
    assert apart.post("/v0/events?name=events&wait=true", '{"id": 1}').json["successful_rows"] == 1
    assert (total(apart), total(local.admin)) == (1, 0)
    assert apart.get(f"/v0/pipes/total.json?token={local.admin.token}").json["data"] == [{"total": 1}]
    assert local.admin.as_(None).get("/v0/pipes/total.json", token=apart.token).json["data"] == [{"total": 1}]


def test_a_token_opens_its_own_workspace_only(remote: Running) -> None:
    deploy(remote.admin, FILES)
    apart = remote.workspace_of("customer")
    deploy(apart, FILES | {"endpoints/total.pipe": TOTAL.format(what="count() + 100")})
    assert (total(apart), total(remote.admin)) == (100, 0)
    seen = apart.get("/v1/user/workspaces").json["workspaces"]
    assert [found["name"] for found in seen] == ["customer"]
    assert apart.send("POST", "/v1/workspaces?name=another").status == 403
    assert apart.send("DELETE", f"/v1/workspaces/{remote.service.tokens.workspace_id}").status == 403
    claims = {
        "name": "visitor",
        "exp": 4e9,
        "workspace_id": seen[0]["id"],
        "scopes": [{"type": "PIPES:READ", "resource": "total"}],
    }
    assert apart.token is not None
    admin = next(token["token"] for token in apart.get("/v0/tokens").json["tokens"] if token["name"].startswith("work"))
    assert total(apart.as_(sign_jwt(claims, admin))) == 100
    assert apart.as_(sign_jwt(claims, TOKEN)).get("/v0/pipes/total.json").status == 403


def test_workspaces_apart_stay_until_they_are_removed(tmp_path: Path) -> None:
    running = Running(tmp_path, local=True)
    apart, test = running.workspace_of("mine"), running.workspace_of("Tinybird_Local_Test_1")
    for client in (apart, test):
        assert send(client, "/v1/build", FILES).status == 200
    apart.post("/v0/events?name=events&wait=true", '{"id": 5}')
    running.close()
    running = Running(tmp_path, local=True)
    try:
        names = [found["name"] for found in running.admin.get("/v1/user/workspaces").json["workspaces"]]
        assert names == ["workspace", "mine"]
        apart = running.admin.as_(apart.token)
        assert total(apart) == 1
        identifier = apart.get("/v1/workspace").json["id"]
        assert running.admin.send("DELETE", f"/v1/workspaces/{identifier}?hard_delete_confirmation=yes").status == 200
        assert apart.get("/v0/datasources").status == 403
    finally:
        running.close()


@pytest.mark.parametrize(
    ("head", "name", "own"),
    [
        ("ref: refs/heads/main", "main", False),
        ("ref: refs/heads/feature/one-2", "feature_one_2", True),
        ("ref: refs/heads/2nd", "branch_2nd", True),
        ("ref: refs/heads/feature", "other", False),
        ("0123456789abcdef", "whatever_a_pipeline_calls_it", True),
        ("0123456789abcdef", "Tinybird_Local_Test_1", False),
        (None, "elsewhere", False),
        (None, "Tinybird_Local_Build_{long}", True),
        (None, "Build_{short}", True),
        (None, "Build_0123456789abcdef", False),
        (None, "in_a_file", True),
    ],
)
def test_names_of_a_folder(tmp_path: Path, head: str | None, name: str, own: bool) -> None:
    if head is not None:
        (tmp_path / ".git").mkdir()
        (tmp_path / ".git" / "HEAD").write_text(f"{head}\n")
    (tmp_path / ".tinyb").write_text(json.dumps({"name": "in_a_file"}))
    digest = hashlib.sha256(str(tmp_path).encode()).hexdigest()
    assert names_of_folder(tmp_path).include(name.format(long=digest, short=digest[:16])) is own


def test_nothing_is_lost_or_refused_while_deployments_change_the_schema(remote: Running) -> None:
    """Each adds one column and drops the other, so that all rows are carried over, under writers and a reader."""
    stop = Event()

    def write() -> list[int]:
        statuses = []
        while not stop.is_set():
            statuses.append(remote.admin.post("/v0/events?name=events&wait=true", '{"id": 1}').status)
        return statuses

    def read() -> list[int]:
        statuses = []
        while not stop.is_set():
            statuses.append(remote.admin.get("/v0/pipes/total.json").status)
        return statuses

    deploy(remote.admin, FILES)
    with ThreadPoolExecutor() as pool:
        writers, reader = [pool.submit(write) for _ in range(2)], pool.submit(read)
        for number in range(4):
            more = f",\n    `more_{number}` Nullable(String) `json:$.more`"
            files = FILES | {"datasources/events.datasource": EVENTS.format(more=more)}
            assert deploy(remote.admin, files).json["result"] == "success"
        stop.set()
    written = [status for writer in writers for status in writer.result()]
    assert set(written) == set(reader.result()) == {200}
    assert total(remote.admin) == len(written)


@pytest.mark.parametrize("route", ["/v1/deploy?auto_promote=true", "/v1/deploy?check=true", "/v1/build"])
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", ""),
        (b"", "multipart/form-data"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"no boundary in here", "multipart/form-data; boundary=x"),
        (b"{}", "application/json"),
        (parts({"a.pipe": "NODE"})[0].replace(b"NODE", b"\xff\xfe"), "multipart/form-data; boundary=limit"),
        (parts({})[0], "multipart/form-data; boundary=limit"),
    ],
)
def test_bodies_that_are_no_project(remote: Running, route: str, body: bytes, content_type: str) -> None:
    refused = remote.admin.post(route, body, content_type=content_type)
    assert refused.status == 400 and isinstance(refused.json.get("error", refused.json.get("errors")), str | list)
