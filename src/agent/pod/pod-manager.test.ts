import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { CONFIG_MAPS, PODS } from "../../api/generated/resources.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { settle } from "../../lib/virtual-clock.ts";
import { RuntimeError } from "../runtime/contract.ts";
import { VolumeError } from "../volume/contract.ts";
import { createFakeNode, type FakeNode } from "./fake-parts.ts";
import { createPodManager } from "./pod-manager.ts";
import { AT, createPod, startNode, until } from "./pod-manager-fixture.ts";

const warnings = ({ events }: FakeNode) =>
  events.flatMap((one) => (one.type === "Warning" ? [`${one.reason}: ${one.message}`] : []));
const stateOf = (pod: Pod) => pod.status?.containerStatuses?.[0]?.state;

test("a pod runs, and one status write says so", () =>
  startNode(async (node) => {
    await createPod(node);
    const pod = await node.pod();
    assert.equal(pod.status?.phase, "Running");
    assert.equal(pod.status?.podIP, "10.1.0.2");
    assert.ok(stateOf(pod)?.running);
    assert.equal(node.patches(), 1);
    assert.deepEqual(node.reasons(), ["Pulled", "Created", "Started"]);
    assert.equal(node.clock.pendingTimers, 0, "nothing is polled");
  }));

test("any user of a container may write its termination message", () =>
  startNode(async (node) => {
    await createPod(node, { terminationMessagePath: "/dev/why" });
    const spec = node.runtime.specs.get(node.runtime.named("app").id);
    const file = spec?.mounts.find(({ containerPath }) => containerPath === "/dev/why");
    assert.equal(statSync(file?.hostPath ?? "").mode & 0o777, 0o666);
  }));

test("volumes learn of new labels", () =>
  startNode(async (node) => {
    await createPod(node);
    await node.parts.client.for(PODS).patch(AT, { metadata: { labels: { tier: "web" } } });
    await settle();
    assert.deepEqual(node.volumeUpdates.at(-1)?.metadata?.labels, { tier: "web" });
  }));

test("a container gets the pod's variables, files and command", () =>
  startNode(async (node) => {
    await createPod(node, {
      args: ["--ip=$(IP)"],
      env: [{ name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }],
    });
    const spec = node.runtime.specs.get(node.runtime.named("app").id);
    assert.deepEqual(spec?.command, ["--ip=10.1.0.2"]);
    assert.ok(spec?.environment.includes("FROM=image"));
    assert.ok(spec?.environment.includes("HOSTNAME=web"));
    const hosts = spec?.mounts.find(({ containerPath }) => containerPath === "/etc/hosts");
    assert.match(readFileSync(hosts?.hostPath ?? "", "utf8"), /^10\.1\.0\.2\tweb$/m);
  }));

test("a container that ends is restarted at once, then after its back-off", () =>
  startNode(async (node) => {
    await createPod(node);
    node.runtime.exit(node.runtime.named("app").id, 1);
    await settle();
    assert.equal(node.runtime.named("app").attempt, 1);
    assert.ok(!node.reasons().includes("BackOff"));
    node.runtime.exit(node.runtime.named("app").id, 2);
    await settle();
    assert.equal(node.reasons().at(-1), "BackOff");
    const pod = await node.pod();
    assert.equal(stateOf(pod)?.waiting?.reason, "CrashLoopBackOff");
    assert.equal(pod.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 2);
    await node.clock.advance(9_999);
    assert.equal(node.runtime.named("app").attempt, 1);
    await node.clock.advance(1);
    assert.equal(node.runtime.named("app").attempt, 2);
    assert.equal((await node.pod()).status?.containerStatuses?.[0]?.restartCount, 2);
    const pulled = node.reasons().filter((reason) => reason === "Pulled");
    assert.equal(pulled.length, 3, "each start tells that the image is there");
    assert.equal(node.runtime.statuses.size, 2, "older attempts are removed");
  }));

test("a command that cannot run is told as such", () =>
  startNode(async (node) => {
    node.runtime.startError = new RuntimeError("command-not-found", 'exec: "no": not found');
    await createPod(node);
    await node.clock.advance(100);
    const pod = await node.pod();
    const { waiting } = stateOf(pod) ?? {};
    assert.match(waiting?.reason ?? "", /RunContainerError|CrashLoopBackOff/);
    const { terminated } = pod.status?.containerStatuses?.[0]?.lastState ?? {};
    assert.equal(terminated?.reason, "ContainerCannotRun");
    assert.equal(terminated?.message, 'exec: "no": not found');
    node.runtime.startError = undefined;
    await node.clock.advance(10_000);
    assert.ok(stateOf(await node.pod())?.running);
  }));

