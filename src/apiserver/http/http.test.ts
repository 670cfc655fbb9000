import assert from "node:assert/strict";
import https from "node:https";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { type HttpsFixture, startHttpsServer } from "../api-server-fixture.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const JSON_TYPE = { "content-type": "application/json" };

function create(api: HttpsFixture, name: string) {
  const body = JSON.stringify({ metadata: { name }, data: { a: "b" } });
  return api.http(MAPS, { method: "POST", body, headers: JSON_TYPE });
}

test("what is wrong with a request is said by a Status", async () => {
  await using api = await startHttpsServer(Date.now());
  const post = (body: string | Uint8Array, type = "application/json") =>
    api.http(MAPS, { method: "POST", body, headers: { "content-type": type } });
  const cases: [string, Promise<{ status: number; json(): object }>, number, string][] = [
    ["malformed JSON", post("{nope"), 400, "BadRequest"],
    ["malformed YAML", post("a: [", "application/yaml"), 400, "BadRequest"],
    ["a JSON array", post("[]"), 400, "BadRequest"],
    ["another kind", post('{"kind":"Pod","apiVersion":"v1"}'), 400, "BadRequest"],
    ["a kind that is no text", post('{"kind":{"toString":"x"}}'), 400, "BadRequest"],
    [
      "a review of a wrong type",
      api.http("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", {
        method: "POST",
        body: '{"metadata":{"name":{}},"spec":{"namespace":"a"}}',
        headers: JSON_TYPE,
      }),
      400,
      "BadRequest",
    ],
    ["a wrong type", post('{"metadata":{"name":"a"},"data":7}'), 400, "BadRequest"],
    ["a body too large", post(Buffer.alloc(4 << 20, 32)), 413, "RequestEntityTooLarge"],
    ["an unknown media type", post("{}", "text/html"), 415, "UnsupportedMediaType"],
    ["no media type, which means JSON", post("{nope", ""), 400, "BadRequest"],
    ["an empty body", post(""), 400, "BadRequest"],
    ["an unknown resource", api.http("/api/v1/nopes"), 404, "NotFound"],
    ["an unknown subresource", api.http(`${MAPS}/a/nope`), 404, "NotFound"],
    ["an unknown object", api.http(`${MAPS}/a`), 404, "NotFound"],
    [
      "a method without meaning",
      api.http(MAPS, { method: "PUT", body: "{}" }),
      405,
      "MethodNotAllowed",
    ],
    ["a method unheard of", api.http(MAPS, { method: "REPORT" }), 405, "MethodNotAllowed"],
    ["nobody", api.http(MAPS, { anonymous: true }), 401, "Unauthorized"],
    [
      "an answer that cannot be given",
      api.http(MAPS, { headers: { accept: "text/csv" } }),
      406,
      "NotAcceptable",
    ],
    [
      "a review as a table",
      api.http("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
        method: "POST",
        body: '{"spec":{"nonResourceAttributes":{"path":"/","verb":"get"}}}',
        headers: {
          accept: "application/json;as=Table;v=v1;g=meta.k8s.io",
          "content-type": "application/json",
        },
      }),
      406,
      "NotAcceptable",
    ],
  ];
  for (const [name, pending, code, reason] of cases) {
    const answer = await pending;
    const status = answer.json() as { kind: string; reason: string; code: number };
    assert.deepEqual([status.kind, status.reason, status.code], ["Status", reason, code], name);
    assert.equal(answer.status, code, name);
  }
});

test("a path of nobody, or of no group, is answered in plain text", async () => {
  await using api = await startHttpsServer(Date.now());
  for (const path of ["/nope", "/apis/no.such/v1/things"]) {
    const { status, text } = await api.http(path);
    assert.deepEqual([status, text], [404, "404 page not found\n"], path);
  }
});

