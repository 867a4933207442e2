"""mcp-tinybird: the client that its tools work with. Its dataclasses take no key that they do not know."""

import asyncio
import importlib.util
import os
from pathlib import Path

# Alone: the package's own import wants the whole MCP server.
package = importlib.util.find_spec("mcp_tinybird")
spec = importlib.util.spec_from_file_location("tb", Path(package.origin).with_name("tb.py"))
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)


async def main() -> None:
    client = module.APIClient(os.environ["URL"], os.environ["TOKEN"])
    assert {found.name for found in await client.list_data_sources()} == {"events", "names"}
    assert [column["name"] for column in (await client.get_data_source("events"))["columns"]] == ["id", "name", "at"]
    assert {pipe.name for pipe in await client.list_pipes()} == {"count_names", "top"}
    assert (await client.get_pipe("top"))["nodes"]
    await client.save_event("events", '{"id": 707, "name": "agent"}')
    for _ in range(100):
        found = await client.run_select_query("SELECT count() AS n FROM events WHERE id = 707")
        if found["data"] == [{"n": 1}]:
            break
        await asyncio.sleep(0.02)
    assert found["data"] == [{"n": 1}], found
    assert (await client.get_pipe_data("top", least=707)).data == [{"id": 707, "name": "agent"}]
    await client.close()


asyncio.run(main())
