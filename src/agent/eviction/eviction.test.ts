import assert from "node:assert/strict";
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import type { Container, Pod, PodSpec } from "../../api/generated/types/core-v1.ts";
import { silentLogger } from "../../lib/logger.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import {
  DEFAULT_RULES,
  type EvictionRules,
  type EvictionSignal,
  NOT_MEASURED,
  type SignalReadings,
} from "./contract.ts";
import { diskUsage } from "./disk-usage.ts";
import { startEviction } from "./eviction-manager.ts";
import {
  conditionOf,
  evictionWords,
  judge,
  nextVictim,
  type PodUse,
  resourceOf,
  type ShortageHistory,
} from "./eviction-plan.ts";
import { hasLocalLimits, localStorageExcess } from "./local-storage.ts";

const MIB = 2 ** 20;

function readings(more: Partial<SignalReadings> = {}): SignalReadings {
  const plenty = { available: 1000 * MIB, capacity: 1000 * MIB };
  return {
    "memory.available": plenty,
    "allocatableMemory.available": plenty,
    "nodefs.available": plenty,
    "nodefs.inodesFree": plenty,
    "imagefs.available": plenty,
    "imagefs.inodesFree": plenty,
    "pid.available": plenty,
    ...more,
  };
}

const podOf = (name: string, spec: Partial<PodSpec> = {}): Pod => ({
  metadata: { name },
  spec: { containers: [], ...spec },
});
/** What a pod with one container uses of what is measured. */
const using = (pod: Pod, used: number, requested = 0): PodUse => {
  return { pod, used, requested, containers: new Map([["c", used]]) };
};
const asking = (name: string, memory: string, priority = 0): Pod => {
  const containers: Container[] = [{ name: "c", resources: { requests: { memory } } }];
  return podOf(name, { containers, priority });
};

test("what is below its threshold is short, memory before disk", () => {
  const short = (more: Partial<SignalReadings>) =>
    judge(readings(more), DEFAULT_RULES, { history: new Map(), nowMs: 0 }).due.map(
      ({ signal }) => signal,
    );
  assert.deepEqual(short({}), []);
  const low = { available: 99 * MIB, capacity: 1000 * MIB };
  assert.deepEqual(short({ "nodefs.available": low, "memory.available": low }), [
    "memory.available",
    "nodefs.available",
  ]);
  const enough = { available: 101 * MIB, capacity: 1000 * MIB };
  assert.deepEqual(short({ "nodefs.available": enough, "memory.available": enough }), []);
});

test("pods are short of memory together where they are held to less than the node has", () => {
  const signals = (readingsNow: SignalReadings) => {
    const low = { amount: 100 * MIB };
    const hard = { "memory.available": low, "allocatableMemory.available": low };
    const before = { history: new Map(), nowMs: 0 };
    return judge(readingsNow, { ...DEFAULT_RULES, hard }, before).due.map(({ signal }) => signal);
  };
  const low = { available: 99 * MIB, capacity: 500 * MIB };
  assert.deepEqual(signals(readings({ "allocatableMemory.available": low })), [
    "allocatableMemory.available",
  ]);
  assert.deepEqual(signals(readings({ "allocatableMemory.available": NOT_MEASURED })), []);
  assert.equal(conditionOf("allocatableMemory.available"), "memory");
  assert.equal(resourceOf("allocatableMemory.available"), "memory");
});

test("who uses more than it asked for goes first, then by priority, then by excess", () => {
  const uses = [
    using(asking("modest", "100Mi"), 50 * MIB, 100 * MIB),
    using(asking("greedy-but-dear", "10Mi", 10), 900 * MIB, 10 * MIB),
    using(asking("greedy", "10Mi"), 20 * MIB, 10 * MIB),
    using(asking("greedier", "10Mi"), 30 * MIB, 10 * MIB),
    using(asking("system", "1Mi", 2_000_000_000), 999 * MIB, 1 * MIB),
  ];
  const order: string[] = [];
  while (uses.length > 0) {
    const victim = nextVictim(uses);
    if (!victim) break;
    order.push(victim.pod.metadata?.name ?? "");
    uses.splice(uses.indexOf(victim), 1);
  }
  assert.deepEqual(order, ["greedier", "greedy", "greedy-but-dear", "modest"]);
});

