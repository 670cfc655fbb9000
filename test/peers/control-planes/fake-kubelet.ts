import { NODES, PODS } from "../../../src/api/generated/resources.ts";
import type { Pod } from "../../../src/api/generated/types/core-v1.ts";
import type { Transport } from "../../../src/api/transport.ts";
import { createInformerFactory } from "../../../src/client/informer-factory.ts";
import { createClient } from "../../../src/client/resource-client.ts";
import { Cleanup } from "../../../src/lib/cleanup.ts";
import { formatTime } from "../../../src/lib/clock.ts";
import { silentLogger } from "../../../src/lib/logger.ts";
import { systemClock } from "../../../src/sys/clock.ts";
import { systemRandom } from "../../../src/sys/random.ts";

const LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
const BEAT_MS = 5_000;
const RETRY_MS = 500;

/**
 * Nodes that run nothing: what is bound runs and is ready at once, what does not restart ends, well
 * unless its image "fails" and never when it "sleeps", what is deleted goes.
 */
export async function startFakeKubelets(
  transport: Transport,
  names: readonly string[],
): Promise<AsyncDisposable> {
  await using cleanup = new Cleanup();
  const client = createClient(transport);
  const sources = { clock: systemClock, random: systemRandom, logger: silentLogger };
  const informers = cleanup.use(createInformerFactory({ ...sources, client }));
  for (const name of names) await register(transport, name);
  const beat = setInterval(() => {
    for (const name of names) renew(transport, name).catch(() => {});
  }, BEAT_MS);
  cleanup.defer(() => clearInterval(beat));
  const pods = cleanup.use(informers.informer(PODS));
  let addresses = 0;
  const subscription = pods.onChange(({ type, object: pod }) => {
    if (type === "deleted" || !names.includes(pod.spec?.nodeName ?? "")) return;
    actPatiently(pod);
  });
  cleanup.defer(() => subscription[Symbol.dispose]());
  const retries = new Set<NodeJS.Timeout>();
  cleanup.defer(() => {
    for (const retry of retries) clearTimeout(retry);
  });
  /** What the server did not take would never be told again. */
  function actPatiently(pod: Pod): void {
    act(pod).catch(() => {
      const retry = setTimeout(() => {
        retries.delete(retry);
        const { namespace, name = "", uid } = pod.metadata ?? {};
        const now = pods.get(namespace, name);
        if (now && now.metadata?.uid === uid) actPatiently(now);
      }, RETRY_MS);
      retries.add(retry);
    });
  }
  async function act(pod: Pod): Promise<void> {
    const { name = "", namespace, deletionTimestamp } = pod.metadata ?? {};
    const ref = { name, namespace };
    if (deletionTimestamp) {
      await client.for(PODS).delete(ref, { gracePeriodSeconds: 0 });
      return;
    }
    const phase = pod.status?.phase ?? "Pending";
    const ends = pod.spec?.restartPolicy !== "Always" && !hasImage(pod, "sleeps");
    if (phase !== "Pending" && !(phase === "Running" && ends)) return;
    const address = pod.status?.podIP ?? `10.244.0.${++addresses}`;
    const status = statusOf(pod, { address, ended: phase === "Running" });
    await client.for(PODS).patch(ref, { status }, { type: "strategic", subresource: "status" });
  }
  const running = cleanup.move();
  return { [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}

function hasImage(pod: Pod, name: string): boolean {
  return pod.spec?.containers.some(({ image }) => image?.startsWith(`${name}:`)) ?? false;
}

function statusOf(pod: Pod, { address, ended }: { address: string; ended: boolean }): object {
  const now = formatTime(Date.now());
  const ready = ended ? "False" : "True";
  const condition = (type: string, status: string) => ({ type, status, lastTransitionTime: now });
  const hasFailed = ended && hasImage(pod, "fails");
  const exit = hasFailed ? { exitCode: 1, reason: "Error" } : { exitCode: 0, reason: "Completed" };
  const state = ended
    ? { terminated: { ...exit, startedAt: now, finishedAt: now } }
    : { running: { startedAt: now } };
  return {
    phase: ended ? (hasFailed ? "Failed" : "Succeeded") : "Running",
    podIP: address,
    podIPs: [{ ip: address }],
    hostIP: "192.0.2.1",
    startTime: pod.status?.startTime ?? now,
    conditions: [
      condition("Initialized", "True"),
      condition("Ready", ready),
      condition("ContainersReady", ready),
    ],
    containerStatuses: (pod.spec?.containers ?? []).map(({ name, image = "" }) => ({
      name,
      image,
      imageID: image,
      ready: !ended,
      started: !ended,
      restartCount: 0,
      state,
    })),
  };
}

async function register(transport: Transport, name: string): Promise<void> {
  const client = createClient(transport);
  const amounts = { cpu: "4", memory: "8Gi", pods: "110" };
  await client.for(NODES).create({
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux" },
    },
  });
  const now = formatTime(Date.now());
  const types = {
    Ready: "True",
    MemoryPressure: "False",
    DiskPressure: "False",
    PIDPressure: "False",
  };
  const conditions = Object.entries(types).map(([type, status]) => ({
    type,
    status,
    reason: "Fake",
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  }));
  const status = { capacity: amounts, allocatable: amounts, conditions };
  const options = { type: "strategic", subresource: "status" } as const;
  await client.for(NODES).patch({ name }, { status }, options);
  await transport.request({
    method: "POST",
    path: LEASES,
    body: {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name, namespace: "kube-node-lease" },
      spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime: microTime() },
    },
  });
}

async function renew(transport: Transport, name: string): Promise<void> {
  await transport.request({
    method: "PATCH",
    path: `${LEASES}/${name}`,
    contentType: "application/merge-patch+json",
    body: { spec: { renewTime: microTime() } },
  });
}

function microTime(): string {
  return new Date().toISOString().replace("Z", "000Z");
}
