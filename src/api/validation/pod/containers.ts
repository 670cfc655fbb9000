import { dns1123LabelErrors, portNameErrors } from "../../../lib/names.ts";
import type {
  Container,
  ContainerPort,
  EphemeralContainer,
  PodSpec,
} from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { PROTOCOLS, validatePort } from "../values.ts";
import { validateEnv, validateEnvFrom } from "./env.ts";
import { validateDevices, validateMounts, type VolumesByName } from "./mounts.ts";
import { PROBES, validateHooks } from "./probes.ts";
import { validateResources } from "./resources.ts";
import { validateSecurityContext } from "./security.ts";

/** What a container is checked against. */
export interface ContainerContext {
  spec: PodSpec;
  volumes: VolumesByName;
  claims: Set<string>;
  /** Path of the pod's spec. */
  field: string;
}

/** What debug containers may say; anything else belongs to a part of the workload. */
const EPHEMERAL_FIELDS: readonly string[] = [
  "name",
  "image",
  "command",
  "args",
  "workingDir",
  "envFrom",
  "env",
  "volumeMounts",
  "volumeDevices",
  "terminationMessagePath",
  "terminationMessagePolicy",
  "imagePullPolicy",
  "securityContext",
  "stdin",
  "stdinOnce",
  "tty",
  "targetContainerName",
];

/** The containers that run beside each other. */
export function validateContainers(errors: FieldErrors, context: ContainerContext): void {
  const { terminationGracePeriodSeconds: graceSeconds } = context.spec;
  const containers = context.spec.containers ?? [];
  const list = `${context.field}.containers`;
  if (containers.length === 0) errors.required(list);
  const names = new Set<string>();
  const hostPorts = new Set<string>();
  for (const [index, container] of containers.entries()) {
    const path = `${list}[${index}]`;
    validateContainer(errors, container, { path, context });
    if (names.has(container.name)) errors.duplicate(`${path}.name`, container.name);
    names.add(container.name);
    validateHooks(errors, container, { path, graceSeconds });
    if (container.restartPolicy !== undefined) {
      errors.forbidden(`${path}.restartPolicy`, "may not be set for non-init containers");
    }
    validateHostPorts(errors, container, { path, hostPorts });
  }
}

/** The containers that run before, or from before until the end. */
export function validateInitContainers(errors: FieldErrors, context: ContainerContext): void {
  const { initContainers = [] } = context.spec;
  const containers = context.spec.containers ?? [];
  const names = new Set(containers.map(({ name }) => name));
  for (const [index, container] of initContainers.entries()) {
    const path = `${context.field}.initContainers[${index}]`;
    validateContainer(errors, container, { path, context });
    errors.oneOf(`${path}.restartPolicy`, container.restartPolicy, ["Always"]);
    if (names.has(container.name)) errors.duplicate(`${path}.name`, container.name);
    else if (container.name) names.add(container.name);
    validateHostPorts(errors, container, { path, hostPorts: new Set() });
    if (container.restartPolicy === "Always") {
      const graceSeconds = context.spec.terminationGracePeriodSeconds;
      validateHooks(errors, container, { path, graceSeconds });
      continue;
    }
    for (const name of ["lifecycle", ...PROBES] as const) {
      if (!container[name]) continue;
      const detail = "may not be set for init containers without restartPolicy=Always";
      errors.forbidden(`${path}.${name}`, detail);
    }
  }
}

/** Containers that were added to a running pod to look into it. */
export function validateEphemeralContainers(errors: FieldErrors, context: ContainerContext): void {
  const { initContainers = [], ephemeralContainers = [] } = context.spec;
  const containers = context.spec.containers ?? [];
  const others = new Set([...containers, ...initContainers].map(({ name }) => name));
  const names = new Set(others);
  for (const [index, container] of ephemeralContainers.entries()) {
    const path = `${context.field}.ephemeralContainers[${index}]`;
    validateContainer(errors, container, { path, context });
    validateImageSpace(errors, path, container);
    if (names.has(container.name)) errors.duplicate(`${path}.name`, container.name);
    names.add(container.name);
    const target = container.targetContainerName;
    if (target && !others.has(target)) errors.notFound(`${path}.targetContainerName`, target);
    const refuse = (field: string) =>
      errors.forbidden(field, "cannot be set for an Ephemeral Container");
    for (const name of Object.keys(container) as (keyof EphemeralContainer)[]) {
      if (!EPHEMERAL_FIELDS.includes(name) && isSet(container[name])) refuse(`${path}.${name}`);
    }
    for (const [at, { subPath, subPathExpr }] of (container.volumeMounts ?? []).entries()) {
      if (subPath) refuse(`${path}.volumeMounts[${at}].subPath`);
      if (subPathExpr) refuse(`${path}.volumeMounts[${at}].subPathExpr`);
    }
  }
}

