import assert from "node:assert/strict";
import { test } from "node:test";
import { PODS } from "../api/generated/resources.ts";
import { MemoryTransport } from "../client/memory-transport.ts";
import { createClient } from "../client/resource-client.ts";
import { silentLogger } from "../lib/logger.ts";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { PodFeedback } from "./pod-feedback.ts";
import { ProfileTable } from "./pod/pod-profile.ts";

test("a pod that has its place by now is not told that it has none", async () => {
  const client = createClient(new MemoryTransport());
  const pods = client.for(PODS);
  const ref = { namespace: "default", name: "p" };
  const feedback = new PodFeedback({
    client,
    clock: new VirtualClock(),
    events: { record: () => undefined },
    logger: silentLogger,
  });
  const seen = await pods.create({ metadata: ref, spec: { containers: [{ name: "c" }] } });
  const record = new ProfileTable().recordOf(seen);
  const scheduled = { type: "PodScheduled", status: "True" };
  await pods.patch(ref, { status: { conditions: [scheduled] } }, { subresource: "status" });
  await feedback.unschedulable(record, { message: "no place", nominatedNode: "n1" });
  const { status } = await pods.get(ref);
  assert.deepEqual(status?.conditions, [scheduled]);
  assert.equal(status?.nominatedNodeName, "n1");
  const now = new ProfileTable().recordOf(await pods.get(ref));
  await feedback.unschedulable(now, { message: "no place" });
  const told = (await pods.get(ref)).status?.conditions?.[0];
  assert.deepEqual([told?.status, told?.message], ["False", "no place"]);
});
