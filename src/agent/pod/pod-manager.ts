import { readdirSync } from "node:fs";
import path from "node:path";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { Change } from "../../client/informer.ts";
import { formatTime, sleep } from "../../lib/clock.ts";
import { createSemaphore } from "../../lib/semaphore.ts";
import type { Eviction } from "../eviction/contract.ts";
import type { LocalImage } from "../image/contract.ts";
import type { ContainerStatus, SandboxStatus } from "../runtime/contract.ts";
import { SHUTDOWN_MESSAGE, SHUTDOWN_REASON } from "../shutdown/contract.ts";
import { isMirrorPod, isStaticPod } from "../static-pod/contract.ts";
import { createMirrorPods } from "./mirror-pods.ts";
import { graceOf } from "./planning.ts";
import {
  type Admission,
  admitPod,
  type Preemption,
  type Refusal,
  type RoomFacts,
  resizeVerdict,
} from "./pod-admission.ts";
import { identityOf, referenceTo } from "./pod-containers.ts";
import type { PodDirectories, PodParts } from "./pod-context.ts";
import { messageOf } from "./pod-failure.ts";
import { podsWithLogs, removeLogs } from "./pod-logs.ts";
import { storedOutcome } from "./pod-outcome.ts";
import { rememberRequests } from "./pod-requests.ts";
import { releaseResources } from "./pod-sandbox.ts";
import {
  createPodWorker,
  type FoundPod,
  type PodWorker,
  type PodWorkerDeps,
} from "./pod-worker.ts";
import { beginRehearsal, type Rehearsal } from "./rehearsal.ts";

/** Runs the pods that are bound to this node. Disposing it leaves their containers running. */
export interface PodManager extends AsyncDisposable {
  /** Finds what an earlier agent left, then follows the API. */
  start(): Promise<void>;
  /** All pods of the node with the agent's own view of their status. */
  pods(): Pod[];
  /** Ends a pod for the sake of the node; it has failed. */
  evict(pod: Pod, how: Eviction): void;
  /** From now on no pod is taken, as the node shuts down. */
  close(): void;
  /** Ends a pod as the node shuts down; resolves when nothing of it is left. */
  shutDown(pod: Pod, graceMs: number): Promise<void>;
  /** Removes the attempts before the current ones, but not their logs. Returns how many. */
  discardPrevious(): Promise<number>;
  /**
   * Runs a pod of this image, whose program ends at once, that nobody is told of: what the node has
   * to do for its first pod it has done then. Does nothing on a node that has pods. Resolves to
   * whether containers can run, undefined when it was not tried.
   */
  rehearse(image: LocalImage): Promise<boolean | undefined>;
  /** The worker of a pod; `uid` narrows it to one incarnation. */
  find(pod: { namespace: string; name: string; uid?: string | undefined }): PodWorker | undefined;
}

/** More would only make every container of a burst start later. */
const STARTS_AT_ONCE = 4;
const ORPHAN_GRACE_MS = 10_000;

const NODE_SHUTDOWN: Refusal = {
  reason: "NodeShutdown",
  message: "Pod was rejected as the node is shutting down.",
};

/** What an earlier agent left on this node. */
interface Leftovers {
  sandboxes: Map<string, SandboxStatus>;
  containers: Map<string, ContainerStatus[]>;
}

