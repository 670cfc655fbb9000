import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "../../lib/logger.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { nodeMetrics, podMetrics } from "./metrics-objects.ts";
import { parseSummary } from "./usage-sample.ts";
import { UsageSampler } from "./usage-sampler.ts";

/** A node whose one pod has used `cpuSeconds` since its start. */
function summary(cpuSeconds: number, startTime = "2025-01-01T00:00:00Z"): string {
  const use = {
    startTime,
    cpu: { usageCoreNanoSeconds: cpuSeconds * 1e9 },
    memory: { workingSetBytes: 3 << 20 },
  };
  const podRef = { name: "web", namespace: "default" };
  return JSON.stringify({ node: use, pods: [{ podRef, containers: [{ name: "main", ...use }] }] });
}

const node = { metadata: { name: "n1", labels: { zone: "a" } } };
const pod = { metadata: { name: "web", namespace: "default" } };

test("the first reader waits for a rate; later ones share it", async () => {
  const clock = new VirtualClock();
  let asked = 0;
  const sample = () => Promise.resolve(parseSummary(summary(asked++ / 4), clock.now()));
  using sampler = new UsageSampler({ clock, logger: silentLogger, sample });
  const reads = [sampler.read(["n1"]), sampler.read(["n1", "n1"])];
  await clock.advance(1_000);
  const [window] = (await Promise.all(reads)).map((windows) => windows.get("n1"));
  assert.equal(asked, 2);
  assert.ok(window);
  assert.deepEqual(nodeMetrics(node, window), {
    kind: "NodeMetrics",
    apiVersion: "metrics.k8s.io/v1beta1",
    metadata: { name: "n1", creationTimestamp: "2025-01-01T00:00:01Z", labels: { zone: "a" } },
    timestamp: "2025-01-01T00:00:01Z",
    window: "1s",
    usage: { cpu: "250m", memory: "3Mi" },
  });
  await clock.advance(9_000);
  await sampler.read(["n1"]);
  assert.equal(asked, 2);
  await clock.advance(2_000);
  const later = (await sampler.read(["n1"])).get("n1");
  assert.equal(asked, 3);
  assert.equal(later && podMetrics(pod, later)?.window, "11s");
});

test("after a long silence a rate is of now, not of the silence", async () => {
  const clock = new VirtualClock();
  let cpuSeconds = 0;
  const sample = () => Promise.resolve(parseSummary(summary(cpuSeconds++), clock.now()));
  using sampler = new UsageSampler({ clock, logger: silentLogger, sample });
  const first = sampler.read(["n1"]);
  await clock.advance(1_000);
  await first;
  await clock.advance(3_600_000);
  const second = sampler.read(["n1"]);
  await clock.advance(1_000);
  const window = (await second).get("n1");
  assert.equal(window && nodeMetrics(node, window)?.usage?.["cpu"], "1");
});

test("a node that does not answer is left out, and asked again", async () => {
  const clock = new VirtualClock();
  let isUp = false;
  const sample = (name: string) =>
    name === "n1" || isUp
      ? Promise.resolve(parseSummary(summary(1), clock.now()))
      : Promise.reject(new Error("connection refused"));
  using sampler = new UsageSampler({ clock, logger: silentLogger, sample });
  const read = sampler.read(["n1", "n2"]);
  await clock.advance(1_000);
  assert.deepEqual([...(await read).keys()], ["n1"]);
  isUp = true;
  const again = sampler.read(["n1", "n2"]);
  await clock.advance(1_000);
  assert.deepEqual([...(await again).keys()].sort(), ["n1", "n2"]);
});

test("a container that began anew counts from its start", () => {
  const at = (text: string) => Date.parse(text);
  const before = parseSummary(summary(100), at("2025-01-01T00:01:00Z"));
  const restarted = summary(2, "2025-01-01T00:01:06Z");
  const now = parseSummary(restarted, at("2025-01-01T00:01:10Z"));
  const metrics = podMetrics(pod, { before, now });
  assert.deepEqual(metrics?.containers, [{ name: "main", usage: { cpu: "500m", memory: "3Mi" } }]);
  const unknown = parseSummary('{"pods":[]}', at("2025-01-01T00:01:10Z"));
  assert.equal(podMetrics(pod, { before, now: unknown }), undefined);
});
