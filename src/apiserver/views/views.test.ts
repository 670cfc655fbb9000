import assert from "node:assert/strict";
import { test } from "node:test";
import { startServer } from "../api-server-fixture.ts";

const CORE = "/api/v1/namespaces/default/events";
const EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events";
const V1 = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers";
const V2 = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";

test("events of both groups are the same objects", async () => {
  await using api = await startServer();
  const made = await api.ask("POST", EVENTS, {
    metadata: { name: "e" },
    eventTime: "2025-01-01T00:00:00.000000Z",
    reportingController: "me/controller",
    reportingInstance: "me-1",
    action: "Doing",
    reason: "Done",
    regarding: { kind: "Pod", namespace: "default", name: "p" },
    note: "all is well",
    type: "Normal",
  });
  assert.equal(made["note"], "all is well");
  assert.equal(made["apiVersion"], "events.k8s.io/v1");
  const core = await api.ask("GET", `${CORE}/e`);
  assert.deepEqual(
    [core["apiVersion"], core["message"], core["reportingComponent"]],
    ["v1", "all is well", "me/controller"],
  );
  assert.equal(core.metadata["resourceVersion"], made.metadata["resourceVersion"]);
  const body = { count: 3 };
  await api.patch(`${CORE}/e`, { body, type: "strategic-merge-patch+json" });
  assert.equal((await api.ask("GET", `${EVENTS}/e`))["deprecatedCount"], 3);
  await api.ask("DELETE", `${EVENTS}/e`);
  assert.deepEqual((await api.ask("GET", CORE))["items"], []);
});

test("an autoscaler keeps in version 1 what only version 2 can say", async () => {
  await using api = await startServer();
  const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "d" };
  const memory = {
    type: "Resource",
    resource: { name: "memory", target: { type: "AverageValue", averageValue: "1Gi" } },
  };
  await api.ask("POST", V1, {
    metadata: { name: "h" },
    spec: { scaleTargetRef, maxReplicas: 3, targetCPUUtilizationPercentage: 70 },
  });
  const two = await api.ask("GET", `${V2}/h`);
  assert.deepEqual(two["status"], { desiredReplicas: 0 });
  const shown = await api.ask("GET", `${V1}/h`);
  assert.deepEqual(shown["status"], { currentReplicas: 0, desiredReplicas: 0 });
  const spec = two["spec"] as { metrics: object[] };
  assert.deepEqual(spec.metrics, [
    {
      type: "Resource",
      resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } },
    },
  ]);
  const metrics = [...spec.metrics, memory];
  await api.ask("PUT", `${V2}/h`, { ...two, spec: { ...spec, metrics } });
  const body = { spec: { maxReplicas: 9 } };
  const one = await api.patch(`${V1}/h`, { body, type: "merge-patch+json" });
  assert.equal((one["spec"] as { maxReplicas: number }).maxReplicas, 9);
  const after = (await api.ask("GET", `${V2}/h`))["spec"] as { metrics: object[] };
  assert.deepEqual(after.metrics, metrics);
});

test("old events are removed and history is compacted", async () => {
  await using api = await startServer();
  const event = (name: string, lastTimestamp: string) =>
    api.ask("POST", CORE, {
      metadata: { name },
      involvedObject: { namespace: "default", name: "p" },
      lastTimestamp,
    });
  await event("old", "2025-01-01T00:00:00Z");
  await event("young", "2025-01-01T00:30:00Z");
  const before = Number((await api.ask("GET", CORE)).metadata["resourceVersion"]);
  await api.clock.advance(66 * 60_000);
  const names = ((await api.ask("GET", CORE))["items"] as { metadata: { name: string } }[]).map(
    ({ metadata }) => metadata.name,
  );
  assert.deepEqual(names, ["young"]);
  await assert.rejects(
    api.ask("GET", `${CORE}?resourceVersion=${before - 1}&resourceVersionMatch=Exact`),
    { code: 410 },
  );
});
