import { deepEqual } from "../../../lib/deep-equal.ts";
import {
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  labelValueErrors,
  qualifiedNameErrors,
} from "../../../lib/names.ts";
import type {
  Container,
  Pod,
  PodSpec,
  PodTemplateSpec,
  Toleration,
} from "../../generated/types/core-v1.ts";
import { validateAffinity } from "./affinity.ts";
import {
  type ContainerContext,
  validateContainers,
  validateImage,
  validateReference,
  validateResources,
  validateSeccomp,
} from "./containers.ts";
import type { FieldErrors } from "../field-errors.ts";
import { validateAnnotations, validateLabels } from "../metadata.ts";
import { ID_RANGE, validateIp, validateSelector } from "../values.ts";
import { validateVolumes } from "./volumes.ts";

const DNS_POLICIES: readonly string[] = [
  "ClusterFirst",
  "ClusterFirstWithHostNet",
  "Default",
  "None",
];
const RESTART_POLICIES: readonly string[] = ["Always", "Never", "OnFailure"];
const EFFECTS: readonly string[] = ["NoExecute", "NoSchedule", "PreferNoSchedule"];
const UPDATABLE =
  "pod updates may not change fields other than `spec.containers[*].image`," +
  "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` " +
  "(only additions to existing tolerations),`spec.terminationGracePeriodSeconds` " +
  "(allow it to be set to 1 if it was previously negative)";

/** A pod as a whole. */
export function validatePod(errors: FieldErrors, pod: Pod): void {
  if (!pod.spec) return errors.required("spec.containers");
  validatePodSpec(errors, "spec", pod.spec);
}

/** The template of a workload: its labels, annotations and pod. */
export function validatePodTemplate(
  errors: FieldErrors,
  field: string,
  template: PodTemplateSpec | undefined,
): void {
  if (!template) return errors.required(field);
  validateLabels(errors, `${field}.labels`, template.metadata?.labels);
  validateAnnotations(errors, `${field}.annotations`, template.metadata?.annotations);
  if ((template.spec?.ephemeralContainers ?? []).length > 0) {
    const detail = "ephemeral containers not allowed in pod template";
    errors.forbidden(`${field}.spec.ephemeralContainers`, detail);
  }
  if (template.spec) validatePodSpec(errors, `${field}.spec`, template.spec);
  else errors.required(`${field}.spec.containers`);
}

export function validatePodSpec(errors: FieldErrors, field: string, spec: PodSpec): void {
  const context: ContainerContext = {
    volumeNames: validateVolumes(errors, `${field}.volumes`, spec.volumes ?? []),
    hostNetwork: spec.hostNetwork === true,
    names: new Set(),
    hostPorts: new Set(),
  };
  const containers = spec.containers ?? [];
  if (containers.length === 0) errors.required(`${field}.containers`);
  validateContainers(errors, containers, { field: `${field}.containers`, context });
  const init = spec.initContainers ?? [];
  const own = { ...context, hostPorts: new Set<string>() };
  validateContainers(errors, init, { field: `${field}.initContainers`, context: own, init: true });
  errors.oneOf(`${field}.restartPolicy`, spec.restartPolicy, RESTART_POLICIES);
  validateDns(errors, field, spec);
  validateLabels(errors, `${field}.nodeSelector`, spec.nodeSelector);
  validatePodSecurity(errors, field, spec);
  for (const [index, secret] of (spec.imagePullSecrets ?? []).entries()) {
    errors.present(`${field}.imagePullSecrets[${index}].name`, secret.name);
  }
  if (spec.affinity) validateAffinity(errors, `${field}.affinity`, spec.affinity);
  validateTolerations(errors, `${field}.tolerations`, spec.tolerations ?? []);
  validateSpread(errors, `${field}.topologySpreadConstraints`, spec);
  validateNames(errors, field, spec);
  errors.within(`${field}.activeDeadlineSeconds`, spec.activeDeadlineSeconds, [1, ID_RANGE[1]]);
  validateResources(errors, `${field}.resources`, spec.resources);
  for (const [index, { conditionType }] of (spec.readinessGates ?? []).entries()) {
    const place = `${field}.readinessGates[${index}].conditionType`;
    errors.complaints(place, conditionType, qualifiedNameErrors(conditionType));
  }
  for (const [index, { ip, hostnames }] of (spec.hostAliases ?? []).entries()) {
    validateIp(errors, `${field}.hostAliases[${index}].ip`, ip);
    for (const [at, hostname] of (hostnames ?? []).entries()) {
      const place = `${field}.hostAliases[${index}].hostnames[${at}]`;
      errors.complaints(place, hostname, dns1123SubdomainErrors(hostname));
    }
  }
}

