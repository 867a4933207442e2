"""Populations over HTTP: events are taken in while a build fills a large view, which is a job with progress."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tbpy.workspace.populating import LARGE, Population
from tests.api.test_deployments import EVENTS, Running, send

SUMS = EVENTS.format(more="").replace("`id` Int32 `json:$.id`", "`k` Int32,\n    `n` UInt64").replace('"id"', '"k"')
VIEW = (
    "NODE n\nSQL >\n    SELECT toInt32(id % 7) AS k, count() AS n FROM events GROUP BY k\n\n"
    "TYPE materialized\nDATASOURCE sums\n"
)
BEFORE = {"datasources/events.datasource": EVENTS.format(more=""), "datasources/sums.datasource": SUMS}
AFTER = {**BEFORE, "pipes/fill.pipe": VIEW}


def test_a_population_is_a_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running = Running(tmp_path, local=True)
    try:
        admin, pool = running.admin, ThreadPoolExecutor(1)
        assert send(admin, "/v1/build", BEFORE).json["result"] == "success"
        running.workspace.write_parquet(
            tmp_path / "ids.parquet", sql=f"SELECT toInt32(number) AS id FROM numbers({LARGE})"
        )
        running.workspace.append("events", tmp_path / "ids.parquet")
        fill, jobs, cancels = Population.fill, list[dict[str, Any]](), [True, False]

        def fill_and_look(population: Population, *given: Any) -> None:
            fill(population, *given)
            assert admin.post("/v0/events?name=events&wait=true", '{"id": 7}').status == 200
            jobs.append(admin.get("/v0/jobs?kind=populateview&status=working").json["jobs"][0])
            if cancels.pop(0):
                shown = pool.submit(admin.post, f"/v0/jobs/{jobs[-1]['id']}/cancel")
                assert shown.result().json["status"] == "cancelling"

        monkeypatch.setattr(Population, "fill", fill_and_look)
        assert send(admin, "/v1/build", AFTER).status == 409
        assert admin.sql("SELECT count() AS n FROM sums FORMAT JSON") == [{"n": 0}]
        assert send(admin, "/v1/build", AFTER).json["result"] == "success"
        assert [(job["pipe_name"], job["datasource"]["name"], job["is_cancellable"]) for job in jobs] == [
            ("fill", "sums", True)
        ] * 2
        statuses = [admin.get(f"/v0/jobs/{job['id']}").json for job in jobs]
        assert [job["status"] for job in statuses] == ["cancelled", "done"]
        assert statuses[1]["progress_percentage"] == 100
        assert admin.sql("SELECT sum(n) AS n FROM sums FORMAT JSON") == [{"n": LARGE + 2}]
    finally:
        running.close()
