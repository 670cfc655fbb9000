import { isNotFound } from "../../api/errors.ts";
import {
  DEPLOYMENTS,
  POD_DISRUPTION_BUDGETS,
  PODS,
  REPLICA_SETS,
  REPLICATION_CONTROLLERS,
  STATEFUL_SETS,
} from "../../api/generated/resources.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { OwnerReference } from "../../api/generated/types/meta-v1.ts";
import type { PodDisruptionBudget } from "../../api/generated/types/policy-v1.ts";
import type { PolicyRule } from "../../api/generated/types/rbac-v1.ts";
import type { ObjectRef } from "../../client/client.ts";
import {
  type ControllerDefinition,
  defineController,
  input,
  type ListerLookup,
} from "../../client/controller.ts";
import type { EventRecorder } from "../../client/event-recorder.ts";
import type { Lister } from "../../client/informer.ts";
import { matchesSelector } from "../../lib/labels.ts";
import { jsonEqual } from "../json-equal.ts";
import { type ApiObject, controllerOf, refersTo, refOf } from "../ownership.ts";
import { ScaleTargets, UnknownKindError } from "../scale-target.ts";
import { disruptionStatus, needsSizes } from "./disruption-plan.ts";

/** A workload with a size. */
interface Sized extends ApiObject {
  spec?: { replicas?: number };
}

function selects(budget: PodDisruptionBudget, pod: Pod): boolean {
  return matchesSelector(budget.spec?.selector, pod.metadata?.labels);
}

function budgetsOf(pod: Pod, listers: ListerLookup): ObjectRef[] {
  const budgets = listers.of(POD_DISRUPTION_BUDGETS).list(pod.metadata?.namespace);
  return budgets.filter((budget) => selects(budget, pod)).map(refOf);
}

/** A change of size concerns every budget of the namespace; there are few. */
function budgetsNear(workload: ApiObject, listers: ListerLookup): ObjectRef[] {
  return listers.of(POD_DISRUPTION_BUDGETS).list(workload.metadata?.namespace).map(refOf);
}

/** Sizes of workloads of kinds that only their pods name. */
const ANY_SCALE: readonly PolicyRule[] = [
  { apiGroups: ["*"], resources: ["*/scale"], verbs: ["get"] },
];
const RETRY_MS = 15_000;

/** Keeps count of how many pods each budget can spare. */
export function disruptionController(): ControllerDefinition {
  let targets: ScaleTargets | undefined;
  return defineController({
    name: "disruption",
    inputs: {
      budgets: input(POD_DISRUPTION_BUDGETS, (budget) => [refOf(budget)]),
      pods: input(PODS, budgetsOf),
      deployments: input(DEPLOYMENTS, budgetsNear),
      replicaSets: input(REPLICA_SETS, budgetsNear),
      statefulSets: input(STATEFUL_SETS, budgetsNear),
      controllers: input(REPLICATION_CONTROLLERS, budgetsNear),
    },
    outputs: [{ resource: POD_DISRUPTION_BUDGETS, verbs: ["update"], subresources: ["status"] }],
    undeclared: ANY_SCALE,
    async reconcile({ inputs, client, clock, events }, key) {
      const budget = inputs.budgets.get(key.namespace, key.name);
      if (!budget) return {};
      targets ??= new ScaleTargets(client.transport);
      const pods = inputs.pods.list(key.namespace).filter((pod) => selects(budget, pod));
      const expected = needsSizes(budget) ? await expectedOf(pods, inputs, targets) : undefined;
      const observed = { pods, expected, nowMs: clock.now() };
      const { status, overdue, requeueAfterMs } = disruptionStatus(budget, observed);
      tell(events, { budget, pods, expected, overdue });
      if (!jsonEqual(status, budget.status)) {
        await client.for(POD_DISRUPTION_BUDGETS).updateStatus({ ...budget, status });
      }
      if (typeof expected === "string") return { requeueAfterMs: RETRY_MS };
      return requeueAfterMs === undefined ? {} : { requeueAfterMs };
    },
  });
}

