"""`tbpy logs` and `tbpy endpoint stats`, over what earlier commands left."""

from __future__ import annotations

from tbpy.api.app import Api
from tbpy.api.service import open_service
from tbpy.api.serving import Listener, listen
from tbpy.workspace import Workspace
from tests.api.client import Client
from tests.cli.conftest import Shell


def test_commands_and_requests_leave_entries(cltv: Shell) -> None:
    assert cltv.tbpy("append", "customer_transactions", "-", "--format", "ndjson", stdin='{"no": 1}\n').code == 0
    entries = cltv.tbpy("logs", "--json").json
    assert entries[-1]["what"] == "append"
    assert (entries[-1]["name"], entries[-1]["rows"], entries[-1]["quarantined"]) == ("customer_transactions", 0, 1)
    assert {"create", "append"} <= {entry["what"] for entry in entries}
    assert [entry["quarantined"] for entry in cltv.tbpy("logs", "--errors", "--json").json] == [1]
    assert cltv.tbpy("logs", "nothing").out == "Nothing was noted yet\n"


def test_statistics_of_an_endpoint(cltv: Shell) -> None:
    assert "No calls" in cltv.tbpy("endpoint", "stats", "customer_cltv").out
    with Workspace.open(cltv.folder) as workspace:
        service = open_service(workspace)
        listener = Listener(Api(service), listen("127.0.0.1", 0))
        listener.start()
        client = Client(listener.port, service.tokens.admin_token)
        statuses = [client.get("/v0/pipes/customer_cltv.json", customer_id="cust_1").status for _ in range(3)]
        listener.stop()
        service.close()
    days = cltv.tbpy("endpoint", "stats", "customer_cltv", "--json").json
    assert sum(day["calls"] for day in days) == 3
    assert sum(day["errors"] for day in days) == sum(status != 200 for status in statuses)
    assert "customer_cltv" in cltv.tbpy("logs", "--limit", "2").out
    assert cltv.tbpy("endpoint", "stats", "nothing").code == 3
