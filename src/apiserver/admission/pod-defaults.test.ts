import assert from "node:assert/strict";
import { test } from "node:test";
import {
  NODES,
  PODS,
  PRIORITY_CLASSES,
  RUNTIME_CLASSES,
  SERVICE_ACCOUNTS,
} from "../../api/generated/resources.ts";
import type { Pod, PodSpec } from "../../api/generated/types/core-v1.ts";
import { seededRandom } from "../../lib/random.ts";
import { memoryReader } from "../authorization/memory-reader.ts";
import { admit, fixtureRequest, stillClock } from "./admission-fixture.ts";
import { defaultTolerationSecondsPlugin } from "./default-toleration-seconds.ts";
import { priorityPlugin } from "./priority.ts";
import { runtimeClassPlugin } from "./runtime-class.ts";
import { serviceAccountPlugin } from "./service-account.ts";
import { taintNodesByConditionPlugin } from "./taint-nodes-by-condition.ts";

function pod(spec: Partial<PodSpec> = {}): Pod & { spec: PodSpec } {
  return { metadata: { name: "web" }, spec: { containers: [{ name: "c" }], ...spec } };
}

function accounts(more: object = {}) {
  const reader = memoryReader();
  reader.put(SERVICE_ACCOUNTS, { metadata: { name: "default", namespace: "a" }, ...more });
  const plugin = serviceAccountPlugin({ reader, clock: stillClock, random: seededRandom(1) });
  return { reader, plugin };
}

test("ServiceAccount: the token volumes of one account have one name, unless it is taken", async () => {
  const { plugin } = accounts();
  const nameOf = async (spec: Partial<PodSpec> = {}) => {
    const made = pod(spec);
    await admit(plugin, fixtureRequest(PODS, made));
    return made.spec.volumes?.at(-1)?.name ?? "";
  };
  const name = await nameOf();
  assert.equal(await nameOf(), name);
  assert.notEqual(await nameOf({ volumes: [{ name, emptyDir: {} }] }), name);
});

test("ServiceAccount: a pod gets the default account and its token", async () => {
  const web = pod({ initContainers: [{ name: "i" }] });
  await admit(accounts().plugin, fixtureRequest(PODS, web));
  assert.equal(web.spec.serviceAccountName, "default");
  const [volume] = web.spec.volumes ?? [];
  assert.match(volume?.name ?? "", /^kube-api-access-[a-z0-9]{5}$/);
  assert.equal(volume?.projected?.sources?.[0]?.serviceAccountToken?.expirationSeconds, 3607);
  for (const container of [...web.spec.containers, ...(web.spec.initContainers ?? [])]) {
    assert.deepEqual(container.volumeMounts, [
      {
        name: volume?.name,
        readOnly: true,
        mountPath: "/var/run/secrets/kubernetes.io/serviceaccount",
      },
    ]);
  }
});

test("a pod without containers passes, for its rules to refuse it", async () => {
  const empty = { metadata: { name: "web" }, spec: {} } as unknown as Pod;
  await admit(accounts().plugin, fixtureRequest(PODS, empty));
  await admit(defaultTolerationSecondsPlugin(), fixtureRequest(PODS, empty));
  assert.deepEqual(empty.spec?.containers, []);
});

test("ServiceAccount: automount is switched off by the pod, else by the account", async () => {
  const cases: [pod: boolean | undefined, account: boolean | undefined, mounts: boolean][] = [
    [undefined, undefined, true],
    [undefined, false, false],
    [true, false, true],
    [false, true, false],
  ];
  for (const [ofPod, ofAccount, mounts] of cases) {
    const more = ofAccount === undefined ? {} : { automountServiceAccountToken: ofAccount };
    const web = pod(ofPod === undefined ? {} : { automountServiceAccountToken: ofPod });
    await admit(accounts(more).plugin, fixtureRequest(PODS, web));
    assert.equal(web.spec.volumes !== undefined, mounts, `${ofPod} ${ofAccount}`);
  }
});

