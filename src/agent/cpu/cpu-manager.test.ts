import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import type { Container, Pod } from "../../api/generated/types/core-v1.ts";
import type { TopologyPolicy } from "./contract.ts";
import { formatCpuList, parseCpuList } from "./cpu-list.ts";
import { createStaticCpuManager } from "./cpu-manager.ts";
import { type CpuTopology, readCpuTopology } from "./cpu-topology.ts";
import { cpuHints, mergeHints, type TopologyHint } from "./topology-hints.ts";

/** Threads of a core are `cores` apart, sockets take turns: as Linux numbers many machines. */
function machine(of: { sockets: number; cores: number; nodes?: number }): CpuTopology {
  const { sockets, cores, nodes = sockets } = of;
  return Array.from({ length: cores * 2 }, (_, cpu) => {
    const core = cpu % cores;
    const socket = core % sockets;
    return { cpu, core: `${socket}/${core}`, socket, node: socket % nodes };
  });
}

const TWO_SOCKETS = machine({ sockets: 2, cores: 6 });

test("CPU lists are read and written in the kernel's form", () => {
  for (const text of ["", "0", "0-3", "0-1,4,6-7"]) {
    assert.equal(formatCpuList(parseCpuList(text)), text);
  }
  assert.equal(formatCpuList([3, 1, 2, 1]), "1-3");
  for (const bad of ["a", "3-1", "1-", "1;2"]) {
    assert.throws(() => parseCpuList(bad), { name: "RangeError" });
  }
});

test("hints name every set of nodes that would do and prefer the smallest", () => {
  const text = (hints: readonly TopologyHint[]) =>
    hints.map(({ nodes, preferred }) => `${nodes?.join("+")}${preferred ? "!" : ""}`).join(" ");
  const hints = (available: string, count: number) =>
    text(cpuHints(TWO_SOCKETS, { available: new Set(parseCpuList(available)), count }));
  assert.equal(hints("0-11", 2), "0! 1! 0+1");
  assert.equal(hints("0-11", 7), "0+1!");
  assert.equal(hints("1,3,5", 2), "1! 0+1");
  assert.equal(hints("0-1", 2), "0+1"); // one node could do, were it empty
  assert.equal(hints("0", 2), "");
});

test("hints of several resources are merged by the policy", () => {
  const hint = (nodes: number[], preferred = true): TopologyHint => ({ nodes, preferred });
  const wide = hint([0, 1], false);
  const cases: [string, TopologyHint[][], Record<TopologyPolicy, string>][] = [
    [
      "one node suits all",
      [
        [hint([0]), hint([1]), wide],
        [hint([1]), wide],
      ],
      { none: "any", "best-effort": "1", restricted: "1", "single-numa-node": "1" },
    ],
    [
      "nodes differ",
      [
        [hint([0]), wide],
        [hint([1]), wide],
      ],
      {
        none: "any",
        "best-effort": "0",
        restricted: "refused",
        "single-numa-node": "refused",
      },
    ],
    [
      "both nodes are needed",
      [[hint([0, 1])]],
      { none: "any", "best-effort": "0+1", restricted: "0+1", "single-numa-node": "refused" },
    ],
    [
      "there is none",
      [[]],
      {
        none: "any",
        "best-effort": "0+1",
        restricted: "refused",
        "single-numa-node": "refused",
      },
    ],
    [
      "nobody minds",
      [],
      { none: "any", "best-effort": "0+1", restricted: "0+1", "single-numa-node": "0+1" },
    ],
  ];
  for (const [name, hints, expected] of cases) {
    for (const [policy, wanted] of Object.entries(expected) as [TopologyPolicy, string][]) {
      const { hint: merged, admitted } = mergeHints(policy, { nodes: [0, 1], hints });
      const found = admitted ? (merged.nodes?.join("+") ?? "any") : "refused";
      assert.equal(found, wanted, `${name}, ${policy}`);
    }
  }
});

const containerOf = (name: string, cpu: string): Container => ({
  name,
  resources: { requests: { cpu, memory: "1Gi" }, limits: { cpu, memory: "1Gi" } },
});
const podOf = (uid: string, containers: Container[], init: Container[] = []): Pod => ({
  metadata: { uid },
  spec: { containers, initContainers: init },
  status: { qosClass: "Guaranteed" },
});

