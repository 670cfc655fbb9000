import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  ContainerPort,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodSpec,
  Taint,
  Toleration,
} from "../../api/generated/types/core-v1.ts";
import type { SchedulerPlugin } from "../framework/contract.ts";
import { nodeAffinity } from "./node-affinity.ts";
import { nodeName } from "./node-name.ts";
import { nodePorts } from "./node-ports.ts";
import { nodeResourcesFit } from "./node-resources-fit.ts";
import { nodeUnschedulable } from "./node-unschedulable.ts";
import { type NodeShape, reasonsOf, verdictsOf } from "./plugin-table-fixture.ts";
import { schedulingGates } from "./scheduling-gates.ts";
import { taintToleration } from "./taint-toleration.ts";

// Facts of upstream's plugin tests: a pod, a node with what is on it, and whether it may go there.
// Verdicts: + it may, - pods that leave may help, ! nothing will.

function check(
  name: string,
  of: { plugin: SchedulerPlugin; spec: Partial<PodSpec>; node: NodeShape; verdict: string },
): void {
  test(`the filter of ${of.plugin.name}: ${name}`, () => {
    const question = { pod: { spec: of.spec }, nodes: { n1: of.node } };
    assert.equal(verdictsOf(of.plugin, question), of.verdict);
  });
}

const NAMED: [string, string | undefined, string][] = [
  ["no node is named", undefined, "+"],
  ["the node is named", "n1", "+"],
  ["another node is named", "n2", "!"],
];
for (const [name, wanted, verdict] of NAMED) {
  const spec = wanted ? { nodeName: wanted } : {};
  check(name, { plugin: nodeName, spec, node: {}, verdict });
}

const cordon = "node.kubernetes.io/unschedulable";
const CORDONED: [string, boolean, Toleration[], string][] = [
  ["a cordoned node", true, [], "!"],
  ["an open node", false, [], "+"],
  [
    "the taint is tolerated",
    true,
    [{ key: cordon, operator: "Exists", effect: "NoSchedule" }],
    "+",
  ],
  ["another effect is tolerated", true, [{ key: cordon, effect: "NoExecute" }], "!"],
];
for (const [name, unschedulable, tolerations, verdict] of CORDONED) {
  const node = { spec: { unschedulable } };
  check(name, { plugin: nodeUnschedulable, spec: { tolerations }, node, verdict });
}

/** "UDP/127.0.0.1/8080" and so on. */
function listening(...sockets: string[]): Partial<PodSpec> {
  const ports = sockets.map((socket): ContainerPort => {
    const [protocol = "TCP", hostIP = "", port] = socket.split("/");
    const hostPort = Number(port);
    return { protocol: protocol as "TCP" | "UDP", hostIP, hostPort, containerPort: hostPort };
  });
  return { containers: [{ name: "c", ports }] };
}
const PORTS: [string, string[], string[], string][] = [
  ["nothing is asked for", [], [], "+"],
  ["another port", ["UDP/127.0.0.1/8080"], ["UDP/127.0.0.1/9090"], "+"],
  ["the same UDP port", ["UDP/127.0.0.1/8080"], ["UDP/127.0.0.1/8080"], "-"],
  ["the same TCP port", ["TCP/127.0.0.1/8080"], ["TCP/127.0.0.1/8080"], "-"],
  ["another address", ["TCP/127.0.0.1/8080"], ["TCP/127.0.0.2/8080"], "+"],
  ["another protocol", ["UDP/127.0.0.1/8080"], ["TCP/127.0.0.1/8080"], "+"],
  ["the second", ["UDP/127.0.0.1/8000", "UDP/127.0.0.1/8080"], ["UDP/127.0.0.1/8080"], "-"],
  [
    "the first of two protocols",
    ["TCP/127.0.0.1/8001", "UDP/127.0.0.1/8080"],
    ["TCP/127.0.0.1/8001", "UDP/127.0.0.1/8081"],
    "-",
  ],
  ["any address against one", ["TCP/0.0.0.0/8001"], ["TCP/127.0.0.1/8001"], "-"],
  [
    "one of two is any address",
    ["TCP/10.0.10.10/8001", "TCP/0.0.0.0/8001"],
    ["TCP/127.0.0.1/8001"],
    "-",
  ],
  ["one address against any", ["TCP/127.0.0.1/8001"], ["TCP/0.0.0.0/8001"], "-"],
  ["any address of another protocol", ["UDP/127.0.0.1/8001"], ["TCP/0.0.0.0/8001"], "+"],
  [
    "any address of both protocols",
    ["UDP/127.0.0.1/8001"],
    ["TCP/0.0.0.0/8001", "UDP/0.0.0.0/8001"],
    "-",
  ],
];
for (const [name, wanted, taken, verdict] of PORTS) {
  const node = { pods: [{ spec: listening(...taken) }] };
  check(name, { plugin: nodePorts, spec: listening(...wanted), node, verdict });
}

