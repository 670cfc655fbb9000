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
