// @tinybirdco/sdk: queries, ingestion, imports, deletion, tokens, build and deployment.
import assert from "node:assert/strict";
import { createTinybirdApi } from "@tinybirdco/sdk";

const { URL: baseUrl, TOKEN: token, SDK: sdk } = process.env;
const { deployToMain } = await import(`${sdk}/dist/api/deploy.js`);
const { buildToTinybird } = await import(`${sdk}/dist/api/build.js`);
const api = createTinybirdApi({ baseUrl, token });

await api.truncateDatasource("events");
assert.equal((await api.ingest("events", { id: 1, name: "a" })).successful_rows, 1);
const told = await api.ingestBatch("events", [{ id: 2, name: "b" }, { id: 3, name: "c" }, { name: "d" }]);
assert.deepEqual([told.successful_rows, told.quarantined_rows], [2, 1]);

const answer = await api.query("top", { least: 2, names: ["b", "c", "d"] });
assert.deepEqual(answer.data.map((row) => row.id), [2, 3]);
assert.equal(answer.meta[0].type, "Int32");
assert.deepEqual((await api.sql("SELECT count() AS n FROM events FORMAT JSON")).data, [{ n: 3 }]);
await assert.rejects(api.query("missing"), { statusCode: 404 });
await assert.rejects(api.query("top", { least: "x" }), { statusCode: 400 });

const { writeFileSync } = await import("node:fs");
writeFileSync("rows.csv", "4,d,2024-01-01 00:00:00\n");
assert.equal((await api.appendDatasource("events", { file: "rows.csv" })).error || null, null);
const job = await api.deleteDatasource("events", { deleteCondition: "id = 1" });
assert.ok(job.job_id);

const expirationTime = Math.floor(Date.now() / 1000) + 60;
const scopes = [{ type: "PIPES:READ", resource: "top", fixed_params: { least: 4 } }];
const jwt = await api.createToken({ name: "visitor", scopes }, { expirationTime });
const visitor = createTinybirdApi({ baseUrl, token: jwt.token });
assert.deepEqual((await visitor.query("top", { least: 0 })).data.map((row) => row.id), [4]);
await assert.rejects(visitor.sql("SELECT * FROM events FORMAT JSON"), { statusCode: 403 });

// A workspace of its own, so that what it builds is not in the way of the project's.
const made = await (await fetch(`${baseUrl}/v1/workspaces?name=typescript&token=${token}`, { method: "POST" })).json();
const config = { baseUrl, token: made.token };
const datasources = [{ name: "visits", content: 'SCHEMA >\n    `n` Int32 `json:$.n`\n\nENGINE "MergeTree"\nENGINE_SORTING_KEY "n"\n' }];
const pipes = [{ name: "total", content: "NODE n\nSQL >\n    SELECT sum(n) AS total FROM visits\n\nTYPE endpoint\n" }];
const built = await buildToTinybird(config, { datasources, pipes });
assert.deepEqual([built.result, built.datasources.created, built.pipes.created], ["success", ["visits"], ["total"]]);
const own = createTinybirdApi(config);
await own.ingest("visits", { n: 5 });
assert.deepEqual((await own.query("total")).data, [{ total: 5 }]);
await assert.rejects(own.query("top"), { statusCode: 404 });
const unchanged = await deployToMain(config, { datasources, pipes });
assert.equal(unchanged.result, "no_changes");
const broken = [{ name: "total", content: "NODE n\nSQL >\n    SELECT x FROM visits\n\nTYPE endpoint\n" }];
const failed = await deployToMain(config, { datasources, pipes: broken }, { check: true });
assert.equal(failed.success, false);
assert.match(failed.error, /total\.pipe.*`x`/s);
const live = await deployToMain(config, { datasources, pipes: [...pipes, { ...pipes[0], name: "again" }] });
assert.deepEqual([live.result, live.pipes.created], ["success", ["again"]]);
assert.deepEqual((await own.query("again")).data, [{ total: 5 }]);
await fetch(`${baseUrl}/v1/workspaces/${made.id}?hard_delete_confirmation=yes&token=${token}`, { method: "DELETE" });
