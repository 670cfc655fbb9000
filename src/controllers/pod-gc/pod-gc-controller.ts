import { isNotFound } from "../../api/errors.ts";
import { NODES, PODS } from "../../api/generated/resources.ts";
import type { Node, Pod } from "../../api/generated/types/core-v1.ts";
import type { Client } from "../../client/client.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import { formatTime } from "../../lib/clock.ts";
import { isTerminating, refOf, uidOf } from "../ownership.ts";
import { isFinished } from "../pod-state.ts";

const KEY = { name: "all" };
const SWEEP_MS = 20_000;
/** A node that vanished may come back under its name; its pods wait this long for it. */
const QUARANTINE_MS = 40_000;
const FINISHED_MAX = 12_500;

/** A pod that nobody else will clean up, and why. */
export interface LostPod {
  pod: Pod;
  why: "orphaned" | "out of service" | "unscheduled" | "surplus";
}

/**
 * Pods of vanished nodes, pods that were deleted before they had a node or whose node is out of
 * service, too many finished.
 */
export function lostPods(
  pods: readonly Pod[],
  at: {
    isNodeLost: (name: string) => boolean;
    isOutOfService: (name: string) => boolean;
    finishedMax: number;
  },
): LostPod[] {
  const lost: LostPod[] = [];
  for (const pod of pods) {
    const node = pod.spec?.nodeName;
    if (!node && isTerminating(pod)) lost.push({ pod, why: "unscheduled" });
    else if (node && at.isNodeLost(node)) lost.push({ pod, why: "orphaned" });
    else if (node && isTerminating(pod) && at.isOutOfService(node)) {
      lost.push({ pod, why: "out of service" });
    }
  }
  const created = ({ metadata }: Pod) => Date.parse(metadata?.creationTimestamp ?? "") || 0;
  const finished = pods.filter((pod) => isFinished(pod) && !isTerminating(pod));
  const surplus = finished
    .sort((a, b) => Number(isEvicted(b)) - Number(isEvicted(a)) || created(a) - created(b))
    .slice(0, Math.max(0, finished.length - at.finishedMax));
  const known = new Set(lost.map(({ pod }) => pod));
  for (const pod of surplus) if (!known.has(pod)) lost.push({ pod, why: "surplus" });
  return lost;
}

/** Its node took it away: there is nothing to look into. */
function isEvicted({ status }: Pod): boolean {
  return status?.phase === "Failed" && status.reason === "Evicted";
}

const OUT_OF_SERVICE = "node.kubernetes.io/out-of-service";

/** An administrator says that the node is off, and it does not say otherwise. */
function isOutOfService(node: Node | undefined): boolean {
  const isTainted = node?.spec?.taints?.some(({ key }) => key === OUT_OF_SERVICE) ?? false;
  const ready = node?.status?.conditions?.find(({ type }) => type === "Ready");
  return isTainted && ready?.status !== "True";
}

/** Removes pods that no node agent can remove any more. */
export function podGcController(options: { finishedMax?: number } = {}): ControllerDefinition {
  const finishedMax = options.finishedMax ?? FINISHED_MAX;
  const missingSince = new Map<string, number>();
  return defineController({
    name: "pod-gc",
    inputs: {
      pods: input(PODS, (pod, listers) => {
        const node = pod.spec?.nodeName;
        if (!node || isFinished(pod)) return isTerminating(pod) || isFinished(pod) ? [KEY] : [];
        const found = listers.of(NODES).get(undefined, node);
        return !found || (isTerminating(pod) && isOutOfService(found)) ? [KEY] : [];
      }),
      nodes: input(NODES, ({ metadata }, listers) => {
        const node = listers.of(NODES).get(undefined, metadata?.name ?? "");
        return !node || isOutOfService(node) ? [KEY] : [];
      }),
    },
    outputs: [{ resource: PODS, verbs: ["patch", "delete"], subresources: ["status"] }],
    workers: 1,
    async reconcile({ inputs, client, clock }) {
      const nowMs = clock.now();
      const pods = inputs.pods.list();
      const names = new Set(pods.flatMap(({ spec }) => (spec?.nodeName ? [spec.nodeName] : [])));
      const missing = new Set([...names].filter((name) => !inputs.nodes.get(undefined, name)));
      for (const name of missingSince.keys()) if (!missing.has(name)) missingSince.delete(name);
      for (const name of missing) {
        if (!missingSince.has(name)) missingSince.set(name, nowMs);
      }
      const overdue = Array.from(missingSince)
        .filter(([, sinceMs]) => nowMs - sinceMs >= QUARANTINE_MS)
        .map(([name]) => name);
      const gone = await absentNodes(client, overdue);
      const rules = {
        isNodeLost: (name: string) => gone.has(name),
        isOutOfService: (name: string) => isOutOfService(inputs.nodes.get(undefined, name)),
        finishedMax,
      };
      for (const { pod, why } of lostPods(pods, rules)) {
        if (!isFinished(pod)) await markFailed(client, { pod, why, nowMs });
        await client
          .for(PODS)
          .delete(refOf(pod), { gracePeriodSeconds: 0, preconditions: { uid: uidOf(pod) } })
          .catch(ignoreGone);
      }
      return missing.size > 0 ? { requeueAfterMs: SWEEP_MS } : {};
    },
  });
}

/** Whoever counts results, or waits for the end, must see one: nobody else will tell of it. */
async function markFailed(
  client: Client,
  { pod, why, nowMs }: LostPod & { nowMs: number },
): Promise<void> {
  const disrupted = {
    type: "DisruptionTarget",
    status: "True",
    reason: "DeletionByPodGC",
    message: "PodGC: node no longer exists",
    lastTransitionTime: formatTime(nowMs),
  };
  const conditions = why === "orphaned" ? { conditions: [disrupted] } : {};
  const patch = { metadata: { uid: uidOf(pod) }, status: { phase: "Failed", ...conditions } };
  await client
    .for(PODS)
    .patch(refOf(pod), patch, { type: "strategic", subresource: "status" })
    .catch(ignoreGone);
}

/** A cache that was cut off may miss a node for long, so only the server's answer counts. */
async function absentNodes(client: Client, names: readonly string[]): Promise<Set<string>> {
  const absent = new Set<string>();
  for (const name of names) {
    const read = client.for(NODES).get({ name });
    if (await read.then(() => false, isAbsence)) absent.add(name);
  }
  return absent;
}

function isAbsence(error: unknown): boolean {
  if (!isNotFound(error)) throw error;
  return true;
}

function ignoreGone(error: unknown): void {
  if (!isNotFound(error)) throw error;
}