/** One worker per pod UID. */
export function createPodManager(parts: PodParts): PodManager {
  const workers = new Map<string, PodWorker>();
  const subscriptions: Disposable[] = [];
  const requestsOf = rememberRequests();
  const deps: PodWorkerDeps = {
    parts,
    startSlots: createSemaphore(STARTS_AT_ONCE),
    mirrors: createMirrorPods(parts),
    mayResize: (pod) => {
      const { uid } = identityOf(pod);
      // CPUs of its own were set apart when the pod came.
      const fixed = (pod.spec?.containers ?? []).some(({ name }) => parts.cpus.hasOwn(uid, name));
      return fixed
        ? "infeasible"
        : resizeVerdict(pod, roomFor(pod, { workers, parts, requestsOf }));
    },
    onFinished(uid) {
      workers.delete(uid);
      for (const worker of workers.values()) {
        if (worker.state.resize === "Deferred") worker.reconsiderResize();
      }
      syncStatic();
    },
  };
  let closed = false;
  let rehearsal: Rehearsal | undefined;
  let leftovers: Leftovers = { sandboxes: new Map(), containers: new Map() };

  /** Ends static pods whose file is gone or says otherwise, and starts those of the files. */
  const syncStatic = () => {
    const wanted = new Map(parts.staticPods.list().map((pod) => [identityOf(pod).uid, pod]));
    for (const [uid, worker] of workers) {
      const { pod } = worker.state;
      const ended = isStaticPod(pod) && !wanted.has(uid) && !pod.metadata?.deletionTimestamp;
      if (ended) worker.update(deletedPod(pod, parts.clock.now()));
    }
    const taken = new Set(Array.from(workers.values(), ({ state }) => nameOf(state.pod)));
    for (const [uid, pod] of wanted) {
      // What had the name before goes first.
      if (workers.has(uid) || taken.has(nameOf(pod))) continue;
      workers.set(uid, createPodWorker(pod, deps, claim(leftovers, { uid, parts })));
    }
  };

  const follow = (change: Change<Pod>) => {
    if (isMirrorPod(change.object)) return deps.mirrors.seen(change);
    const { uid } = identityOf(change.object);
    const worker = workers.get(uid);
    if (change.type === "deleted") {
      worker?.markGone();
    } else if (worker) {
      worker.update(change.object);
    } else {
      // A pod that was replaced under its name while the watch was away ends as gone.
      if (change.type === "updated") workers.get(identityOf(change.previous).uid)?.markGone();
      const found = claim(leftovers, { uid, parts });
      const node = { workers, parts, requestsOf };
      const { refusal, preempts } = found ? {} : admissionOf(change.object, { ...node, closed });
      const room = preempts && preempt(preempts, node);
      const created = createPodWorker(change.object, deps, found);
      if (room) created.hold(room);
      workers.set(uid, created);
      if (!refusal) return;
      const { reason, message } = refusal;
      const about = referenceTo(change.object);
      parts.events.record({ about, type: "Warning", reason, message });
      parts.metrics.count("admission_rejections_total", reason);
      created.doom({ reason, message: `Pod was rejected: ${message}`, isRefused: true });
    }
  };

  return {
    async start() {
      const exit = parts.runtime.onExit((status) => {
        // A worker passes over what is of another pod.
        (workers.get(status.sandboxId) ?? rehearsal?.worker)?.exited(status);
      });
      subscriptions.push(exit);
      leftovers = grouped(await parts.runtime.recover());
      await parts.pods.synced;
      const known = [...parts.pods.list(), ...parts.staticPods.list()].map(
        (pod) => identityOf(pod).uid,
      );
      await parts.network.recover(new Set([...known, ...leftovers.sandboxes.keys()]));
      parts.cpus.retain(new Set([...known, ...leftovers.sandboxes.keys()]));
      subscriptions.push(
        parts.cpus.onShared(() => shareCpus(workers.values(), parts)),
        parts.volumes.onRetry((uid) => workers.get(uid)?.retryVolumes()),
        parts.images.onChange(() => {
          for (const worker of workers.values()) worker.retryImages();
        }),
        parts.pods.onChange(follow),
        parts.staticPods.onChange(syncStatic),
      );
      syncStatic();
      // Only now is known how much room there is for what was asked for meanwhile.
      for (const worker of workers.values()) worker.reconsiderResize();
      const orphans = leftovers;
      leftovers = { sandboxes: new Map(), containers: new Map() };
      const kept = new Set(workers.keys());
      for (const uid of orphanUids(orphans, { kept, directories: parts.directories })) {
        // Not awaited: a patient container must not delay the pods that are wanted.
        removeOrphan(uid, orphans, parts).catch((error: unknown) =>
          parts.logger.error("cannot remove orphaned pod", { uid, error: messageOf(error) }),
        );
      }
    },

    pods: () => Array.from(workers.values(), (worker) => worker.view()),

    evict(pod, { annotations, signal, ...how }) {
      parts.metrics.count("evictions", signal);
      const reason = "Evicted";
      const { message } = how;
      const about = referenceTo(pod);
      const told = { reason, message, ...(annotations && { annotations }) };
      parts.events.record({ about, type: "Warning", ...told });
      workers.get(identityOf(pod).uid)?.doom({ reason, ...how });
    },

    close() {
      closed = true;
    },

    async shutDown(pod, graceMs) {
      const worker = workers.get(identityOf(pod).uid);
      const message = SHUTDOWN_MESSAGE;
      worker?.doom({ reason: SHUTDOWN_REASON, message, graceMs, disruption: message });
      await worker?.released;
    },

    async discardPrevious() {
      let count = 0;
      for (const { state } of workers.values()) {
        for (const { previous } of state.containers.values()) {
          if (!previous || !parts.runtime.status(previous.status.id)) continue;
          await parts.runtime.removeContainer(previous.status.id);
          count++;
        }
      }
      return count;
    },

    async rehearse(image) {
      if (closed || rehearsal || workers.size > 0) return undefined;
      rehearsal = beginRehearsal(deps, image);
      return await rehearsal.end();
    },

    find({ namespace, name, uid }) {
      for (const worker of workers.values()) {
        const identity = identityOf(worker.state.pod);
        if (identity.name !== name || identity.namespace !== namespace) continue;
        // The API knows a static pod by the UID of its mirror.
        const isMeant = uid === undefined || identity.uid === uid;
        if (isMeant || isStaticPod(worker.state.pod)) return worker;
      }
      return undefined;
    },

    async [Symbol.asyncDispose]() {
      for (const subscription of subscriptions) subscription[Symbol.dispose]();
      deps.mirrors[Symbol.dispose](); // first: that workers end here must not remove mirrors
      await rehearsal?.worker[Symbol.asyncDispose]();
      await Promise.all(Array.from(workers.values(), (worker) => worker[Symbol.asyncDispose]()));
      workers.clear();
    },
  };
}

