import { pathWarnings } from "./path-warnings.ts";
import type {
  Container,
  ContainerPort,
  PodAffinityTerm,
  PodSpec,
  PodTemplateSpec,
  Volume,
} from "../generated/types/core-v1.ts";
import { containersOf } from "../validation/pod/operating-system.ts";
import { claimWarnings, fractionWarnings } from "./claim-warnings.ts";
import { nodeLabelWarning, nodeSelectorWarnings } from "./node-label-warnings.ts";

const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution";
const SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/";
const APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/";
const ANNOTATIONS: Readonly<Record<string, string>> = {
  "scheduler.alpha.kubernetes.io/critical-pod":
    'non-functional in v1.16+; use the "priorityClassName" field instead',
  "security.alpha.kubernetes.io/sysctls":
    'non-functional in v1.11+; use the "sysctls" field instead',
  "security.alpha.kubernetes.io/unsafe-sysctls":
    'non-functional in v1.11+; use the "sysctls" field instead',
};
/** Sources of volumes that no longer work, or will not. */
const VOLUMES: readonly (readonly [source: keyof Volume, name: string, text: string])[] = [
  ["photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"],
  ["gitRepo", "gitRepo", "deprecated in v1.11"],
  ["scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"],
  ["flocker", "flocker", "deprecated in v1.22, non-functional in v1.25+"],
  ["storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"],
  ["quobyte", "quobyte", "deprecated in v1.22, non-functional in v1.25+"],
  ["glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"],
  ["cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"],
  ["rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"],
];

/**
 * What is likely not meant in a pod, or in a template at `field`, in the words and order of
 * Kubernetes 1.32.
 */
export function podWarnings(template: PodTemplateSpec, field = ""): string[] {
  const { metadata = {}, spec } = template;
  if (!spec) return [];
  const at = (path: string) => (field === "" ? path : `${field}.${path}`);
  const annotations = metadata.annotations ?? {};
  const mentioned = (key: string) => annotations[key] !== undefined;
  const warnings = placementWarnings(spec, at("spec"));
  for (const [key, text] of Object.entries(ANNOTATIONS)) {
    if (mentioned(key)) warnings.push(`${at("metadata.annotations")}[${key}]: ${text}`);
  }
  warnings.push(...volumeWarnings(spec.volumes ?? [], at("spec.volumes")));
  warnings.push(...referenceWarnings(spec, at("spec")));
  const seccomp = 'non-functional in v1.27+; use the "seccompProfile" field instead';
  const armor = 'deprecated since v1.30; use the "appArmorProfile" field instead';
  if (!spec.securityContext?.seccompProfile && mentioned(SECCOMP_POD)) {
    warnings.push(`${at("metadata.annotations")}[${SECCOMP_POD}]: ${seccomp}`);
  }
  for (const [path, container] of containersOf(spec, at("spec"))) {
    const { name, securityContext = {} } = container;
    if (!securityContext.seccompProfile && mentioned(SECCOMP_CONTAINER + name)) {
      warnings.push(`${at("metadata.annotations")}[${SECCOMP_CONTAINER}${name}]: ${seccomp}`);
    }
    const profile = spec.securityContext?.appArmorProfile ?? securityContext.appArmorProfile;
    if (!profile && mentioned(APP_ARMOR + name)) {
      warnings.push(`${at("metadata.annotations")}[${APP_ARMOR}${name}]: ${armor}`);
    }
    warnings.push(...containerWarnings(container, path));
  }
  warnings.push(...portWarnings(spec, at("spec")));
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    const text = "must be >= 0; negative values are invalid and will be treated as 1";
    warnings.push(`${at("spec.terminationGracePeriodSeconds")}: ${text}`);
  }
  warnings.push(...affinityWarnings(spec, at("spec.affinity")));
  return warnings;
}

function placementWarnings(spec: PodSpec, path: string): string[] {
  const warnings: string[] = [];
  for (const label of Object.keys(spec.nodeSelector ?? {})) {
    const text = nodeLabelWarning(label);
    if (text) warnings.push(`${path}.nodeSelector[${label}]: ${text}`);
  }
  const node = spec.affinity?.nodeAffinity;
  const affinity = `${path}.affinity.nodeAffinity`;
  for (const [index, term] of (node?.[REQUIRED]?.nodeSelectorTerms ?? []).entries()) {
    const place = `${affinity}.${REQUIRED}.nodeSelectorTerms[${index}]`;
    warnings.push(...nodeSelectorWarnings(place, term));
  }
  for (const [index, { preference }] of (node?.[PREFERRED] ?? []).entries()) {
    const place = `${affinity}.${PREFERRED}[${index}].preference`;
    warnings.push(...nodeSelectorWarnings(place, preference ?? {}));
  }
  const constraints = spec.topologySpreadConstraints ?? [];
  for (const [index, { topologyKey, labelSelector }] of constraints.entries()) {
    const place = `${path}.topologySpreadConstraints[${index}]`;
    const text = nodeLabelWarning(topologyKey);
    if (text) warnings.push(`${place}.topologyKey: ${topologyKey} is ${text}`);
    if (!labelSelector) {
      warnings.push(`${place}.labelSelector: a null labelSelector results in matching no pod`);
    }
  }
  return warnings;
}

