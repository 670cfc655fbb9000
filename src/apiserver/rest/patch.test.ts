import assert from "node:assert/strict";
import { test } from "node:test";
import { type ServerFixture, startServer } from "../api-server-fixture.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const MERGE = "merge-patch+json";

async function startWithMap(): Promise<ServerFixture> {
  const api = await startServer();
  await api.ask("POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  const metadata = { name: "a", labels: { app: "x" }, annotations: { note: '"\n' } };
  await api.ask("POST", MAPS, { metadata, data: { one: "1" }, binaryData: { two: "Mg==" } });
  return api;
}

test("a patch leaves alone what it does not speak of, and in its order", async () => {
  await using api = await startWithMap();
  const before = await api.ask("GET", `${MAPS}/a`);
  const after = await api.patch(`${MAPS}/a`, { body: { data: { three: "3" } }, type: MERGE });
  assert.deepEqual(Object.keys(after), Object.keys(before));
  const { resourceVersion, managedFields, ...kept } = after.metadata;
  assert.notEqual(resourceVersion, before.metadata.resourceVersion);
  assert.equal((managedFields as unknown[]).length, 1);
  assert.deepEqual({ ...before.metadata, ...kept }, before.metadata);
  assert.deepEqual(after["data"], { one: "1", three: "3" });
  assert.deepEqual(after["binaryData"], before["binaryData"]);
  assert.deepEqual(await api.ask("GET", `${MAPS}/a`), after);
});

test("a patch that changes nothing moves no revision", async () => {
  await using api = await startWithMap();
  const before = await api.ask("GET", `${MAPS}/a`);
  for (const body of [{}, { data: { one: "1" } }, { metadata: { labels: { app: "x" } } }]) {
    assert.deepEqual(await api.patch(`${MAPS}/a`, { body, type: MERGE }), before);
  }
});

test("members that no kind has are dropped, whatever they are called", async () => {
  await using api = await startWithMap();
  for (const text of [
    '{"constructor":{"a":"b"},"data":{"four":"4"}}',
    '{"__proto__":{"data":{"five":"5"}},"toString":1}',
    '{"metadata":{"__proto__":{"labels":{"a":"b"}}}}',
  ]) {
    const body = JSON.parse(text) as object;
    const patched = await api.patch(`${MAPS}/a?fieldValidation=Ignore`, { body, type: MERGE });
    assert.deepEqual(Object.keys(patched).sort(), [
      "apiVersion",
      "binaryData",
      "data",
      "kind",
      "metadata",
    ]);
    assert.deepEqual(patched["data"], { one: "1", four: "4" });
    assert.deepEqual(patched.metadata.labels, { app: "x" });
  }
});

test("owners follow what is patched again and again, and by whom", async () => {
  await using api = await startWithMap();
  const ownersOf = async (manager: string, n: number) => {
    const path = `${MAPS}/a?fieldManager=${manager}`;
    const body = { data: { [manager]: `${n}` } };
    const { metadata } = await api.patch(path, { body, type: MERGE });
    const entries = metadata.managedFields as { manager: string; fieldsV1: object }[];
    return Object.fromEntries(entries.map((entry) => [entry.manager, entry.fieldsV1]));
  };
  for (let n = 0; n < 20; n++) {
    for (const manager of ["b", "c"]) {
      const owned = await ownersOf(manager, n);
      assert.deepEqual(owned[manager], { "f:data": { [`f:${manager}`]: {} } });
      assert.deepEqual(Object.keys(owned).length, n === 0 && manager === "b" ? 2 : 3);
    }
  }
});
