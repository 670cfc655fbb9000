import {
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  qualifiedNameErrors,
} from "../../../lib/names.ts";
import type { PodSpec, PodTemplateSpec } from "../../generated/types/core-v1.ts";
import type { ObjectMeta } from "../../generated/types/meta-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { goStrings } from "../go-text.ts";
import { validateAnnotations, validateLabels } from "../metadata.ts";
import { ID_RANGE, validateIp } from "../values.ts";
import { validatePodAnnotations } from "./annotations.ts";
import {
  type ContainerContext,
  validateContainers,
  validateEphemeralContainers,
  validateInitContainers,
} from "./containers.ts";
import { validateOperatingSystem } from "./operating-system.ts";
import { validateProfilesMatch } from "./profile-match.ts";
import { validatePodResources, validateResources } from "./resources.ts";
import { validateScheduling } from "./scheduling.ts";
import { validatePodSecurity } from "./security.ts";
import { validateVolumes } from "./volumes.ts";
import { validateHostProcess } from "./windows-options.ts";

const NAMESERVERS_MAX = 3;
const SEARCHES_MAX = 32;
const SEARCH_CHARACTERS_MAX = 2048;
const DNS_POLICIES: readonly string[] = [
  "ClusterFirstWithHostNet",
  "ClusterFirst",
  "Default",
  "None",
];
const RESTART_POLICIES: readonly string[] = ["Always", "OnFailure", "Never"];

/** The template of a workload: its labels, annotations and pod. */
export function validatePodTemplate(
  errors: FieldErrors,
  field: string,
  template: PodTemplateSpec | undefined,
): void {
  if (!template) return errors.required(field);
  const { metadata = {}, spec } = template;
  validateLabels(errors, `${field}.labels`, metadata.labels);
  validateAnnotations(errors, `${field}.annotations`, metadata.annotations);
  if (!spec) return errors.required(`${field}.spec.containers`);
  validatePodAnnotations(errors, `${field}.annotations`, { metadata, spec });
  validatePodSpec(errors, `${field}.spec`, { spec });
  validateProfilesMatch(errors, `${field}.spec`, { metadata, spec });
  if ((spec.ephemeralContainers ?? []).length > 0) {
    const detail = "ephemeral containers not allowed in pod template";
    errors.forbidden(`${field}.spec.ephemeralContainers`, detail);
  }
}

/** What a pod is made of. With `metadata` it is that of a pod, not of a template. */
export function validatePodSpec(
  errors: FieldErrors,
  field: string,
  { spec, metadata }: { spec: PodSpec; metadata?: ObjectMeta },
): void {
  const context: ContainerContext = {
    spec,
    field,
    volumes: validateVolumes(errors, `${field}.volumes`, {
      volumes: spec.volumes ?? [],
      pod: metadata,
    }),
    claims: validateClaims(errors, `${field}.resourceClaims`, spec),
  };
  validateContainers(errors, context);
  validateInitContainers(errors, context);
  validateEphemeralContainers(errors, context);
  validatePodResources(errors, `${field}.resources`, spec.resources);
  validateHostNetwork(errors, field, { spec, pod: metadata !== undefined });
  errors.oneOf(`${field}.restartPolicy`, spec.restartPolicy, RESTART_POLICIES);
  errors.oneOf(`${field}.dnsPolicy`, spec.dnsPolicy, DNS_POLICIES);
  validateLabels(errors, `${field}.nodeSelector`, spec.nodeSelector);
  validatePodSecurity(errors, field, spec);
  validateDns(errors, `${field}.dnsConfig`, spec);
  for (const [index, { conditionType }] of (spec.readinessGates ?? []).entries()) {
    const place = `${field}.readinessGates[${index}].conditionType`;
    errors.complaints(place, conditionType, qualifiedNameErrors(conditionType ?? ""));
  }
  validateScheduling(errors, field, spec);
  validateHostProcess(errors, field, spec);
  validateNames(errors, field, spec);
  errors.within(`${field}.activeDeadlineSeconds`, spec.activeDeadlineSeconds, [1, ID_RANGE[1]]);
  validateHostAliases(errors, `${field}.hostAliases`, spec);
  const preemption = ["PreemptLowerPriority", "Never"];
  errors.oneOf(`${field}.preemptionPolicy`, spec.preemptionPolicy, preemption);
  if (spec.overhead) {
    validateResources(errors, `${field}.overhead`, { resources: { limits: spec.overhead } });
  }
  validateOperatingSystem(errors, field, spec);
}