/** Defaults leave empty structures behind, which say nothing. */
function isSet(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return value !== undefined;
}

function validateContainer(
  errors: FieldErrors,
  container: Container,
  { path, context }: { path: string; context: ContainerContext },
): void {
  const { volumes, claims, spec } = context;
  if (errors.present(`${path}.name`, container.name)) {
    errors.complaints(`${path}.name`, container.name, dns1123LabelErrors(container.name));
  }
  errors.present(`${path}.image`, container.image);
  const policies = ["File", "FallbackToLogsOnError"];
  const policy = container.terminationMessagePolicy;
  errors.oneOf(`${path}.terminationMessagePolicy`, policy, policies);
  validatePorts(errors, `${path}.ports`, container.ports ?? []);
  validateEnv(errors, `${path}.env`, container.env ?? []);
  validateEnvFrom(errors, `${path}.envFrom`, container);
  validateMounts(errors, container, { field: `${path}.volumeMounts`, volumes });
  validateDevices(errors, container, { field: `${path}.volumeDevices`, volumes });
  const pulls = ["Always", "IfNotPresent", "Never"];
  errors.oneOf(`${path}.imagePullPolicy`, container.imagePullPolicy, pulls);
  validateResources(errors, `${path}.resources`, { resources: container.resources, claims });
  validateResizePolicy(errors, container, { field: `${path}.resizePolicy`, spec });
  validateSecurityContext(errors, `${path}.securityContext`, container.securityContext);
}

function validateResizePolicy(
  errors: FieldErrors,
  { resizePolicy = [] }: Container,
  { field, spec }: { field: string; spec: PodSpec },
): void {
  const seen = new Set<string>();
  for (const [index, { resourceName, restartPolicy }] of resizePolicy.entries()) {
    if (seen.has(resourceName)) errors.duplicate(`${field}[${index}]`, resourceName);
    seen.add(resourceName);
    errors.required1Of(field, resourceName, ["cpu", "memory"]);
    errors.required1Of(field, restartPolicy, ["NotRequired", "RestartContainer"]);
    if (spec.restartPolicy === "Never" && restartPolicy !== "NotRequired") {
      const detail = "must be 'NotRequired' when `restartPolicy` is 'Never'";
      errors.invalid(field, restartPolicy, detail);
    }
  }
}

/** Blanks around an image's name are an error of pods, not of templates. */
export function validateImageSpace(errors: FieldErrors, path: string, { image }: Container): void {
  if (image === undefined || image.trim() === image) return;
  errors.invalid(`${path}.image`, image, "must not have leading or trailing whitespace");
}

function validatePorts(errors: FieldErrors, field: string, ports: readonly ContainerPort[]): void {
  const names = new Set<string>();
  for (const [index, { name, containerPort, hostPort, protocol }] of ports.entries()) {
    const path = `${field}[${index}]`;
    if (name) {
      const complaints = portNameErrors(name);
      errors.complaints(`${path}.name`, name, complaints);
      if (names.has(name)) errors.duplicate(`${path}.name`, name);
      else if (complaints.length === 0) names.add(name);
    }
    if (!containerPort) errors.required(`${path}.containerPort`);
    else validatePort(errors, `${path}.containerPort`, containerPort);
    if (hostPort) validatePort(errors, `${path}.hostPort`, hostPort);
    errors.oneOf(`${path}.protocol`, protocol, PROTOCOLS);
  }
}

/** Ports of the node that containers beside each other cannot share. */
function validateHostPorts(
  errors: FieldErrors,
  { ports = [] }: Container,
  { path, hostPorts }: { path: string; hostPorts: Set<string> },
): void {
  for (const [index, { hostPort, protocol = "TCP", hostIP = "" }] of ports.entries()) {
    if (!hostPort) continue;
    const taken = `${protocol}/${hostIP}/${hostPort}`;
    if (hostPorts.has(taken)) errors.duplicate(`${path}.ports[${index}].hostPort`, taken);
    hostPorts.add(taken);
  }
}
