import { copyJson } from "../../lib/json-copy.ts";
import { StatusError } from "../../api/errors.ts";
import { formatTime } from "../../lib/clock.ts";
import { matchesSelector, type LabelSelectorSpec } from "../../lib/labels.ts";
import type { Engine } from "../engine.ts";
import { asObject, fieldOf, type KubeObject } from "../kube-object.ts";
import { parseRawBody } from "../raw-body.ts";
import type { Answer, Call } from "../rest/call.ts";
import { admitBody } from "../rest/admission.ts";
import { deleteObject } from "../rest/delete.ts";
import { keyOfCall } from "../rest/read.ts";
import { successStatus } from "../rest/success-status.ts";
import { updateObject } from "../rest/update.ts";

const RETRY_AFTER_SECONDS = 10;

/** POST of an Eviction: a deletion that disruption budgets may refuse with 429. */
export async function evictPod(engine: Engine, call: Call): Promise<Answer> {
  const eviction = parseRawBody(call.body);
  await admitBody(engine.admission, call, { operation: "CREATE", object: asObject(eviction) });
  const options = fieldOf(eviction, "deleteOptions");
  const dryRun = options["dryRun"] ?? [];
  const pod = call.served.cache.get(keyOfCall(call))?.object();
  if (pod && needsBudget(pod)) await spendBudget(engine, call, pod);
  const { subresource: _, ...target } = call.target;
  const body = { kind: "value", value: { ...options, dryRun }, contentType: "" } as const;
  await deleteObject(engine, { ...call, target, body }, { admitted: true });
  return { kind: "value", status: 201, value: successStatus(201) };
}

function needsBudget(pod: KubeObject): boolean {
  const { phase } = fieldOf(pod, "status");
  const finished = phase === "Succeeded" || phase === "Failed" || phase === "Pending";
  return !finished && !pod.metadata.deletionTimestamp;
}

/** Counts the eviction against the budget that covers the pod. */
async function spendBudget(engine: Engine, call: Call, pod: KubeObject): Promise<void> {
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
  const name = covering[0]?.metadata.name;
  if (name === undefined) return;
  const target = { ...call.target, ...budgets.resource, resource: budgets.resource.plural, name };
  const time = formatTime(engine.clock.now());
  await updateObject(
    engine,
    { ...call, served: budgets, target: { ...target, subresource: "status" } },
    {
      wanted: (old) => spent(old, { pod: pod.metadata.name ?? "", time }),
      scope: (wanted) => wanted,
    },
  );
}

function covers(budget: KubeObject, pod: KubeObject): boolean {
  const { selector } = fieldOf(budget, "spec");
  return matchesSelector(selector as LabelSelectorSpec | undefined, pod.metadata.labels);
}

function spent(old: KubeObject, of: { pod: string; time: string }): KubeObject {
  const budget = copyJson(old);
  const status = fieldOf(budget, "status");
  const allowed = Number(status["disruptionsAllowed"] ?? 0);
  if (allowed <= 0) {
    const name = budget.metadata.name ?? "";
    const healthy = Number(status["currentHealthy"] ?? 0);
    const desired = Number(status["desiredHealthy"] ?? 0);
    throw new StatusError(
      "TooManyRequests",
      "Cannot evict pod as it would violate the pod's disruption budget.",
      {
        retryAfterSeconds: RETRY_AFTER_SECONDS,
        causes: [
          {
            reason: "DisruptionBudget",
            message:
              `The disruption budget ${name} needs ${desired} ` +
              `healthy pods and has ${healthy} currently`,
          },
        ],
      },
    );
  }
  const disruptedPods = { ...fieldOf(status, "disruptedPods"), [of.pod]: of.time };
  budget["status"] = { ...status, disruptionsAllowed: allowed - 1, disruptedPods };
  return budget;
}