function validateDns(errors: FieldErrors, field: string, { dnsPolicy, dnsConfig }: PodSpec): void {
  errors.oneOf(`${field}.dnsPolicy`, dnsPolicy, DNS_POLICIES);
  const servers = dnsConfig?.nameservers ?? [];
  if (dnsPolicy === "None" && !dnsConfig) {
    const detail = "must provide `dnsConfig` when `dnsPolicy` is None";
    errors.required(`${field}.dnsConfig`, detail);
  } else if (dnsPolicy === "None" && servers.length === 0) {
    const detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
    errors.required(`${field}.dnsConfig.nameservers`, detail);
  }
  if (servers.length > 3) {
    errors.invalid(
      `${field}.dnsConfig.nameservers`,
      servers,
      "must not have more than 3 nameservers",
    );
  }
  for (const [index, server] of servers.entries()) {
    validateIp(errors, `${field}.dnsConfig.nameservers[${index}]`, server);
  }
}

function validatePodSecurity(errors: FieldErrors, field: string, spec: PodSpec): void {
  const path = `${field}.securityContext`;
  const context = spec.securityContext ?? {};
  for (const name of ["runAsUser", "runAsGroup", "fsGroup"] as const) {
    errors.within(`${path}.${name}`, context[name], ID_RANGE);
  }
  for (const [index, group] of (context.supplementalGroups ?? []).entries()) {
    errors.within(`${path}.supplementalGroups[${index}]`, group, ID_RANGE);
  }
  const names = new Set<string>();
  for (const [index, { name }] of (context.sysctls ?? []).entries()) {
    const place = `${path}.sysctls[${index}].name`;
    if (!errors.present(place, name)) continue;
    if (!/^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/.test(name)) {
      errors.invalid(place, name, "must be a valid sysctl name");
    }
    if (names.has(name)) errors.duplicate(place, name);
    names.add(name);
  }
  validateSeccomp(errors, `${path}.seccompProfile`, context.seccompProfile);
  if (spec.shareProcessNamespace && spec.hostPID) {
    errors.invalid(
      `${path}.shareProcessNamespace`,
      true,
      "ShareProcessNamespace and HostPID cannot both be enabled",
    );
  }
}

function validateNames(errors: FieldErrors, field: string, spec: PodSpec): void {
  for (const name of [
    "serviceAccountName",
    "nodeName",
    "priorityClassName",
    "runtimeClassName",
  ] as const) {
    const value = spec[name];
    if (value) validateReference(errors, `${field}.${name}`, value);
  }
  for (const name of ["hostname", "subdomain"] as const) {
    const value = spec[name];
    if (value) errors.complaints(`${field}.${name}`, value, dns1123LabelErrors(value));
  }
}

export function validateTolerations(
  errors: FieldErrors,
  field: string,
  tolerations: readonly Toleration[],
): void {
  for (const [index, toleration] of tolerations.entries()) {
    const path = `${field}[${index}]`;
    const { key = "", operator = "", value = "", effect = "", tolerationSeconds } = toleration;
    if (key) errors.complaints(`${path}.key`, key, qualifiedNameErrors(key));
    else if (operator !== "Exists") {
      const detail =
        'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      errors.invalid(`${path}.operator`, operator, detail);
    }
    if (tolerationSeconds !== undefined && effect !== "NoExecute") {
      const detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
      errors.invalid(`${path}.effect`, effect, detail);
    }
    if (operator === "Exists") {
      if (value) {
        const detail = "value must be empty when `operator` is 'Exists'";
        errors.invalid(`${path}.operator`, toleration, detail);
      }
    } else if (operator === "Equal" || operator === "") {
      errors.complaints(`${path}.operator`, value, labelValueErrors(value));
    } else errors.notSupported(`${path}.operator`, operator, ["Equal", "Exists"]);
    if (effect) errors.oneOf(`${path}.effect`, effect, EFFECTS);
  }
}