const asInit = (spec: Partial<PodSpec>, restartPolicy?: string): Partial<PodSpec> => ({
  containers: [{ name: "main" }],
  initContainers: (spec.containers ?? []).map((one) => ({
    ...one,
    ...(restartPolicy ? { restartPolicy } : {}),
  })),
});
const port80 = listening("TCP/127.0.0.1/80");
check("a port of a container that is done before others start", {
  plugin: nodePorts,
  spec: asInit(port80),
  node: { pods: [{ spec: port80 }] },
  verdict: "+",
});
check("a port of a sidecar", {
  plugin: nodePorts,
  spec: port80,
  node: { pods: [{ spec: asInit(port80, "Always") }] },
  verdict: "-",
});

const taint = (key: string, value: string, effect: Taint["effect"] = "NoSchedule"): Taint => ({
  key,
  value,
  effect,
});
const equal = (key: string, value: string, effect?: Taint["effect"]): Toleration => ({
  key,
  value,
  operator: "Equal",
  ...(effect ? { effect } : {}),
});
const dedicated = taint("dedicated", "user1");
const fooBar = taint("foo", "bar");
const TAINTS: [string, Toleration[], Taint[], string][] = [
  ["nothing is tolerated", [], [dedicated], "!"],
  ["the same key, value and effect", [{ ...dedicated }], [dedicated], "+"],
  ["another value", [equal("dedicated", "user2", "NoSchedule")], [dedicated], "!"],
  ["any value", [{ key: "foo", operator: "Exists", effect: "NoSchedule" }], [fooBar], "+"],
  [
    "all of several",
    [
      equal("dedicated", "user1", "NoSchedule"),
      { key: "foo", operator: "Exists", effect: "NoSchedule" },
    ],
    [dedicated, fooBar],
    "+",
  ],
  ["one of several", [equal("dedicated", "user1")], [dedicated, fooBar], "!"],
  ["another effect", [equal("foo", "bar", "PreferNoSchedule")], [fooBar], "!"],
  ["any effect", [equal("foo", "bar")], [fooBar], "+"],
  ["a preference is no obstacle", [], [taint("dedicated", "user1", "PreferNoSchedule")], "+"],
  ["eviction is one", [], [taint("dedicated", "user1", "NoExecute")], "!"],
];
for (const [name, tolerations, taints, verdict] of TAINTS) {
  check(name, { plugin: taintToleration, spec: { tolerations }, node: { taints }, verdict });
}

