import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../../api/errors.ts";
import { type ServerFixture, startServer } from "../api-server-fixture.ts";

const PODS = "/api/v1/namespaces/default/pods";
const MAPS = "/api/v1/namespaces/default/configmaps";
const TIME = "2020-01-01T00:00:00Z";

async function start(): Promise<ServerFixture> {
  const api = await startServer();
  await api.ask("POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  const account = { metadata: { name: "default" } };
  await api.ask("POST", "/api/v1/namespaces/default/serviceaccounts", account);
  const metadata = { name: "a", finalizers: ["example.com/a"] };
  const spec = { containers: [{ name: "a", image: "a" }] };
  await api.ask("POST", PODS, { metadata, spec });
  await api.ask("POST", MAPS, { metadata });
  return api;
}

/** What a refusal complains of; nothing of what is answered. */
async function causesOf(answer: Promise<unknown>): Promise<string[]> {
  try {
    await answer;
    return [];
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return (error.status.details?.causes ?? []).map(({ message }) => message ?? "");
  }
}

test("only the server says when an object goes", async () => {
  await using api = await start();
  const fixed = (value: unknown) => [`Invalid value: ${String(value)}: field is immutable`];
  for (const path of [`${MAPS}/a`, `${PODS}/a`, `${PODS}/a/status`]) {
    const whole = await api.ask("GET", path.replace("/status", ""));
    const changed = (metadata: object) => ({
      ...whole,
      metadata: { ...whole.metadata, ...metadata },
    });
    const grace = { deletionGracePeriodSeconds: 5 };
    assert.deepEqual(await causesOf(api.ask("PUT", path, changed(grace))), fixed(5), path);
    const patched = api.patch(path, { body: { metadata: grace }, type: "merge-patch+json" });
    assert.deepEqual(await causesOf(patched), fixed(5), path);
    const time = { deletionTimestamp: TIME };
    // Kubelets send what they read long ago.
    const wanted = path.endsWith("/status") ? [] : fixed("2020-01-01 00:00:00 +0000 UTC");
    assert.deepEqual(await causesOf(api.ask("PUT", path, changed(time))), wanted, path);
  }
});

test("a deletion that has begun keeps its time, and refuses another period", async () => {
  await using api = await start();
  const { metadata } = await api.ask("DELETE", `${PODS}/a?gracePeriodSeconds=20`);
  const patch = (body: object) => api.patch(`${PODS}/a`, { body, type: "merge-patch+json" });
  const again = await patch({ metadata: { deletionTimestamp: TIME } });
  assert.equal(again.metadata.deletionTimestamp, metadata.deletionTimestamp);
  const other = patch({ metadata: { deletionGracePeriodSeconds: 5 } });
  assert.deepEqual(await causesOf(other), ["Invalid value: 5: field is immutable"]);
  const none = await patch({ metadata: { deletionGracePeriodSeconds: null } });
  assert.equal(none.metadata.deletionGracePeriodSeconds, metadata.deletionGracePeriodSeconds);
});

test("kinds without generations of their own keep what a client says of one", async () => {
  await using api = await start();
  const create = (name: string, generation: number) =>
    api.ask("POST", MAPS, { metadata: { name, generation } });
  assert.equal((await create("b", 7)).metadata.generation, 7);
  assert.equal((await create("c", 0)).metadata.generation, undefined);
  const refused = ["Invalid value: -1: must be greater than or equal to 0"];
  assert.deepEqual(await causesOf(create("d", -1)), refused);
});

test("a status that nobody sends is an empty one", async () => {
  await using api = await start();
  const { status: _, ...pod } = await api.ask("GET", `${PODS}/a`);
  const answer = await api.ask("PUT", `${PODS}/a/status`, pod);
  assert.deepEqual(answer["status"], { qosClass: "BestEffort" });
  const node = await api.ask("POST", "/api/v1/nodes", { metadata: { name: "a" } });
  const { status } = await api.ask("PUT", "/api/v1/nodes/a/status", node);
  const endpoints = (status as { daemonEndpoints: unknown }).daemonEndpoints;
  assert.deepEqual(endpoints, { kubeletEndpoint: { Port: 0 } });
});

test("an applied configuration names no owners, not even none", async () => {
  await using api = await start();
  const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { managedFields: [] } };
  await assert.rejects(api.patch(`${MAPS}/a?fieldManager=me`, { body, type: "apply-patch+yaml" }), {
    message: "metadata.managedFields must be nil",
  });
  const uid = { apiVersion: "v1", kind: "ConfigMap", metadata: { uid: "b" } };
  const other = api.patch(`${MAPS}/a?fieldManager=me`, {
    body: uid,
    type: "apply-patch+yaml",
  });
  assert.deepEqual(await causesOf(other), ['Invalid value: "b": field is immutable']);
});
