import assert from "node:assert/strict";
import path from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";
import { isNotFound } from "../api/errors.ts";
import { PODS } from "../api/generated/resources.ts";
import { settle } from "../lib/virtual-clock.ts";
import { readSystemInfo } from "./node/node-facts.ts";
import { createAgentMetrics } from "./metrics/agent-metrics.ts";
import { readNodeUsage } from "./metrics/node-usage.ts";
import { createFakeNode } from "./pod/fake-parts.ts";
import { createPodManager } from "./pod/pod-manager.ts";
import type { StreamBackend } from "./stream/contract.ts";
import { createStreamBackend } from "./stream-backend.ts";

const POD = { namespace: "default", name: "web" };

async function withBackend(
  use: (backend: StreamBackend, node: ReturnType<typeof createFakeNode>) => Promise<void>,
): Promise<void> {
  await using node = createFakeNode();
  const usage = {
    cpuNanoseconds: 2e9,
    memoryBytes: 10,
    workingSetBytes: 5,
    residentBytes: 4,
    cacheBytes: 3,
    pageFaults: 2,
    majorPageFaults: 1,
    tasks: 1,
  };
  const container = { id: "c1", name: "app", startedAtMs: 0, ...usage };
  node.parts.runtime.stats = async () => ({ atMs: 0, ...usage, containers: [container] });
  await using manager = createPodManager(node.parts);
  await manager.start();
  const containers = [{ name: "app", image: "app:1" }];
  await node.parts.client.for(PODS).create({ metadata: POD, spec: { containers } });
  await settle();
  const { runtime, network, clock } = node.parts;
  const backend = createStreamBackend({
    otherMetrics: () => [],
    manager,
    runtime,
    network,
    nodeName: "node-1",
    readNode: () =>
      readNodeUsage({
        name: "node-1",
        nowMs: clock.now(),
        directory: "/",
        imageDirectory: "/",
        pods: () => ({ ...PODS_USAGE, memoryMaxBytes: 100 }),
      }),
    readStorage: async (_pod, fileSystem) => ({
      volumes: [
        { name: "scratch", bytes: 1, inodes: 1, fileSystem },
        { name: "data", claim: "mine", bytes: 4096, inodes: 2, fileSystem },
      ],
      layers: new Map([["app", { bytes: 7, inodes: 1 }]]),
      logs: new Map(),
      bytes: 8,
      inodes: 2,
    }),
    metrics: createAgentMetrics(),
    readMachine: () => ({
      cores: 1,
      sockets: 1,
      system: readSystemInfo({ kubelet: "v1", runtime: "r" }),
    }),
    configuration: { maxPods: 12 },
    readLog: async ({ path: file, isLive }) => Readable.from([path.basename(file), isLive()]),
  });
  await use(backend, node);
}

const PODS_USAGE = {
  cpuNanoseconds: 1,
  memoryBytes: 4,
  workingSetBytes: 3,
  residentBytes: 2,
  cacheBytes: 1,
  pageFaults: 0,
  majorPageFaults: 0,
  tasks: 1,
};

const logOf = async (backend: StreamBackend, previous: boolean) => {
  const target = { ...POD, container: "" };
  const stream = await backend.logs(target, { previous }, AbortSignal.timeout(1_000));
  return await stream.toArray();
};

test("logs are those of the newest attempt, or of the one before", () =>
  withBackend(async (backend, { runtime }) => {
    assert.deepEqual(await logOf(backend, false), ["0.log", true]);
    await assert.rejects(logOf(backend, true), /previous terminated container "app"/);
    runtime.exit(runtime.named("app").id, 1);
    await settle();
    assert.deepEqual(await logOf(backend, false), ["1.log", true]);
    assert.deepEqual(await logOf(backend, true), ["0.log", false]);
  }));

