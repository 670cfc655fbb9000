import { forbidden } from "../../api/errors.ts";
import { PRIORITY_CLASSES } from "../../api/generated/resources.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { PriorityClass } from "../../api/generated/types/scheduling-v1.ts";
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from "../contract.ts";
import { isPod, isPodWrite, podOf } from "./admitted-pod.ts";

const PREEMPT = "PreemptLowerPriority";

function isPriorityClass({ resource, subresource }: AdmissionRequest): boolean {
  const { group, plural } = resource;
  return group === "scheduling.k8s.io" && plural === "priorityclasses" && !subresource;
}

/** Turns `priorityClassName` into a number; only one class may be the default. */
export function priorityPlugin(reader: ObjectReader): AdmissionPlugin {
  /** Of several defaults the lowest counts, so that a mistake raises nobody. */
  const defaultClass = (): PriorityClass | undefined =>
    reader
      .list(PRIORITY_CLASSES)
      .filter(({ globalDefault }) => globalDefault)
      .reduce<PriorityClass | undefined>(
        (lowest, one) => (lowest && lowest.value <= one.value ? lowest : one),
        undefined,
      );

  const resolve = (request: AdmissionRequest, name: string): PriorityClass | undefined => {
    if (!name) return defaultClass();
    const found = reader.get(PRIORITY_CLASSES, { name });
    if (found) return found;
    const why = `no PriorityClass with name ${name} was found`;
    throw forbidden(request.resource, request.name, why);
  };

  const admitPod = (request: AdmissionRequest) => {
    const { spec } = podOf(request);
    const found = resolve(request, spec.priorityClassName ?? "");
    const priority = found?.value ?? 0;
    const policy = found?.preemptionPolicy ?? PREEMPT;
    if (spec.priority !== undefined && spec.priority !== priority) {
      throw forbidden(
        request.resource,
        request.name,
        `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${priority} from the given PriorityClass name`,
      );
    }
    if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
      throw forbidden(
        request.resource,
        request.name,
        `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
      );
    }
    if (found?.metadata?.name) spec.priorityClassName = found.metadata.name;
    spec.priority = priority;
    spec.preemptionPolicy = policy;
  };

  /** A pod that is replaced without its priority keeps it. */
  const keepPriority = (request: AdmissionRequest) => {
    const { spec } = podOf(request);
    const before = (request.oldObject as Pod | undefined)?.spec;
    if (before?.priority !== undefined) spec.priority ??= before.priority;
    if (before?.preemptionPolicy !== undefined) spec.preemptionPolicy ??= before.preemptionPolicy;
  };

  return {
    name: "Priority",
    handles: (request) =>
      isPodWrite(request) || (request.operation !== "DELETE" && isPriorityClass(request)),
    mutate: (request) => {
      if (!isPod(request)) return;
      if (request.operation === "CREATE") admitPod(request);
      else keepPriority(request);
    },
    validate: (request) => {
      if (!isPriorityClass(request)) return;
      const candidate = request.object as unknown as PriorityClass;
      if (!candidate.globalDefault) return;
      const other = defaultClass()?.metadata?.name;
      if (!other || other === candidate.metadata?.name) return;
      const why = `PriorityClass ${other} is already marked as default. Only one default can exist`;
      throw forbidden(request.resource, request.name, why);
    },
  };
}
