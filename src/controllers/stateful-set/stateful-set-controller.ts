import { isAlreadyExists, isNotFound } from "../../api/errors.ts";
import {
  CONTROLLER_REVISIONS,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  STATEFUL_SETS,
} from "../../api/generated/resources.ts";
import type { ControllerRevision, StatefulSet } from "../../api/generated/types/apps-v1.ts";
import type { PersistentVolumeClaim, Pod } from "../../api/generated/types/core-v1.ts";
import type { Client, ObjectRef } from "../../client/client.ts";
import {
  type ControllerDefinition,
  defineController,
  type Input,
  input,
  type ReconcileContext,
} from "../../client/controller.ts";
import { executeClaims, ORPHANS, planClaims } from "../claims.ts";
import {
  deleteRevisions,
  planRevisions,
  REVISION_HASH,
  surplusRevisions,
  writeRevisions,
} from "../controller-revisions.ts";
import { jsonEqual } from "../json-equal.ts";
import { liveOwner } from "../live-owner.ts";
import { controllerReference, isTerminating, refOf, uidOf } from "../ownership.ts";
import { tellRefusal } from "../refusal.ts";
import { compileSelector } from "../selector.ts";
import { podsOf, revisionsOf } from "../workload-inputs.ts";
import { WriteOverlay } from "../write-overlay.ts";
import { claimOwners, isLeaving, takesClaims } from "./claim-retention.ts";
import {
  claimsOf,
  identityLabels,
  isClaimName,
  isMember,
  ordinalOf,
  POD_NAME,
  statefulPod,
} from "./stateful-pod.ts";
import { planStatefulSet, type StatefulStep, statefulSetStatus } from "./stateful-set-plan.ts";

/** Runs the pods of every StatefulSet under their stable names, in order. */
export function statefulSetController(): ControllerDefinition {
  const overlay = new WriteOverlay<Pod>();
  return defineController({
    name: "stateful-set",
    inputs: {
      sets: input(STATEFUL_SETS, (set) => [refOf(set)]),
      pods: podsOf(STATEFUL_SETS, { overlay, selectorOf: ({ spec }) => spec?.selector }),
      claims: input(PERSISTENT_VOLUME_CLAIMS, ({ metadata }, listers) =>
        listers
          .of(STATEFUL_SETS)
          .list(metadata?.namespace)
          .filter((set) => isClaimName(set, metadata?.name ?? ""))
          .map(refOf),
      ),
      revisions: revisionsOf(STATEFUL_SETS),
    },
    outputs: [
      { resource: STATEFUL_SETS, verbs: ["update"], subresources: ["status"] },
      { resource: PODS, verbs: ["create", "patch", "delete"] },
      { resource: PERSISTENT_VOLUME_CLAIMS, verbs: ["create", "patch"] },
      { resource: CONTROLLER_REVISIONS, verbs: ["create", "patch", "delete"] },
    ],
    async reconcile(context, key) {
      const { inputs, client, clock } = context;
      const set = inputs.sets.get(key.namespace, key.name);
      if (!set) return;
      const uid = uidOf(set);
      const claim = () =>
        planClaims(
          set,
          [
            ...overlay.view(uid, inputs.pods, clock.now()),
            // Only a pod that carries one of the set's names can be one of its pods.
            ...inputs.pods
              .byIndex(ORPHANS, key.namespace ?? "")
              .filter((pod) => ordinalOf(set, pod) >= 0),
          ],
          compileSelector(set.spec?.selector),
        );
      const claims = claim();
      await executeClaims(client, claims, {
        resource: PODS,
        owner: set,
        ownerResource: STATEFUL_SETS,
      });
      const plan = planRevisions(inputs.revisions.ownedBy(uid), {
        template: set.spec?.template,
        owner: controllerReference(STATEFUL_SETS, set),
        namespace: key.namespace ?? "",
        labels: set.spec?.selector?.matchLabels,
        collisions: set.status?.collisionCount,
      });
      const isThere = liveOwner(client, STATEFUL_SETS, set);
      if (!isTerminating(set)) await writeRevisions(client, plan, isThere);
      const { update, history } = plan;
      const named = (name: string | undefined) =>
        history.find(({ metadata }) => metadata?.name === name);
      const current = named(set.status?.currentRevision) ?? update;
      const observe = (pods: readonly Pod[]) => ({ pods, current, update, nowMs: clock.now() });
      // Claims must know their owners before the pods go.
      if (!isTerminating(set)) await retainClaims(context, { set, pods: claims.claimed });
      let refused: unknown;
      try {
        if (!isTerminating(set)) await repairMembers(context, { set, pods: claims.claimed });
        for (const step of planStatefulSet(set, observe(claims.claimed))) {
          if (step.do === "create" && !(await isThere())) break;
          await execute(context, { set, step, overlay });
        }
      } catch (error) {
        refused = error;
      }
      const pods = claim().claimed;
      const live = new Set(pods.map(({ metadata }) => metadata?.labels?.[REVISION_HASH]));
      const isLive = ({ metadata }: ControllerRevision) =>
        live.has(metadata?.name ?? "") || metadata?.name === current.metadata?.name;
      const limit = set.spec?.revisionHistoryLimit ?? 10;
      await deleteRevisions(client, surplusRevisions(history, { limit, isLive }));
      const { status, ...due } = statefulSetStatus(set, observe(pods));
      if (!jsonEqual(status, set.status)) {
        await client.for(STATEFUL_SETS).updateStatus({ ...set, status });
      }
      if (refused) throw refused;
      const requeueAfterMs = overlay.requeueAfterMs(uid, due.requeueAfterMs);
      return requeueAfterMs === undefined ? {} : { requeueAfterMs };
    },
  });
}