test("a soft threshold acts after its grace, and a shortage ends with what had to be reclaimed", () => {
  const rules: EvictionRules = {
    ...DEFAULT_RULES,
    hard: { "memory.available": { amount: 50 * MIB } },
    soft: { "memory.available": { below: { share: 0.2 }, graceMs: 90_000 } },
    minimumReclaim: { "memory.available": { amount: 100 * MIB } },
  };
  let history: ShortageHistory = new Map();
  const at = (nowMs: number, availableMib: number) => {
    const reading = { available: availableMib * MIB, capacity: 1000 * MIB };
    const judged = judge(readings({ "memory.available": reading }), rules, { history, nowMs });
    history = judged.history;
    const kinds = (list: readonly { kind: string }[]) => list.map(({ kind }) => kind).join(" ");
    return `${kinds(judged.observed)} | ${kinds(judged.due)}`;
  };
  assert.equal(at(0, 250), " | ");
  assert.equal(at(10_000, 199), "soft | ");
  assert.equal(at(99_000, 150), "soft | ");
  assert.equal(at(100_000, 150), "soft | soft");
  assert.equal(at(110_000, 49), "hard soft | hard soft");
  assert.equal(at(120_000, 149), "hard soft | hard soft"); // 150 were to be had again
  assert.equal(at(130_000, 299), "soft | soft");
  assert.equal(at(140_000, 300), " | ");
  assert.equal(at(150_000, 199), "soft | "); // its grace begins anew
});

/** Signal, threshold, what is available, what containers use, and the message. */
const WORDS: readonly [EvictionSignal, number, number, Record<string, number>, string][] = [
  [
    "memory.available",
    100 * MIB,
    50 * MIB + 1,
    { a: 2 * MIB, b: 3 * MIB + 1024 },
    "memory. Threshold quantity: 100Mi, available: 52428801. " +
      "Container a was using 2Mi, request is 1Mi, has larger consumption of memory. " +
      "Container b was using 3073Ki, request is 0, has larger consumption of memory. ",
  ],
  [
    "memory.available",
    100 * MIB,
    0,
    { a: MIB },
    "memory. Threshold quantity: 100Mi, available: 0. ",
  ],
  [
    "nodefs.available",
    1000,
    999,
    { a: 2 * MIB, i: 4 * MIB },
    "ephemeral-storage. Threshold quantity: 1k, available: 999. " +
      "Container i was using 4Mi, request is 2Mi, has larger consumption of ephemeral-storage. ",
  ],
  ["nodefs.inodesFree", 1024, 1000, {}, "inodes. Threshold quantity: 1Ki, available: 1k. "],
  ["pid.available", 1025, 12, {}, "pids. Threshold quantity: 1025, available: 12. "],
];

test("the message has the figures, and names the containers that are to blame", () => {
  const pod = podOf("p", {
    containers: [
      { name: "a", resources: { requests: { memory: "1Mi", "ephemeral-storage": "2Mi" } } },
      { name: "b" },
    ],
    initContainers: [{ name: "i", resources: { requests: { "ephemeral-storage": "2048Ki" } } }],
  });
  for (const [signal, threshold, available, used, wanted] of WORDS) {
    const containers = new Map(Object.entries(used));
    const shortage = { kind: "hard" as const, signal, threshold, available };
    const use = { pod, used: 9 * MIB, requested: 0, containers };
    const { message, annotations } = evictionWords(shortage, use);
    assert.equal(message, `The node was low on resource: ${wanted}`);
    const names = [...message.matchAll(/Container (\w+)/g)].map(([, name]) => name).join(",");
    assert.equal(annotations?.["offending_containers"], names);
  }
});

test("limits of whole pods are those of the containers that have one", () => {
  const limiting = (limit?: string) => ({
    ...(limit && { resources: { limits: { "ephemeral-storage": limit } } }),
  });
  const pod = podOf("p", {
    initContainers: [{ name: "i", ...limiting("5Mi") }],
    containers: [{ name: "a", ...limiting("2Mi") }, { name: "b" }],
    volumes: [{ name: "v", emptyDir: { sizeLimit: "0" } }],
  });
  const told = (volume: number, a: number, b: number) =>
    localStorageExcess(pod, {
      emptyDirs: new Map([["v", volume * MIB]]),
      containers: new Map(Object.entries({ a: a * MIB, b: b * MIB })),
    });
  assert.equal(told(1, 1, 3), undefined);
  const whole = "Pod ephemeral local storage usage exceeds the total limit of containers 5Mi. ";
  assert.deepEqual(told(1, 1, 4), { signal: "ephemeralpodfs.limit", message: whole });
  const own = 'Container a exceeded its local ephemeral storage limit "2Mi". ';
  assert.deepEqual(told(0, 3, 0), { signal: "ephemeralcontainerfs.limit", message: own });
  assert.equal(hasLocalLimits(podOf("q", { volumes: pod.spec?.volumes ?? [] })), false);
});

test("a pod that breaks a limit of its own is told which", () => {
  const limited = podOf("a", {
    volumes: [{ name: "cache", emptyDir: { sizeLimit: "1Mi" } }],
    containers: [{ name: "c", resources: { limits: { "ephemeral-storage": "2Mi" } } }],
  });
  const excess = (emptyDir: number, container: number) =>
    localStorageExcess(limited, {
      emptyDirs: new Map([["cache", emptyDir]]),
      containers: new Map([["c", container]]),
    })?.message;
  assert.equal(hasLocalLimits(limited), true);
  assert.equal(hasLocalLimits(podOf("b")), false);
  assert.equal(excess(MIB, MIB), undefined);
  assert.match(excess(MIB + 1, 0) ?? "", /EmptyDir volume "cache" exceeds the limit "1Mi"/);
  assert.match(excess(MIB, MIB + 1) ?? "", /exceeds the total limit of containers 2Mi\. /);
});

