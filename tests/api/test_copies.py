"""Copy pipes on demand over HTTP."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlencode

import pytest

from tbpy.api.copying import copies_by_schedule, start_copy
from tbpy.client.remote import RemoteWorkspace
from tbpy.client.transport import Server
from tbpy.errors import NotFoundError
from tests.api.client import Client
from tests.api.test_deployments import EVENTS, Running, deploy

FILES = {
    "datasources/events.datasource": EVENTS.format(more=""),
    "datasources/copied.datasource": 'SCHEMA >\n    `id` Int32\n\nENGINE "MergeTree"\nENGINE_SORTING_KEY "id"\n',
    "copies/copy_ids.pipe": "NODE n\nSQL >\n    %\n    SELECT toInt32(id * {{Int32(times, 1)}}) AS id FROM events\n\n"
    "TYPE copy\nTARGET_DATASOURCE copied\nCOPY_SCHEDULE 0 * * * *\n",
}


def test_copies_are_jobs(tmp_path: Path) -> None:
    running = Running(tmp_path, local=False)
    try:
        admin = running.admin
        deploy(admin, FILES)
        admin.post("/v0/events?name=events&wait=true", '{"id": 2}')
        for parameters, ids in (("times=3", [6]), ("", [2, 6]), ("times=5&_mode=replace", [10])):
            started = admin.post(f"/v0/pipes/copy_ids/copy?{parameters}").json
            job = admin.get(f"/v0/jobs/{started['job']['job_id']}").json
            assert (job["kind"], job["status"], job["pipe_name"]) == ("copy", "done", "copy_ids"), job
            target = admin.get(f"/v0/datasources/{started['tags']['copy_target_datasource']}").json
            assert target["name"] == "copied"
            assert [row["id"] for row in admin.sql("SELECT id FROM copied ORDER BY id FORMAT JSON")] == ids

        failed = admin.post("/v0/pipes/copy_ids/copy?times=x").json["job"]["job_id"]
        assert "x" in admin.get(f"/v0/jobs/{failed}").json["error"]
        assert admin.post("/v0/pipes/copy_ids/copy/pause").json["status"] == "paused"
        assert [copy.paused for copy in running.workspace.copies()] == [True]
        assert admin.post("/v0/pipes/copy_ids/copy/resume").json["status"] == "running"
        assert [copy.paused for copy in running.workspace.copies()] == [False]
        assert admin.post("/v0/pipes/nothing/copy").status == 404
        assert admin.post("/v0/pipes/copy_ids/copy?_mode=merge").status == 400
        assert admin.as_("p.wrong").post("/v0/pipes/copy_ids/copy").status == 403
    finally:
        running.close()


SLOW = {
    **FILES,
    "copies/copy_slowly.pipe": "NODE n\nSQL >\n    SELECT toInt32(max(cityHash64(number, toString(number)) % 7)) AS id "
    "FROM numbers(3000000000)\n\nTYPE copy\nTARGET_DATASOURCE copied\nCOPY_MODE replace\n",
}


def test_copies_and_deletions_that_run_are_cancelled_and_write_nothing(tmp_path: Path) -> None:
    running = Running(tmp_path, local=False)
    try:
        admin = running.admin
        deploy(admin, SLOW)
        admin.post("/v0/events?name=events&wait=true", '{"id": 2}')
        assert (
            wait_for(admin, admin.post("/v0/pipes/copy_ids/copy").json["job"]["id"], "done")["is_cancellable"] is False
        )
        slow = "id > (SELECT max(cityHash64(number, toString(number)) % 7) - 10 FROM numbers(3000000000))"
        started = (
            admin.post("/v0/pipes/copy_slowly/copy").json["job"]["id"],
            admin.post("/v0/datasources/copied/delete", urlencode({"delete_condition": slow})).json["job_id"],
        )
        for job in started:
            assert wait_for(admin, job, "working")["is_cancellable"] is True
            if job == started[0]:  # a copy that computes holds up nobody
                assert admin.post("/v0/events?name=events&wait=true", '{"id": 2}').status == 200
                assert admin.get(f"/v0/jobs/{job}").json["status"] == "working"
            assert admin.post(f"/v0/jobs/{job}/cancel").json["status"] in ("cancelling", "cancelled")
            stopped = wait_for(admin, job, "cancelled")
            assert "error" not in stopped and stopped["is_cancellable"] is False
            assert admin.post(f"/v0/jobs/{job}/cancel").status == 409
        assert [row["id"] for row in admin.sql("SELECT id FROM copied FORMAT JSON")] == [2]
        assert [job.status for job in running.workspace.jobs()] == ["cancelled", "done"]
        assert wait_for(admin, admin.post("/v0/pipes/copy_ids/copy").json["job"]["id"], "done")
    finally:
        running.close()


def wait_for(client: Client, identifier: str, status: str) -> dict[str, Any]:
    until = time.monotonic() + 30
    while (job := client.get(f"/v0/jobs/{identifier}").json)["status"] != status:
        assert time.monotonic() < until, job
    found: dict[str, Any] = job
    return found


def test_copies_by_schedule_and_by_command_are_jobs_and_do_not_pile_up(tmp_path: Path) -> None:
    running = Running(tmp_path, local=False)
    try:
        admin, service, workspace = running.admin, running.service, running.workspace
        deploy(admin, FILES)
        admin.post("/v0/events?name=events&wait=true", '{"id": 2}')
        run = copies_by_schedule(service.jobs, workspace)
        assert run("copy_ids") is not None
        client = RemoteWorkspace(tmp_path, Server(f"http://127.0.0.1:{running.listener.port}", service.process_token))
        assert client.copy("copy_ids", {"times": "3"}).rows == 1

        begin = Event()
        blocking = service.jobs.start("import", {}, lambda: {"done": begin.wait(30)})
        waiting, _ = start_copy(service.jobs, workspace, "copy_ids")
        assert run("copy_ids") is None
        assert admin.get(f"/v0/jobs/{waiting.id}").json["is_cancellable"]
        assert admin.post(f"/v0/jobs/{waiting.id}/cancel").json["status"] == "cancelled"
        begin.set()
        assert blocking.future is not None and blocking.future.result(30) is None
        assert [job["status"] for job in admin.get("/v0/jobs?kind=copy").json["jobs"]] == ["cancelled", "done", "done"]
        logged = admin.sql("SELECT count() AS n FROM tinybird.jobs_log WHERE job_type = 'copy' FORMAT JSON")
        assert [int(row["n"]) for row in logged] == [2]
        with pytest.raises(NotFoundError):
            client.copy("nothing")
    finally:
        running.close()