/** What its owner should know of a budget that protects less than it seems to. */
function tell(
  events: EventRecorder,
  of: {
    budget: PodDisruptionBudget;
    pods: readonly Pod[];
    expected: number | string | undefined;
    overdue: readonly Pod[];
  },
): void {
  const { budget, pods, expected } = of;
  const { namespace, name } = budget.metadata ?? {};
  const { kind } = POD_DISRUPTION_BUDGETS;
  const about = { apiVersion: "policy/v1", kind, metadata: budget.metadata };
  if (pods.length === 0) {
    const message = "No matching pods found";
    events.record({ about, type: "Normal", reason: "NoPods", message });
  }
  const stray = expected === undefined ? [] : pods.filter((pod) => !controllerOf(pod));
  if (typeof expected === "string") {
    const message = `Failed to calculate the number of expected pods: ${expected}`;
    const reason = "CalculateExpectedPodCountFailed";
    events.record({ about, type: "Warning", reason, message });
  } else if (stray.length > 0) {
    const message =
      "Pods selected by this PodDisruptionBudget were found to be unmanaged. As a result, the " +
      "status of the PDB cannot be calculated correctly, which may result in undefined behavior. " +
      'To account for these pods please set ".spec.minAvailable" field of the PDB to an integer ' +
      "value.";
    events.record({ about, type: "Warning", reason: "UnmanagedPods", message });
  }
  for (const { metadata } of of.overdue) {
    const message = `Pod was expected by PDB ${namespace}/${name} to be deleted but it wasn't`;
    const pod = { apiVersion: "v1", kind: "Pod", metadata };
    events.record({ about: pod, type: "Warning", reason: "NotDeleted", message });
  }
}

interface Workloads {
  deployments: Lister<Sized>;
  replicaSets: Lister<Sized>;
  statefulSets: Lister<Sized>;
  controllers: Lister<Sized>;
}

/**
 * Sum of the sizes of all workloads that these pods belong to, or why it is not known. Pods that
 * nobody controls have no size that they could be missed from.
 */
async function expectedOf(
  pods: readonly Pod[],
  workloads: Workloads,
  targets: ScaleTargets,
): Promise<number | string> {
  const sizes = new Map<string, number>();
  for (const pod of pods) {
    const reference = controllerOf(pod);
    if (!reference || sizes.has(reference.uid)) continue;
    const owner = ownerOf(pod, workloads);
    const size = owner
      ? (owner.spec?.replicas ?? 1)
      : await scaleOf(targets, { reference, namespace: pod.metadata?.namespace ?? "" });
    if (typeof size === "string") return size;
    if (size === undefined) return `found no controllers for pod "${pod.metadata?.name}"`;
    sizes.set(owner?.metadata?.uid ?? reference.uid, size);
  }
  return [...sizes.values()].reduce((sum, replicas) => sum + replicas, 0);
}

/** Of other kinds, by their scale; undefined for who is not there, or why there is none. */
async function scaleOf(
  targets: ScaleTargets,
  { reference, namespace }: { reference: OwnerReference; namespace: string },
): Promise<number | string | undefined> {
  try {
    const { metadata, spec } = await targets.read(namespace, reference);
    return metadata?.uid && metadata.uid !== reference.uid ? undefined : (spec?.replicas ?? 0);
  } catch (error) {
    if (error instanceof UnknownKindError) return undefined;
    if (!isNotFound(error)) throw error;
    const { plural, group } = await targets.resource(reference);
    if (await targets.hasScale(reference)) return undefined;
    const name = group ? `${plural}.${group}` : plural;
    return `${name} does not implement the scale subresource`;
  }
}

function ownerOf(pod: Pod, workloads: Workloads): Sized | undefined {
  const reference = controllerOf(pod);
  const namespace = pod.metadata?.namespace;
  if (!reference) return undefined;
  if (refersTo(STATEFUL_SETS, reference)) {
    return workloads.statefulSets.get(namespace, reference.name);
  }
  if (refersTo(REPLICATION_CONTROLLERS, reference)) {
    return workloads.controllers.get(namespace, reference.name);
  }
  if (!refersTo(REPLICA_SETS, reference)) return undefined;
  const set = workloads.replicaSets.get(namespace, reference.name);
  const parent = set && controllerOf(set);
  if (!parent || !refersTo(DEPLOYMENTS, parent)) return set;
  return workloads.deployments.get(namespace, parent.name);
}
