"""verdin: events, imports, endpoints, SQL, tokens and variables."""

import io
import os

from verdin.api import ApiError
from verdin.client import Client

client = Client(token=os.environ["TOKEN"], api=os.environ["URL"])
api = client.api

for table in ("events", "names"):
    api.datasources.truncate(table)
sent = api.events.send("events", [{"id": 1, "name": "a"}, {"id": "x"}], wait=True, compress=True)
assert (sent.successful_rows, sent.quarantined_rows) == (1, 1), sent.json

appended = api.datasources.append("events", io.StringIO('2,"b, c",2024-02-01 00:00:00\nx,d,2024-02-01 00:00:00\n'))
assert appended.quarantine_rows == 1 and appended.invalid_lines == 0, appended.json
assert appended.error == "There was an error with file contents: 1 row in quarantine.", appended.error

answer = api.pipes.query("top", parameters={"least": "2"})
assert answer.data == [{"id": 2, "name": "b, c"}] and answer.rows == 1, answer.data
assert [column["type"] for column in answer.meta] == ["Int32", "String"]
assert api.pipes.query("top", query="SELECT count() AS n FROM _", format="ndjson").data == [{"n": 2}]
assert api.pipes.query("top", format="csv").data == [{"id": "1", "name": "a"}, {"id": "2", "name": "b, c"}]
assert [pipe["name"] for pipe in api.pipes.list(attrs=["id", "name"], node_attrs=[]).pipes] == ["count_names", "top"]
assert api.pipes.get_information("top").info["type"] == "endpoint"

assert {found["name"] for found in api.datasources.list().datasources} == {"events", "names"}
info = api.datasources.get_information("events").info
assert info["engine"]["sorting_key"] == "id" and info["statistics"]["row_count"] == 2, info
assert list(client.sql("SELECT sum(events) AS n FROM names").json().data) == [{"n": 2}]
assert api.query.query("SELECT * FROM top", parameters={"least": "2"}).data == [{"id": 2, "name": "b, c"}]
assert api.query.query("SELECT id FROM _", pipeline="top", format="CSVWithNames").data == [{"id": "1"}, {"id": "2"}]

assert "workspace admin token" in {token["name"] for token in api.tokens.list().tokens}
api.variables.create("verdin", "one")
api.variables.update("verdin", "two")
assert [variable["name"] for variable in api.variables.list().variables] == ["verdin"]
assert api.variables.delete("verdin").ok

try:
    api.pipes.query("missing")
except ApiError as error:
    assert error.status_code == 404 and "The pipe 'missing' does not exist" in str(error), error
else:
    raise AssertionError("a pipe that is not there answered")
