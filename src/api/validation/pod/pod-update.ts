import { deepEqual } from "../../../lib/deep-equal.ts";
import { copyJson } from "../../../lib/json-copy.ts";
import type {
  Container,
  NodeSelectorTerm,
  Pod,
  PodSchedulingGate,
  PodSpec,
  Toleration,
} from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { goStruct, goStructs } from "../go-struct.ts";
import { goMap } from "../go-text.ts";
import { ID_RANGE } from "../values.ts";
import { validatePodAnnotationsUpdate } from "./annotations.ts";
import { validateImageSpace } from "./containers.ts";

const UPDATABLE =
  "pod updates may not change fields other than `spec.containers[*].image`," +
  "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` " +
  "(only additions to existing tolerations),`spec.terminationGracePeriodSeconds` " +
  "(allow it to be set to 1 if it was previously negative)";
const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";

/** What may change of a pod once it exists. */
export function validatePodUpdate(errors: FieldErrors, pod: Pod, old: Pod): void {
  validatePodAnnotationsUpdate(errors, pod, old);
  const [spec, before] = [pod.spec, old.spec];
  if (!spec || !before || deepEqual(spec, before)) return;
  for (const name of ["containers", "initContainers"] as const) {
    const now = spec[name] ?? [];
    if (now.length !== (before[name] ?? []).length) {
      errors.forbidden(`spec.${name}`, "pod updates may not add or remove containers");
      return;
    }
    for (const [index, container] of now.entries()) {
      validateImageSpace(errors, `spec.${name}[${index}]`, container);
    }
  }
  if (!validateDeadlineUpdate(errors, spec, before)) return;
  validateTolerationsUpdate(errors, spec.tolerations ?? [], before.tolerations ?? []);
  validateGatesUpdate(errors, spec.schedulingGates ?? [], before.schedulingGates ?? []);
  const rest = withoutUpdatable(spec, before);
  if ((before.schedulingGates ?? []).length > 0) validateGatedUpdate(errors, rest, before);
  if (deepEqual(rest, before)) return;
  const changed = Object.keys({ ...rest, ...before }).filter((name) => {
    return !deepEqual(rest[name as keyof PodSpec], before[name as keyof PodSpec]);
  });
  errors.forbidden("spec", `${UPDATABLE}\nchanged: ${changed.sort().join(", ")}`);
}

/** A copy of the new spec with everything that may change set back. */
function withoutUpdatable(spec: PodSpec, before: PodSpec): PodSpec {
  const images = (now: readonly Container[] = [], old: readonly Container[] = []) =>
    now.map((container, index) => {
      const image = old[index]?.image;
      return image === undefined ? container : { ...container, image };
    });
  const rest: PodSpec = { ...spec, containers: images(spec.containers, before.containers) };
  if (spec.initContainers) {
    rest.initContainers = images(spec.initContainers, before.initContainers);
  }
  const updatable = ["activeDeadlineSeconds", "tolerations", "schedulingGates"] as const;
  for (const name of updatable) setBack(rest, before, name);
  const grace = before.terminationGracePeriodSeconds ?? 0;
  if (grace < 0 && spec.terminationGracePeriodSeconds === 1) {
    setBack(rest, before, "terminationGracePeriodSeconds");
  }
  return rest;
}

function setBack<K extends keyof PodSpec>(spec: PodSpec, before: PodSpec, name: K): void {
  if (before[name] === undefined) delete spec[name];
  else spec[name] = before[name];
}

