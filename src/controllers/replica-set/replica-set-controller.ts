import { isNotFound } from "../../api/errors.ts";
import { PODS, REPLICA_SETS, REPLICATION_CONTROLLERS } from "../../api/generated/resources.ts";
import type { ReplicaSet } from "../../api/generated/types/apps-v1.ts";
import type { Pod, ReplicationController } from "../../api/generated/types/core-v1.ts";
import type { Resource } from "../../api/resource.ts";
import {
  type ControllerDefinition,
  defineController,
  input,
  type ReconcileContext,
} from "../../client/controller.ts";
import { executeClaims, ORPHANS } from "../claims.ts";
import { jsonEqual } from "../json-equal.ts";
import { liveOwner } from "../live-owner.ts";
import { controllerOf, controllerReference, isTerminating, refOf, uidOf } from "../ownership.ts";
import { podFromTemplate } from "../pod-state.ts";
import { messageOf, tellRefusal } from "../refusal.ts";
import { compileSelector } from "../selector.ts";
import { slowStart } from "../slow-start.ts";
import { podsOf } from "../workload-inputs.ts";
import { WriteOverlay } from "../write-overlay.ts";
import {
  type ObservedPods,
  planReplicaSet,
  replicaSetStatus,
  type ReplicaSetStep,
} from "./replica-set-plan.ts";

/** Keeps the pods of every ReplicaSet at their wanted number. */
export function replicaSetController(): ControllerDefinition {
  return replicaController("replica-set", REPLICA_SETS, (set) => set);
}

/** The same for ReplicationControllers, whose selector is a plain map. */
export function replicationControllerController(): ControllerDefinition {
  return replicaController("replication-controller", REPLICATION_CONTROLLERS, asReplicaSet);
}

function asReplicaSet(controller: ReplicationController): ReplicaSet {
  const { metadata = {}, status, spec } = controller;
  const matchLabels = spec?.selector ?? spec?.template?.metadata?.labels ?? {};
  const template = spec?.template ?? { spec: { containers: [] } };
  return {
    metadata,
    ...(status ? { status } : {}),
    spec: { ...spec, selector: { matchLabels }, template },
  };
}

function replicaController<T extends ReplicaSet | ReplicationController>(
  name: string,
  resource: Resource<T>,
  read: (object: T) => ReplicaSet,
): ControllerDefinition {
  const overlay = new WriteOverlay<Pod>();
  const uidByName = new Map<string, string>();
  const inputs = {
    sets: input<T>(resource, (set) => [refOf(set)]),
    pods: podsOf(resource, { overlay, selectorOf: (set) => read(set).spec?.selector }),
  };
  type Context = ReconcileContext<typeof inputs>;

  const observe = ({ inputs: { sets, pods }, clock }: Context, set: ReplicaSet): ObservedPods => {
    const nowMs = clock.now();
    const owner = controllerOf(set);
    const owned = overlay.view(uidOf(set), pods, nowMs);
    return {
      pods: [...owned, ...pods.byIndex(ORPHANS, set.metadata?.namespace ?? "")],
      related: () =>
        owner ? sets.ownedBy(owner.uid).flatMap((one) => pods.ownedBy(uidOf(one))) : owned,
      matches: compileSelector(set.spec?.selector),
      nowMs,
    };
  };

  const execute = async (context: Context, set: ReplicaSet, steps: readonly ReplicaSetStep[]) => {
    const pods = context.client.for(PODS);
    const owner = controllerReference(resource, set);
    const { apiVersion, kind } = owner;
    const about = { apiVersion, kind, metadata: set.metadata };
    const create = async () => {
      const pod = podFromTemplate(set.spec?.template, {
        namespace: set.metadata?.namespace ?? "",
        generateName: `${set.metadata?.name}-`,
        owner,
      });
      const made = await overlay.create(
        owner.uid,
        () => pods.create(pod),
        () => context.clock.now(),
      );
      const message = `Created pod: ${made.metadata?.name}`;
      context.events.record({ about, type: "Normal", reason: "SuccessfulCreate", message });
    };
    const remove = async (pod: Pod) => {
      await pods
        .delete(refOf(pod), { preconditions: { uid: uidOf(pod) } })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
      overlay.deleted(owner.uid, pod, context.clock.now());
      const message = `Deleted pod: ${pod.metadata?.name}`;
      context.events.record({ about, type: "Normal", reason: "SuccessfulDelete", message });
    };
    const podsTo = (act: ReplicaSetStep["do"]) =>
      steps.flatMap((step) => (step.do === act && step.do !== "create" ? [step.pod] : []));
    const claims = { adopt: podsTo("adopt"), release: podsTo("release") };
    await executeClaims(context.client, claims, {
      resource: PODS,
      owner: set,
      ownerResource: resource,
    });
    const isThere = liveOwner(context.client, resource, set);
    for (const step of steps) {
      if (step.do === "create" && (await isThere())) await slowStart(step.count, create);
    }
    const doomed = podsTo("delete");
    await slowStart(doomed.length, (at) => remove(doomed[at] as Pod));
  };

  return defineController({
    name,
    inputs,
    outputs: [
      { resource, verbs: ["update"], subresources: ["status"] },
      { resource: PODS, verbs: ["create", "patch", "delete"] },
    ],
    async reconcile(context, key) {
      const keyText = `${key.namespace}/${key.name}`;
      const object = context.inputs.sets.get(key.namespace, key.name);
      if (!object) {
        overlay.forget(uidByName.get(keyText) ?? "");
        uidByName.delete(keyText);
        return;
      }
      uidByName.set(keyText, uidOf(object));
      const set = read(object);
      const steps = planReplicaSet(set, observe(context, set));
      let refused: unknown;
      await execute(context, set, steps).catch((error: unknown) => {
        refused = error;
      });
      const failure = refused ? failureOf(set, { steps, refused }) : undefined;
      const { status, ...due } = replicaSetStatus(set, {
        ...observe(context, set),
        failure,
      });
      if (!jsonEqual(status, object.status)) {
        await context.client.for(resource).updateStatus({ ...object, status });
      }
      if (refused && failure) {
        const { apiVersion, kind } = controllerReference(resource, set);
        const about = { apiVersion, kind, metadata: object.metadata };
        const { reason, action } = failure;
        tellRefusal(context.events, { about, error: refused, reason, before: `Error ${action}` });
      }
      if (refused) throw refused;
      const requeueAfterMs = overlay.requeueAfterMs(uidOf(object), due.requeueAfterMs);
      return requeueAfterMs === undefined ? {} : { requeueAfterMs };
    },
  });
}

function failureOf(
  set: ReplicaSet,
  at: { steps: readonly ReplicaSetStep[]; refused: unknown },
): { reason: string; message: string; action: string } | undefined {
  const message = messageOf(at.refused);
  if (isTerminating(set)) return undefined;
  if (at.steps.some((step) => step.do === "create")) {
    return { reason: "FailedCreate", message, action: "creating" };
  }
  if (at.steps.some((step) => step.do === "delete")) {
    return { reason: "FailedDelete", message, action: "deleting" };
  }
  return undefined;
}
