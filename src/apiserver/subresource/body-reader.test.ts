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
