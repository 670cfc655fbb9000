import { forbidden } from "../../api/errors.ts";
import { RUNTIME_CLASSES } from "../../api/generated/resources.ts";
import type { PodSpec } from "../../api/generated/types/core-v1.ts";
import type { RuntimeClass } from "../../api/generated/types/node-v1.ts";
import { compareQuantities, parseQuantity } from "../../lib/quantity.ts";
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from "../contract.ts";
import { isPodCreate, podOf } from "./admitted-pod.ts";

type Amounts = Readonly<Record<string, string>>;

function sameAmounts(left: Amounts, right: Amounts): boolean {
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => {
      const [a, b] = [left[name], right[name]];
      return a && b && compareQuantities(parseQuantity(a), parseQuantity(b)) === 0;
    })
  );
}

function schedule(request: AdmissionRequest, spec: PodSpec, runtimeClass: RuntimeClass): void {
  const { nodeSelector = {}, tolerations = [] } = runtimeClass.scheduling ?? {};
  for (const [key, value] of Object.entries(nodeSelector)) {
    const own = spec.nodeSelector?.[key];
    if (own === undefined || own === value) continue;
    const why = `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`;
    throw forbidden(request.resource, request.name, why);
  }
  if (Object.keys(nodeSelector).length > 0) {
    spec.nodeSelector = { ...spec.nodeSelector, ...nodeSelector };
  }
  const known = new Set(spec.tolerations?.map((one) => JSON.stringify(one)));
  const added = tolerations.filter((one) => !known.has(JSON.stringify(one)));
  if (added.length > 0) spec.tolerations = [...(spec.tolerations ?? []), ...added];
}

function hasOverhead({ overhead = {} }: PodSpec): boolean {
  return Object.keys(overhead).length > 0;
}

/** Pods of a runtime class carry its overhead and go where the runtime is. */
export function runtimeClassPlugin(reader: ObjectReader): AdmissionPlugin {
  return {
    name: "RuntimeClass",
    handles: isPodCreate,
    mutate: (request) => {
      const { spec } = podOf(request);
      const refuse = (why: string) => forbidden(request.resource, request.name, why);
      const name = spec.runtimeClassName;
      const runtimeClass = name ? reader.get(RUNTIME_CLASSES, { name }) : undefined;
      if (name && !runtimeClass) {
        throw refuse(`pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
      }
      const overhead = runtimeClass?.overhead?.podFixed;
      if (overhead) {
        if (hasOverhead(spec) && !sameAmounts(spec.overhead ?? {}, overhead)) {
          throw refuse(
            "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
          );
        }
        spec.overhead = { ...overhead };
      }
      if (runtimeClass) schedule(request, spec, runtimeClass);
    },
    // Only now: before it is told what is wrong with the pod itself.
    validate: (request) => {
      const { spec } = podOf(request);
      if (!hasOverhead(spec)) return;
      const name = spec.runtimeClassName;
      const runtimeClass = name ? reader.get(RUNTIME_CLASSES, { name }) : undefined;
      if (runtimeClass?.overhead) return;
      const why =
        "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead";
      throw forbidden(request.resource, request.name, why);
    },
  };
}
