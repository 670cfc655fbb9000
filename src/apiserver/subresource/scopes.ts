import { deepEqual } from "../../lib/deep-equal.ts";
import { copyJson } from "../../lib/json-copy.ts";
import { fieldOf, type KubeObject } from "../kube-object.ts";
import { carryFields, type UpdateScope } from "../rest/update.ts";

function withField(
  old: KubeObject,
  at: { parent: string; field: string; from: KubeObject },
): KubeObject {
  const next = copyJson(old);
  const value = fieldOf(at.from, at.parent)[at.field];
  const parent = { ...fieldOf(next, at.parent) };
  if (value === undefined) delete parent[at.field];
  else parent[at.field] = value;
  next[at.parent] = parent;
  return next;
}

/** PUT `namespaces/finalize` changes the finalizers of the spec. */
export const finalizeScope: UpdateScope = (wanted, old) => {
  const next = withField(old, { parent: "spec", field: "finalizers", from: wanted });
  if (wanted.metadata.finalizers) next.metadata.finalizers = wanted.metadata.finalizers;
  else delete next.metadata.finalizers;
  return next;
};

/** PUT `certificatesigningrequests/approval` changes the conditions, labels and annotations. */
export const approvalScope: UpdateScope = (wanted, old) => {
  const next = withField(old, { parent: "status", field: "conditions", from: wanted });
  carryFields(next.metadata, wanted.metadata, ["labels", "annotations", "managedFields"]);
  return next;
};

/** `pods/ephemeralcontainers` adds debug containers to a running pod. */
export const ephemeralContainersScope: UpdateScope = (wanted, old) =>
  withField(old, { parent: "spec", field: "ephemeralContainers", from: wanted });

/** `pods/resize` changes the resources of containers and nothing else. */
export const resizeScope: UpdateScope = (wanted, old) => {
  const next = copyJson(old);
  const resources = new Map(
    containersOf(wanted).map((container) => [container["name"], container["resources"]]),
  );
  let proposed = false;
  for (const container of containersOf(next)) {
    const wanted = resources.get(container["name"]);
    if (wanted === undefined || deepEqual(wanted, container["resources"])) continue;
    container["resources"] = wanted;
    proposed = true;
  }
  // The node answers with what becomes of it.
  if (proposed) next["status"] = { ...fieldOf(next, "status"), resize: "Proposed" };
  return next;
};

function containersOf(pod: KubeObject): Record<string, unknown>[] {
  const { containers } = fieldOf(pod, "spec");
  return Array.isArray(containers) ? (containers as Record<string, unknown>[]) : [];
}