test("an image that nobody has is asked for again until it is there", () =>
  startNode(async (node) => {
    await createPod(node, { image: "app:2", imagePullPolicy: "IfNotPresent" });
    await node.clock.advance(100);
    assert.equal(stateOf(await node.pod())?.waiting?.reason, "ErrImagePull");
    await node.clock.advance(1_000);
    assert.equal(stateOf(await node.pod())?.waiting?.reason, "ImagePullBackOff");
    const image = node.images.get("app:1");
    if (image) node.images.set("app:2", image);
    await node.clock.advance(10_000);
    assert.ok(stateOf(await node.pod())?.running);
  }));

test("a container of another image takes over, and nobody is told that there was none", () =>
  startNode(async (node) => {
    await createPod(node);
    const image = node.images.get("app:1");
    assert.ok(image);
    node.images.set("app:2", { ...image, id: "sha256:def" });
    const readiness = () => {
      const patches = node.transport.requests.filter(({ method }) => method === "PATCH");
      const statuses = patches.map(({ body }) => (body as Pod).status?.conditions ?? []);
      return statuses.flat().filter(({ type }) => type === "Ready");
    };
    const ask = async (reference: string) => {
      const spec = { containers: [{ name: "app", image: reference }] };
      await node.parts.client.for(PODS).patch(AT, { spec }, { type: "strategic" });
    };
    await ask("app:2");
    await until(() => node.runtime.named("app").imageReference === "app:2");
    await settle();
    assert.equal(readiness().length, 1);
    await node.clock.advance(1_000);
    assert.deepEqual([...new Set(readiness().map(({ status }) => status))], ["True"]);
    const [told] = (await node.pod()).status?.containerStatuses ?? [];
    assert.deepEqual([told?.restartCount, told?.ready], [1, true]);
    assert.equal(told?.imageID, "sha256:def");
    // One that cannot come is missed after a second.
    await ask("app:3");
    await until(() => node.runtime.named("app").state === "exited");
    await node.clock.advance(1_500);
    assert.equal(readiness().at(-1)?.status, "False");
  }));

test("an image that may not be pulled is named as missing", () =>
  startNode(async (node) => {
    await createPod(node, { image: "app:2", imagePullPolicy: "Never" });
    await node.clock.advance(100);
    assert.equal(stateOf(await node.pod())?.waiting?.reason, "ErrImageNeverPull");
    assert.deepEqual(warnings(node), [
      'ErrImageNeverPull: Container image "app:2" is not present with pull policy of Never',
      "Failed: Error: ErrImageNeverPull",
    ]);
  }));

test("a pull that fails is told as upstream does, and so is a name that is none", () =>
  startNode(async (node) => {
    await createPod(node, { image: "app:2", imagePullPolicy: "IfNotPresent" });
    await node.clock.advance(100);
    const why = 'failed to pull and unpack image "app:2": "app:2" is in no registry';
    assert.equal(stateOf(await node.pod())?.waiting?.message, why);
    assert.deepEqual(warnings(node), [
      `Failed: Failed to pull image "app:2": ${why}`,
      "Failed: Error: ErrImagePull",
      "Failed: Error: ImagePullBackOff",
    ]);
    const normal = node.events.filter(({ type }) => type === "Normal");
    assert.deepEqual(normal.map(({ reason, message }) => `${reason}: ${message}`).slice(-2), [
      'Pulling: Pulling image "app:2"',
      'BackOff: Back-off pulling image "app:2"',
    ]);
  }));

test("a name that is none is not asked for", () =>
  startNode(async (node) => {
    await createPod(node, { image: "App:2", imagePullPolicy: "IfNotPresent" });
    await node.clock.advance(100);
    assert.equal(stateOf(await node.pod())?.waiting?.reason, "InvalidImageName");
    const why = `couldn't parse image name "App:2": invalid reference format`;
    assert.deepEqual(warnings(node), [
      `InspectFailed: Failed to apply default image tag "App:2": ${why}`,
      "Failed: Error: InvalidImageName",
    ]);
    assert.ok(!node.events.some(({ reason }) => reason === "Pulling"));
  }));

test("a ConfigMap that comes late starts the container the moment it is there", () =>
  startNode(async (node) => {
    await createPod(node, { envFrom: [{ configMapRef: { name: "settings" } }] });
    await node.clock.advance(100);
    const { waiting } = stateOf(await node.pod()) ?? {};
    assert.equal(waiting?.reason, "CreateContainerConfigError");
    assert.equal(waiting?.message, 'configmap "settings" not found');
    const metadata = { name: "settings", namespace: "default" };
    await node.parts.client.for(CONFIG_MAPS).create({ metadata, data: { COLOR: "blue" } });
    await settle();
    const spec = node.runtime.specs.get(node.runtime.named("app").id);
    assert.ok(spec?.environment.includes("COLOR=blue"));
  }));

