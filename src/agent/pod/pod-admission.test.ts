import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node, Pod, PodSpec } from "../../api/generated/types/core-v1.ts";
import { NO_PRESSURE } from "../eviction/contract.ts";
import { type AdmissionFacts, admitPod } from "./pod-admission.ts";
import { rememberRequests } from "./pod-requests.ts";

const NODE: Node = { metadata: { name: "n", labels: { disk: "ssd", cores: "4" } } };

const podOf = (spec: Partial<PodSpec>): Pod => ({ spec: { containers: [], ...spec } });
const asking = (requests: Record<string, string>): Pod =>
  podOf({ containers: [{ name: "a", resources: { requests } }] });

function refusal(pod: Pod, more: Partial<AdmissionFacts> = {}): string | undefined {
  const { refusal: found } = admitPod(pod, {
    node: NODE,
    allocatable: { cpu: "2", memory: "1Gi", pods: "3", "example.com/gpu": "1" },
    others: [],
    requestsOf: rememberRequests(),
    allowedSysctls: [],
    hasAppArmor: false,
    pressure: NO_PRESSURE,
    cpus: () => undefined,
    ...more,
  });
  return found && `${found.reason}: ${found.message}`;
}

test("a pod that fits the node is admitted", () => {
  assert.equal(refusal(asking({ cpu: "2", memory: "1Gi", "example.com/gpu": "1" })), undefined);
  assert.equal(refusal(podOf({ nodeSelector: { disk: "ssd" } })), undefined);
  assert.equal(refusal(podOf({ nodeSelector: { disk: "hdd" } }), { node: undefined }), undefined);
});

test("a pod that asks for more than is left is refused with figures", () => {
  const others = [asking({ cpu: "1500m" }), asking({})];
  assert.equal(
    refusal(asking({ cpu: "600m" }), { others }),
    "OutOfcpu: Node didn't have enough resource: cpu, requested: 600, used: 1500, capacity: 2000",
  );
  assert.match(refusal(asking({ "example.com/gpu": "2" })) ?? "", /^OutOfexample.com\/gpu/);
  assert.match(refusal(asking({}), { others: [...others, asking({})] }) ?? "", /^OutOfpods/);
  const initContainers = [{ name: "i", resources: { limits: { memory: "2Gi" } } }];
  assert.match(refusal(podOf({ initContainers })) ?? "", /^OutOfmemory/);
});

test("of several refusals the one is told that a kubelet looks at first", () => {
  const full = { others: [asking({}), asking({}), asking({ cpu: "2" })] };
  const everything = asking({ memory: "2Gi", "example.com/gpu": "2", cpu: "1" });
  assert.match(refusal(everything, full) ?? "", /^OutOfpods/);
  assert.match(refusal(everything, { others: [asking({ cpu: "2" })] }) ?? "", /^OutOfcpu/);
  assert.match(refusal(everything) ?? "", /^OutOfmemory/);
  const elsewhere = { ...everything.spec, nodeSelector: { disk: "hdd" } };
  assert.match(refusal(podOf(elsewhere)) ?? "", /^OutOfmemory/);
  const set = { ...elsewhere, securityContext: { sysctls: [{ name: "vm.x", value: "1" }] } };
  assert.match(refusal(podOf(set)) ?? "", /^SysctlForbidden/);
  const pressure = { memory: false, disk: true, pids: false };
  assert.match(refusal(podOf(set), { pressure }) ?? "", /^Evicted/);
});

test("resources that the node does not know are not asked of it", () => {
  assert.equal(refusal(asking({ "example.com/fpga": "1" })), undefined);
  assert.match(refusal(asking({ "hugepages-2Mi": "2Mi" })) ?? "", /^OutOfhugepages-2Mi/);
});

test("what a pod asks for is read once, and again when it asks for something else", () => {
  const requestsOf = rememberRequests();
  const pod = asking({ cpu: "1" });
  assert.equal(requestsOf({ ...pod, status: { phase: "Running" } }), requestsOf(pod));
  assert.deepEqual(
    [...requestsOf(asking({ cpu: "2" }))],
    [
      ["pods", 1],
      ["cpu", 2000],
    ],
  );
  assert.deepEqual([...requestsOf({})], [["pods", 1]]);
});