test("one pod a round is evicted as long as memory is short, and the condition holds on", async () => {
  const clock = new VirtualClock();
  let memory = readings()["memory.available"];
  const alive = ["a", "b", "c"].map((name) => asking(name, "1Mi"));
  const evicted: string[] = [];
  const announced: string[] = [];
  let changes = 0;
  await using eviction = startEviction({
    clock,
    logger: silentLogger,
    rules: { ...DEFAULT_RULES, transitionMs: 60_000 },
    readings: () => readings({ "memory.available": memory }),
    pods: () => alive,
    useOf: (pod) => Promise.resolve(using(pod, (pod.metadata?.name === "b" ? 9 : 5) * MIB)),
    announce: (resource) => announced.push(resource),
    localStorageOf: () => Promise.resolve({ emptyDirs: new Map(), containers: new Map() }),
    reclaim: () => Promise.resolve(),
    memoryStall: () => 0,
    evict(pod) {
      evicted.push(pod.metadata?.name ?? "");
      alive.splice(alive.indexOf(pod), 1);
    },
    onPressure: () => changes++,
  });
  await clock.advance(20_000);
  assert.deepEqual(evicted, []);
  memory = { ...memory, available: MIB };
  await clock.advance(10_000);
  assert.deepEqual(evicted, ["b"]);
  assert.deepEqual(announced, ["memory"]);
  assert.equal(eviction.pressure().memory, true);
  memory = { ...memory, available: 500 * MIB };
  await clock.advance(50_000);
  assert.equal(eviction.pressure().memory, true);
  await clock.advance(30_000);
  assert.equal(eviction.pressure().memory, false);
  assert.deepEqual(evicted, ["b"]);
  assert.equal(changes, 2);
});

test("pods stay when the node can help itself, and go by their own grace after a soft threshold", async () => {
  const clock = new VirtualClock();
  const disk = { available: 100 * MIB, capacity: 1000 * MIB };
  const graces: number[] = [];
  const pod = podOf("a", { terminationGracePeriodSeconds: 20 });
  let garbage = 50 * MIB;
  await using _ = startEviction({
    clock,
    logger: silentLogger,
    rules: {
      ...DEFAULT_RULES,
      hard: {},
      soft: { "nodefs.available": { below: { amount: 120 * MIB }, graceMs: 5_000 } },
      softGraceMaxMs: 60_000,
    },
    readings: () => readings({ "nodefs.available": { ...disk } }),
    pods: () => (graces.length > 0 ? [] : [pod]),
    useOf: (one) => Promise.resolve(using(one, 1)),
    announce: () => {},
    localStorageOf: () => Promise.resolve({ emptyDirs: new Map(), containers: new Map() }),
    reclaim: () => {
      disk.available += garbage;
      garbage = 0;
      return Promise.resolve();
    },
    memoryStall: () => 0,
    evict: (_pod, { graceMs }) => graces.push(graceMs),
    onPressure: () => {},
  });
  await clock.advance(10_000);
  assert.equal(disk.available, 150 * MIB);
  assert.deepEqual(graces, []);
  disk.available = 10 * MIB;
  await clock.advance(20_000);
  assert.deepEqual(graces, [20_000]);
});

test("while processes wait for memory, the node looks every second", async () => {
  const clock = new VirtualClock();
  let stall = 0.5;
  let looks = 0;
  await using _ = startEviction({
    clock,
    logger: silentLogger,
    rules: DEFAULT_RULES,
    readings() {
      looks++;
      return readings();
    },
    pods: () => [],
    useOf: (one) => Promise.resolve(using(one, 1)),
    announce: () => {},
    localStorageOf: () => Promise.resolve({ emptyDirs: new Map(), containers: new Map() }),
    reclaim: () => Promise.resolve(),
    memoryStall: () => stall,
    evict: () => {},
    onPressure: () => {},
  });
  await clock.advance(5_000);
  assert.equal(looks, 6);
  stall = 0;
  await clock.advance(11_000);
  assert.equal(looks, 8);
});

test("a tree is measured with its links once", async () => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-usage-"));
  try {
    mkdirSync(path.join(directory, "sub"));
    writeFileSync(path.join(directory, "sub/file"), Buffer.alloc(64 << 10, 1));
    const before = await diskUsage(directory);
    assert.equal(before.inodes, 3);
    assert.ok(before.bytes >= 64 << 10);
    linkSync(path.join(directory, "sub/file"), path.join(directory, "again"));
    assert.equal((await diskUsage(directory)).inodes, 3);
    assert.deepEqual(await diskUsage(path.join(directory, "absent")), { bytes: 0, inodes: 0 });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