test("volumes that come late start the container the moment they are there", () =>
  startNode(async (node) => {
    node.volumeFailure.error = new VolumeError("not-found", 'configmap "site" not found');
    await createPod(node);
    assert.ok(node.reasons().includes("FailedMount"));
    delete node.volumeFailure.error;
    const { metadata } = await node.pod();
    node.volumeFailure.retry?.(metadata?.uid ?? "");
    await settle();
    assert.ok(stateOf(await node.pod())?.running);
  }));

test("readiness decides whether the pod is ready, liveness restarts it", () =>
  startNode(async (node) => {
    await createPod(node, {
      readinessProbe: { exec: { command: ["ready"] } },
      livenessProbe: { exec: { command: ["alive"] } },
    });
    const ready = async () => (await node.pod()).status?.containerStatuses?.[0]?.ready;
    assert.equal(await ready(), false);
    node.probes[0]?.report({ probe: "readiness", verdict: "healthy" });
    await settle();
    assert.equal(await ready(), true);
    node.probes[0]?.report({
      probe: "liveness",
      verdict: "unhealthy",
      told: { result: "failure", message: "no answer" },
    });
    await settle();
    assert.equal(node.runtime.named("app").attempt, 1);
    assert.equal(node.runtime.expected.at(-1), node.runtime.named("app").id);
    assert.equal(node.probes.length, 1, "the dead container is not probed");
    assert.ok(node.reasons().includes("Unhealthy"));
    assert.ok(node.reasons().includes("Killing"));
  }));

test("the next attempt is expected while a container is stopped that runs again at once", () =>
  startNode(async (node) => {
    const livenessProbe = { exec: { command: ["alive"] } };
    const fail = async () => {
      node.probes.at(-1)?.report({ probe: "liveness", verdict: "unhealthy" });
      await settle();
    };
    await createPod(node, { livenessProbe });
    const expected = new Set(node.runtime.expected);
    assert.equal(expected.size, 1, "the first one is, while its pod is made");
    await fail();
    expected.add(node.runtime.named("app").id);
    await fail();
    assert.deepEqual(new Set(node.runtime.expected), expected, "the second restart has to wait");
    await node.clock.advance(10_000);
    assert.equal(node.runtime.named("app").attempt, 2);
    await node.parts.client.for(PODS).delete(AT);
    await until(() => node.manager.pods().length === 0);
    assert.deepEqual(new Set(node.runtime.expected), expected, "nothing follows the last one");
  }));

test("hooks run after the start and before the stop", () =>
  startNode(async (node) => {
    await createPod(node, {
      lifecycle: { postStart: { exec: { command: ["a"] } }, preStop: { exec: { command: ["b"] } } },
    });
    assert.deepEqual(node.hooks, ["postStart app"]);
    node.manager.find(AT)?.doom({ reason: "Evicted", message: "the node is full" });
    await settle();
    assert.deepEqual(node.hooks, ["postStart app", "preStop app"]);
    const { status } = await node.pod();
    assert.equal(status?.phase, "Failed");
    assert.equal(status?.reason, "Evicted");
  }));

test("a pod that finished keeps its status and gives everything else back", () =>
  startNode(async (node) => {
    await createPod(node, {}, { restartPolicy: "Never" });
    node.runtime.exit(node.runtime.named("app").id, 0);
    await settle();
    assert.equal((await node.pod()).status?.phase, "Succeeded");
    assert.equal(node.runtime.sandboxes.size, 0);
    const pod = await node.pod();
    assert.equal(stateOf(pod)?.terminated?.reason, "Completed");
    const canStart = pod.status?.conditions?.find(
      ({ type }) => type === "PodReadyToStartContainers",
    );
    assert.equal(canStart?.status, "False");
    assert.equal(node.patches(), 2, "its end is told once, not again when all is given back");
  }));

test("a graceful deletion stops the pod, tells its end, then asks to remove it", () =>
  startNode(async (node) => {
    // The finalizer keeps the object in the API while the node works on its end.
    await createPod(node, {}, { finalizers: ["example.com/hold"] });
    const { metadata } = await node.pod();
    await node.parts.client.for(PODS).delete(AT);
    const deletes = () => node.transport.requests.filter(({ method }) => method === "DELETE");
    await until(() => deletes().length === 2);
    assert.equal(node.runtime.stops[0]?.options.graceMs, 30_000);
    assert.equal(node.runtime.sandboxes.size, 0);
    assert.ok(!existsSync(path.join(node.parts.directories.pods, metadata?.uid ?? "")));
    assert.deepEqual(deletes()[1]?.body, {
      apiVersion: "v1",
      kind: "DeleteOptions",
      gracePeriodSeconds: 0,
      preconditions: { uid: metadata?.uid },
    });
    assert.equal((await node.pod()).status?.phase, "Failed");
    await settle();
    assert.equal(deletes().length, 2, "it asks once");
    await node.parts.client.for(PODS).patch(AT, { metadata: { finalizers: null } });
    await until(() => node.manager.pods().length === 0);
  }));