const where = (
  key: string,
  operator: NodeSelectorRequirement["operator"],
  ...values: string[]
): NodeSelectorRequirement => ({ key, operator, ...(values.length > 0 ? { values } : {}) });
const term = (...matchExpressions: NodeSelectorRequirement[]) => ({ matchExpressions });
const onNode = (name: string) => ({ matchFields: [where("metadata.name", "In", name)] });
const required = (...nodeSelectorTerms: NodeSelectorTerm[]): Partial<PodSpec> => ({
  affinity: {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
  },
});
const isBar = where("foo", "In", "bar");
const bar = { foo: "bar" };
const gpu = { GPU: "NVIDIA-GRID-K1" };
const AFFINITY: [string, Partial<PodSpec>, Record<string, string>, string][] = [
  ["nothing is asked for", {}, {}, "+"],
  ["a label is missing", { nodeSelector: bar }, {}, "!"],
  ["the labels are the same", { nodeSelector: bar }, bar, "+"],
  ["the node has more", { nodeSelector: bar }, { ...bar, baz: "blah" }, "+"],
  ["the node has less", { nodeSelector: { ...bar, baz: "blah" } }, bar, "!"],
  ["In", required(term(where("foo", "In", "bar", "value2"))), bar, "+"],
  ["In, without", required(term(where("foo", "In", "value1", "value2"))), bar, "!"],
  ["Gt", required(term(where("kernel", "Gt", "0204"))), { kernel: "0206" }, "+"],
  ["Gt of the same", required(term(where("kernel", "Gt", "0206"))), { kernel: "0206" }, "!"],
  ["Lt of a word", required(term(where("kernel", "Lt", "9"))), { kernel: "new" }, "!"],
  ["NotIn", required(term(where("mem", "NotIn", "DDR", "DDR2"))), { mem: "DDR3" }, "+"],
  ["NotIn without the label", required(term(where("mem", "NotIn", "DDR"))), {}, "+"],
  ["NotIn of what is no value", required(term(where("foo", "NotIn", "no: _@#$%^"))), bar, "!"],
  ["Exists", required(term(where("GPU", "Exists"))), gpu, "+"],
  ["DoesNotExist", required(term(where("GPU", "DoesNotExist"))), gpu, "!"],
  ["no terms match nothing", required(), bar, "!"],
  ["an empty term matches nothing", required(term()), bar, "!"],
  ["no requirements at all", { affinity: { nodeAffinity: {} } }, bar, "+"],
  [
    "all expressions of a term",
    required(term(where("GPU", "Exists"), where("GPU", "NotIn", "AMD", "INTER"))),
    gpu,
    "+",
  ],
  [
    "one expression of a term",
    required(term(where("GPU", "Exists"), where("GPU", "In", "AMD", "INTER"))),
    gpu,
    "!",
  ],
  [
    "one of two terms",
    required(term(where("foo", "In", "bar", "v")), term(where("other", "In", "wrong"))),
    bar,
    "+",
  ],
  ["selector and affinity", { nodeSelector: bar, ...required(term(isBar)) }, bar, "+"],
  [
    "affinity without the selector",
    { nodeSelector: bar, ...required(term(where("foo", "Exists"))) },
    { foo: "barrrr" },
    "!",
  ],
  ["the name of the node", required(onNode("n1")), {}, "+"],
  ["the name of another", required(onNode("n2")), {}, "!"],
  ["a wrong name or a right label", required(onNode("n2"), term(isBar)), bar, "+"],
  ["a wrong name and a right label", required({ ...onNode("n2"), ...term(isBar) }), bar, "!"],
  ["a right name and a right label", required({ ...onNode("n1"), ...term(isBar) }), bar, "+"],
  [
    "two names at once or a right label",
    required(
      { matchFields: [...onNode("n1").matchFields, ...onNode("n2").matchFields] },
      term(isBar),
    ),
    bar,
    "+",
  ],
  [
    "two names at once",
    required({ matchFields: [...onNode("n1").matchFields, ...onNode("n2").matchFields] }),
    bar,
    "!",
  ],
  ["neither name nor label", required(onNode("n2"), term(where("foo", "In", "no"))), bar, "!"],
];
for (const [name, spec, labels, verdict] of AFFINITY) {
  check(name, { plugin: nodeAffinity(), spec, node: { labels }, verdict });
}

