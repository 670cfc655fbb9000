import {
  configKeyErrors,
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  envVarNameErrors,
  portNameErrors,
  qualifiedNameErrors,
} from "../../../lib/names.ts";
import type { Quantity } from "../../../lib/quantity.ts";
import type {
  Container,
  EnvVar,
  LifecycleHandler,
  Probe,
  ResourceRequirements,
  SecurityContext,
  VolumeMount,
} from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import {
  exceeds,
  ID_RANGE,
  PROTOCOLS,
  validateAmount,
  validatePort,
  validatePortOrName,
  validateRelativePath,
} from "../values.ts";

/** What a container is checked against. */
export interface ContainerContext {
  volumeNames: ReadonlySet<string>;
  hostNetwork: boolean;
  /** Names that earlier containers of the pod took. */
  names: Set<string>;
  /** Ports of the host that earlier containers of the pod took. */
  hostPorts: Set<string>;
}

const FIELD_PATHS: readonly string[] = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];
const NATIVE_RESOURCES: readonly string[] = ["cpu", "memory", "ephemeral-storage"];

/** Containers that run beside each other. */
export function validateContainers(
  errors: FieldErrors,
  containers: readonly Container[],
  at: { field: string; context: ContainerContext; init?: boolean },
): void {
  const { field, context, init = false } = at;
  for (const [index, container] of containers.entries()) {
    const path = `${field}[${index}]`;
    validateContainer(errors, container, { path, context });
    const sidecar = container.restartPolicy === "Always";
    if (container.restartPolicy !== undefined) {
      if (!init) {
        errors.forbidden(`${path}.restartPolicy`, "may not be set for non-init containers");
      } else if (!sidecar) {
        errors.notSupported(`${path}.restartPolicy`, container.restartPolicy, ["Always"]);
      }
    }
    if (!init || sidecar) continue;
    for (const name of ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const) {
      if (container[name]) {
        errors.forbidden(
          `${path}.${name}`,
          "may not be set for init containers without restartPolicy=Always",
        );
      }
    }
  }
}

function validateContainer(
  errors: FieldErrors,
  container: Container,
  at: { path: string; context: ContainerContext },
): void {
  const { path, context } = at;
  if (errors.present(`${path}.name`, container.name)) {
    errors.complaints(`${path}.name`, container.name, dns1123LabelErrors(container.name));
    if (context.names.has(container.name)) errors.duplicate(`${path}.name`, container.name);
    context.names.add(container.name);
  }
  validateImage(errors, `${path}.image`, container.image);
  errors.oneOf(`${path}.imagePullPolicy`, container.imagePullPolicy, [
    "Always",
    "IfNotPresent",
    "Never",
  ]);
  errors.oneOf(`${path}.terminationMessagePolicy`, container.terminationMessagePolicy, [
    "FallbackToLogsOnError",
    "File",
  ]);
  validatePorts(errors, container, { path: `${path}.ports`, context });
  validateEnv(errors, `${path}.env`, container.env ?? []);
  validateEnvFrom(errors, `${path}.envFrom`, container);
  validateMounts(errors, container, { path, context });
  validateProbes(errors, path, container);
  for (const hook of ["postStart", "preStop"] as const) {
    const handler = container.lifecycle?.[hook];
    if (handler) validateHandler(errors, `${path}.lifecycle.${hook}`, handler);
  }
  validateResources(errors, `${path}.resources`, container.resources);
  validateSecurityContext(errors, `${path}.securityContext`, container.securityContext);
}

export function validateImage(errors: FieldErrors, field: string, image = ""): void {
  if (image === "") errors.required(field);
  else if (image.trim() !== image) {
    errors.invalid(field, image, "must not have leading or trailing whitespace");
  }
}