test("ServiceAccount: pull secrets come from the account unless the pod has some", async () => {
  const { plugin } = accounts({ imagePullSecrets: [{ name: "registry" }] });
  const [without, own] = [pod(), pod({ imagePullSecrets: [{ name: "own" }] })];
  await admit(plugin, fixtureRequest(PODS, without));
  await admit(plugin, fixtureRequest(PODS, own));
  assert.deepEqual(without.spec.imagePullSecrets, [{ name: "registry" }]);
  assert.deepEqual(own.spec.imagePullSecrets, [{ name: "own" }]);
});

test("ServiceAccount: an account that does not exist is refused", async () => {
  const request = fixtureRequest(PODS, pod({ serviceAccountName: "x" }));
  await assert.rejects(admit(accounts().plugin, request), {
    code: 403,
    message:
      'pods "web" is forbidden: error looking up service account a/x: serviceaccount "x" not found',
  });
});

test("ServiceAccount: the first pod of a namespace waits for its default account", async () => {
  const reader = memoryReader();
  const plugin = serviceAccountPlugin({ reader, clock: stillClock, random: seededRandom(1) });
  const admitted = admit(plugin, fixtureRequest(PODS, pod()));
  setImmediate(() => {
    reader.put(SERVICE_ACCOUNTS, { metadata: { name: "default", namespace: "a" } });
  });
  await admitted;
});

test("ServiceAccount: only listed secrets may be used where the account says so", async () => {
  const annotations = { "kubernetes.io/enforce-mountable-secrets": "true" };
  const { plugin } = accounts({
    metadata: { name: "default", namespace: "a", annotations },
    secrets: [{ name: "good" }],
  });
  const using = (name: string) =>
    pod({ containers: [{ name: "c", envFrom: [{ secretRef: { name } }] }] });
  await admit(plugin, fixtureRequest(PODS, using("good")));
  await assert.rejects(admit(plugin, fixtureRequest(PODS, using("bad"))), { code: 403 });
  const ephemeral = pod({
    serviceAccountName: "default",
    ephemeralContainers: [{ name: "e", envFrom: [{ secretRef: { name: "bad" } }] }],
  });
  const request = fixtureRequest(PODS, ephemeral, {
    operation: "UPDATE",
    subresource: "ephemeralcontainers",
  });
  await assert.rejects(admit(plugin, request), { code: 403 });
});

function priorities() {
  const reader = memoryReader();
  reader.put(PRIORITY_CLASSES, { metadata: { name: "high" }, value: 1000 });
  reader.put(PRIORITY_CLASSES, {
    metadata: { name: "calm" },
    value: 10,
    preemptionPolicy: "Never",
    globalDefault: true,
  });
  return { reader, plugin: priorityPlugin(reader) };
}

test("Priority: the class decides, else the default class, else zero", async () => {
  const { plugin } = priorities();
  const [high, open, none] = [pod({ priorityClassName: "high" }), pod(), pod()];
  await admit(plugin, fixtureRequest(PODS, high));
  await admit(plugin, fixtureRequest(PODS, open));
  await admit(priorityPlugin(memoryReader()), fixtureRequest(PODS, none));
  const seen = [high, open, none].map(({ spec }) => [spec.priority, spec.preemptionPolicy]);
  assert.deepEqual(seen, [
    [1000, "PreemptLowerPriority"],
    [10, "Never"],
    [0, "PreemptLowerPriority"],
  ]);
  assert.equal(open.spec.priorityClassName, "calm");
});

test("Priority: a pod that is replaced without its priority keeps it", async () => {
  const { plugin } = priorities();
  const old = pod({ priority: 1000, preemptionPolicy: "Never" });
  const next = pod();
  await admit(plugin, fixtureRequest(PODS, next, { operation: "UPDATE", old }));
  assert.deepEqual([next.spec.priority, next.spec.preemptionPolicy], [1000, "Never"]);
  const changed = pod({ priority: 5 });
  await admit(plugin, fixtureRequest(PODS, changed, { operation: "UPDATE", old }));
  assert.equal(changed.spec.priority, 5);
});

