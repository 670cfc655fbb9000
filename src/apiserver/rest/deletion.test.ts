import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../../api/errors.ts";
import { type AnyObject, type ServerFixture, startServer } from "../api-server-fixture.ts";

const SPACE = "/api/v1/namespaces/default";
const POD = `${SPACE}/pods/p`;

/** A pod that a node has to end, with thirty seconds for it. */
async function placePod(api: ServerFixture): Promise<AnyObject> {
  const spec = { nodeName: "n", containers: [{ name: "c", image: "i" }] };
  return api.ask("POST", `${SPACE}/pods`, { metadata: { name: "p" }, spec });
}

async function refusal(answer: Promise<unknown>): Promise<StatusError> {
  const error = await answer.catch((thrown: unknown) => thrown);
  assert.ok(error instanceof StatusError, "it was not refused");
  return error;
}

test("a grace period is the pod's own or what is asked; none is negative", async () => {
  const cases: [asked: number | undefined, granted: number][] = [
    [undefined, 30],
    [90, 90],
    [5, 5],
    [-1, 1],
  ];
  for (const [gracePeriodSeconds, granted] of cases) {
    await using api = await startServer();
    await placePod(api);
    const options = gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds };
    const { metadata } = await api.ask("DELETE", POD, options);
    assert.equal(metadata["deletionGracePeriodSeconds"], granted);
  }
});

test("a grace period that runs may only become shorter", async () => {
  await using api = await startServer();
  await placePod(api);
  const secondsAfter = async (gracePeriodSeconds: number) => {
    const { metadata } = await api.ask("DELETE", POD, { gracePeriodSeconds });
    return metadata["deletionGracePeriodSeconds"];
  };
  assert.equal(await secondsAfter(20), 20);
  assert.equal(await secondsAfter(60), 20);
  assert.equal(await secondsAfter(10), 10);
  await api.ask("DELETE", POD, { gracePeriodSeconds: 0 });
  assert.equal((await refusal(api.ask("GET", POD))).code, 404);
});

test("a pod that has ended needs no grace", async () => {
  await using api = await startServer();
  await placePod(api);
  await api.ask("PUT", `${POD}/status`, { metadata: { name: "p" }, status: { phase: "Failed" } });
  await api.ask("DELETE", POD);
  assert.equal((await refusal(api.ask("GET", POD))).code, 404);
});

test("what is being deleted moves on a generation and takes no further finalizer", async () => {
  await using api = await startServer();
  const path = "/apis/apps/v1/namespaces/default/deployments";
  const labels = { a: "b" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
  const spec = { selector: { matchLabels: labels }, template };
  await api.ask("POST", path, { metadata: { name: "d", finalizers: ["x.example/y"] }, spec });
  const deleting = await api.ask("DELETE", `${path}/d`);
  assert.equal(deleting.metadata["generation"], 2);
  assert.ok(deleting.metadata["deletionTimestamp"]);
  const body = { metadata: { finalizers: ["x.example/y", "x.example/z"] } };
  const error = await refusal(api.patch(`${path}/d`, { body, type: "merge-patch+json" }));
  assert.match(
    error.message,
    /metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted/,
  );
});

test("a deletion that expects another object or version is a conflict", async () => {
  await using api = await startServer();
  const made = await placePod(api);
  const { uid, resourceVersion } = made.metadata as Record<string, string>;
  for (const preconditions of [{ uid: "other" }, { resourceVersion: "1" }]) {
    const error = await refusal(api.ask("DELETE", POD, { preconditions }));
    assert.deepEqual([error.code, error.reason], [409, "Conflict"]);
  }
  await api.ask("DELETE", POD, { preconditions: { uid, resourceVersion } });
});

test("controllers of old leave their pods, others take them along", async () => {
  await using api = await startServer();
  const template = {
    metadata: { labels: { a: "b" } },
    spec: { containers: [{ name: "c", image: "i" }] },
  };
  await api.ask("POST", `${SPACE}/replicationcontrollers`, {
    metadata: { name: "r" },
    spec: { selector: { a: "b" }, template },
  });
  const left = await api.ask("DELETE", `${SPACE}/replicationcontrollers/r`);
  assert.deepEqual(left.metadata["finalizers"], ["orphan"]);
  const sets = "/apis/apps/v1/namespaces/default/replicasets";
  const spec = { selector: { matchLabels: { a: "b" } }, template };
  await api.ask("POST", sets, { metadata: { name: "s" }, spec });
  await api.ask("DELETE", `${sets}/s`);
  assert.equal((await refusal(api.ask("GET", `${sets}/s`))).code, 404);
});