function validatePorts(
  errors: FieldErrors,
  { ports = [] }: Container,
  at: { path: string; context: ContainerContext },
): void {
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const path = `${at.path}[${index}]`;
    const { name, containerPort, hostPort, protocol = "TCP", hostIP = "" } = port;
    if (name) {
      errors.complaints(`${path}.name`, name, portNameErrors(name));
      if (names.has(name)) errors.duplicate(`${path}.name`, name);
      names.add(name);
    }
    if (!containerPort) errors.required(`${path}.containerPort`);
    else validatePort(errors, `${path}.containerPort`, containerPort);
    errors.oneOf(`${path}.protocol`, protocol, PROTOCOLS);
    if (!hostPort) continue;
    validatePort(errors, `${path}.hostPort`, hostPort);
    if (at.context.hostNetwork && hostPort !== containerPort) {
      errors.invalid(
        `${path}.containerPort`,
        containerPort,
        "must match `hostPort` when `hostNetwork` is true",
      );
    }
    const taken = `${protocol}/${hostIP}/${hostPort}`;
    if (at.context.hostPorts.has(taken)) errors.duplicate(`${path}.hostPort`, taken);
    at.context.hostPorts.add(taken);
  }
}

function validateEnv(errors: FieldErrors, field: string, env: readonly EnvVar[]): void {
  for (const [index, { name, value, valueFrom }] of env.entries()) {
    const path = `${field}[${index}]`;
    if (errors.present(`${path}.name`, name)) {
      errors.complaints(`${path}.name`, name, envVarNameErrors(name));
    }
    if (!valueFrom) continue;
    const { fieldRef, configMapKeyRef, secretKeyRef, resourceFieldRef } = valueFrom;
    const sources = [fieldRef, configMapKeyRef, secretKeyRef, resourceFieldRef].filter(Boolean);
    const from = `${path}.valueFrom`;
    if (sources.length === 0) {
      errors.invalid(
        from,
        "",
        "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`",
      );
    } else if (value) {
      errors.invalid(from, "", "may not be specified when `value` is not empty");
    } else if (sources.length > 1) {
      errors.invalid(from, "", "may not have more than one field specified at a time");
    }
    if (fieldRef) validateFieldPath(errors, `${from}.fieldRef.fieldPath`, fieldRef.fieldPath);
    if (resourceFieldRef)
      errors.present(`${from}.resourceFieldRef.resource`, resourceFieldRef.resource);
    for (const [kind, ref] of [
      ["configMapKeyRef", configMapKeyRef],
      ["secretKeyRef", secretKeyRef],
    ] as const) {
      if (!ref) continue;
      errors.present(`${from}.${kind}.name`, ref.name);
      if (errors.present(`${from}.${kind}.key`, ref.key)) {
        errors.complaints(`${from}.${kind}.key`, ref.key, configKeyErrors(ref.key));
      }
    }
  }
}

/** A field of the pod that the downward API offers to the environment. */
function validateFieldPath(errors: FieldErrors, field: string, path: string | undefined): void {
  if (!errors.present(field, path)) return;
  const keyed = /^metadata\.(annotations|labels)\['(.*)'\]$/.exec(path);
  if (keyed) {
    const key = keyed[2] ?? "";
    const complaints = qualifiedNameErrors(keyed[1] === "annotations" ? key.toLowerCase() : key);
    errors.complaints(field, key, complaints);
  } else if (!FIELD_PATHS.includes(path)) {
    errors.notSupported(field, path, FIELD_PATHS);
  }
}