function withStateFile(use: (stateFile: string) => void): void {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-cpu-"));
  try {
    use(path.join(directory, "cpu_manager_state"));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const OPTIONS = {
  topology: TWO_SOCKETS,
  reserved: { list: "", count: 1 },
  topologyPolicy: "none",
  wholeCores: false,
  scope: "container",
} as const;

test("whole CPUs of a Guaranteed pod are its own, across restarts, until it is gone", () =>
  withStateFile((stateFile) => {
    const manager = createStaticCpuManager({ ...OPTIONS, stateFile });
    let shares = 0;
    using _ = manager.onShared(() => shares++);
    const pod = podOf("a", [containerOf("own", "2"), containerOf("part", "1500m")]);
    assert.equal(manager.admit(pod), undefined);
    assert.equal(manager.cpusOf(pod, "own"), "2,8");
    assert.equal(manager.cpusOf(pod, "part"), "0-1,3-7,9-11");
    const burstable: Pod = { ...podOf("b", [containerOf("own", "2")]), status: {} };
    assert.equal(manager.admit(burstable), undefined);
    assert.equal(manager.hasOwn("b", "own"), false);
    assert.equal(shares, 1);

    const next = createStaticCpuManager({ ...OPTIONS, stateFile });
    assert.equal(next.cpusOf(pod, "own"), "2,8");
    assert.match(JSON.stringify(next.admit(podOf("c", [containerOf("own", "12")]))), /not enough/);
    next.retain(new Set(["a"]));
    assert.equal(next.hasOwn("a", "own"), true);
    next.release("a");
    assert.equal(next.cpusOf(pod, "own"), "0-11");
    assert.deepEqual(JSON.parse(readFileSync(stateFile, "utf8")), {
      policyName: "static",
      defaultCpuSet: "0-11",
      entries: {},
    });
    writeFileSync(stateFile, "{broken");
    assert.equal(createStaticCpuManager({ ...OPTIONS, stateFile }).cpusOf(pod, "own"), "0-11");
  }));

test("containers after an init container use its CPUs again", () =>
  withStateFile((stateFile) => {
    const reserved = { list: "0,6", count: 0 };
    const manager = createStaticCpuManager({ ...OPTIONS, reserved, stateFile });
    const pod = podOf("a", [containerOf("main", "4")], [containerOf("init", "8")]);
    assert.equal(manager.admit(pod), undefined);
    assert.equal(parseCpuList(manager.cpusOf(pod, "init") ?? "").length, 8);
    const init = parseCpuList(manager.cpusOf(pod, "init") ?? "");
    const main = parseCpuList(manager.cpusOf(pod, "main") ?? "");
    assert.ok(main.every((cpu) => init.includes(cpu)));
  }));

test("where cores stay whole, who asks for half of one, or for one in use, does not run", () =>
  withStateFile((stateFile) => {
    const reserved = { list: "0", count: 0 };
    const manager = createStaticCpuManager({ ...OPTIONS, reserved, wholeCores: true, stateFile });
    const refusal = (count: string) => manager.admit(podOf(count, [containerOf("c", count)]));
    const words = "SMT Alignment Error: ";
    assert.deepEqual(refusal("3"), {
      reason: "SMTAlignmentError",
      message: `${words}requested 3 cpus not multiple cpus per core = 2`,
    });
    const none = `${words}not enough free physical CPUs: available physical CPUs = `;
    assert.equal(refusal("12")?.message, `${none}10, requested CPUs = 12, CPUs per core = 2`);
    assert.equal(refusal("8"), undefined);
    assert.equal(refusal("4")?.message, `${none}2, requested CPUs = 4, CPUs per core = 2`);
  }));

test("with single-numa-node a pod runs on one node or not at all", () =>
  withStateFile((stateFile) => {
    const topologyPolicy = "single-numa-node";
    const manager = createStaticCpuManager({ ...OPTIONS, topologyPolicy, stateFile });
    const first = podOf("a", [containerOf("main", "6")]);
    assert.equal(manager.admit(first), undefined);
    assert.equal(manager.cpusOf(first, "main"), "1,3,5,7,9,11"); // CPU 0 is reserved
    const refusal = manager.admit(podOf("b", [containerOf("main", "6")]));
    assert.equal(refusal?.reason, "TopologyAffinityError");
    const scope = "pod";
    const together = createStaticCpuManager({ ...OPTIONS, scope, topologyPolicy, stateFile });
    together.release("a");
    const pair = podOf("c", [containerOf("x", "3"), containerOf("y", "4")]);
    assert.equal(together.admit(pair)?.reason, "TopologyAffinityError");
    assert.equal(
      manager.admit(podOf("d", [containerOf("x", "3"), containerOf("y", "2")])),
      undefined,
    );
  }));

test("what was set apart, and refused, is counted", () =>
  withStateFile((stateFile) => {
    const topologyPolicy = "single-numa-node" as const;
    const manager = createStaticCpuManager({ ...OPTIONS, topologyPolicy, stateFile });
    manager.admit(podOf("a", [containerOf("one", "2"), containerOf("two", "1")]));
    manager.admit(podOf("b", [containerOf("part", "1500m")]));
    manager.admit(podOf("c", [containerOf("wide", "7")]));
    assert.deepEqual(
      manager.metrics().map(({ name, samples }) => [name, samples[0]?.value]),
      [
        ["kubelet_cpu_manager_pinning_requests_total", 3],
        ["kubelet_cpu_manager_pinning_errors_total", 1],
        ["kubelet_cpu_manager_shared_pool_size_millicores", 9_000],
        ["kubelet_cpu_manager_exclusive_cpu_allocation_count", 3],
        ["kubelet_topology_manager_admission_requests_total", 2],
        ["kubelet_topology_manager_admission_errors_total", 1],
      ],
    );
  }));

test("reserving no CPU, or one that is not there, is refused", () =>
  withStateFile((stateFile) => {
    for (const reserved of [
      { list: "", count: 0 },
      { list: "12", count: 0 },
    ]) {
      const create = () => createStaticCpuManager({ ...OPTIONS, reserved, stateFile });
      assert.throws(create, { message: /the machine has 0-11/ });
    }
  }));

test("this machine's CPUs are found", () => {
  const topology = readCpuTopology();
  assert.ok(topology.length > 0);
  assert.equal(new Set(topology.map(({ cpu }) => cpu)).size, topology.length);
});