test("a write whose options are wrong is refused before its body is read", async () => {
  await using api = await startHttpsServer(Date.now());
  const manager = "m".repeat(129);
  const cases: [string, string, string][] = [
    ["POST", "dryRun=Some", 'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: '],
    [
      "PUT",
      `fieldManager=${manager}`,
      'UpdateOptions.meta.k8s.io "" is invalid: fieldManager: Too',
    ],
    ["PATCH", "force=true", 'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be'],
    ["PATCH", "fieldValidation=Nice", "fieldValidation: Unsupported value: "],
    ["DELETE", "dryRun=Some", 'DeleteOptions.meta.k8s.io "" is invalid: dryRun: Unsupported '],
  ];
  for (const [method, query, message] of cases) {
    const target = method === "POST" ? MAPS : `${MAPS}/a`;
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const headers = { "content-type": type };
    const sent = method === "DELETE" ? { method } : { method, body: "{}", headers };
    const answer = await api.http(`${target}?${query}`, sent);
    assert.equal(answer.status, 422, `${method} ${query} ${answer.text}`);
    assert.ok(answer.text.includes(JSON.stringify(message).slice(1, -1)), answer.text);
  }
});

test("apply cannot reach past the name and namespace of its path", async () => {
  await using api = await startHttpsServer(Date.now());
  const headers = { "content-type": "application/apply-patch+yaml" };
  const apply = (metadata: object, more: object = { apiVersion: "v1", kind: "ConfigMap" }) =>
    api.http(`${MAPS}/a?fieldManager=me`, {
      method: "PATCH",
      body: JSON.stringify({ ...more, metadata }),
      headers,
    });
  assert.match((await apply({ name: "b" })).text, /\(b\) does not match the name on the URL/);
  assert.match(
    (await apply({ namespace: "other" })).text,
    /the namespace of the provided object does not match the namespace sent/,
  );
  assert.match((await apply({}, {})).text, /Incorrect version specified in apply patch/);
  assert.match(
    (await apply({}, { apiVersion: "v1", kind: "ConfigMap", dat: {} })).text,
    /\.dat: field not declared in schema/,
  );
  assert.equal((await apply({ name: "a" })).status, 201);
});

test("health needs no credentials", async () => {
  await using api = await startHttpsServer(Date.now());
  for (const path of ["/healthz", "/livez", "/readyz", "/readyz/ping"]) {
    const answer = await api.http(path, { anonymous: true });
    assert.deepEqual([answer.status, answer.text], [200, "ok"], path);
  }
  assert.match((await api.http("/readyz?verbose")).text, /\[\+\]ping ok/);
});

test("objects come as JSON, YAML, tables and metadata", async () => {
  await using api = await startHttpsServer(Date.now());
  const yaml = "metadata:\n  name: a\ndata:\n  x: 'yes'\n";
  const headers = { "content-type": "application/yaml" };
  const made = await api.http(MAPS, { method: "POST", body: yaml, headers });
  assert.equal(made.status, 201);
  assert.deepEqual(made.json()["data"], { x: "yes" });
  const asYaml = await api.http(`${MAPS}/a`, { headers: { accept: "application/yaml" } });
  assert.match(asYaml.text, /^kind: ConfigMap$/m);
  assert.match((await api.http(`${MAPS}/a?pretty=true`)).text, /^ {2}"kind": "ConfigMap"/m);
  const as = (what: string) => `application/json;as=${what};v=v1;g=meta.k8s.io, application/json`;
  const table = (await api.http(MAPS, { headers: { accept: as("Table") } })).json();
  assert.equal(table["kind"], "Table");
  assert.equal((table["rows"] as { cells: unknown[] }[])[0]?.cells[0], "a");
  const partial = await api.http(`${MAPS}/a`, { headers: { accept: as("PartialObjectMetadata") } });
  assert.equal(partial.json()["kind"], "PartialObjectMetadata");
  assert.equal(partial.json()["data"], undefined);
  const items = await api.http(MAPS, { headers: { accept: as("PartialObjectMetadataList") } });
  assert.equal(items.json()["kind"], "PartialObjectMetadataList");
  const refused = [
    [MAPS, as("PartialObjectMetadata"), /^you requested PartialObjectMetadata, but .* is a list/],
    [`${MAPS}/a`, as("PartialObjectMetadataList"), /^you requested .*List, but .* is not a list/],
  ] as const;
  for (const [path, accept, message] of refused) {
    const answer = await api.http(path, { headers: { accept } });
    assert.equal(answer.status, 406, accept);
    assert.match(answer.json()["message"] as string, message);
  }
  const list = (await api.http(MAPS)).json();
  assert.equal(list["kind"], "ConfigMapList");
  assert.equal((list["items"] as unknown[]).length, 1);
});

