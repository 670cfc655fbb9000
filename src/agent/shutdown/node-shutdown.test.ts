import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { silentLogger } from "../../lib/logger.ts";
import { settle, VirtualClock } from "../../lib/virtual-clock.ts";
import { shutDownPods } from "./node-shutdown.ts";
import { planShutdown } from "./shutdown-plan.ts";

const podOf = (name: string, priority: number, terminationGracePeriodSeconds = 30): Pod => ({
  metadata: { name },
  spec: { containers: [], priority, terminationGracePeriodSeconds },
});
const STAGES = [
  { priority: 1000, graceMs: 10_000 },
  { priority: 0, graceMs: 20_000 },
];

test("the least important pods go first, with no more time than they ask for", () => {
  const pods = [podOf("web", 500), podOf("dns", 2000), podOf("batch", -5), podOf("quick", 1000, 2)];
  const steps = planShutdown(pods, STAGES).map((step) =>
    step.pods.map(({ pod, graceMs }) => `${pod.metadata?.name} ${graceMs}`),
  );
  assert.deepEqual(steps, [
    ["web 20000", "batch 20000"],
    ["dns 10000", "quick 2000"],
  ]);
  assert.deepEqual(planShutdown(pods, []), []);
});

test("a stage waits for the one before, but not for pods that do not end", async () => {
  const clock = new VirtualClock();
  const asked: string[] = [];
  let webEnded = () => {};
  const web = new Promise<void>((resolve) => (webEnded = resolve));
  let over = false;
  const done = shutDownPods({
    stages: STAGES,
    pods: () => [podOf("web", 0), podOf("dns", 1000)],
    end: (pod) => {
      asked.push(pod.metadata?.name ?? "");
      return pod.metadata?.name === "web" ? web : new Promise(() => {});
    },
    clock,
    logger: silentLogger,
  }).then(() => (over = true));
  await settle();
  assert.deepEqual(asked, ["web"]);
  await clock.advance(5_000);
  webEnded();
  await settle();
  assert.deepEqual(asked, ["web", "dns"]);
  await clock.advance(10_000);
  assert.equal(over, false);
  await clock.advance(1_000);
  await done;
  assert.equal(over, true);
});