test("a pod that must not be on this node is refused", () => {
  assert.match(refusal(podOf({ nodeSelector: { disk: "hdd" } })) ?? "", /^NodeAffinity/);
  const affinityTo = (values: string[]): Partial<PodSpec> => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: "cores", operator: "Gt", values }] }],
        },
      },
    },
  });
  assert.equal(refusal(podOf(affinityTo(["3"]))), undefined);
  assert.match(refusal(podOf(affinityTo(["4"]))) ?? "", /^NodeAffinity/);
  const tainted = { ...NODE, spec: { taints: [{ key: "bad", effect: "NoExecute" as const }] } };
  assert.equal(
    refusal(podOf({}), { node: tainted }),
    "TaintToleration: Predicate TaintToleration failed: " +
      "node(s) had taints that the pod didn't tolerate",
  );
  const tolerations = [{ operator: "Exists" as const }];
  assert.equal(refusal(podOf({ tolerations }), { node: tainted }), undefined);
  const windows: PodSpec["os"] = { name: "windows" };
  assert.equal(
    refusal(podOf({ os: windows })),
    "PodOSNotSupported: Failed to admit pod as the OS field doesn't match node OS",
  );
  assert.equal(
    refusal({ ...podOf({}), metadata: { labels: { "kubernetes.io/os": "windows" } } }),
    "PodOSSelectorNodeLabelDoesNotMatch: " +
      "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
  );
});

test("two pods cannot have one port of the node, but its addresses differ", () => {
  const serving = (hostIP?: string): Pod =>
    podOf({
      containers: [
        { name: "a", ports: [{ containerPort: 80, hostPort: 8080, ...(hostIP && { hostIP }) }] },
      ],
    });
  assert.match(refusal(serving(), { others: [serving("127.0.0.1")] }) ?? "", /^NodePorts/);
  assert.equal(refusal(serving("127.0.0.2"), { others: [serving("127.0.0.1")] }), undefined);
});

test("unsafe kernel settings need the node's consent, and namespaces of the pod's own", () => {
  const setting = (name: string, more: Partial<PodSpec> = {}): Pod =>
    podOf({ securityContext: { sysctls: [{ name, value: "1" }] }, ...more });
  assert.equal(refusal(setting("net.ipv4.tcp_syncookies")), undefined);
  assert.equal(refusal(setting("net/ipv4/tcp_syncookies")), undefined);
  assert.equal(
    refusal(setting("kernel.msgmax")),
    'SysctlForbidden: forbidden sysctl: "kernel.msgmax" not allowlisted',
  );
  const allowedSysctls = ["kernel.msg*", "vm.swappiness"];
  assert.equal(refusal(setting("kernel.msgmax"), { allowedSysctls }), undefined);
  assert.match(refusal(setting("vm.swappiness"), { allowedSysctls }) ?? "", /not allowlisted/);
  const host = setting("kernel.msgmax", { hostIPC: true });
  assert.match(refusal(host, { allowedSysctls }) ?? "", /host ipc/);
  const hostNet = setting("net.ipv4.tcp_syncookies", { hostNetwork: true });
  assert.match(refusal(hostNet) ?? "", /host net/);
});

test("what the host cannot enforce is refused, not forgotten", () => {
  const profiled = podOf({ securityContext: { appArmorProfile: { type: "RuntimeDefault" } } });
  assert.match(refusal(profiled) ?? "", /^AppArmor/);
  assert.equal(refusal(profiled, { hasAppArmor: true }), undefined);
});

test("a node under pressure takes no pods that would have to go first", () => {
  const memory = { pressure: { ...NO_PRESSURE, memory: true } };
  assert.match(refusal(asking({}), memory) ?? "", /^Evicted: .*\[MemoryPressure\]/);
  assert.equal(refusal(asking({ memory: "1Mi" }), memory), undefined);
  const tolerations = [{ key: "node.kubernetes.io/memory-pressure", operator: "Exists" as const }];
  assert.equal(refusal(podOf({ tolerations }), memory), undefined);
  const disk = { pressure: { ...NO_PRESSURE, disk: true } };
  assert.match(refusal(asking({ memory: "1Mi" }), disk) ?? "", /\[DiskPressure\]/);
  assert.equal(refusal(podOf({ priority: 2_000_000_000 }), disk), undefined);
  assert.match(refusal(podOf({ tolerations }), disk) ?? "", /\[DiskPressure\]/);
  const both = { pressure: { ...NO_PRESSURE, memory: true, disk: true } };
  assert.equal(
    refusal(asking({ memory: "1Mi" }), both),
    "Evicted: The node had condition: [MemoryPressure DiskPressure]. ",
  );
});
