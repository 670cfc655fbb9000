import { deepEqual } from "../../../lib/deep-equal.ts";
import type { Container, Pod, ResourceRequirements } from "../../generated/types/core-v1.ts";
import { qosClassOfSpec } from "../../qos-class.ts";
import type { FieldErrors } from "../field-errors.ts";
import { exceeds, readQuantity } from "../values.ts";
import { MIRROR_POD } from "./annotations.ts";
import { validatePodSpec } from "./pod-spec.ts";

/** Debug containers can be added; those that are there stay. */
export function validateEphemeralUpdate(errors: FieldErrors, pod: Pod, old: Pod): void {
  if (old.metadata?.annotations?.[MIRROR_POD] !== undefined) {
    return errors.forbidden("[]", "static pods do not support ephemeral containers");
  }
  if (pod.spec) validatePodSpec(errors, "spec", { spec: pod.spec, metadata: pod.metadata ?? {} });
  const field = "spec.ephemeralContainers";
  const now = pod.spec?.ephemeralContainers ?? [];
  for (const container of old.spec?.ephemeralContainers ?? []) {
    const same = now.find(({ name }) => name === container.name);
    const who = `existing ephemeral containers ${JSON.stringify(container.name)}`;
    if (!same) errors.forbidden(field, `${who} may not be removed\n`);
    else if (!deepEqual(same, container)) errors.forbidden(field, `${who} may not be changed\n`);
  }
}

/** Resources of running containers may change within their quality of service. */
export function validateResize(errors: FieldErrors, pod: Pod, old: Pod): void {
  const refuse = (detail: string) => errors.forbidden("[]", detail);
  if (old.metadata?.annotations?.[MIRROR_POD] !== undefined) {
    return refuse("static pods cannot be resized");
  }
  if (old.spec?.os?.name === "windows") return refuse("windows pods cannot be resized");
  if (pod.spec) validatePodSpec(errors, "spec", { spec: pod.spec, metadata: pod.metadata ?? {} });
  if (qosClassOfSpec(pod.spec) !== (old.status?.qosClass ?? qosClassOfSpec(old.spec))) {
    const why = "Pod QOS Class may not change as a result of resizing";
    errors.invalid("spec", old.status?.qosClass ?? "", why);
  }
  for (const [index, container] of (old.spec?.containers ?? []).entries()) {
    const next = pod.spec?.containers[index];
    if (!next) continue;
    const field = `spec.containers[${index}].resources`;
    validateContainerResize(errors, field, { next, old: container });
  }
}

function validateContainerResize(
  errors: FieldErrors,
  field: string,
  { next, old }: { next: Container; old: Container },
): void {
  for (const kind of ["requests", "limits"] as const) {
    const now = next.resources?.[kind] ?? {};
    const removed = Object.keys(old.resources?.[kind] ?? {}).some((name) => !(name in now));
    if (removed) errors.forbidden(`${field}.${kind}`, `resource ${kind} cannot be removed`);
  }
  if (!deepEqual(otherResources(next.resources), otherResources(old.resources))) {
    errors.forbidden("spec", "only cpu and memory resources are mutable");
  }
  const policy = next.resizePolicy?.find(({ resourceName }) => resourceName === "memory");
  if (policy?.restartPolicy === "RestartContainer") return;
  const place = `${field}.limits[memory]`;
  const [now, before] = [memoryLimit(next.resources), memoryLimit(old.resources)];
  const unless = "unless resizePolicy is RestartContainer";
  if (now && !before) errors.forbidden(place, `memory limits cannot be added ${unless}`);
  else if (now && before) {
    const smaller = exceeds(readQuantity(errors, place, before), readQuantity(errors, place, now));
    if (smaller) errors.forbidden(place, `memory limits cannot be decreased ${unless}`);
  }
}

/** Everything but amounts of cpu and memory. */
function otherResources({ requests = {}, limits = {}, claims }: ResourceRequirements = {}): object {
  const { cpu: _cpu, memory: _memory, ...asked } = requests;
  const { cpu: _cpuLimit, memory: _memoryLimit, ...capped } = limits;
  return { asked, capped, claims };
}

function memoryLimit(resources: ResourceRequirements | undefined): string | undefined {
  return resources?.limits?.["memory"];
}