function validateEnvFrom(errors: FieldErrors, field: string, { envFrom = [] }: Container): void {
  for (const [index, { prefix, configMapRef, secretRef }] of envFrom.entries()) {
    const path = `${field}[${index}]`;
    if (prefix) errors.complaints(`${path}.prefix`, prefix, envVarNameErrors(prefix));
    if (configMapRef) errors.present(`${path}.configMapRef.name`, configMapRef.name);
    if (secretRef) errors.present(`${path}.secretRef.name`, secretRef.name);
    if (!configMapRef && !secretRef) {
      errors.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`");
    } else if (configMapRef && secretRef) {
      errors.invalid(path, "", "may not have more than one field specified at a time");
    }
  }
}

function validateMounts(
  errors: FieldErrors,
  { volumeMounts = [], volumeDevices = [] }: Container,
  at: { path: string; context: ContainerContext },
): void {
  const paths = new Set<string>();
  for (const [index, mount] of volumeMounts.entries()) {
    const path = `${at.path}.volumeMounts[${index}]`;
    if (errors.present(`${path}.name`, mount.name) && !at.context.volumeNames.has(mount.name)) {
      errors.notFound(`${path}.name`, mount.name);
    }
    if (errors.present(`${path}.mountPath`, mount.mountPath)) {
      if (paths.has(mount.mountPath)) {
        errors.invalid(`${path}.mountPath`, mount.mountPath, "must be unique");
      }
      paths.add(mount.mountPath);
    }
    validateSubPath(errors, path, mount);
    errors.oneOf(`${path}.mountPropagation`, mount.mountPropagation, [
      "Bidirectional",
      "HostToContainer",
      "None",
    ]);
  }
  for (const [index, device] of volumeDevices.entries()) {
    const path = `${at.path}.volumeDevices[${index}]`;
    if (errors.present(`${path}.name`, device.name) && !at.context.volumeNames.has(device.name)) {
      errors.notFound(`${path}.name`, device.name);
    }
    errors.present(`${path}.devicePath`, device.devicePath);
  }
}

function validateSubPath(errors: FieldErrors, path: string, mount: VolumeMount): void {
  const { subPath, subPathExpr } = mount;
  if (subPath) validateRelativePath(errors, `${path}.subPath`, subPath);
  if (!subPathExpr) return;
  if (subPath) {
    errors.invalid(
      `${path}.subPathExpr`,
      subPathExpr,
      "subPathExpr and subPath are mutually exclusive",
    );
  }
  validateRelativePath(errors, `${path}.subPathExpr`, subPathExpr);
}

function validateProbes(errors: FieldErrors, path: string, container: Container): void {
  for (const name of ["livenessProbe", "readinessProbe", "startupProbe"] as const) {
    const probe = container[name];
    if (!probe) continue;
    const field = `${path}.${name}`;
    validateProbe(errors, field, probe);
    if (name !== "readinessProbe" && (probe.successThreshold ?? 1) !== 1) {
      errors.invalid(`${field}.successThreshold`, probe.successThreshold, "must be 1");
    }
    const grace = probe.terminationGracePeriodSeconds;
    if (name === "readinessProbe" && grace !== undefined) {
      const detail = "must not be set for readinessProbes";
      errors.invalid(`${field}.terminationGracePeriodSeconds`, grace, detail);
    } else if (grace !== undefined && grace <= 0) {
      errors.invalid(`${field}.terminationGracePeriodSeconds`, grace, "must be greater than 0");
    }
  }
}

function validateProbe(errors: FieldErrors, field: string, probe: Probe): void {
  validateHandler(errors, field, probe);
  for (const name of [
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
  ] as const) {
    errors.nonNegative(`${field}.${name}`, probe[name]);
  }
}

type Handler = LifecycleHandler & Pick<Probe, "grpc">;

function validateHandler(errors: FieldErrors, field: string, handler: Handler): void {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  let count = 0;
  const only = (name: string): boolean => {
    if (++count === 1) return true;
    errors.forbidden(`${field}.${name}`, "may not specify more than 1 handler type");
    return false;
  };
  if (exec && only("exec") && (exec.command ?? []).length === 0) {
    errors.required(`${field}.exec.command`);
  }
  if (httpGet && only("httpGet")) {
    errors.present(`${field}.httpGet.path`, httpGet.path);
    validatePortOrName(errors, `${field}.httpGet.port`, httpGet.port);
    errors.oneOf(`${field}.httpGet.scheme`, httpGet.scheme, ["HTTP", "HTTPS"]);
  }
  if (tcpSocket && only("tcpSocket")) {
    validatePortOrName(errors, `${field}.tcpSocket.port`, tcpSocket.port);
  }
  if (grpc && only("grpc")) validatePort(errors, `${field}.grpc.port`, grpc.port);
  if (sleep && only("sleep")) errors.nonNegative(`${field}.sleep.seconds`, sleep.seconds);
  if (count === 0) errors.required(field, "must specify a handler type");
}

/** Amounts that a container, or a pod, asks for and may use. */
export function validateResources(
  errors: FieldErrors,
  field: string,
  resources: ResourceRequirements | undefined,
): void {
  const limits = readAmounts(errors, `${field}.limits`, resources?.limits);
  const requests = readAmounts(errors, `${field}.requests`, resources?.requests);
  for (const [name, request] of requests) {
    const limit = limits.get(name);
    const path = `${field}.requests`;
    const text = resources?.requests?.[name];
    const native = NATIVE_RESOURCES.includes(name);
    if (!native && !limit) {
      errors.required(`${field}.limits`, "Limit must be set for non overcommitable resources");
    } else if (!native && limit && (exceeds(request, limit) || exceeds(limit, request))) {
      errors.invalid(path, text, `must be equal to ${name} limit of ${resources?.limits?.[name]}`);
    } else if (exceeds(request, limit)) {
      const detail = `must be less than or equal to ${name} limit of ${resources?.limits?.[name]}`;
      errors.invalid(path, text, detail);
    }
  }
}

function readAmounts(
  errors: FieldErrors,
  field: string,
  amounts: Readonly<Record<string, string>> = {},
): Map<string, Quantity> {
  const read = new Map<string, Quantity>();
  for (const [name, text] of Object.entries(amounts)) {
    const path = `${field}[${name}]`;
    const known = NATIVE_RESOURCES.includes(name) || name.startsWith("hugepages-");
    if (!known) {
      errors.complaints(path, name, qualifiedNameErrors(name));
      if (!name.includes("/")) {
        errors.invalid(path, name, "must be a standard resource type or fully qualified");
        errors.invalid(path, name, "must be a standard resource for containers");
      }
    }
    const quantity = validateAmount(errors, path, text);
    if (quantity) read.set(name, quantity);
    if (quantity && !NATIVE_RESOURCES.includes(name) && quantity.nanos % 1_000_000_000n !== 0n) {
      errors.invalid(path, text, "must be an integer");
    }
  }
  return read;
}

function validateSecurityContext(
  errors: FieldErrors,
  field: string,
  context: SecurityContext | undefined,
): void {
  if (!context) return;
  for (const name of ["runAsUser", "runAsGroup"] as const) {
    errors.within(`${field}.${name}`, context[name], ID_RANGE);
  }
  if (context.allowPrivilegeEscalation === false) {
    const refuse = (what: string) =>
      errors.invalid(
        field,
        context,
        `cannot set \`allowPrivilegeEscalation\` to false and ${what}`,
      );
    if (context.privileged) refuse("`privileged` to true");
    if (context.capabilities?.add?.includes("CAP_SYS_ADMIN")) {
      refuse("`capabilities.Add` CAP_SYS_ADMIN");
    }
  }
  errors.oneOf(`${field}.procMount`, context.procMount, ["Default", "Unmasked"]);
  validateSeccomp(errors, `${field}.seccompProfile`, context.seccompProfile);
}

export function validateSeccomp(
  errors: FieldErrors,
  field: string,
  profile: SecurityContext["seccompProfile"],
): void {
  if (!profile) return;
  const types = ["Localhost", "RuntimeDefault", "Unconfined"];
  if (errors.present(`${field}.type`, profile.type))
    errors.oneOf(`${field}.type`, profile.type, types);
  if (profile.type === "Localhost") {
    if (errors.present(`${field}.localhostProfile`, profile.localhostProfile)) {
      validateRelativePath(errors, `${field}.localhostProfile`, profile.localhostProfile);
    }
  } else if (profile.localhostProfile) {
    errors.invalid(
      `${field}.localhostProfile`,
      profile.localhostProfile,
      "can only be set when seccomp type is Localhost",
    );
  }
}

/** Names of objects that a field refers to. */
export function validateReference(errors: FieldErrors, field: string, name: string): void {
  errors.complaints(field, name, dns1123SubdomainErrors(name));
}
