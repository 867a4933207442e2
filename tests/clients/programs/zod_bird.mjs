// @chronark/zod-bird: typed pipes and ingestion. It checks every answer with zod.
import assert from "node:assert/strict";
import { Tinybird } from "@chronark/zod-bird";
import { z } from "zod";

const { URL: baseUrl, TOKEN: token } = process.env;
const tb = new Tinybird({ token, baseUrl });
const ingest = tb.buildIngestEndpoint({ datasource: "events", event: z.object({ id: z.number().int(), name: z.string() }) });
const told = await ingest([{ id: 501, name: "zod" }, { id: 502, name: "bird" }]);
assert.deepEqual([told.successful_rows, told.quarantined_rows], [2, 0]);

const top = tb.buildPipe({
  pipe: "top",
  parameters: z.object({ least: z.number().int(), names: z.array(z.string()).optional() }),
  data: z.object({ id: z.number().int(), name: z.string() }),
});
let rows = [];
for (let i = 0; i < 100 && rows.length < 2; i++) rows = (await top({ least: 501 })).data;
assert.deepEqual(rows, [{ id: 501, name: "zod" }, { id: 502, name: "bird" }]);
assert.deepEqual((await top({ least: 501, names: ["bird"] })).data, [{ id: 502, name: "bird" }]);

const other = new Tinybird({ token: "p.wrong.token", baseUrl });
await assert.rejects(other.buildPipe({ pipe: "top", data: z.any() })({}), /Unauthorized/);
