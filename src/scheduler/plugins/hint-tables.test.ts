import assert from "node:assert/strict";
import { test } from "node:test";
import type { LabelSelector, LabelSelectorRequirement } from "../../api/generated/types/meta-v1.ts";
import type { PodSpec, Taint } from "../../api/generated/types/core-v1.ts";
import type { SchedulerPlugin } from "../framework/contract.ts";
import { type Happening, wakes } from "./hint-fixture.ts";
import { interPodAffinity } from "./inter-pod-affinity.ts";
import { nodeAffinity } from "./node-affinity.ts";
import { nodePorts } from "./node-ports.ts";
import { nodeResourcesFit } from "./node-resources-fit.ts";
import { nodeUnschedulable } from "./node-unschedulable.ts";
import type { PodShape } from "./plugin-table-fixture.ts";
import { podTopologySpread } from "./pod-topology-spread.ts";
import { taintToleration } from "./taint-toleration.ts";

// Facts of upstream's tests of queueing hints, Kubernetes 1.32, Apache-2.0: what happens, and
// whether a pod that a plugin turned down is worth another try.

function check(
  plugin: SchedulerPlugin,
  pod: PodShape,
  rows: readonly [name: string, happening: Happening, expected: boolean][],
): void {
  for (const [name, happening, expected] of rows) {
    test(`the hint of ${plugin.name}: ${name}`, () => {
      assert.equal(wakes(plugin, pod, happening), expected);
    });
  }
}

const hard = "requiredDuringSchedulingIgnoredDuringExecution" as const;
const has = (key: string): LabelSelectorRequirement => ({ key, operator: "Exists" });
const isOne = (key: string, ...values: string[]): LabelSelectorRequirement => ({
  key,
  operator: "In",
  values,
});
const terms = (topologyKey: string, ...each: LabelSelectorRequirement[]) =>
  each.map((one) => ({ topologyKey, labelSelector: { matchExpressions: [one] } }));
const near = (topologyKey: string, ...each: LabelSelectorRequirement[]): PodShape => ({
  spec: { affinity: { podAffinity: { [hard]: terms(topologyKey, ...each) } } },
});
const far = (topologyKey: string, ...each: LabelSelectorRequirement[]): PodShape => ({
  spec: { affinity: { podAntiAffinity: { [hard]: terms(topologyKey, ...each) } } },
});
const labelled = (labels: Record<string, string>, pod: PodShape = {}): PodShape => ({
  ...pod,
  labels,
});
const scanner = isOne("service", "securityscan", "value2");
const scan = labelled({ service: "securityscan" });
const value2 = labelled({ service: "value2" });
const other = labelled({ aaa: "a" });

check(interPodAffinity(), near("region", scanner), [
  ["a partner comes", { podAdded: scan }, true],
  ["somebody else comes", { podAdded: other }, false],
  ["somebody becomes a partner", { podBefore: other, podAfter: scan }, true],
  ["a partner stays one", { podBefore: value2, podAfter: scan }, false],
  ["a partner is none any more", { podBefore: scan, podAfter: other }, false],
  ["a partner of another namespace comes", { podAdded: { ...scan, namespace: "ns" } }, false],
]);
check(interPodAffinity(), near("hostname", has("aaa"), has("bbb")), [
  ["of two terms one is lost", { podBefore: other, podAfter: scan }, false],
  ["both terms are met now", { podBefore: other, podAfter: labelled({ aaa: "", bbb: "" }) }, true],
]);
check(interPodAffinity(), far("region", scanner), [
  ["somebody is no longer to be avoided", { podBefore: scan, podAfter: other }, true],
  ["somebody is to be avoided now", { podBefore: other, podAfter: scan }, false],
  ["somebody to be avoided comes", { podAdded: scan }, false],
  ["somebody to be avoided leaves", { podRemoved: scan }, true],
  ["somebody else leaves", { podRemoved: other }, false],
]);
check(interPodAffinity(), scan, [
  ["one who avoids it leaves", { podRemoved: far("region", scanner) }, true],
  ["one who avoids others leaves", { podRemoved: far("region", isOne("service", "no")) }, false],
]);
const unlike = labelled({ service: "foo" }, far("region", scanner));
check(interPodAffinity(), unlike, [
  ["one leaves whom it does not mind", { podRemoved: unlike }, false],
]);
const zone1 = { labels: { zone: "zone1" } };
const zone2 = { labels: { zone: "zone2" } };
const zone1AndMore = { labels: { zone: "zone1", unrelated: "label" } };
const zoneless = { labels: { aaa: "a" } };
check(interPodAffinity(), near("zone", scanner), [
  ["a node with the key comes", { nodeAdded: zone1 }, true],
  ["a node without the key comes", { nodeAdded: zoneless }, false],
  [
    "a node without the key changes",
    { nodeBefore: zoneless, nodeAfter: { labels: { aaa: "b" } } },
    false,
  ],
  ["a node stays in its zone", { nodeBefore: zone1, nodeAfter: zone1AndMore }, false],
  ["a node moves to another zone", { nodeBefore: zone1, nodeAfter: zone2 }, true],
  ["a node gets a zone", { nodeBefore: zoneless, nodeAfter: zone1 }, true],
]);
check(interPodAffinity(), far("zone", isOne("another", "label")), [
  ["to avoid others, a node with the key comes", { nodeAdded: zone1 }, true],
  ["to avoid others, a node without the key comes", { nodeAdded: {} }, true],
  [
    "to avoid others, a node stays in its zone",
    { nodeBefore: zone1, nodeAfter: zone1AndMore },
    false,
  ],
  ["to avoid others, a node moves", { nodeBefore: zone1, nodeAfter: zone2 }, true],
  ["to avoid others, a node gets a zone", { nodeBefore: zoneless, nodeAfter: zone1 }, false],
  ["to avoid others, a node loses its zone", { nodeBefore: zone1, nodeAfter: zoneless }, true],
]);

