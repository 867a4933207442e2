"""tinybird-sdk: queries, ingestion, imports, deletion, tokens, build and deployment."""

import os
import time

from tinybird_sdk.api.api import TinybirdApiError, create_tinybird_api

api = create_tinybird_api({"base_url": os.environ["URL"], "token": os.environ["TOKEN"]})
api.truncate_datasource("events")
assert api.ingest("events", {"id": 1, "name": "a"})["successful_rows"] == 1
told = api.ingest_batch("events", [{"id": 2, "name": "b"}, {"id": 3, "name": "c"}, {"name": "d"}])
assert (told["successful_rows"], told["quarantined_rows"]) == (2, 1), told

answer = api.query("top", {"least": 2, "names": ["b", "c", "d"]})
assert [row["id"] for row in answer["data"]] == [2, 3] and answer["meta"][0]["type"] == "Int32", answer
assert api.sql("SELECT count() AS n FROM events FORMAT JSON")["data"] == [{"n": 3}]

with open("rows.ndjson", "w") as file:
    file.write('{"id": 4, "name": "d"}\n')
api.append_datasource("events", {"file": "rows.ndjson"})
deleted = api.delete_datasource("events", {"delete_condition": "id = 1"})
assert deleted["status"] in ("waiting", "working", "done"), deleted
deadline = time.monotonic() + 5
while api.query("top")["data"][0]["id"] == 1:
    assert time.monotonic() < deadline
    time.sleep(0.05)
assert [row["id"] for row in api.query("top")["data"]] == [2, 3, 4]

jwt = api.create_token(
    {"name": "visitor", "scopes": [{"type": "PIPES:READ", "resource": "top", "fixed_params": {"least": 4}}]},
    {"expiration_time": int(time.time()) + 60},
)["token"]
visitor = create_tinybird_api({"base_url": os.environ["URL"], "token": jwt})
assert [row["id"] for row in visitor.query("top", {"least": 0})["data"]] == [4]
try:
    visitor.sql("SELECT * FROM events FORMAT JSON")
except TinybirdApiError as error:
    assert error.status_code == 403, error
else:
    raise AssertionError("a token read what it must not")