test("while a container waits to be started again, what crashed last is the one before", () =>
  withBackend(async (backend, { runtime, clock }) => {
    for (let attempt = 0; attempt < 2; attempt++) {
      runtime.exit(runtime.named("app").id, 1);
      await settle();
    }
    assert.equal(backend.pods()[0]?.status?.containerStatuses?.[0]?.state?.running, undefined);
    assert.deepEqual(await logOf(backend, true), ["1.log", false]);
    assert.deepEqual(await logOf(backend, false), ["1.log", false]);
    await clock.advance(10_000);
    assert.deepEqual(await logOf(backend, true), ["1.log", false]);
    assert.deepEqual(await logOf(backend, false), ["2.log", true]);
  }));

test("what is not here, or does not run, is refused with a status", () =>
  withBackend(async (backend, { runtime }) => {
    const options = { command: ["ls"], tty: false, stdin: false, stdout: true, stderr: true };
    const exec = (target: object) => backend.exec({ ...POD, container: "app", ...target }, options);
    await assert.rejects(exec({ name: "other" }), isNotFound);
    await assert.rejects(exec({ uid: "another" }), isNotFound);
    await assert.rejects(exec({ container: "other" }), /container other is not valid/);
    await assert.rejects(exec({}), /not in this test/);
    runtime.startError = new Error("no");
    runtime.exit(runtime.named("app").id, 1);
    await settle();
    await assert.rejects(exec({}), /is not running/);
  }));

test("no checkpoint is made, and what it would be of is looked up first", () =>
  withBackend(async (backend) => {
    const make = (target: object) => () =>
      backend.checkpoint({ ...POD, container: "app", ...target });
    assert.throws(make({ name: "other" }), /pod does not exist/);
    assert.throws(make({ container: "other" }), /container other does not exist/);
    assert.throws(make({}), /checkpointing of default\/web\/app failed \(.*CRIU/);
    assert.deepEqual(backend.configuration(), { maxPods: 12 });
  }));

interface SummaryPod {
  podRef: { name: string };
  volume: { name: string; usedBytes: number; pvcRef?: object }[];
  containers: { rootfs: { usedBytes: number } }[];
  "ephemeral-storage": { usedBytes: number };
}

test("use of pods is told as a summary and as metrics", () =>
  withBackend(async (backend) => {
    const summary = (await backend.statsSummary()) as {
      node: { systemContainers: { name: string; memory: object }[] };
      pods: [SummaryPod];
    };
    const all = summary.node.systemContainers.map(({ name, memory }) => ({ name, ...memory }));
    assert.deepEqual(
      all.map((one) =>
        "availableBytes" in one ? { name: one.name, left: one.availableBytes } : one,
      ),
      [{ name: "pods", left: 97 }],
    );
    assert.deepEqual(
      summary.pods.map(({ podRef }) => podRef.name),
      ["web"],
    );
    const [{ volume, containers, ...rest }] = summary.pods;
    assert.deepEqual(
      volume.map(({ name, usedBytes, pvcRef }) => ({ name, usedBytes, pvcRef })),
      [
        { name: "scratch", usedBytes: 1, pvcRef: undefined },
        { name: "data", usedBytes: 4096, pvcRef: { name: "mine", namespace: "default" } },
      ],
    );
    assert.equal(containers[0]?.rootfs.usedBytes, 7);
    assert.equal(rest["ephemeral-storage"].usedBytes, 8);
    const claim = 'namespace="default",persistentvolumeclaim="mine"';
    const agent = await backend.metrics("agent");
    assert.ok(agent.includes(`\nkubelet_volume_stats_used_bytes{${claim}} 4096\n`), agent);
    const labels = 'container="app",namespace="default",pod="web"';
    const resource = await backend.metrics("resource");
    assert.ok(resource.includes(`\ncontainer_cpu_usage_seconds_total{${labels}} 2 0\n`), resource);
    assert.match(resource, /^node_memory_working_set_bytes \d+ \d+$/m);
    assert.match(await backend.metrics("cadvisor"), /^container_memory_rss\{container="app",id=/m);
    assert.match(await backend.metrics("agent"), /^kubelet_running_pods 1$/m);
    assert.equal(await backend.metrics("probes"), "");
  }));