const selector = (key: string): LabelSelector => ({ matchExpressions: [has(key)] });
const spread = (...constraints: [topologyKey: string, label: string][]): PodShape => ({
  labels: { foo: "" },
  spec: {
    topologySpreadConstraints: constraints.map(([topologyKey, label]) => ({
      maxSkew: 1,
      topologyKey,
      whenUnsatisfiable: "DoNotSchedule",
      labelSelector: selector(label),
    })),
  },
});
const foo = labelled({ foo: "" });
const bar = labelled({ bar: "" });
check(podTopologySpread(), spread(["zone", "foo"]), [
  ["a node moves to another zone", { nodeBefore: zone1, nodeAfter: zone2 }, true],
  [
    "a node without a zone changes",
    { nodeBefore: zoneless, nodeAfter: { labels: { aaa: "b" } } },
    false,
  ],
  ["a node stays in its zone", { nodeBefore: zone1, nodeAfter: zone1AndMore }, false],
  ["a node without a zone comes", { nodeAdded: zoneless }, false],
  ["a node with a zone comes", { nodeAdded: zone1 }, true],
  ["a node without a zone leaves", { nodeRemoved: zoneless }, false],
  ["a node with a zone leaves", { nodeRemoved: zone1 }, true],
  ["one of them comes", { podAdded: foo }, true],
  ["one of them comes elsewhere", { podAdded: { ...foo, namespace: "ns" } }, false],
  ["somebody else comes", { podAdded: bar }, false],
  ["one of them leaves", { podRemoved: foo }, true],
  ["somebody else leaves", { podRemoved: bar }, false],
  [
    "one of them stays one",
    { podBefore: labelled({ foo: "", bar: "1" }), podAfter: labelled({ foo: "", bar: "2" }) },
    false,
  ],
  ["somebody becomes one of them", { podBefore: {}, podAfter: foo }, true],
  ["one of them is none any more", { podBefore: foo, podAfter: {} }, true],
  [
    "the value changes",
    { podBefore: labelled({ foo: "1" }), podAfter: labelled({ foo: "2" }) },
    false,
  ],
  ["one of them is to leave", { podBefore: foo, podAfter: { ...foo, terminating: true } }, true],
]);
const both = { labels: { zone: "zone1", node: "node1" } };
const elsewhere = { labels: { zone: "zone1", node: "node2" } };
check(podTopologySpread(), spread(["zone", "foo"], ["node", "bar"]), [
  ["of two keys a new node has one", { nodeAdded: zone1 }, false],
  ["a new node has both keys", { nodeAdded: both }, true],
  ["of two keys a node keeps one", { nodeBefore: zone1, nodeAfter: zone1AndMore }, false],
  ["of two keys one changes", { nodeBefore: both, nodeAfter: elsewhere }, true],
  ["of two labels one comes", { podBefore: foo, podAfter: labelled({ foo: "", bar: "2" }) }, true],
  ["a third label comes", { podBefore: foo, podAfter: labelled({ foo: "", baz: "" }) }, false],
  [
    "of two labels one gets another value",
    { podBefore: labelled({ foo: "", bar: "" }), podAfter: labelled({ foo: "", bar: "2" }) },
    false,
  ],
]);

