import { isAlreadyExists, isNotFound } from "../../api/errors.ts";
import { DEPLOYMENTS, PODS, REPLICA_SETS } from "../../api/generated/resources.ts";
import type { Deployment, ReplicaSet } from "../../api/generated/types/apps-v1.ts";
import type { ObjectRef } from "../../client/client.ts";
import {
  type ControllerDefinition,
  defineController,
  input,
  type ListerLookup,
  type ReconcileContext,
} from "../../client/controller.ts";
import { executeClaims, ORPHANS, orphanIndex, planClaims } from "../claims.ts";
import { jsonEqual } from "../json-equal.ts";
import { liveOwner } from "../live-owner.ts";
import { controllerOf, isTerminating, refersTo, refOf, uidOf } from "../ownership.ts";
import { isFinished } from "../pod-state.ts";
import { messageOf, tellRefusal } from "../refusal.ts";
import { compileSelector } from "../selector.ts";
import { WriteOverlay } from "../write-overlay.ts";
import { type DeploymentStep, isHashCollision, planDeployment } from "./deployment-plan.ts";
import { stuckStatus } from "./deployment-status.ts";

/** Rolls templates of Deployments out through ReplicaSets. */
export function deploymentController(): ControllerDefinition {
  const overlay = new WriteOverlay<ReplicaSet>();
  const inputs = {
    deployments: input(DEPLOYMENTS, (deployment) => [refOf(deployment)]),
    sets: input(
      REPLICA_SETS,
      (set, listers) => {
        const controller = controllerOf(set);
        if (controller) overlay.observe(controller.uid, set);
        return deploymentsOf(set, listers);
      },
      { indexes: { [ORPHANS]: orphanIndex } },
    ),
    // Only Recreate waits for pods; rolling updates see their sets' status.
    pods: input(PODS, (pod, listers) => {
      const controller = controllerOf(pod);
      if (!refersTo(REPLICA_SETS, controller) || !controller) return [];
      const namespace = pod.metadata?.namespace;
      const owner = listers.of(REPLICA_SETS).get(namespace, controller.name);
      const parent = owner && controllerOf(owner);
      if (!parent || !refersTo(DEPLOYMENTS, parent)) return [];
      const deployment = listers.of(DEPLOYMENTS).get(namespace, parent.name);
      return deployment?.spec?.strategy?.type === "Recreate" ? [refOf(deployment)] : [];
    }),
  };

  return defineController({
    name: "deployment",
    inputs,
    outputs: [
      { resource: DEPLOYMENTS, verbs: ["patch", "update"], subresources: ["status"] },
      { resource: REPLICA_SETS, verbs: ["create", "update", "patch", "delete"] },
    ],
    async reconcile(context, key) {
      const deployment = context.inputs.deployments.get(key.namespace, key.name);
      if (!deployment) return;
      const nowMs = context.clock.now();
      const { sets, pods } = context.inputs;
      const claims = planClaims(
        deployment,
        [
          ...overlay.view(uidOf(deployment), sets, nowMs),
          ...sets.byIndex(ORPHANS, key.namespace ?? ""),
        ],
        compileSelector(deployment.spec?.selector),
      );
      await executeClaims(context.client, claims, {
        resource: REPLICA_SETS,
        owner: deployment,
        ownerResource: DEPLOYMENTS,
      });
      const { steps, ...due } = planDeployment(deployment, {
        sets: claims.claimed,
        oldPodsRun: (current) =>
          claims.claimed
            .filter((set) => set !== current)
            .some((set) => pods.ownedBy(uidOf(set)).some((pod) => !isFinished(pod))),
        nowMs,
      });
      await execute(context, { deployment, steps, overlay });
      const requeueAfterMs = overlay.requeueAfterMs(uidOf(deployment), due.requeueAfterMs);
      return requeueAfterMs === undefined ? {} : { requeueAfterMs };
    },
  });
}

function deploymentsOf(set: ReplicaSet, listers: ListerLookup): ObjectRef[] {
  const controller = controllerOf(set);
  const namespace = set.metadata?.namespace;
  if (controller) {
    return refersTo(DEPLOYMENTS, controller) ? [{ name: controller.name, namespace }] : [];
  }
  return listers
    .of(DEPLOYMENTS)
    .list(namespace)
    .filter(({ spec }) => compileSelector(spec?.selector)(set.metadata?.labels))
    .map(refOf);
}

async function execute(
  { client, events, clock }: Pick<ReconcileContext<never>, "client" | "events" | "clock">,
  work: {
    deployment: Deployment;
    steps: readonly DeploymentStep[];
    overlay: WriteOverlay<ReplicaSet>;
  },
): Promise<void> {
  let current = work.deployment;
  const sets = client.for(REPLICA_SETS);
  const tell = (message: string | undefined) => {
    if (message) {
      const about = { apiVersion: "apps/v1", kind: "Deployment", metadata: current.metadata };
      events.record({ about, type: "Normal", reason: "ScalingReplicaSet", message });
    }
  };
  for (const step of work.steps) {
    switch (step.do) {
      case "create": {
        if (!(await liveOwner(client, DEPLOYMENTS, current)())) return;
        const create = () => sets.create(step.set);
        try {
          await work.overlay.create(uidOf(current), create, () => clock.now());
        } catch (error) {
          if (!isAlreadyExists(error)) {
            await tellSetRefused({ client, events, clock }, { current, set: step.set, error });
            throw error;
          }
          const existing = await sets.get(refOf(step.set));
          if (!isHashCollision(current, existing)) {
            // Made by a request whose answer was lost: the next pass must count it, cached or not.
            const known = () => Promise.resolve(existing);
            await work.overlay.create(uidOf(current), known, () => clock.now());
            break;
          }
          const collisionCount = (current.status?.collisionCount ?? 0) + 1;
          const status = { ...current.status, collisionCount };
          await client.for(DEPLOYMENTS).updateStatus({ ...current, status });
          return;
        }
        tell(step.event);
        break;
      }
      case "update":
        work.overlay.updated(uidOf(current), step.set, await sets.update(step.set));
        tell(step.event);
        break;
      case "delete":
        if (isTerminating(step.set)) break;
        await sets.delete(refOf(step.set)).catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
        break;
      case "annotate": {
        const metadata = { uid: uidOf(current), annotations: step.annotations };
        // With the status: an annotation beside it would count as a new generation.
        current = await client
          .for(DEPLOYMENTS)
          .patch(refOf(current), { metadata }, { subresource: "status" });
        break;
      }
      case "status":
        await client.for(DEPLOYMENTS).updateStatus({ ...current, status: step.status });
        break;
    }
  }
}

/** What stands in the way of a rollout shows in its condition too, if it has a deadline. */
async function tellSetRefused(
  { client, events, clock }: Pick<ReconcileContext<never>, "client" | "events" | "clock">,
  of: { current: Deployment; set: ReplicaSet; error: unknown },
): Promise<void> {
  const { current, set, error } = of;
  const about = { apiVersion: "apps/v1", kind: "Deployment", metadata: current.metadata };
  const before = `Failed to create new replica set "${set.metadata?.name}"`;
  const reason = "ReplicaSetCreateError";
  tellRefusal(events, { about, error, reason, before });
  const message = `${before}: ${messageOf(error)}`;
  const status = stuckStatus(current, { reason, message, nowMs: clock.now() });
  if (jsonEqual(status, current.status)) return;
  // The refusal itself is what matters, and is tried again anyway.
  await client
    .for(DEPLOYMENTS)
    .updateStatus({ ...current, status })
    .catch(() => {});
}