test("a pod that vanishes from the API ends within seconds", () =>
  startNode(async (node) => {
    await createPod(node);
    await node.parts.client.for(PODS).delete(AT);
    await until(() => node.manager.pods().length === 0);
    assert.equal(node.runtime.statuses.size, 0);
    assert.deepEqual(
      node.runtime.stops.map(({ options }) => options),
      [{ graceMs: 2_000 }],
    );
  }));

test("at most four containers are being created at once", () =>
  startNode(async (node) => {
    const { contract } = node.runtime;
    let creating = 0;
    let most = 0;
    node.parts.runtime.createContainer = async (spec) => {
      most = Math.max(most, ++creating);
      await settle();
      creating--;
      return contract.createContainer(spec);
    };
    const container = { name: "app", image: "app:1" };
    for (let i = 0; i < 10; i++) {
      await node.parts.client.for(PODS).create({
        metadata: { name: `web-${i}`, namespace: "default" },
        spec: { containers: [container] },
      });
    }
    for (let i = 0; i < 10; i++) await settle();
    assert.equal(most, 4);
    assert.equal(node.runtime.statuses.size, 10);
  }));

test("a new agent adopts what runs, learns what ended, and removes what nobody wants", async () => {
  await using node = createFakeNode();
  {
    await using manager = createPodManager(node.parts);
    await manager.start();
    await createPod(node);
    assert.equal(manager.pods().length, 1);
  }
  const before = node.runtime.named("app");
  const orphan = { ...before, id: "orphan", sandboxId: "other", name: "old" };
  node.runtime.statuses.set(orphan.id, orphan);
  node.runtime.sandboxes.set("other", {
    id: "other",
    podName: "old",
    podNamespace: "default",
    hostname: "old",
    qosClass: "BestEffort",
    resources: {},
  });
  mkdirSync(path.join(node.parts.directories.pods, "litter"), { recursive: true });
  const patches = node.transport.requests.length;
  await using manager = createPodManager(node.parts);
  await manager.start();
  const litter = path.join(node.parts.directories.pods, "litter");
  await until(() => !node.runtime.statuses.has("orphan") && !existsSync(litter));
  assert.deepEqual(node.runtime.named("app"), before);
  assert.equal(node.transport.requests.slice(patches).filter((r) => r.method !== "GET").length, 0);
});

test("a container whose hook ran when an agent died is as ready to the next one as without it", async () => {
  await using node = createFakeNode();
  node.parts.prober.runHook = () => new Promise(() => {});
  const postStart = { exec: { command: ["wait"] } };
  const told = async () => {
    await settle();
    await node.clock.advance(1_100);
    const { status } = await node.parts.client.for(PODS).get(AT);
    return status?.containerStatuses?.map(({ ready, started }) => ({ ready, started }));
  };
  {
    await using manager = createPodManager(node.parts);
    await manager.start();
    await createPod(node, { lifecycle: { postStart } });
    assert.deepEqual(await told(), [{ ready: false, started: false }]);
    assert.equal(manager.pods().length, 1);
  }
  await using manager = createPodManager(node.parts);
  await manager.start();
  assert.deepEqual(await told(), [{ ready: true, started: true }]);
});

test("a pod that does not fit the node has failed, with a reason, and holds nothing", () =>
  startNode(async (node) => {
    await createPod(node, { resources: { requests: { cpu: "3" } } });
    const { status } = await node.pod();
    assert.equal(status?.phase, "Failed");
    assert.equal(status.reason, "OutOfcpu");
    assert.match(status.message ?? "", /requested: 3000, used: 0, capacity: 2000/);
    assert.deepEqual(node.reasons(), ["OutOfcpu"]);
    assert.equal(node.runtime.sandboxes.size, 0);
  }));

test("a pod that the API has no more takes no room, though its containers still end", () =>
  startNode(async (node) => {
    const resources = { requests: { cpu: "1500m" } };
    await createPod(node, { resources });
    const pods = node.parts.client.for(PODS);
    await pods.delete(AT, { gracePeriodSeconds: 0 });
    const { name } = node.runtime.named("app");
    const containers = [{ name, image: "app:1", resources }];
    await pods.create({
      metadata: { ...AT, name: "next" },
      spec: { nodeName: "node-1", containers },
    });
    await until(() => node.manager.pods().length === 1);
    await node.clock.advance(200);
    const { status } = await pods.get({ ...AT, name: "next" });
    assert.equal(status?.phase, "Running", status?.message);
  }));