/** While gates hold a pod back, what selects its node may become narrower; `rest` is set back. */
function validateGatedUpdate(errors: FieldErrors, rest: PodSpec, before: PodSpec): void {
  const selector = rest.nodeSelector ?? {};
  const kept = Object.entries(before.nodeSelector ?? {});
  if (!kept.every(([key, value]) => selector[key] === value)) {
    const detail = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
    errors.invalid("spec.nodeSelector", goMap(rest.nodeSelector), detail);
  }
  setBack(rest, before, "nodeSelector");
  const oldAffinity = before.affinity?.nodeAffinity;
  if (deepEqual(rest.affinity?.nodeAffinity, oldAffinity)) return;
  if (oldAffinity) {
    const path = `spec.affinity.nodeAffinity.${REQUIRED}`;
    const now = rest.affinity?.nodeAffinity?.[REQUIRED]?.nodeSelectorTerms;
    validateNarrowerTerms(errors, path, {
      now,
      old: oldAffinity[REQUIRED]?.nodeSelectorTerms ?? [],
    });
  }
  const { nodeAffinity: _, ...others } = rest.affinity ?? {};
  if (oldAffinity) rest.affinity = { ...others, nodeAffinity: copyJson(oldAffinity) };
  else if (before.affinity || Object.keys(others).length > 0) rest.affinity = others;
  else delete rest.affinity;
}

function validateNarrowerTerms(
  errors: FieldErrors,
  path: string,
  { now, old }: { now: readonly NodeSelectorTerm[] | undefined; old: readonly NodeSelectorTerm[] },
): void {
  if (old.length === 0) return;
  if (now?.length !== old.length) {
    const detail = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
    const shown = goStructs("core.NodeSelectorTerm", now);
    return errors.invalid(`${path}.nodeSelectorTerms`, shown, detail);
  }
  for (const [index, term] of old.entries()) {
    if (isNarrower(now[index] ?? {}, term)) continue;
    const detail = "only additions are allowed (no mutations or deletions)";
    const shown = goStruct("core.NodeSelectorTerm", now[index]);
    errors.invalid(`${path}.nodeSelectorTerms[${index}]`, shown, detail);
  }
}

/** Whether all conditions are still there; a term without any selects nothing and stays so. */
function isNarrower(now: NodeSelectorTerm, old: NodeSelectorTerm): boolean {
  const names = ["matchExpressions", "matchFields"] as const;
  if (names.every((name) => (old[name] ?? []).length === 0)) {
    return names.every((name) => (now[name] ?? []).length === 0);
  }
  return names.every((name) =>
    (old[name] ?? []).every((before, at) => deepEqual(now[name]?.[at], before)),
  );
}

/** False when nothing more should be said. */
function validateDeadlineUpdate(errors: FieldErrors, spec: PodSpec, before: PodSpec): boolean {
  const field = "spec.activeDeadlineSeconds";
  const [now, old] = [spec.activeDeadlineSeconds, before.activeDeadlineSeconds];
  if (now === undefined) {
    if (old !== undefined) {
      errors.invalid(field, now, "must not update from a positive integer to nil value");
    }
    return true;
  }
  if (now < ID_RANGE[0] || now > ID_RANGE[1]) {
    errors.within(field, now, ID_RANGE);
    return false;
  }
  if (old === undefined || now <= old) return true;
  errors.invalid(field, now, "must be less than or equal to previous value");
  return false;
}

function validateTolerationsUpdate(
  errors: FieldErrors,
  now: readonly Toleration[],
  old: readonly Toleration[],
): void {
  const plain = (toleration: Toleration) => ({ ...toleration, tolerationSeconds: 0 });
  const kept = old.every((before) => now.some((after) => deepEqual(plain(after), plain(before))));
  if (kept) return;
  const detail = "existing toleration can not be modified except its tolerationSeconds";
  errors.forbidden("spec.tolerations", detail);
}

function validateGatesUpdate(
  errors: FieldErrors,
  now: readonly PodSchedulingGate[],
  old: readonly PodSchedulingGate[],
): void {
  for (const [index, { name }] of now.entries()) {
    if (old.some((gate) => gate.name === name)) continue;
    const detail = `only deletion is allowed, but found new scheduling gate '${name}'`;
    errors.forbidden(`spec.schedulingGates[${index}].name`, detail);
  }
}
