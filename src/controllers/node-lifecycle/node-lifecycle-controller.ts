import { isNotFound } from "../../api/errors.ts";
import { LEASES, NODES, PODS } from "../../api/generated/resources.ts";
import type { Node, NodeCondition, Pod } from "../../api/generated/types/core-v1.ts";
import type { Client } from "../../client/client.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import type { EventRecorder } from "../../client/event-recorder.ts";
import { formatTime } from "../../lib/clock.ts";
import { isTerminating, refOf, uidOf } from "../ownership.ts";
import { isReady } from "../pod-state.ts";
import { EvictionLimiter } from "./eviction-limiter.ts";
import { type GivesUp, isGivenUp, planNodeHealth } from "./node-health-plan.ts";
import { planTaintEviction } from "./taint-eviction-plan.ts";

/** More than the 45 s that an HTTP/2 client takes to give up a dead connection; as in 1.32. */
const GRACE_MS = 50_000;
/** For a node that never told how it is, from its creation on. */
const STARTUP_GRACE_MS = 60_000;
const JUDGED_MS = 1_000;
const LEASE_NAMESPACE = "kube-node-lease";
const BY_NODE = "node";

const byNode = { [BY_NODE]: (pod: Pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []) };

interface SignOfLife {
  uid: string;
  text: string;
  atMs: number;
}

/**
 * Watches each node's lease and heartbeats. A node silent for 50 s (measured by this process's own
 * clock, since clocks of nodes differ) is Unknown; taints follow from its conditions, those that
 * make pods leave as fast as the limiter lets nodes go.
 */
export function nodeLifecycleController(
  options: { graceMs?: number | undefined } = {},
): ControllerDefinition {
  const graceMs = options.graceMs ?? GRACE_MS;
  const signs = new Map<string, SignOfLife>();
  const limiter = new EvictionLimiter();
  let judgedMs = Number.NEGATIVE_INFINITY;
  const givesUp = (node: Node, at: { nodes: () => readonly Node[]; nowMs: number }): GivesUp => {
    // Of many thousand nodes no more than once a second.
    if (at.nowMs - judgedMs >= JUDGED_MS) {
      limiter.judge(at.nodes(), at.nowMs);
      judgedMs = at.nowMs;
    }
    if (limiter.isStopped) return "never";
    if (isGivenUp(node)) return "later";
    // Whoever falls silent right now was judged as ready.
    const { status = "True" } = readyOf(node) ?? {};
    return status !== "True" && limiter.admits(node, at.nowMs) ? "now" : "later";
  };
  return defineController({
    name: "node-lifecycle",
    inputs: {
      nodes: input(NODES, (node) => [refOf(node)]),
      leases: input(LEASES, ({ metadata }) => [{ name: metadata?.name ?? "" }], {
        options: { namespace: LEASE_NAMESPACE },
      }),
      pods: input(PODS, () => [], { indexes: byNode }),
    },
    outputs: [
      { resource: NODES, verbs: ["patch"], subresources: ["status"] },
      { resource: PODS, verbs: ["patch"], subresources: ["status"] },
    ],
    async reconcile({ inputs, client, clock, events }, { name }) {
      const node = inputs.nodes.get(undefined, name);
      const tell = (reason: string, message: string, metadata?: Node["metadata"]) =>
        events.record({
          about: { apiVersion: "v1", kind: "Node", metadata: metadata ?? { name } },
          type: "Normal",
          reason,
          message,
        });
      if (!node) {
        if (signs.delete(name)) {
          tell("RemovingNode", `Node ${name} event: Removing Node ${name} from Controller`);
        }
        limiter.forget(name);
        return;
      }
      const ready = readyOf(node);
      const lease = inputs.leases.get(LEASE_NAMESPACE, name);
      const text = `${lease?.spec?.renewTime} ${ready?.lastHeartbeatTime}`;
      const nowMs = clock.now();
      let sign = signs.get(name);
      if (sign?.uid !== uidOf(node)) {
        const registered = `Node ${name} event: Registered Node ${name} in Controller`;
        tell("RegisteredNode", registered, node.metadata);
      }
      if (sign?.text !== text || sign.uid !== uidOf(node)) {
        const isSilent = !ready && !lease;
        const createdMs = Date.parse(node.metadata?.creationTimestamp ?? "") || nowMs;
        sign = { uid: uidOf(node), text, atMs: isSilent ? createdMs : nowMs };
        signs.set(name, sign);
      }
      let current = node;
      const patienceMs = ready ? graceMs : Math.max(graceMs, STARTUP_GRACE_MS);
      const isLost = (ready && ready.status !== "True") || nowMs - sign.atMs > patienceMs;
      if (!isLost) limiter.forget(name);
      const seen = { nodes: () => inputs.nodes.list(), nowMs: clock.monotonicMs() };
      const pace = isLost ? givesUp(node, seen) : "later";
      const health = { lastSignMs: sign.atMs, graceMs: patienceMs, nowMs, givesUp: pace };
      for (const step of planNodeHealth(node, health)) {
        if (step.do === "conditions") {
          // Its own write must not count as a sign of life: only heartbeat times do.
          const patch = { status: { conditions: step.conditions } };
          current = await client
            .for(NODES)
            .patch({ name }, patch, { type: "strategic", subresource: "status" });
          tell("NodeNotReady", `Node ${name} status is now: NodeNotReady`, node.metadata);
        } else {
          const { resourceVersion = "" } = current.metadata ?? {};
          const patch = { metadata: { resourceVersion }, spec: { taints: step.taints } };
          current = await client.for(NODES).patch({ name }, patch);
        }
      }
      if (ready && ready.status !== "True") {
        const pods = inputs.pods.byIndex(BY_NODE, name);
        await markNotReady({ client, events }, { pods, nowMs });
      }
      // While it is lost, others may come back.
      const dueMs = isLost ? JUDGED_MS : sign.atMs + patienceMs - nowMs + 1;
      return { requeueAfterMs: Math.max(JUDGED_MS, dueMs) };
    },
  });
}