test("unknown and duplicate fields are refused or warned of", async () => {
  await using api = await startHttpsServer(Date.now());
  const body = '{"metadata":{"name":"a"},"dat":{},"data":{"x":"1","x":"2"}}';
  const options = { method: "POST", body, headers: JSON_TYPE };
  const strict = (await api.http(`${MAPS}?fieldValidation=Strict`, options)).json();
  assert.match(strict["message"] as string, /unknown field "dat", duplicate field "data.x"$/);
  const warned = await api.http(MAPS, options);
  assert.equal(warned.status, 201);
  assert.match(String(warned.headers["warning"]), /299 - "duplicate field \\"data.x\\""/);
});

test("discovery is aggregated when asked so, and is not sent twice", async () => {
  await using api = await startHttpsServer(Date.now());
  const accept =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
  const first = await api.http("/apis", { headers: { accept } });
  assert.equal(
    first.headers["content-type"],
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
  );
  const etag = String(first.headers["etag"]);
  const again = await api.http("/apis", { headers: { accept, "if-none-match": etag } });
  assert.equal(again.status, 304);
  const names = (first.json()["items"] as { metadata: { name: string } }[]).map(
    ({ metadata }) => metadata.name,
  );
  assert.ok(names.includes("apps"));
  const legacy = (await api.http("/apis")).json();
  assert.equal(legacy["kind"], "APIGroupList");
  const resources = (await api.http("/api/v1")).json()["resources"] as { name: string }[];
  assert.ok(resources.some(({ name }) => name === "pods/log"));
});

test("a watch streams lines: state, changes, errors and its end", async () => {
  await using api = await startHttpsServer(Date.now());
  await create(api, "a");
  const { port, client, ca } = api;
  const path = `${MAPS}?watch=1&allowWatchBookmarks=true&timeoutSeconds=5`;
  const agent = new https.Agent({ ca: ca.pem.certPem, cert: client.certPem, key: client.keyPem });
  const request = https.get({ host: "127.0.0.1", port, path, agent });
  const [response] = (await once(request, "response")) as [import("node:http").IncomingMessage];
  const lines = createInterface({ input: response })[Symbol.asyncIterator]();
  const next = async () =>
    JSON.parse((await lines.next()).value as string) as {
      type: string;
      object: { kind: string; metadata: { name?: string; resourceVersion: string } };
    };
  assert.equal((await next()).object.metadata.name, "a");
  await create(api, "b");
  const added = await next();
  assert.deepEqual([added.type, added.object.metadata.name], ["ADDED", "b"]);
  await api.ask("DELETE", `${MAPS}/b`);
  const deleted = await next();
  assert.equal(deleted.type, "DELETED");
  assert.ok(Number(deleted.object.metadata.resourceVersion) > 0);
  await api.clock.advance(3_000);
  const bookmark = await next();
  assert.deepEqual([bookmark.type, bookmark.object.kind], ["BOOKMARK", "ConfigMap"]);
  await api.clock.advance(2_000);
  assert.equal((await lines.next()).done, true);
  agent.destroy();
});
