import assert from "node:assert/strict";
import { test } from "node:test";
import { PODS } from "../src/api/generated/resources.ts";
import { handlerOver, issueTestCertificates, serveTls } from "../src/client/https-test-server.ts";
import { MemoryTransport } from "../src/client/memory-transport.ts";
import { createClient } from "../src/client/resource-client.ts";
import { benchApi } from "./api-bench.ts";
import { benchNamespace, benchOwner } from "./collection-bench.ts";
import { LeanTransport } from "./lean-transport.ts";
import { benchLists } from "./list-bench.ts";
import { benchListMemory } from "./list-memory-bench.ts";
import { memoryOf } from "./idle-memory.ts";
import { benchBind, benchDeployment, benchHttp, benchMemory } from "./placement-bench.ts";
import { benchPodStart } from "./pod-start-bench.ts";
import { benchScale } from "./scale-bench.ts";
import { drawScale } from "./scale-chart.ts";
import { benchSchedule, WORKLOADS } from "./schedule-bench.ts";

test("the API benchmark still runs", async () => {
  const certificates = issueTestCertificates(Date.now());
  await using served = await serveTls(certificates, handlerOver(new MemoryTransport()));
  const target = { server: served.url, caPem: certificates.caPem };
  const figures = await benchApi({ target, clients: 3, seconds: 0.1 });
  for (const { perSecond, p99Ms } of Object.values(figures)) {
    assert.ok(perSecond > 0 && p99Ms > 0);
  }
});

test("the list and watch benchmark still runs", async () => {
  const certificates = issueTestCertificates(Date.now());
  await using served = await serveTls(certificates, handlerOver(new MemoryTransport()));
  const target = { server: served.url, caPem: certificates.caPem };
  const sizes = { objects: 40, clients: 2, watchers: 3, warmUpWrites: 1, writes: 5, seconds: 0.1 };
  const { list, byLabel, watch } = await benchLists({ target, ...sizes });
  assert.ok(list.sizeBytes > 40_000);
  assert.ok(list.perSecond > 0 && byLabel.perSecond > 0 && watch.p99Ms > 0);
});

test("the benchmark of the memory of lists still runs", async () => {
  const certificates = issueTestCertificates(Date.now());
  await using served = await serveTls(certificates, handlerOver(new MemoryTransport()));
  const target = { server: served.url, caPem: certificates.caPem };
  const sizes = { objects: 40, clients: 2, rounds: 2 };
  const figures = await benchListMemory({ target, pids: [process.pid], ...sizes });
  assert.ok(figures.beforeMiB > 0 && figures.peakMiB >= figures.beforeMiB);
});

test("the pod start benchmark still runs", async () => {
  const certificates = issueTestCertificates(Date.now());
  const memory = new MemoryTransport();
  await using served = await serveTls(certificates, handlerOver(memory));
  const target = { server: served.url, caPem: certificates.caPem };
  using transport = await LeanTransport.open(target, 2);
  const pods = createClient(memory).for(PODS);
  // Stands in for a node: whatever is created runs at once.
  using _node = await pods.watch(
    {},
    {
      event: (type, object) => {
        if (type !== "ADDED") return;
        const pod = object as { metadata: { name: string; namespace: string } };
        const status = { containerStatuses: [{ name: "main", state: { running: {} } }] };
        pods.patch(pod.metadata, { status }, { subresource: "status" }).catch(assert.fail);
      },
      closed: () => {},
    },
  );
  const figures = await benchPodStart({
    client: createClient(transport),
    image: "none",
    command: [],
    sequential: 2,
    burst: 3,
    handler: undefined,
    patienceMs: 5_000,
  });
  for (const [name, value] of Object.entries(figures)) assert.ok(value > 0, name);
});

test("memory of this process can be read", () => {
  const { pssMiB, pssAnonymousMiB, rssMiB } = memoryOf([process.pid]);
  assert.ok(pssAnonymousMiB > 0 && pssMiB >= pssAnonymousMiB && rssMiB >= pssMiB);
});

test("the scheduling benchmark still runs", () => {
  for (const workload of WORKLOADS) {
    const { perSecond } = benchSchedule({ nodes: 40, pods: 20, workload });
    assert.ok(perSecond > 0, workload);
  }
});

test("the placement benchmark still runs", async () => {
  const sizes = { nodes: 3, pods: 6 };
  for (const bench of [benchBind, benchDeployment]) {
    const { perSecond } = await bench(sizes);
    assert.ok(perSecond > 0);
  }
  const { perSecond } = await benchHttp(sizes, { connections: 2 });
  assert.ok(perSecond > 0);
  const { heapMiB } = await benchMemory(sizes);
  assert.ok(heapMiB > 0);
});

test("the collection benchmark still runs", async () => {
  for (const bench of [benchNamespace, benchOwner]) {
    const { seconds } = await bench(4);
    assert.ok(seconds > 0);
  }
});

test("the scale benchmark still runs, and can be drawn", async () => {
  const point = await benchScale({ nodes: 2, pods: 4 }, 3);
  assert.ok(point.pssMiB > 0 && point.boundP50Ms > 0 && point.boundP99Ms >= point.boundP50Ms);
  const chart = drawScale([point, { ...point, nodes: 4, pods: 8 }]);
  assert.equal(chart.match(/<polyline/g)?.length, 3);
  assert.ok(!chart.includes("NaN"));
});
