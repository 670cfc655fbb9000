import assert from "node:assert/strict";
import { test } from "node:test";
import { type HttpsFixture, startHttpsServer } from "../api-server-fixture.ts";

const CORE = "/api/v1/namespaces/default";
const WEB = "/apis/apps/v1/namespaces/default/deployments";
const JSON_TYPE = { "content-type": "application/json" };

async function startWithObjects(): Promise<HttpsFixture> {
  const api = await startHttpsServer(Date.now());
  const spec = { containers: [{ name: "a", image: "a" }] };
  await api.ask("POST", `${CORE}/pods`, { metadata: { name: "a" }, spec });
  await api.ask("POST", WEB, {
    metadata: { name: "web" },
    spec: {
      selector: { matchLabels: { a: "b" } },
      template: { metadata: { labels: { a: "b" } }, spec },
    },
  });
  return api;
}

const CASES = [
  {
    title: "a scale",
    method: "PUT",
    path: `${WEB}/web/scale`,
    text: '{"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{"name":"web"},"spec":{"replicas":2,"size":3,"replicas":4}}',
    objections: ['unknown field "spec.size"', 'duplicate field "spec.replicas"'],
    status: 200,
  },
  {
    title: "a binding",
    method: "POST",
    path: `${CORE}/pods/a/binding`,
    text: '{"metadata":{"name":"a"},"target":{"name":"n","zone":"z"}}',
    objections: ['unknown field "target.zone"'],
    status: 201,
  },
  {
    title: "an eviction",
    method: "POST",
    path: `${CORE}/pods/a/eviction`,
    text: '{"kind":"Eviction","apiVersion":"policy/v1","metadata":{"name":"a"},"reason":"x"}',
    objections: ['unknown field "reason"'],
    status: 201,
  },
];

for (const { title, method, path, text, objections, status } of CASES) {
  test(`${title} is read as strictly as it is asked for`, async () => {
    await using api = await startWithObjects();
    const send = (validation: string) =>
      api.http(`${path}?fieldValidation=${validation}`, { method, body: text, headers: JSON_TYPE });
    const refused = await send("Strict");
    assert.equal(refused.status, 400);
    assert.match(String(refused.json()["message"]), /strict decoding error: /);
    for (const each of objections)
      assert.ok(refused.text.includes(JSON.stringify(each).slice(1, -1)));
    const warned = await send("Warn");
    assert.equal(warned.status, status, warned.text);
    for (const each of objections) {
      assert.ok(warned.headers["warning"]?.includes(each.replaceAll('"', '\\"')));
    }
  });
}

test("a patch of a scale is read so too, and its result is one", async () => {
  await using api = await startWithObjects();
  const patch = (body: string) =>
    api.http(`${WEB}/web/scale?fieldValidation=Strict`, {
      method: "PATCH",
      body,
      headers: { "content-type": "application/merge-patch+json" },
    });
  const refused = await patch('{"spec":{"replicas":2,"size":3}}');
  assert.equal(refused.status, 422);
  assert.match(refused.text, /unknown field \\+"spec.size/);
  assert.equal((await patch('{"spec":{"replicas":"two"}}')).status, 422);
  assert.equal((await patch('{"spec":{"replicas":2}}')).status, 200);
});

test("who applies a scale owns the replicas, and nobody else's silently", async () => {
  await using api = await startWithObjects();
  const apply = (manager: string, replicas: number, more = "") =>
    api.http(`${WEB}/web/scale?fieldManager=${manager}${more}`, {
      method: "PATCH",
      body: `apiVersion: autoscaling/v1\nkind: Scale\nmetadata: {name: web}\nspec: {replicas: ${replicas}}`,
      headers: { "content-type": "application/apply-patch+yaml" },
    });
  const first = await apply("first", 3, "&force=true");
  assert.deepEqual([first.status, first.json()["spec"]], [200, { replicas: 3 }]);
  const refused = await apply("second", 4);
  assert.equal(refused.status, 409);
  assert.match(refused.text, /conflict with \\"first\\" with subresource \\"scale\\"/);
  assert.equal((await apply("second", 3)).status, 200);
  const { metadata, spec } = await api.ask("GET", `${WEB}/web`);
  assert.equal((spec as { replicas: number }).replicas, 3);
  const fields = metadata["managedFields"] as Record<string, unknown>[];
  const owners = fields.filter(({ subresource }) => subresource === "scale");
  const owned = { "f:spec": { "f:replicas": {} } };
  for (const manager of ["first", "second"]) {
    const entry = owners.find((each) => each["manager"] === manager);
    assert.deepEqual([entry?.["operation"], entry?.["fieldsV1"]], ["Apply", owned]);
  }
});

test("an eviction may be of the version before", async () => {
  await using api = await startWithObjects();
  const eviction = (version: string) => ({
    method: "POST",
    body: JSON.stringify({ apiVersion: version, kind: "Eviction", metadata: { name: "a" } }),
    headers: JSON_TYPE,
  });
  const path = `${CORE}/pods/a/eviction`;
  assert.equal((await api.http(path, eviction("policy/v2"))).status, 400);
  assert.equal((await api.http(path, eviction("policy/v1beta1"))).status, 201);
});
