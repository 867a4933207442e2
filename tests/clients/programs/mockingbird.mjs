// @tinybirdco/mockingbird: generated events.
import { TinybirdGenerator } from "@tinybirdco/mockingbird";

const { URL: endpoint, TOKEN: token } = process.env;
const schema = { id: { type: "number.int", params: [{ min: 1000, max: 1999 }] }, name: { type: "string.alpha" } };
await new TinybirdGenerator({ schema, endpoint, token, datasource: "events", eps: 5, limit: 5, logs: false }).generate();