function validateClaims(errors: FieldErrors, field: string, spec: PodSpec): Set<string> {
  const names = new Set<string>();
  for (const [index, claim] of (spec.resourceClaims ?? []).entries()) {
    const path = `${field}[${index}]`;
    const { name, resourceClaimName, resourceClaimTemplateName } = claim;
    if (errors.present(`${path}.name`, name)) {
      if (names.has(name)) errors.duplicate(`${path}.name`, name);
      else errors.complaints(`${path}.name`, name, dns1123LabelErrors(name));
      names.add(name);
    }
    if (resourceClaimName && resourceClaimTemplateName) {
      const detail =
        "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified";
      errors.invalid(path, claim, detail);
    } else if (!resourceClaimName && !resourceClaimTemplateName) {
      const detail = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`";
      errors.invalid(path, claim, detail);
    }
  }
  return names;
}

/** On the node's network a container's port is the node's; templates may leave that out. */
function validateHostNetwork(
  errors: FieldErrors,
  field: string,
  { spec, pod }: { spec: PodSpec; pod: boolean },
): void {
  if (!spec.hostNetwork) return;
  for (const [index, { ports = [] }] of (spec.containers ?? []).entries()) {
    for (const [at, { hostPort = 0, containerPort }] of ports.entries()) {
      if ((!pod && hostPort === 0) || hostPort === containerPort) continue;
      const place = `${field}.containers[${index}].ports[${at}].hostPort`;
      errors.invalid(place, hostPort, "must match `containerPort` when `hostNetwork` is true");
    }
  }
}

function validateDns(errors: FieldErrors, field: string, { dnsPolicy, dnsConfig }: PodSpec): void {
  const { nameservers = [], searches = [], options = [] } = dnsConfig ?? {};
  if (dnsPolicy === "None" && !dnsConfig) {
    return errors.required(field, "must provide `dnsConfig` when `dnsPolicy` is None");
  }
  if (dnsPolicy === "None" && nameservers.length === 0) {
    const detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
    return errors.required(`${field}.nameservers`, detail);
  }
  if (nameservers.length > NAMESERVERS_MAX) {
    const detail = `must not have more than ${NAMESERVERS_MAX} nameservers`;
    errors.invalid(`${field}.nameservers`, goStrings(nameservers), detail);
  }
  for (const [index, server] of nameservers.entries()) {
    validateIp(errors, `${field}.nameservers[${index}]`, server);
  }
  if (searches.length > SEARCHES_MAX) {
    const detail = `must not have more than ${SEARCHES_MAX} search paths`;
    errors.invalid(`${field}.searches`, goStrings(searches), detail);
  }
  if (searches.join(" ").length > SEARCH_CHARACTERS_MAX) {
    const detail =
      `must not have more than ${SEARCH_CHARACTERS_MAX} characters (including spaces) in the ` +
      "search list";
    errors.invalid(`${field}.searches`, goStrings(searches), detail);
  }
  for (const [index, search] of searches.entries()) {
    const domain = search.replace(/\.$/, "");
    errors.complaints(`${field}.searches[${index}]`, domain, dns1123SubdomainErrors(domain));
  }
  for (const [index, { name }] of options.entries()) {
    if (!name) errors.required(`${field}.options[${index}]`, "must not be empty");
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
    // A class that is named by nothing is none, so it has to be left out.
    const named = name === "runtimeClassName" ? value !== undefined : value;
    if (named) errors.complaints(`${field}.${name}`, value, dns1123SubdomainErrors(value ?? ""));
  }
  for (const name of ["hostname", "subdomain"] as const) {
    const value = spec[name];
    if (value) errors.complaints(`${field}.${name}`, value, dns1123LabelErrors(value));
  }
}

function validateHostAliases(errors: FieldErrors, field: string, spec: PodSpec): void {
  for (const [index, { ip, hostnames }] of (spec.hostAliases ?? []).entries()) {
    validateIp(errors, `${field}[${index}].ip`, ip ?? "");
    for (const [at, hostname] of (hostnames ?? []).entries()) {
      const place = `${field}[${index}].hostnames[${at}]`;
      errors.complaints(place, hostname, dns1123SubdomainErrors(hostname));
    }
  }
}