function validateSpread(errors: FieldErrors, field: string, spec: PodSpec): void {
  const seen = new Set<string>();
  for (const [index, constraint] of (spec.topologySpreadConstraints ?? []).entries()) {
    const path = `${field}[${index}]`;
    const { maxSkew, topologyKey, whenUnsatisfiable, minDomains } = constraint;
    if (!(maxSkew > 0)) errors.invalid(`${path}.maxSkew`, maxSkew, "must be greater than zero");
    errors.present(`${path}.topologyKey`, topologyKey);
    errors.oneOf(`${path}.whenUnsatisfiable`, whenUnsatisfiable, [
      "DoNotSchedule",
      "ScheduleAnyway",
    ]);
    if (minDomains !== undefined && minDomains <= 0) {
      errors.invalid(`${path}.minDomains`, minDomains, "must be greater than zero");
    }
    const pair = `{${topologyKey}, ${whenUnsatisfiable}}`;
    if (seen.has(pair)) errors.duplicate(`${path}.{topologyKey, whenUnsatisfiable}`, pair);
    seen.add(pair);
    validateSelector(errors, `${path}.labelSelector`, constraint.labelSelector);
  }
}

/** What may change in a pod's spec once it exists. */
export function validatePodUpdate(errors: FieldErrors, pod: Pod, old: Pod): void {
  const [spec, before] = [pod.spec, old.spec];
  if (!spec || !before || deepEqual(spec, before)) return;
  for (const name of ["containers", "initContainers"] as const) {
    const now = spec[name] ?? [];
    if (now.length !== (before[name] ?? []).length) {
      errors.forbidden(`spec.${name}`, "pod updates may not add or remove containers");
      return;
    }
    for (const [index, { image }] of now.entries()) {
      validateImage(errors, `spec.${name}[${index}].image`, image);
    }
  }
  validateDeadlineUpdate(errors, spec, before);
  validateTolerationsUpdate(errors, spec.tolerations ?? [], before.tolerations ?? []);
  const gates = spec.schedulingGates ?? [];
  const gatesBefore = before.schedulingGates ?? [];
  const added = gates.filter(({ name }) => !gatesBefore.some((gate) => gate.name === name));
  if (added.length > 0) {
    const detail = `only deletion is allowed, but found new scheduling gate '${added[0]?.name}'`;
    errors.forbidden("spec.schedulingGates", detail);
  }
  const rest = withoutUpdatable(spec, before);
  if (!deepEqual(rest, before)) {
    const changed = Object.keys({ ...rest, ...before }).filter((name) => {
      return !deepEqual(rest[name as keyof PodSpec], before[name as keyof PodSpec]);
    });
    errors.forbidden("spec", `${UPDATABLE}\nchanged: ${changed.sort().join(", ")}`);
  }
}

/** The new spec with everything that may change set back. */
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
  const gated = (before.schedulingGates ?? []).length > 0;
  const updatable = ["activeDeadlineSeconds", "tolerations", "schedulingGates"] as const;
  for (const name of updatable) setBack(rest, before, name);
  if (gated) setBack(rest, before, "nodeSelector");
  if (gated) setBack(rest, before, "affinity");
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

function validateDeadlineUpdate(errors: FieldErrors, spec: PodSpec, before: PodSpec): void {
  const field = "spec.activeDeadlineSeconds";
  const [now, old] = [spec.activeDeadlineSeconds, before.activeDeadlineSeconds];
  if (now === old || old === undefined) return;
  if (now === undefined) {
    errors.invalid(field, now, "must not update from a positive integer to nil value");
  } else if (now > old) {
    errors.invalid(field, now, "must be less than or equal to previous value");
  }
}

function validateTolerationsUpdate(
  errors: FieldErrors,
  now: readonly Toleration[],
  old: readonly Toleration[],
): void {
  const plain = (toleration: Toleration) => ({ ...toleration, tolerationSeconds: 0 });
  const kept = old.every((before) => now.some((after) => deepEqual(plain(after), plain(before))));
  if (!kept) {
    const detail = "existing toleration can not be modified except its tolerationSeconds";
    errors.forbidden("spec.tolerations", detail);
  }
}