const ADDED: [string, string, readonly string[]][] = [
  ["zone1", "bar", []],
  ["zone2", "bar", ["node(s) didn't match scheduler-enforced node affinity"]],
  ["zone1", "no", ["node(s) didn't match Pod's node affinity/selector"]],
];
for (const [zone, foo, reasons] of ADDED) {
  test(`the filter of NodeAffinity: the profile adds a zone; a node in ${zone} with ${foo}`, () => {
    const nodeSelectorTerms = [term(where("zone", "In", "zone1"))];
    const plugin = nodeAffinity({
      addedAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
    });
    const nodes = { n1: { labels: { zone, foo } } };
    assert.deepEqual(reasonsOf(plugin, { pod: { spec: { nodeSelector: bar } }, nodes }), reasons);
  });
}

type Amounts = [cpu: number, memory: number, more?: Record<string, number>];
const A = "example.com/aaa";
const B = "example.com/bbb";
const K = "kubernetes.io/something";
const HUGE = "hugepages-2Mi";
const container = ([cpu, memory, more = {}]: Amounts) => {
  const scalars = Object.entries(more).map(([name, amount]) => [name, `${amount}`]);
  const requests = { cpu: `${cpu}m`, memory: `${memory}`, ...Object.fromEntries(scalars) };
  return { name: "c", resources: { requests } };
};
const asking = (...amounts: Amounts[]): Partial<PodSpec> => ({
  containers: amounts.map(container),
});
const starting = (spec: Partial<PodSpec>, ...amounts: Amounts[]): Partial<PodSpec> => ({
  ...spec,
  initContainers: amounts.map(container),
});
const over = (spec: Partial<PodSpec>, cpu: string, memory: string): Partial<PodSpec> => ({
  ...spec,
  overhead: { cpu, memory },
});
const short = (...resources: string[]) => resources.map((one) => `Insufficient ${one}`);
const small = asking([1, 1]);
const none = asking([0, 0]);
const sidecar = (spec: Partial<PodSpec>, amounts: Amounts): Partial<PodSpec> => ({
  ...spec,
  initContainers: [{ ...container(amounts), restartPolicy: "Always" }],
});

