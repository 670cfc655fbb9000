import {
  DEPLOYMENTS,
  POD_DISRUPTION_BUDGETS,
  PODS,
  REPLICA_SETS,
  REPLICATION_CONTROLLERS,
  STATEFUL_SETS,
} from "../../api/generated/resources.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { PodDisruptionBudget } from "../../api/generated/types/policy-v1.ts";
import type { ObjectRef } from "../../client/client.ts";
import {
  type ControllerDefinition,
  defineController,
  input,
  type ListerLookup,
} from "../../client/controller.ts";
import type { Lister } from "../../client/informer.ts";
import { matchesSelector } from "../../lib/labels.ts";
import { jsonEqual } from "../json-equal.ts";
import { type ApiObject, controllerOf, refersTo, refOf } from "../ownership.ts";
import { disruptionStatus } from "./disruption-plan.ts";

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

/** Keeps count of how many pods each budget can spare. */
export function disruptionController(): ControllerDefinition {
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
    async reconcile({ inputs, client, clock }, key) {
      const budget = inputs.budgets.get(key.namespace, key.name);
      if (!budget) return {};
      const pods = inputs.pods.list(key.namespace).filter((pod) => selects(budget, pod));
      const { status, requeueAfterMs } = disruptionStatus(budget, {
        pods,
        expected: expectedOf(pods, inputs),
        nowMs: clock.now(),
      });
      if (!jsonEqual(status, budget.status)) {
        await client.for(POD_DISRUPTION_BUDGETS).updateStatus({ ...budget, status });
      }
      return requeueAfterMs === undefined ? {} : { requeueAfterMs };
    },
  });
}

interface Workloads {
  deployments: Lister<Sized>;
  replicaSets: Lister<Sized>;
  statefulSets: Lister<Sized>;
  controllers: Lister<Sized>;
}

/** Sum of the sizes of all workloads that these pods belong to. */
function expectedOf(pods: readonly Pod[], workloads: Workloads): number | undefined {
  const owners = new Map<string, number>();
  for (const pod of pods) {
    const owner = ownerOf(pod, workloads);
    if (!owner) return undefined;
    owners.set(owner.metadata?.uid ?? "", owner.spec?.replicas ?? 1);
  }
  return [...owners.values()].reduce((sum, replicas) => sum + replicas, 0);
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