type StatefulContext = Pick<
  ReconcileContext<{ claims: Input<PersistentVolumeClaim> }>,
  "inputs" | "client" | "clock" | "events"
>;

/** Gives the claims of the pods that are there the owners that the set's policy wants. */
async function retainClaims(
  { inputs, client }: Pick<StatefulContext, "inputs" | "client">,
  { set, pods }: { set: StatefulSet; pods: readonly Pod[] },
): Promise<void> {
  for (const pod of pods) {
    const ordinal = ordinalOf(set, pod);
    for (const { metadata } of ordinal < 0 ? [] : claimsOf(set, ordinal)) {
      const ref = { namespace: metadata?.namespace, name: metadata?.name ?? "" };
      const cached = inputs.claims.get(ref.namespace, ref.name);
      // What a cache misses when the pod goes would stay for ever.
      const claim = cached ?? (takesClaims(set, pod) ? await readClaim(client, ref) : undefined);
      if (!claim || isTerminating(claim)) continue;
      const ownerReferences = claimOwners(set, { claim, pod });
      if (!ownerReferences) continue;
      const { resourceVersion } = claim.metadata ?? {};
      await client
        .for(PERSISTENT_VOLUME_CLAIMS)
        .patch(refOf(claim), { metadata: { uid: uidOf(claim), resourceVersion, ownerReferences } })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
    }
  }
}

/**
 * Gives members the labels back that tell them apart, and those that wait for a claim that
 * somebody took away a new one.
 */
async function repairMembers(
  context: StatefulContext,
  { set, pods }: { set: StatefulSet; pods: readonly Pod[] },
): Promise<void> {
  const about = { apiVersion: "apps/v1", kind: "StatefulSet", metadata: set.metadata };
  for (const pod of pods.filter((one) => isMember(set, one) && !isTerminating(one))) {
    const ordinal = ordinalOf(set, pod);
    if (pod.status?.phase === "Pending") await createClaims(context, { set, ordinal, about });
    const labels = identityLabels(pod.metadata?.name ?? "", ordinal);
    if (pod.metadata?.labels?.[POD_NAME] === labels[POD_NAME]) continue;
    const metadata = { uid: uidOf(pod), labels };
    await context.client
      .for(PODS)
      .patch(refOf(pod), { metadata })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
  }
}

function readClaim(client: Client, ref: ObjectRef): Promise<PersistentVolumeClaim | undefined> {
  return client
    .for(PERSISTENT_VOLUME_CLAIMS)
    .get(ref)
    .catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
}

async function execute(
  context: StatefulContext,
  of: { set: StatefulSet; step: StatefulStep; overlay: WriteOverlay<Pod> },
): Promise<void> {
  const { set, step, overlay } = of;
  const { client, clock, events } = context;
  const about = { apiVersion: "apps/v1", kind: "StatefulSet", metadata: set.metadata };
  if (step.do === "delete") {
    await client
      .for(PODS)
      .delete(refOf(step.pod), { preconditions: { uid: uidOf(step.pod) } })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    overlay.deleted(uidOf(set), step.pod, clock.now());
    const { name } = step.pod.metadata ?? {};
    const message = `delete Pod ${name} in StatefulSet ${set.metadata?.name} successful`;
    events.record({ about, type: "Normal", reason: "SuccessfulDelete", message });
    return;
  }
  if (!(await createClaims(context, { set, ordinal: step.ordinal, about }))) return;
  const owner = controllerReference(STATEFUL_SETS, set);
  const pod = statefulPod(set, { ordinal: step.ordinal, owner, revision: step.revision });
  const what = `create Pod ${pod.metadata?.name} in StatefulSet ${set.metadata?.name}`;
  const create = () => client.for(PODS).create(pod);
  try {
    await overlay.create(uidOf(set), create, () => clock.now());
  } catch (error) {
    if (!isAlreadyExists(error)) {
      tellRefusal(events, { about, error, before: `${what} failed error` });
    }
    throw error;
  }
  const message = `${what} successful`;
  events.record({ about, type: "Normal", reason: "SuccessfulCreate", message });
}

/** Makes the claims of a pod that are missing; false while one of them still goes. */
async function createClaims(
  { inputs, client, events }: StatefulContext,
  { set, ordinal, about }: { set: StatefulSet; ordinal: number; about: object },
): Promise<boolean> {
  const pod = `${set.metadata?.name}-${ordinal}`;
  for (const claim of claimsOf(set, ordinal)) {
    const { namespace, name = "" } = claim.metadata ?? {};
    const known = inputs.claims.get(namespace, name);
    // The claim's own end brings the set back here.
    if (known && isLeaving(known, pod)) return false;
    if (known) continue;
    const ownerReferences = claimOwners(set, { claim, pod: undefined });
    const metadata = { ...claim.metadata, ...(ownerReferences ? { ownerReferences } : {}) };
    const inSet = `in StatefulSet ${set.metadata?.name}`;
    try {
      await client.for(PERSISTENT_VOLUME_CLAIMS).create({ ...claim, metadata });
      const message = `create Claim ${name} Pod ${pod} ${inSet} success`;
      events.record({ about, type: "Normal", reason: "SuccessfulCreate", message });
    } catch (error) {
      if (isAlreadyExists(error)) continue;
      const before = `create Claim ${name} for Pod ${pod} ${inSet} failed error`;
      tellRefusal(events, { about, error, before });
      throw error;
    }
  }
  return true;
}
