import { copyJson } from "../../lib/json-copy.ts";
import { applyPatch } from "../../api/patch/apply-patch.ts";
import { invalid, notFound, StatusError } from "../../api/errors.ts";
import {
  compileLabelSelector,
  formatLabelSelector,
  type LabelSelectorSpec,
} from "../../lib/labels.ts";
import type { Engine } from "../engine.ts";
import { asObject, fieldOf, type KubeObject, textOf } from "../kube-object.ts";
import { parseRawBody, parseRawValue } from "../raw-body.ts";
import type { Answer, Call } from "../rest/call.ts";
import { keyOfCall } from "../rest/read.ts";
import { admitBody } from "../rest/admission.ts";
import { updateObject } from "../rest/update.ts";

/** The `autoscaling/v1` view of something with replicas. */
function scaleOf(object: KubeObject): Record<string, unknown> {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const spec = fieldOf(object, "spec");
  const selector = selectorText(spec["selector"]);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: spec["replicas"] ?? 0 },
    status: {
      replicas: fieldOf(object, "status")["replicas"] ?? 0,
      ...(selector ? { selector } : {}),
    },
  };
}

/** ReplicationControllers have a plain map where the others have a LabelSelector. */
function selectorText(selector: unknown): string {
  if (typeof selector !== "object" || selector === null) return "";
  const typed = "matchLabels" in selector || "matchExpressions" in selector;
  const spec = (typed ? selector : { matchLabels: selector }) as LabelSelectorSpec;
  return formatLabelSelector(compileLabelSelector(spec) ?? []);
}

/** GET, PUT and PATCH of `scale`. */
export async function serveScale(engine: Engine, call: Call): Promise<Answer> {
  const { served, target, method } = call;
  if (method === "GET") {
    const object = served.cache.get(keyOfCall(call));
    if (!object) throw notFound(served.resource, target.name ?? "");
    return { kind: "value", status: 200, value: scaleOf(object.object()) };
  }
  const answer = await updateObject(engine, call, {
    wanted: async (old) => {
      const scale = asObject({ ...scaleOf(old), ...scaleWanted(call, old) });
      const oldObject = asObject(scaleOf(old));
      await admitBody(engine.admission, call, { operation: "UPDATE", object: scale, oldObject });
      return withReplicas(old, scale);
    },
    scope: (wanted) => wanted,
    admitted: true,
  });
  const object = answer.kind === "object" ? answer.object.object() : undefined;
  const value = object ?? (answer.kind === "value" ? (answer.value as KubeObject) : undefined);
  if (!value) throw new StatusError("InternalError", "the scale was not stored");
  return { kind: "value", status: 200, value: scaleOf(value) };
}

function scaleWanted(call: Call, old: KubeObject): Record<string, unknown> {
  if (call.method === "PUT" || call.body.kind === "none") return parseRawBody(call.body);
  const patch = parseRawValue(call.body);
  const type = call.body.contentType.startsWith("application/strategic-merge-patch")
    ? "application/merge-patch+json"
    : call.body.contentType;
  return applyPatch({ type, patch, object: scaleOf(old) });
}

function withReplicas(old: KubeObject, scale: Record<string, unknown>): KubeObject {
  const { name, resourceVersion, uid } = fieldOf(scale, "metadata");
  const replicas = fieldOf(scale, "spec")["replicas"] ?? 0;
  if (typeof replicas !== "number" || !Number.isSafeInteger(replicas) || replicas < 0) {
    throw invalid({ group: "autoscaling", kind: "Scale" }, old.metadata.name ?? "", [
      {
        reason: "FieldValueInvalid",
        message: `Invalid value: ${JSON.stringify(replicas)}: must be greater than or equal to 0`,
        field: "spec.replicas",
      },
    ]);
  }
  const next = copyJson(old);
  next["spec"] = { ...fieldOf(next, "spec"), replicas };
  if (name) next.metadata.name = textOf(name);
  if (uid) next.metadata.uid = textOf(uid);
  if (resourceVersion) next.metadata.resourceVersion = textOf(resourceVersion);
  return next;
}