const onBar: Partial<PodSpec> = {
  affinity: {
    nodeAffinity: {
      [hard]: {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: "foo", operator: "In", values: ["bar"] }] },
        ],
      },
    },
  },
};
const good = { labels: { foo: "bar" } };
const bad = { labels: { k: "v" } };
check(nodeAffinity(), { spec: onBar }, [
  ["another node comes", { nodeAdded: {} }, false],
  ["a right node comes", { nodeAdded: good }, true],
  ["a wrong node gets larger", { nodeBefore: {}, nodeAfter: { cpu: "9" } }, false],
  ["a wrong node stays wrong", { nodeBefore: {}, nodeAfter: bad }, false],
  ["a right node becomes wrong", { nodeBefore: good, nodeAfter: bad }, false],
  ["a wrong node becomes right", { nodeBefore: {}, nodeAfter: good }, true],
  ["a right node stays right", { nodeBefore: good, nodeAfter: { ...good, cpu: "9" } }, false],
]);
const added = nodeAffinity({ addedAffinity: onBar.affinity?.nodeAffinity ?? {} });
check(added, { spec: onBar }, [
  ["the profile's wish is not met", { nodeAdded: {} }, false],
  ["the profile's wish is met", { nodeAdded: good }, true],
]);

const dedicated = (value: string): Taint => ({ key: "dedicated", value, effect: "NoSchedule" });
const user1 = { taints: [dedicated("user1")] };
const user2 = { taints: [dedicated("user2")] };
check(taintToleration, { spec: { tolerations: [{ ...dedicated("user2"), operator: "Equal" }] } }, [
  ["a node that is not tolerated comes", { nodeAdded: user1 }, false],
  ["a node that is tolerated comes", { nodeAdded: user2 }, true],
  [
    "another taint comes to one that is not",
    { nodeBefore: user1, nodeAfter: { taints: [dedicated("user1"), dedicated("user3")] } },
    false,
  ],
  ["the taint changes", { nodeBefore: user1, nodeAfter: user2 }, true],
  ["what is tolerated stays so", { nodeBefore: user2, nodeAfter: { ...user2, cpu: "9" } }, false],
]);

const closed = { spec: { unschedulable: true } };
check(nodeUnschedulable, {}, [
  ["an open node comes", { nodeAdded: {} }, true],
  ["a closed node comes", { nodeAdded: closed }, false],
  ["an open node changes", { nodeBefore: {}, nodeAfter: { cpu: "9" } }, false],
  ["a node is closed", { nodeBefore: {}, nodeAfter: closed }, false],
  ["a node is opened", { nodeBefore: closed, nodeAfter: {} }, true],
]);

const listening = (hostPort: number): PodShape => ({
  spec: { containers: [{ name: "c", ports: [{ containerPort: 1, hostPort }] }] },
});
check(nodePorts, listening(8080), [
  ["one without a port leaves", { podRemoved: {} }, false],
  ["one with another port leaves", { podRemoved: listening(8081) }, false],
  ["one with the port leaves", { podRemoved: listening(8080) }, true],
  ["a node comes", { nodeAdded: {} }, true],
]);

const asking = (cpu: string, more: Record<string, string> = {}): PodShape => ({
  spec: { containers: [{ name: "c", resources: { requests: { cpu, ...more } } }] },
});
const gpu = { "nvidia.com/gpu": "1" };
check(nodeResourcesFit(), asking("1", gpu), [
  ["a node without the resource comes", { nodeAdded: { cpu: "4" } }, false],
  ["a node with all of it comes", { nodeAdded: { cpu: "4", more: gpu } }, true],
  ["a node that is too small comes", { nodeAdded: { cpu: "500m", more: gpu } }, false],
  [
    "a node gets the resource",
    { nodeBefore: { cpu: "4" }, nodeAfter: { cpu: "4", more: gpu } },
    true,
  ],
  ["a node gets too little", { nodeBefore: { cpu: "4" }, nodeAfter: { cpu: "8" } }, false],
  [
    "a node changes its labels only",
    { nodeBefore: { cpu: "4", more: gpu }, nodeAfter: { cpu: "4", more: gpu, labels: { a: "b" } } },
    false,
  ],
  [
    "one that took the resource takes less",
    { podBefore: asking("2"), podAfter: asking("1") },
    true,
  ],
  [
    "one that took the resource takes more",
    { podBefore: asking("1"), podAfter: asking("2") },
    false,
  ],
  [
    "one takes less of something else",
    { podBefore: asking("0", { memory: "2" }), podAfter: asking("0", { memory: "1" }) },
    false,
  ],
  [
    "one changes its labels only",
    { podBefore: asking("1"), podAfter: { ...asking("1"), labels: { a: "b" } } },
    false,
  ],
  [
    "a node shrinks",
    { nodeBefore: { cpu: "4", more: gpu }, nodeAfter: { cpu: "500m", more: gpu } },
    false,
  ],
  ["one that took the resource leaves", { podRemoved: asking("0", gpu) }, true],
  ["one that took other things leaves", { podRemoved: asking("0", { memory: "1" }) }, false],
]);
