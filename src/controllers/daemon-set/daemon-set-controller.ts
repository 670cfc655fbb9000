import { isNotFound } from "../../api/errors.ts";
import { CONTROLLER_REVISIONS, DAEMON_SETS, NODES, PODS } from "../../api/generated/resources.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import { executeClaims, ORPHANS, planClaims } from "../claims.ts";
import {
  deleteRevisions,
  hashOf,
  planRevisions,
  REVISION_HASH,
  surplusRevisions,
  writeRevisions,
} from "../controller-revisions.ts";
import type { EventRecorder } from "../../client/event-recorder.ts";
import { jsonEqual } from "../json-equal.ts";
import { liveOwner } from "../live-owner.ts";
import { controllerReference, isTerminating, refOf, uidOf } from "../ownership.ts";
import { isFinished } from "../pod-state.ts";
import { tellRefusal } from "../refusal.ts";
import { compileSelector } from "../selector.ts";
import { slowStart } from "../slow-start.ts";
import { podsOf, revisionsOf } from "../workload-inputs.ts";
import { WriteOverlay } from "../write-overlay.ts";
import { daemonPod, targetNode } from "./daemon-pod.ts";
import { daemonSetStatus, planDaemonSet } from "./daemon-set-plan.ts";
import { FailureBackoff } from "./failure-backoff.ts";

/** Runs one pod of every DaemonSet on every node that should have one. */
export function daemonSetController(): ControllerDefinition {
  const overlay = new WriteOverlay<Pod>();
  const backoff = new FailureBackoff();
  return defineController({
    name: "daemon-set",
    inputs: {
      sets: input(DAEMON_SETS, (set) => [refOf(set)]),
      pods: podsOf(DAEMON_SETS, { overlay, selectorOf: ({ spec }) => spec?.selector }),
      nodes: input(NODES, (_, listers) => listers.of(DAEMON_SETS).list().map(refOf)),
      revisions: revisionsOf(DAEMON_SETS),
    },
    outputs: [
      { resource: DAEMON_SETS, verbs: ["update"], subresources: ["status"] },
      { resource: PODS, verbs: ["create", "patch", "delete"] },
      { resource: CONTROLLER_REVISIONS, verbs: ["create", "patch", "delete"] },
    ],
    async reconcile({ inputs, client, clock, events }, key) {
      const set = inputs.sets.get(key.namespace, key.name);
      if (!set) return;
      const uid = uidOf(set);
      const owner = controllerReference(DAEMON_SETS, set);
      const about = { apiVersion: "apps/v1", kind: "DaemonSet", metadata: set.metadata };
      const claim = () =>
        planClaims(
          set,
          [
            ...overlay.view(uid, inputs.pods, clock.now()),
            ...inputs.pods.byIndex(ORPHANS, key.namespace ?? ""),
          ],
          compileSelector(set.spec?.selector),
        );
      const claims = claim();
      await executeClaims(client, claims, {
        resource: PODS,
        owner: set,
        ownerResource: DAEMON_SETS,
      });
      const revisions = planRevisions(inputs.revisions.ownedBy(uid), {
        template: set.spec?.template,
        owner,
        namespace: key.namespace ?? "",
        labels: set.spec?.selector?.matchLabels,
        collisions: set.status?.collisionCount,
      });
      const isThere = liveOwner(client, DAEMON_SETS, set);
      if (!isTerminating(set)) await writeRevisions(client, revisions, isThere);
      const hash = hashOf(revisions.update);
      const observe = (pods: Pod[]) => ({
        nodes: inputs.nodes.list(),
        pods,
        hash,
        nowMs: clock.now(),
        waitMs: (node: string) => backoff.waitMs(`${uid}/${node}`, clock.now()),
      });
      const waits = claims.claimed
        .filter((pod) => pod.status?.phase === "Failed" && !isTerminating(pod))
        .map((pod) => backoff.waitMs(`${uid}/${targetNode(pod)}`, clock.now()))
        .filter((wait) => wait > 0);
      const steps = planDaemonSet(set, observe(claims.claimed));
      for (const step of steps) {
        if (step.do !== "delete") continue;
        if (isFinished(step.pod)) {
          const node = targetNode(step.pod);
          if (step.pod.status?.phase === "Failed") backoff.failed(`${uid}/${node}`, clock.now());
          tellOfEnd(events, { about, pod: step.pod, node });
        }
        await client
          .for(PODS)
          .delete(refOf(step.pod), { preconditions: { uid: uidOf(step.pod) } })
          .catch((error: unknown) => {
            if (!isNotFound(error)) throw error;
          });
        overlay.deleted(uid, step.pod, clock.now());
        const message = `Deleted pod: ${step.pod.metadata?.name}`;
        events.record({ about, type: "Normal", reason: "SuccessfulDelete", message });
      }
      const creates = steps.flatMap((step) => (step.do === "create" ? [step.node] : []));
      const isDue = creates.length > 0 && (await isThere());
      let refused: unknown;
      await slowStart(isDue ? creates.length : 0, async (at) => {
        const pod = daemonPod(set, { node: creates[at] ?? "", owner, hash });
        const create = () => client.for(PODS).create(pod);
        const made = await overlay.create(uid, create, () => clock.now());
        const message = `Created pod: ${made.metadata?.name}`;
        events.record({ about, type: "Normal", reason: "SuccessfulCreate", message });
      }).catch((error: unknown) => {
        refused = error;
        tellRefusal(events, { about, error, before: "Error creating" });
      });
      const pods = claim().claimed;
      const live = new Set(pods.map(({ metadata }) => metadata?.labels?.[REVISION_HASH]));
      const limit = set.spec?.revisionHistoryLimit ?? 10;
      const surplus = surplusRevisions(revisions.history, {
        limit,
        isLive: (revision) => live.has(hashOf(revision)),
      });
      await deleteRevisions(client, surplus);
      const { status, ...due } = daemonSetStatus(set, observe(pods));
      if (!jsonEqual(status, set.status)) {
        await client.for(DAEMON_SETS).updateStatus({ ...set, status });
      }
      if (refused) throw refused;
      const next = Math.min(...waits, due.requeueAfterMs ?? Infinity);
      const requeueAfterMs = overlay.requeueAfterMs(uid, next === Infinity ? undefined : next);
      return requeueAfterMs === undefined ? {} : { requeueAfterMs };
    },
  });
}

function tellOfEnd(
  events: EventRecorder,
  { about, pod, node }: { about: object; pod: Pod; node: string },
): void {
  const { namespace, name } = pod.metadata ?? {};
  const hasFailed = pod.status?.phase === "Failed";
  events.record({
    about,
    type: hasFailed ? "Warning" : "Normal",
    reason: hasFailed ? "FailedDaemonPod" : "SucceededDaemonPod",
    message: hasFailed
      ? `Found failed daemon pod ${namespace}/${name} on node ${node}, will try to kill it`
      : `Found succeeded daemon pod ${namespace}/${name} on node ${node}, will try to delete it`,
  });
}