test("Priority: unknown classes, own numbers and a second default are refused", async () => {
  const { plugin } = priorities();
  const refused = (spec: Partial<PodSpec>, message: RegExp) =>
    assert.rejects(admit(plugin, fixtureRequest(PODS, pod(spec))), { code: 403, message });
  await refused({ priorityClassName: "x" }, /no PriorityClass with name x was found/);
  await refused({ priorityClassName: "high", priority: 7 }, /integer value of priority \(7\)/);
  await refused({ priorityClassName: "high", preemptionPolicy: "Never" }, /PreemptionPolicy/);
  const second = { metadata: { name: "other" }, value: 1, globalDefault: true };
  await assert.rejects(admit(plugin, fixtureRequest(PRIORITY_CLASSES, second)), {
    message: /calm is already marked as default/,
  });
});

test("DefaultTolerationSeconds: two tolerations, unless the pod tolerates already", async () => {
  const plugin = defaultTolerationSecondsPlugin();
  const [open, own, all] = [
    pod(),
    pod({ tolerations: [{ key: "node.kubernetes.io/not-ready", operator: "Exists" }] }),
    pod({ tolerations: [{ operator: "Exists" }] }),
  ];
  for (const one of [open, own, all]) await admit(plugin, fixtureRequest(PODS, one));
  assert.deepEqual(
    [open, own, all].map(({ spec }) => spec.tolerations?.length),
    [2, 2, 1],
  );
});

test("TaintNodesByCondition: a new node is tainted once", async () => {
  const node = { metadata: { name: "n" }, spec: {} as { taints?: unknown[] } };
  await admit(taintNodesByConditionPlugin(), fixtureRequest(NODES, node as object));
  await admit(taintNodesByConditionPlugin(), fixtureRequest(NODES, node as object));
  assert.deepEqual(node.spec.taints, [
    { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" },
  ]);
});

test("RuntimeClass: overhead and scheduling come from the class", async () => {
  const reader = memoryReader();
  reader.put(RUNTIME_CLASSES, {
    metadata: { name: "vm" },
    handler: "vm",
    overhead: { podFixed: { memory: "64Mi" } },
    scheduling: { nodeSelector: { kvm: "yes" }, tolerations: [{ key: "vm", operator: "Exists" }] },
  });
  const plugin = runtimeClassPlugin(reader);
  const web = pod({ runtimeClassName: "vm" });
  await admit(plugin, fixtureRequest(PODS, web));
  assert.deepEqual(web.spec.overhead, { memory: "64Mi" });
  assert.deepEqual(web.spec.nodeSelector, { kvm: "yes" });
  assert.equal(web.spec.tolerations?.length, 1);
  const refused = (spec: Partial<PodSpec>, message: RegExp) =>
    assert.rejects(admit(plugin, fixtureRequest(PODS, pod(spec))), { code: 403, message });
  await refused({ runtimeClassName: "x" }, /pod rejected: RuntimeClass "x" not found/);
  await refused({ overhead: { cpu: "1" } }, /Overhead set without corresponding RuntimeClass/);
  // What is wrong with the pod itself is said before that.
  await plugin.mutate?.(fixtureRequest(PODS, pod({ overhead: { cpu: "1" } })));
  await refused({ runtimeClassName: "vm", overhead: { memory: "1Mi" } }, /doesn't match/);
  await refused({ runtimeClassName: "vm", nodeSelector: { kvm: "no" } }, /conflict/);
  await admit(
    plugin,
    fixtureRequest(PODS, pod({ runtimeClassName: "vm", overhead: { memory: "65536Ki" } })),
  );
});