function volumeWarnings(volumes: readonly Volume[], path: string): string[] {
  const warnings: string[] = [];
  for (const [index, volume] of volumes.entries()) {
    for (const [source, name, text] of VOLUMES) {
      if (volume[source] !== undefined) warnings.push(`${path}[${index}].${name}: ${text}`);
    }
    const claim = volume.ephemeral?.volumeClaimTemplate;
    if (claim) {
      const place = `${path}[${index}].ephemeral.volumeClaimTemplate.spec`;
      warnings.push(...claimWarnings(place, claim.spec));
    }
  }
  warnings.push(...pathWarnings(volumes));
  const tokens = volumes.flatMap(({ projected }) =>
    (projected?.sources ?? []).flatMap((source) => source.serviceAccountToken?.path ?? []),
  );
  if (tokens.length === 0) return warnings;
  for (const [index, { projected }] of volumes.entries()) {
    for (const { configMap, secret, downwardAPI } of projected?.sources ?? []) {
      for (const [name, items] of [
        ["configMap", configMap?.items],
        ["secrets", secret?.items],
        ["downwardAPI", downwardAPI?.items],
      ] as const) {
        for (const [at, item] of (items ?? []).entries()) {
          if (!tokens.includes(item.path)) continue;
          const place = `${path}[${index}].projected.sources.${name}[${at}]`;
          const file = JSON.stringify(item.path);
          warnings.push(`${place}: has duplicated path with ServiceAccountToken ${file}`);
        }
      }
    }
  }
  return warnings;
}

function referenceWarnings(spec: PodSpec, path: string): string[] {
  const warnings: string[] = [];
  const ips = (spec.hostAliases ?? []).map(({ ip }) => ip);
  for (const [index, ip] of ips.entries()) {
    if (ips.indexOf(ip) === index) continue;
    warnings.push(`${path}.hostAliases[${index}].ip: duplicate ip ${JSON.stringify(ip)}`);
  }
  const names = (spec.imagePullSecrets ?? []).map(({ name }) => name ?? "");
  const place = (index: number) => `${path}.imagePullSecrets[${index}].name`;
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) === index) continue;
    warnings.push(`${place(index)}: duplicate name ${JSON.stringify(name)}`);
  }
  for (const [index, name] of names.entries()) {
    if (name === "") warnings.push(`${place(index)}: invalid empty name ""`);
  }
  for (const name of ["memory", "ephemeral-storage"]) {
    warnings.push(...fractionWarnings(`${path}.overhead[${name}]`, spec.overhead?.[name]));
  }
  return warnings;
}

function containerWarnings({ resources, env = [] }: Container, path: string): string[] {
  const warnings: string[] = [];
  for (const name of ["memory", "ephemeral-storage"]) {
    for (const list of ["limits", "requests"] as const) {
      const amount = resources?.[list]?.[name];
      warnings.push(...fractionWarnings(`${path}.resources.${list}[${name}]`, amount));
    }
  }
  const names = env.map(({ name }) => name);
  for (const [index, { name, value = "", valueFrom }] of env.entries()) {
    if (names.indexOf(name) === index) continue;
    // A value that builds on the one before it is meant.
    const reference = `$(${name})`;
    if (!valueFrom && value !== reference && value.includes(reference)) continue;
    warnings.push(
      `${path}.env[${index}]: hides previous definition of ${JSON.stringify(name)}, which may be ` +
        "dropped when using apply",
    );
  }
  return warnings;
}

function portWarnings(spec: PodSpec, path: string): string[] {
  const warnings: string[] = [];
  const seen = new Map<string, { field: string; port: ContainerPort }[]>();
  for (const [place, { ports = [] }] of containersOf(spec, path)) {
    for (const [index, port] of ports.entries()) {
      const field = `${place}.ports[${index}]`;
      if (port.hostIP && !port.hostPort) {
        const { name = "", containerPort, protocol = "TCP", hostIP } = port;
        const of = `Name:${name} HostPort:0 ContainerPort:${containerPort} Protocol:${protocol}`;
        warnings.push(`${field}: hostIP set without hostPort: {${of} HostIP:${hostIP}}`);
      }
      const key = `${port.containerPort}/${port.protocol ?? "TCP"}`;
      const others = seen.get(key) ?? [];
      for (const other of others) {
        const how = overlapOf(port, other.port);
        if (how) warnings.push(`${field}: ${how} port definition with ${other.field}`);
      }
      seen.set(key, [...others, { field, port }]);
    }
  }
  return warnings;
}

function overlapOf(port: ContainerPort, other: ContainerPort): string | undefined {
  const [ip, otherIp] = [port.hostIP ?? "", other.hostIP ?? ""];
  const [host, otherHost] = [port.hostPort ?? 0, other.hostPort ?? 0];
  if (ip === otherIp && host === otherHost) return "duplicate";
  if (host === 0 || otherHost === 0) return "overlapping";
  if (host === otherHost && (ip === "") !== (otherIp === "")) return "dangerously ambiguous";
  return undefined;
}

function affinityWarnings({ affinity }: PodSpec, path: string): string[] {
  const warnings: string[] = [];
  const check = (place: string, term: PodAffinityTerm | undefined) => {
    if (term?.labelSelector) return;
    warnings.push(`${place}.labelSelector: a null labelSelector results in matching no pod`);
  };
  for (const kind of ["podAffinity", "podAntiAffinity"] as const) {
    const rules = affinity?.[kind];
    for (const [index, term] of (rules?.[REQUIRED] ?? []).entries()) {
      check(`${path}.${kind}.${REQUIRED}[${index}]`, term);
    }
    for (const [index, { podAffinityTerm }] of (rules?.[PREFERRED] ?? []).entries()) {
      check(`${path}.${kind}.${PREFERRED}[${index}].podAffinityTerm`, podAffinityTerm);
    }
  }
  return warnings;
}