/** Of 10m CPU, 20 bytes of memory, five of A, five huge pages and 20 bytes of scratch space. */
const FIT: [string, Partial<PodSpec>, Partial<PodSpec>, string[]][] = [
  ["nothing is asked for", {}, asking([10, 20]), []],
  ["nothing is left", small, asking([10, 20]), short("cpu", "memory")],
  ["CPU for the start", starting(small, [3, 1]), asking([8, 19]), short("cpu")],
  ["CPU for the larger start", starting(small, [3, 1], [2, 1]), asking([8, 19]), short("cpu")],
  ["memory for the start", starting(small, [1, 3]), asking([9, 19]), short("memory")],
  ["memory, larger start", starting(small, [1, 3], [1, 2]), asking([9, 19]), short("memory")],
  ["a start beside nothing", starting(small, [1, 1]), asking([9, 19]), []],
  ["starts one after the other", starting(small, [1, 1], [1, 1]), asking([9, 19]), []],
  ["both fit", small, asking([5, 5]), []],
  ["memory fits", asking([2, 1]), asking([9, 5]), short("cpu")],
  ["CPU fits", asking([1, 2]), asking([5, 19]), short("memory")],
  ["to the last bit", asking([5, 1]), asking([5, 19]), []],
  ["to the last bit of a start", starting(asking([4, 1]), [5, 1]), asking([5, 19]), []],
  ["an extended one", asking([0, 0, { [A]: 1 }]), none, []],
  ["an extended one for the start", starting(none, [0, 0, { [A]: 1 }]), none, []],
  ["more than there ever is", asking([1, 1, { [A]: 10 }]), none, short(A)],
  ["more for the start", starting(none, [1, 1, { [A]: 10 }]), none, short(A)],
  ["taken by others", asking([1, 1, { [A]: 1 }]), asking([0, 0, { [A]: 5 }]), short(A)],
  [
    "taken by others, for the start",
    starting(none, [1, 1, { [A]: 1 }]),
    asking([0, 0, { [A]: 5 }]),
    short(A),
  ],
  [
    "the sum of containers",
    asking([1, 1, { [A]: 3 }], [1, 1, { [A]: 3 }]),
    asking([0, 0, { [A]: 2 }]),
    short(A),
  ],
  [
    "no sum of starts",
    starting(none, [1, 1, { [A]: 3 }], [1, 1, { [A]: 3 }]),
    asking([0, 0, { [A]: 2 }]),
    [],
  ],
  [
    "the largest start",
    starting(none, [1, 1, { [A]: 6 }], [1, 1, { [A]: 3 }]),
    asking([0, 0, { [A]: 2 }]),
    short(A),
  ],
  ["unknown to the node", asking([1, 1, { [B]: 1 }]), none, short(B)],
  ["unknown, for the start", starting(none, [1, 1, { [B]: 1 }]), none, short(B)],
  ["of Kubernetes' own name", asking([1, 1, { [K]: 10 }]), none, short(K)],
  ["huge pages", asking([1, 1, { [HUGE]: 10 }]), none, short(HUGE)],
  [
    "huge pages of several containers",
    asking([1, 1, { [HUGE]: 3 }], [1, 1, { [HUGE]: 3 }]),
    asking([0, 0, { [HUGE]: 2 }]),
    short(HUGE),
  ],
  ["overhead fits", over(small, "3m", "13"), asking([5, 5]), []],
  ["overhead does not fit", over(small, "1m", "15"), asking([5, 5]), short("memory")],
  [
    "scratch space",
    asking([0, 0, { "ephemeral-storage": 25 }]),
    asking([2, 2]),
    short("ephemeral-storage"),
  ],
  ["scratch space fits", asking([0, 0, { "ephemeral-storage": 10 }]), asking([2, 2]), []],
  ["a sidecar beside its pod", sidecar(small, [2, 1]), asking([8, 18]), short("cpu")],
  ["a sidecar that fits", sidecar(small, [1, 1]), asking([8, 18]), []],
];
const roomy: NodeShape = {
  cpu: "10m",
  memory: "20",
  podsMax: "32",
  more: { [A]: "5", [HUGE]: "5", "ephemeral-storage": "20" },
};
for (const [name, spec, there, reasons] of FIT) {
  test(`the filter of NodeResourcesFit: ${name}`, () => {
    const nodes = { n1: { ...roomy, pods: [{ spec: there }] } };
    assert.deepEqual(reasonsOf(nodeResourcesFit(), { pod: { spec }, nodes }), reasons);
  });
}

test("the filter of NodeResourcesFit: a node that is full of pods", () => {
  const nodes = { n1: { ...roomy, podsMax: "1", pods: [{ spec: asking([5, 5]) }] } };
  for (const spec of [{}, small, starting(asking([5, 1]), [5, 1])]) {
    assert.deepEqual(reasonsOf(nodeResourcesFit(), { pod: { spec }, nodes }), ["Too many pods"]);
  }
});

test("the filter of NodeResourcesFit: what is ignored, by name or by group", () => {
  const nodes = { n1: roomy };
  const pod = { spec: asking([1, 1, { [B]: 1 }]) };
  assert.deepEqual(reasonsOf(nodeResourcesFit({ ignoredResources: [B] }), { pod, nodes }), []);
  const both = { spec: asking([1, 1, { [B]: 1, [K]: 1 }]) };
  const byGroup = nodeResourcesFit({ ignoredResourceGroups: ["example.com"] });
  assert.deepEqual(reasonsOf(byGroup, { pod: both, nodes }), short(K));
});

const GATED: [string[], string | undefined][] = [
  [[], undefined],
  [["foo", "bar"], "waiting for scheduling gates: [foo bar]"],
];
for (const [names, expected] of GATED) {
  test(`SchedulingGates and the gates ${names.join(", ") || "of none"}`, () => {
    const spec: PodSpec = { containers: [], schedulingGates: names.map((name) => ({ name })) };
    assert.equal(schedulingGates.preEnqueue?.({ spec }), expected);
  });
}
