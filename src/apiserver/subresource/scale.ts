import { copyJson } from "../../lib/json-copy.ts";
import { APPLY_PATCH, applyPatch } from "../../api/patch/apply-patch.ts";
import { invalid, StatusError } from "../../api/errors.ts";
import {
  compileLabelSelector,
  formatLabelSelector,
  type LabelSelectorSpec,
} from "../../lib/labels.ts";
import type { Engine } from "../engine.ts";
import { asObject, fieldOf, type KubeObject, textOf } from "../kube-object.ts";
import type { Answer, Call } from "../rest/call.ts";
import type { ServedResource, ScalePaths } from "../resource-registry.ts";
import { getObject } from "../rest/read.ts";
import { admitBody } from "../rest/admission.ts";
import { invalidPatch, readPatch } from "../rest/strict-patch.ts";
import { updateObject } from "../rest/update.ts";

const REPLICAS: ScalePaths = { wanted: ["spec", "replicas"], actual: ["status", "replicas"] };

/** The `autoscaling/v1` view of something with replicas. */
function scaleOf({ scale }: ServedResource, object: KubeObject): Record<string, unknown> {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const paths = scale ?? REPLICAS;
  const selector = scale
    ? textOf(scale.selector && valueAt(object, scale.selector))
    : selectorText(fieldOf(object, "spec")["selector"]);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: valueAt(object, paths.wanted) ?? 0 },
    status: {
      replicas: valueAt(object, paths.actual) ?? 0,
      ...(selector ? { selector } : {}),
    },
  };
}

function valueAt(object: object, path: readonly string[]): unknown {
  let value: unknown = object;
  for (const name of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
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
  const { served, method } = call;
  if (method === "GET") {
    const object = await objectIn(call, await getObject(engine, call));
    if (served.scale && valueAt(object, served.scale.wanted) === undefined) {
      const path = served.scale.wanted.join(".");
      throw new StatusError("InternalError", `the spec replicas field ".${path}" does not exist`);
    }
    return { kind: "value", status: 200, value: scaleOf(served, object) };
  }
  const path = (served.scale ?? REPLICAS).wanted;
  const isApplied = call.body.kind !== "none" && call.body.contentType === APPLY_PATCH;
  const answer = await updateObject(engine, call, {
    wanted: async (old) => {
      const said = isApplied ? engine.readBody(call, "Scale") : scaleWanted(engine, call, old);
      const scale = asObject({ ...scaleOf(served, old), ...said });
      const oldObject = asObject(scaleOf(served, old));
      await admitBody(engine.admission, call, { operation: "UPDATE", object: scale, oldObject });
      if (!isApplied) return withReplicas(old, { scale, path });
      const applied = onlyReplicas(old, { scale, path });
      return engine.apply(call, { applied, values: applied, old });
    },
    scope: (wanted) => wanted,
    admitted: true,
    managed: isApplied,
  });
  return { kind: "value", status: 200, value: scaleOf(served, await objectIn(call, answer)) };
}

/** The object of an answer, in the version that the call names. */
async function objectIn({ served }: Call, answer: Answer): Promise<KubeObject> {
  if (answer.kind === "value") return answer.value as KubeObject;
  if (answer.kind === "list") throw new StatusError("InternalError", "a list has no scale");
  const [converted = answer.object] = served.conversion
    ? await served.conversion.toServed([answer.object])
    : [];
  return converted.object();
}

function scaleWanted(engine: Engine, call: Call, old: KubeObject): KubeObject {
  if (call.method === "PUT" || call.body.kind === "none") return engine.readBody(call, "Scale");
  const { patch, objections } = readPatch(call.body);
  const type = call.body.contentType.startsWith("application/strategic-merge-patch")
    ? "application/merge-patch+json"
    : call.body.contentType;
  const value = applyPatch({ type, patch, object: scaleOf(call.served, old) });
  try {
    return engine.readBody(call, "Scale", { value, objections });
  } catch (error) {
    throw invalidPatch(error, JSON.stringify(value));
  }
}

interface Replicas {
  scale: Record<string, unknown>;
  path: readonly string[];
}

/** The object as far as who applies a scale has an opinion on it. */
function onlyReplicas(old: KubeObject, { scale, path }: Replicas): KubeObject {
  const { resourceVersion, uid } = fieldOf(scale, "metadata");
  const { apiVersion = "", kind = "" } = old;
  const { name = "", namespace = "" } = old.metadata;
  const metadata: KubeObject["metadata"] = { name, namespace };
  if (uid) metadata.uid = textOf(uid);
  if (resourceVersion) metadata.resourceVersion = textOf(resourceVersion);
  const object: KubeObject = { apiVersion, kind, metadata };
  setAt(object, path, replicasOf(scale, old));
  return object;
}

function withReplicas(old: KubeObject, { scale, path }: Replicas): KubeObject {
  const { name, resourceVersion, uid } = fieldOf(scale, "metadata");
  const next = copyJson(old);
  setAt(next, path, replicasOf(scale, old));
  if (name) next.metadata.name = textOf(name);
  if (uid) next.metadata.uid = textOf(uid);
  if (resourceVersion) next.metadata.resourceVersion = textOf(resourceVersion);
  return next;
}

/** @throws StatusError Invalid */
function replicasOf(scale: Record<string, unknown>, old: KubeObject): number {
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
  return replicas;
}

function setAt(object: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let parent = object;
  for (const name of path.slice(0, -1)) {
    const inner = fieldOf(parent, name);
    parent[name] = inner;
    parent = inner;
  }
  parent[path.at(-1) ?? ""] = value;
}