function nameOf(pod: Pod): string {
  const { namespace, name } = identityOf(pod);
  return `${namespace}/${name}`;
}

/** A pod of a file as the API would have it after its deletion: it ends with all its grace. */
function deletedPod(pod: Pod, nowMs: number): Pod {
  const deletionGracePeriodSeconds = pod.spec?.terminationGracePeriodSeconds ?? 30;
  const deletionTimestamp = formatTime(nowMs);
  return {
    ...pod,
    metadata: { ...pod.metadata, deletionTimestamp, deletionGracePeriodSeconds },
  };
}

/** The pods of a node, and what they ask for. */
interface NodePods {
  workers: ReadonlyMap<string, PodWorker>;
  parts: PodParts;
  requestsOf: RoomFacts["requestsOf"];
}

/** A pod that was accepted once stays so, whatever the node has become since. */
function admissionOf(pod: Pod, of: NodePods & { closed: boolean }): Admission {
  const { parts, closed } = of;
  if (pod.status?.startTime || pod.metadata?.deletionTimestamp) return {};
  const { allowedSysctls, hasAppArmor, pressure } = parts.admission;
  const room = roomFor(pod, of);
  const node = parts.admission.node();
  const cpus = (one: Pod) => parts.cpus.admit(one);
  const facts = { ...room, node, allowedSysctls, hasAppArmor, pressure: pressure(), cpus };
  const admission = admitPod(pod, facts);
  return closed ? { refusal: admission.refusal ?? NODE_SHUTDOWN } : admission;
}

/**
 * Ends pods for the sake of one that the node cannot do without. Resolves when nothing is left of
 * them, or when that took too long.
 */
async function preempt({ pods, lacking }: Preemption, { workers, parts }: NodePods): Promise<void> {
  const ends = pods.map(async (pod) => {
    const cause = { reason: "Preempting", message: "Preempted in order to admit critical pod" };
    parts.events.record({ about: referenceTo(pod), type: "Warning", ...cause });
    parts.metrics.count("preemptions", lacking);
    const worker = workers.get(identityOf(pod).uid);
    worker?.doom({ ...cause, disruption: PREEMPTED });
    const patienceMs = Math.max(PREEMPTION_MIN_MS, graceOf(pod) * 1.5);
    const late = new AbortController();
    await Promise.race([worker?.released, sleep(parts.clock, patienceMs, late.signal)]);
    late.abort();
  });
  await Promise.all(ends);
}

