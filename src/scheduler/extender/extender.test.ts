import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../../lib/virtual-clock.ts";
import { readSchedulerConfiguration } from "../config/scheduler-configuration.ts";
import { type SchedulerBench, schedulerBench } from "../scheduler-fixture.ts";
import type { ExtenderTransport } from "./extender.ts";

function benchWith(extender: object, send: ExtenderTransport): SchedulerBench {
  const configuration = readSchedulerConfiguration({
    apiVersion: "kubescheduler.config.k8s.io/v1",
    kind: "KubeSchedulerConfiguration",
    extenders: [{ urlPrefix: "http://extender.example/", ...extender }],
  });
  return schedulerBench({ configuration, extenderTransport: send });
}

test("an extender turns nodes down", async () => {
  const asked: string[] = [];
  await using bench = benchWith({ filterVerb: "filter", nodeCacheCapable: true }, (url, body) => {
    asked.push(url, ...(body as { nodenames: string[] }).nodenames.toSorted());
    return Promise.resolve({ nodenames: ["n2"], failedNodes: { n1: "too loud" } });
  });
  await bench.node("n1", "4");
  await bench.node("n2", "4");
  await settle();
  await bench.pod("a");
  await settle();
  assert.deepEqual(asked, ["http://extender.example/filter", "n1", "n2"]);
  assert.equal(await bench.placeOf("a"), "n2");
});

test("what happens while an extender thinks is not missed", async () => {
  let answer: (_answer: object) => void = () => undefined;
  const thought = new Promise<object>((resolve) => {
    answer = resolve;
  });
  let asked = 0;
  await using bench = benchWith({ filterVerb: "filter", nodeCacheCapable: true }, () =>
    asked++ === 0 ? thought : Promise.resolve({ nodenames: ["n2"] }),
  );
  await bench.node("n1", "4");
  await settle();
  await bench.pod("a");
  await settle();
  await bench.node("n2", "4");
  await settle();
  answer({ nodenames: [], failedNodes: { n1: "too loud" } });
  await settle();
  await bench.clock.advance(1000);
  assert.equal(await bench.placeOf("a"), "n2");
});

test("what an extender says of a node is part of the message", async () => {
  await using bench = benchWith({ filterVerb: "filter" }, () =>
    Promise.resolve({ nodes: { items: [] }, failedAndUnresolvableNodes: { n1: "too loud" } }),
  );
  await bench.node("n1", "4");
  await settle();
  await bench.pod("a");
  await settle();
  assert.equal(
    (await bench.podOf("a")).status?.conditions?.[0]?.message,
    "0/1 nodes are available: 1 too loud. " +
      "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
  );
});

test("an extender's scores count by its weight, and it may bind", async () => {
  const bound: object[] = [];
  const verbs = { prioritizeVerb: "prioritize", bindVerb: "bind", weight: 5 };
  await using bench = benchWith(verbs, (url, body) => {
    if (url.endsWith("bind")) bound.push(body);
    return Promise.resolve(url.endsWith("bind") ? {} : [{ host: "n2", score: 10 }]);
  });
  await bench.node("n1", "8");
  await bench.node("n2", "4");
  await settle();
  const { metadata } = await bench.pod("a");
  await settle();
  const { uid } = metadata ?? {};
  assert.deepEqual(bound, [{ podName: "a", podNamespace: "default", podUID: uid, node: "n2" }]);
});

test("an extender that fails holds pods up, unless it is ignorable", async () => {
  for (const ignorable of [false, true]) {
    await using bench = benchWith({ filterVerb: "filter", ignorable }, () =>
      Promise.reject(new Error("nobody there")),
    );
    await bench.node("n1", "4");
    await settle();
    await bench.pod("a");
    await settle();
    assert.equal(await bench.placeOf("a"), ignorable ? "n1" : undefined);
    if (ignorable) continue;
    const message = (await bench.podOf("a")).status?.conditions?.[0]?.message;
    assert.equal(message, "extender http://extender.example/filter: nobody there");
  }
});

test("only pods that ask for its resources concern an extender", async () => {
  let asked = 0;
  const managedResources = [{ name: "example.com/gpu" }];
  await using bench = benchWith({ filterVerb: "filter", managedResources }, () => {
    asked++;
    return Promise.resolve({});
  });
  await bench.node("n1", "4");
  await settle();
  await bench.pod("a");
  await settle();
  assert.equal(await bench.placeOf("a"), "n1");
  assert.equal(asked, 0);
});

test("an extender strikes nodes and victims from what preemption would take", async () => {
  for (const nodeCacheCapable of [false, true]) {
    const asked: object[] = [];
    const verbs = { preemptVerb: "preempt", nodeCacheCapable };
    await using bench = benchWith(verbs, (_url, body) => {
      asked.push(body);
      const { uid } = low.get("n2") ?? {};
      return Promise.resolve({
        nodeNameToMetaVictims: { n2: { pods: [{ uid }], numPDBViolations: 0 } },
      });
    });
    const low = new Map<string, { name?: string; uid?: string }>();
    for (const node of ["n1", "n2"]) {
      await bench.node(node, "1");
      await settle();
      const { metadata } = await bench.pod(`low-${node}`, { priority: 1 });
      await settle();
      low.set((await bench.placeOf(`low-${node}`)) ?? "", metadata ?? {});
    }
    await bench.pod("high", { priority: 10 });
    await settle();
    assert.equal((await bench.podOf("high")).status?.nominatedNodeName, "n2");
    await assert.rejects(bench.podOf(low.get("n2")?.name ?? ""), /not found/);
    assert.ok(await bench.podOf(low.get("n1")?.name ?? ""));
    const key = nodeCacheCapable ? "nodeNameToMetaVictims" : "nodeNameToVictims";
    const [sent] = asked as Record<string, Record<string, { pods: object[] }>>[];
    assert.deepEqual(Object.keys(sent?.[key] ?? {}).sort(), ["n1", "n2"]);
    const [victim] = sent?.[key]?.["n1"]?.pods ?? [];
    assert.equal("uid" in (victim ?? {}), nodeCacheCapable);
  }
});

test("preemption waits for an extender that fails, unless it is ignorable", async () => {
  for (const ignorable of [false, true]) {
    await using bench = benchWith({ preemptVerb: "preempt", ignorable }, () =>
      Promise.reject(new Error("nobody there")),
    );
    await bench.node("n1", "1");
    await settle();
    await bench.pod("low", { priority: 1 });
    await settle();
    await bench.pod("high", { priority: 10 });
    await settle();
    const { status } = await bench.podOf("high");
    assert.equal(status?.nominatedNodeName, ignorable ? "n1" : undefined);
    const message = status?.conditions?.[0]?.message ?? "";
    assert.equal(/extender .*: nobody there/.test(message), !ignorable);
  }
});
