import { copyJson } from "../../lib/json-copy.ts";
import { forbidden, StatusError } from "../../api/errors.ts";
import { formatTime } from "../../lib/clock.ts";
import { matchesSelector, type LabelSelectorSpec } from "../../lib/labels.ts";
import type { Engine } from "../engine.ts";
import { fieldOf, type KubeObject, textOf } from "../kube-object.ts";
import { admitBody } from "../rest/admission.ts";
import { type Answer, type Call, isDryRun } from "../rest/call.ts";
import { checkPreconditions, deleteObject } from "../rest/delete.ts";
import { keyOfCall } from "../rest/read.ts";
import { successStatus } from "../rest/success-status.ts";
import { updateObject } from "../rest/update.ts";
import { checkNamed } from "./named-body.ts";

const DISRUPTED = {
  type: "DisruptionTarget",
  status: "True",
  reason: "EvictionByEvictionAPI",
  message: "Eviction API: evicting",
} as const;
const REFUSAL = "Cannot evict pod as it would violate the pod's disruption budget.";
/** After this the controller has likely seen a change of the budget. */
const PROCESSED_AFTER_SECONDS = 10;
const UNCONFIRMED_MAX = 2000;

/** POST of an Eviction: a deletion that disruption budgets may refuse with 429. */
export async function evictPod(engine: Engine, call: Call): Promise<Answer> {
  const eviction = engine.readBody(call, "Eviction");
  checkNamed(call, eviction, "Eviction");
  await admitBody(engine.admission, call, { operation: "CREATE", object: eviction });
  const options = fieldOf(eviction, "deleteOptions");
  const dryRun = options["dryRun"] ?? [];
  const pod = call.served.cache.get(keyOfCall(call))?.object();
  const dry = isDryRun(call) || (Array.isArray(dryRun) && dryRun.includes("All"));
  if (pod && needsBudget(pod)) await spendBudget(engine, call, { pod, dry });
  const { uid, resourceVersion } = fieldOf(options, "preconditions");
  const meant = { uid: textOf(uid), resourceVersion: textOf(resourceVersion) };
  const told = pod !== undefined && !dry;
  if (told) await tellDisruption(engine, call, meant);
  const { subresource: _, ...target } = call.target;
  // The version that was meant is that of before the pod was told.
  const preconditions = told ? { uid: meant.uid || pod.metadata.uid } : options["preconditions"];
  const value = { ...options, dryRun, preconditions };
  const body = { kind: "value", value, contentType: "" } as const;
  await deleteObject(engine, { ...call, target, body }, { admitted: true });
  return { kind: "value", status: 201, value: successStatus(201) };
}

function needsBudget(pod: KubeObject): boolean {
  const { phase } = fieldOf(pod, "status");
  const finished = phase === "Succeeded" || phase === "Failed" || phase === "Pending";
  return !finished && !pod.metadata.deletionTimestamp;
}

/** Says on the pod why it ends, which failure policies of Jobs go by. */
async function tellDisruption(
  engine: Engine,
  call: Call,
  meant: { uid: string; resourceVersion: string },
): Promise<void> {
  const { subresource: _, ...target } = call.target;
  const wanted = (old: KubeObject): KubeObject => {
    checkPreconditions(call.served, old, meant);
    const pod = copyJson(old);
    const status = fieldOf(pod, "status");
    const { conditions } = status;
    const known = Array.isArray(conditions) ? (conditions as Record<string, unknown>[]) : [];
    const before = known.find(({ type }) => type === DISRUPTED.type);
    const isTold = before?.["status"] === "True";
    const now = formatTime(engine.clock.now());
    const lastTransitionTime = isTold ? before["lastTransitionTime"] : now;
    const rest = known.filter((one) => one !== before);
    pod["status"] = { ...status, conditions: [...rest, { ...DISRUPTED, lastTransitionTime }] };
    return pod;
  };
  const whole = (pod: KubeObject): KubeObject => pod;
  const status = { ...call, target: { ...target, subresource: "status" } };
  await updateObject(engine, status, { wanted, scope: whole, admitted: true, managed: true });
}