function readyOf({ status }: Node): NodeCondition | undefined {
  return status?.conditions?.find(({ type }) => type === "Ready");
}

/** Pods of a node that is not ready must not receive traffic; nobody there can say so. */
async function markNotReady(
  { client, events }: { client: Client; events: EventRecorder },
  { pods, nowMs }: { pods: readonly Pod[]; nowMs: number },
): Promise<void> {
  for (const pod of pods) {
    if (!isReady(pod)) continue;
    const lastTransitionTime = formatTime(nowMs);
    const condition = { type: "Ready", status: "False", lastTransitionTime };
    const patch = { metadata: { uid: uidOf(pod) }, status: { conditions: [condition] } };
    await client
      .for(PODS)
      .patch(refOf(pod), patch, { type: "strategic", subresource: "status" })
      .catch(ignoreGone);
    const about = { apiVersion: "v1", kind: "Pod", metadata: pod.metadata };
    const message = "Node is not ready";
    events.record({ about, type: "Warning", reason: "NodeNotReady", message });
  }
}

function ignoreGone(error: unknown): void {
  if (!isNotFound(error)) throw error;
}

/** Deletes pods from nodes with NoExecute taints when their tolerations have run out. */
export function taintEvictionController(): ControllerDefinition {
  /** By node and pod: when it is to go. A change of taints does not put that off. */
  const due = new Map<string, Map<string, number>>();
  return defineController({
    name: "taint-eviction",
    inputs: {
      nodes: input(NODES, (node) => [refOf(node)]),
      pods: input(
        PODS,
        (pod) => (pod.spec?.nodeName && !isTerminating(pod) ? [{ name: pod.spec.nodeName }] : []),
        { indexes: byNode },
      ),
    },
    outputs: [{ resource: PODS, verbs: ["patch", "delete"], subresources: ["status"] }],
    async reconcile({ inputs, client, clock, events }, { name }) {
      const node = inputs.nodes.get(undefined, name);
      const isTainted = (node?.spec?.taints ?? []).some(({ effect }) => effect === "NoExecute");
      const waiting = due.get(name) ?? new Map<string, number>();
      const cancel = (pod: Pod) => {
        if (!waiting.delete(uidOf(pod)) || isTerminating(pod)) return;
        const about = { apiVersion: "v1", kind: "Pod", metadata: pod.metadata };
        const message = `Cancelling deletion of Pod ${pod.metadata?.namespace}/${pod.metadata?.name}`;
        events.record({ about, type: "Normal", reason: "TaintManagerEviction", message });
      };
      if (!node || !isTainted) {
        due.delete(name);
        if (node && waiting.size > 0) inputs.pods.byIndex(BY_NODE, name).forEach(cancel);
        return;
      }
      due.set(name, waiting);
      const nowMs = clock.now();
      const dueMs = (pod: Pod, limitMs: number) => {
        const known = waiting.get(uidOf(pod)) ?? nowMs + limitMs;
        waiting.set(uidOf(pod), known);
        return known;
      };
      const pods = inputs.pods.byIndex(BY_NODE, name);
      const { evict, spared, requeueAfterMs } = planTaintEviction(node, { pods, dueMs, nowMs });
      spared.forEach(cancel);
      const present = new Set(pods.filter((pod) => !evict.includes(pod)).map(uidOf));
      for (const uid of waiting.keys()) if (!present.has(uid)) waiting.delete(uid);
      for (const pod of evict) {
        const about = { apiVersion: "v1", kind: "Pod", metadata: pod.metadata };
        const message = `Marking for deletion Pod ${pod.metadata?.namespace}/${pod.metadata?.name}`;
        events.record({ about, type: "Normal", reason: "TaintManagerEviction", message });
        const condition = {
          type: "DisruptionTarget",
          status: "True",
          reason: "DeletionByTaintManager",
          message: "Taint manager: deleting due to NoExecute taint",
          lastTransitionTime: formatTime(nowMs),
        };
        const patch = { metadata: { uid: uidOf(pod) }, status: { conditions: [condition] } };
        await client
          .for(PODS)
          .patch(refOf(pod), patch, { type: "strategic", subresource: "status" })
          .catch(ignoreGone);
        await client
          .for(PODS)
          .delete(refOf(pod), { preconditions: { uid: uidOf(pod) } })
          .catch(ignoreGone);
      }
      return requeueAfterMs === undefined ? {} : { requeueAfterMs };
    },
  });
}