/** For so long, and for half as long again as it may take, the end of a pod is waited for. */
const PREEMPTION_MIN_MS = 10_000;

const PREEMPTED = "Pod was preempted by Kubelet to accommodate a critical pod.";

/** What the node has, and the other pods that it is for. */
function roomFor(pod: Pod, { workers, parts, requestsOf }: NodePods): RoomFacts {
  const { uid } = identityOf(pod);
  const others = Array.from(workers.values(), ({ state }) => state)
    .filter(({ doom, gone, released }) => !doom && !gone && !released)
    .filter((state) => storedOutcome(state.pod) === "running")
    .map((state) => state.pod)
    .filter((other) => identityOf(other).uid !== uid);
  const stored = parts.admission.node()?.status?.allocatable;
  return { allocatable: { ...stored, ...parts.node.allocatable }, others, requestsOf };
}

/** Running containers without CPUs of their own get what is left to share. */
function shareCpus(workers: Iterable<PodWorker>, { cpus, runtime, logger }: PodParts): void {
  for (const { state } of workers) {
    const { uid } = identityOf(state.pod);
    for (const { id, name, state: is } of runtime.containers(uid)) {
      if (is === "exited" || cpus.hasOwn(uid, name)) continue;
      const cpusetCpus = cpus.cpusOf(state.pod, name);
      if (cpusetCpus === undefined) continue;
      runtime.updateResources(id, { cpusetCpus }).catch((error: unknown) => {
        logger.warn("a container keeps CPUs that are another's", { uid, container: name, error });
      });
    }
  }
}

function grouped(recovered: {
  sandboxes: SandboxStatus[];
  containers: ContainerStatus[];
}): Leftovers {
  const containers = new Map<string, ContainerStatus[]>();
  for (const container of recovered.containers) {
    const group = containers.get(container.sandboxId);
    if (group) group.push(container);
    else containers.set(container.sandboxId, [container]);
  }
  return {
    sandboxes: new Map(recovered.sandboxes.map((sandbox) => [sandbox.id, sandbox])),
    containers,
  };
}

/** Read anew: a container may have ended since the runtime recovered. */
function claim(
  { sandboxes }: Leftovers,
  { uid, parts }: { uid: string; parts: PodParts },
): FoundPod | undefined {
  const hasSandbox = sandboxes.has(uid);
  const { handler, resources: limits } = sandboxes.get(uid)?.spec ?? {};
  const containers = parts.runtime.containers(uid);
  return hasSandbox || containers.length > 0
    ? { hasSandbox, handler, limits, containers }
    : undefined;
}

/** Pods with something on this node that the API does not know any more. */
function orphanUids(
  { sandboxes, containers }: Leftovers,
  { kept, directories }: { kept: ReadonlySet<string>; directories: PodDirectories },
): string[] {
  let onDisk: string[] = [];
  try {
    onDisk = readdirSync(directories.pods);
  } catch {
    // A node that never ran a pod has no such directory.
  }
  // Of a pod that had finished, there may be nothing else.
  const logged = podsWithLogs(directories).map(({ uid }) => uid);
  const all = new Set([...sandboxes.keys(), ...containers.keys(), ...onDisk, ...logged]);
  return [...all].filter((uid) => !kept.has(uid));
}

async function removeOrphan(uid: string, found: Leftovers, parts: PodParts): Promise<void> {
  const running = (found.containers.get(uid) ?? []).filter(({ state }) => state === "running");
  const options = { graceMs: ORPHAN_GRACE_MS };
  await Promise.all(running.map(({ id }) => parts.runtime.stopContainer(id, options)));
  await releaseResources(uid, { directory: path.join(parts.directories.pods, uid), parts });
  const logged = podsWithLogs(parts.directories).filter((pod) => pod.uid === uid);
  for (const pod of logged) removeLogs(pod, parts);
}