/** Counts the eviction against the budget that covers the pod. */
async function spendBudget(
  engine: Engine,
  call: Call,
  { pod, dry }: { pod: KubeObject; dry: boolean },
): Promise<void> {
  const budgets = engine.registry.find("policy", "v1", "poddisruptionbudgets");
  const namespace = call.target.namespace ?? "";
  if (!budgets) return;
  const covering = [...budgets.cache.keys(`${namespace}/`)]
    .flatMap((key) => budgets.cache.get(key)?.object() ?? [])
    .filter((budget) => covers(budget, pod));
  if (covering.length > 1) {
    throw new StatusError(
      "InternalError",
      "This pod has more than one PodDisruptionBudget, which the eviction subresource does not " +
        "support.",
    );
  }
  const [budget] = covering;
  const name = budget?.metadata.name;
  if (!budget || name === undefined || isFree(budget, pod)) return;
  const time = formatTime(engine.clock.now());
  const of = { pod: pod.metadata.name ?? "", time };
  if (dry) {
    spent(budget, of);
    return;
  }
  const target = { ...call.target, ...budgets.resource, resource: budgets.resource.plural, name };
  await updateObject(
    engine,
    { ...call, served: budgets, target: { ...target, subresource: "status" } },
    {
      wanted: (old) => spent(old, of),
      scope: (wanted) => wanted,
    },
  );
}

function covers(budget: KubeObject, pod: KubeObject): boolean {
  const { selector } = fieldOf(budget, "spec");
  return matchesSelector(selector as LabelSelectorSpec | undefined, pod.metadata.labels);
}

/** Pods that are not ready are no loss where the budget says so, or where enough others are. */
function isFree(budget: KubeObject, pod: KubeObject): boolean {
  const { conditions } = fieldOf(pod, "status");
  const ready = (Array.isArray(conditions) ? (conditions as Record<string, unknown>[]) : []).some(
    ({ type, status }) => type === "Ready" && status === "True",
  );
  if (ready) return false;
  if (fieldOf(budget, "spec")["unhealthyPodEvictionPolicy"] === "AlwaysAllow") return true;
  const { currentHealthy, desiredHealthy } = fieldOf(budget, "status");
  const desired = Number(desiredHealthy ?? 0);
  return desired > 0 && Number(currentHealthy ?? 0) >= desired;
}

function refusal(message: string, retryAfterSeconds = 0): StatusError {
  const causes = [{ reason: "DisruptionBudget", message }];
  return new StatusError("TooManyRequests", REFUSAL, { retryAfterSeconds, causes });
}

/** The budget with one disruption less. @throws StatusError TooManyRequests */
function spent(old: KubeObject, of: { pod: string; time: string }): KubeObject {
  const budget = copyJson(old);
  const { name = "", generation = 0 } = budget.metadata;
  const status = fieldOf(budget, "status");
  const named = `The disruption budget ${name}`;
  if (Number(status["observedGeneration"] ?? 0) < generation) {
    throw refusal(`${named} is still being processed by the server.`, PROCESSED_AFTER_SECONDS);
  }
  const disrupted = fieldOf(status, "disruptedPods");
  if (Object.keys(disrupted).length > UNCONFIRMED_MAX) {
    const resource = { group: "policy", plural: "poddisruptionbudgets" };
    const why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
    throw forbidden(resource, name, why);
  }
  const allowed = Number(status["disruptionsAllowed"] ?? 0);
  if (allowed <= 0) {
    const healthy = Number(status["currentHealthy"] ?? 0);
    const desired = Number(status["desiredHealthy"] ?? 0);
    throw refusal(`${named} needs ${desired} healthy pods and has ${healthy} currently`);
  }
  const disruptedPods = { ...disrupted, [of.pod]: of.time };
  budget["status"] = { ...status, disruptionsAllowed: allowed - 1, disruptedPods };
  return budget;
}
