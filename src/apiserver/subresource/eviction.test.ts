import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../../api/errors.ts";
import { startHttpsServer } from "../api-server-fixture.ts";

const SPACE = "/api/v1/namespaces/default";
const PODS = `${SPACE}/pods`;
const BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";

async function refusal(answer: Promise<unknown>): Promise<StatusError> {
  const error = await answer.catch((thrown: unknown) => thrown);
  assert.ok(error instanceof StatusError, "it was not refused");
  return error;
}

test("a budget refuses evictions of ready pods, and no others", async () => {
  await using api = await startHttpsServer(Date.now());
  const make = async (name: string, ready: string) => {
    const containers = [{ name: "a", image: "a" }];
    const metadata = { name, labels: { app: "web" } };
    await api.ask("POST", PODS, { metadata, spec: { nodeName: "n", containers } });
    const conditions = [{ type: "Ready", status: ready }];
    const status = { phase: "Running", conditions };
    await api.ask("PUT", `${PODS}/${name}/status`, { metadata, status });
  };
  await make("ready", "True");
  await make("sick", "False");
  const selector = { matchLabels: { app: "web" } };
  const metadata = { name: "b" };
  await api.ask("POST", BUDGETS, { metadata, spec: { minAvailable: 1, selector } });
  const report = async (status: object) => {
    const budget = await api.ask("GET", `${BUDGETS}/b`);
    await api.ask("PUT", `${BUDGETS}/b/status`, { ...budget, status });
  };
  const numbers = { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 2 };
  const evict = (name: string) =>
    api.ask("POST", `${PODS}/${name}/eviction`, { metadata: { name } });

  const early = await refusal(evict("ready"));
  assert.equal(early.status.details?.retryAfterSeconds, 10);
  const body = JSON.stringify({ metadata: { name: "ready" } });
  const headers = { "content-type": "application/json" };
  const sent = await api.http(`${PODS}/ready/eviction`, { method: "POST", body, headers });
  assert.deepEqual([sent.status, sent.headers["retry-after"]], [429, "10"]);
  await report({ ...numbers, observedGeneration: 1 });
  const { status, message } = await refusal(evict("ready"));
  assert.equal(status.code, 429);
  assert.equal(message, "Cannot evict pod as it would violate the pod's disruption budget.");
  // With a time to wait clients would wait themselves, and say nothing.
  assert.equal(status.details?.retryAfterSeconds, undefined);
  assert.deepEqual(status.details?.causes, [
    {
      reason: "DisruptionBudget",
      message: "The disruption budget b needs 1 healthy pods and has 1 currently",
    },
  ]);
  await evict("sick");
  await report({ ...numbers, disruptionsAllowed: 1, observedGeneration: 1 });
  await evict("ready");
  const after = await api.ask("GET", `${BUDGETS}/b`);
  const spent = after["status"] as Record<string, unknown>;
  assert.equal(spent["disruptionsAllowed"], 0);
  assert.deepEqual(Object.keys(spent["disruptedPods"] as object), ["ready"]);
});

test("a pod that is evicted is told why before it ends, unless it is another", async () => {
  await using api = await startHttpsServer(Date.now());
  const containers = [{ name: "a", image: "a" }];
  const finalizers = ["example.com/look"];
  const metadata = { name: "p", finalizers };
  await api.ask("POST", PODS, { metadata, spec: { nodeName: "n", containers } });
  const { metadata: made } = await api.ask("GET", `${PODS}/p`);
  const evict = (deleteOptions: object) =>
    api.ask("POST", `${PODS}/p/eviction`, { metadata: { name: "p" }, deleteOptions });
  const conditions = async () => {
    const { status } = await api.ask("GET", `${PODS}/p`);
    return (status as { conditions?: Record<string, unknown>[] }).conditions ?? [];
  };
  for (const preconditions of [{ uid: "other" }, { resourceVersion: "1" }]) {
    const { status } = await refusal(evict({ preconditions }));
    assert.equal(status.code, 409);
  }
  await evict({ dryRun: ["All"] });
  assert.deepEqual(await conditions(), []);
  const { uid, resourceVersion } = made as Record<string, string>;
  await evict({ preconditions: { uid, resourceVersion } });
  const [told] = await conditions();
  assert.equal(typeof told?.["lastTransitionTime"], "string");
  assert.deepEqual(
    { ...told, lastTransitionTime: "" },
    {
      type: "DisruptionTarget",
      status: "True",
      reason: "EvictionByEvictionAPI",
      message: "Eviction API: evicting",
      lastTransitionTime: "",
    },
  );
  const after = await api.ask("GET", `${PODS}/p`);
  assert.ok((after["metadata"] as Record<string, unknown>)["deletionTimestamp"]);
  assert.ok(!JSON.stringify(after["metadata"]).includes("DisruptionTarget"), "nobody owns it");
});
