import type * as cri from "../../../format/cri/generated.ts";
import { MASKED_PATHS, READ_ONLY_PATHS } from "../../../format/oci/runtime-spec.ts";
import type { Outgoing } from "../../../format/protobuf/message-codec.ts";
import { refuseHostPath } from "../bundle.ts";
import {
  type ContainerMount,
  type ContainerResources,
  type ContainerSecurity,
  type ContainerSpec,
  RuntimeError,
  type SandboxSpec,
} from "../contract.ts";
import { CRI, containerMarks, sandboxMarks } from "./cri-objects.ts";

/** A sandbox as the runtime is asked for it. */
export interface SandboxInput {
  spec: SandboxSpec;
  /** Of those for the same pod, from 0. */
  attempt: number;
  cgroupParent: string;
  node: string;
}

/** Builds the configuration of a sandbox. Pure. */
export function sandboxConfig({
  spec,
  attempt,
  cgroupParent,
  node,
}: SandboxInput): Outgoing<cri.PodSandboxConfig> {
  const { podName: name, podNamespace: namespace, id: uid, sysctls, privileged } = spec;
  return {
    metadata: { name, namespace, uid, attempt },
    // With the node's network goes its name.
    ...(spec.networkNamespacePath !== undefined && { hostname: spec.hostname }),
    // Each container names the whole path of its log.
    logDirectory: "/",
    ...sandboxMarks(spec, node),
    linux: {
      cgroupParent,
      ...(sysctls && { sysctls }),
      securityContext: {
        namespaceOptions: namespacesOf(spec),
        seccomp: { profileType: CRI.profile.runtimeDefault },
        ...(privileged && { privileged }),
      },
    },
  };
}

function namespacesOf(spec: SandboxSpec) {
  const { pod, container, node } = CRI.namespace;
  const own = spec.shareProcessNamespace ? pod : container;
  return {
    network: spec.networkNamespacePath === undefined ? node : pod,
    pid: spec.hostPid ? node : own,
    ipc: spec.hostIpc ? node : pod,
  };
}

/** A container as the runtime is asked for it. */
export interface ContainerInput {
  spec: ContainerSpec;
  sandbox: SandboxSpec;
  /** The runtime's ID of the container whose processes this one is to see. */
  targetId?: string;
  node: string;
}

/**
 * Builds the configuration of a container. Pure. @throws RuntimeError for what the interface cannot
 * say, or what it leaves to its caller to refuse
 */
export function containerConfig(input: ContainerInput): Outgoing<cri.ContainerConfig> {
  const { spec, sandbox, targetId } = input;
  const { security } = spec;
  refuseHostPath(spec.workingDirectory);
  refuseRoot(spec);
  if (spec.command.length === 0) {
    throw new RuntimeError("command-not-found", `container "${spec.name}" has no command`);
  }
  const shared = namespacesOf(sandbox);
  const joins = targetId !== undefined && !sandbox.shareProcessNamespace && !sandbox.hostPid;
  return {
    metadata: { name: spec.name, attempt: spec.attempt },
    image: { image: spec.image.id },
    command: spec.command,
    workingDir: spec.workingDirectory,
    envs: spec.environment.map((entry) => {
      const at = entry.indexOf("=");
      return { key: entry.slice(0, at), value: entry.slice(at + 1) };
    }),
    mounts: spec.mounts.map(mountOf),
    devices: (spec.devices ?? []).map((device) => ({
      containerPath: device,
      hostPath: device,
      permissions: "rwm",
    })),
    ...containerMarks({ spec, sandbox }, input.node),
    logPath: spec.logPath.replace(/^\/+/, ""),
    stdin: spec.stdin ?? false,
    stdinOnce: spec.stdinOnce ?? false,
    tty: spec.tty ?? false,
    linux: {
      resources: resourcesOf(spec.resources),
      securityContext: {
        ...securityOf(security),
        namespaceOptions: joins ? { ...shared, pid: CRI.namespace.target, targetId } : shared,
      },
    },
  };
}

/** Limits that the interface knows; those of processes and huge pages are the agent's to set. */
export function resourcesOf(limits: ContainerResources): Outgoing<cri.LinuxContainerResources> {
  return {
    cpuPeriod: limits.cpuPeriodUs,
    cpuQuota: limits.cpuQuotaUs,
    cpuShares: limits.cpuShares,
    memoryLimitInBytes: limits.memoryLimitBytes,
    oomScoreAdj: limits.oomScoreAdj,
    cpusetCpus: limits.cpusetCpus,
  };
}

/** The interface knows a user of the image by its name only inside of the runtime. */
function refuseRoot({ name, security }: ContainerSpec): void {
  if (!security.runAsNonRoot) return;
  const [user = ""] = security.user.split(":");
  if (/^\d+$/.test(user) && Number(user) > 0) return;
  const isRoot = user === "" || user === "root" || Number(user) === 0;
  const why = isRoot
    ? "image will run as root"
    : `image has non-numeric user (${user}), cannot verify user is non-root: set runAsUser`;
  throw new RuntimeError("runs-as-root", `container "${name}" has runAsNonRoot and ${why}`);
}

function mountOf({ hostPath, containerPath, readOnly, noExec, propagation }: ContainerMount) {
  if (noExec) {
    const message = `Cannot mount "${containerPath}": the CRI has no mounts without programs`;
    throw new RuntimeError("runtime-failed", message);
  }
  const { private: own, hostToContainer, bidirectional } = CRI.propagation;
  const shared = propagation === "rshared" ? bidirectional : hostToContainer;
  const isPrivate = propagation === undefined || propagation === "private";
  return { hostPath, containerPath, readonly: readOnly, propagation: isPrivate ? own : shared };
}

function securityOf(security: ContainerSecurity): Outgoing<cri.LinuxContainerSecurityContext> {
  const { privileged = false, supplementalGroups = [], procMount, appArmorProfile } = security;
  if (security.supplementalGroupsPolicy === "Strict") {
    const message = 'supplementalGroupsPolicy "Strict" is not known to this container runtime';
    throw new RuntimeError("runtime-failed", message);
  }
  const masks = procMount !== "Unmasked" && !privileged;
  return {
    ...userOf(security),
    privileged,
    supplementalGroups,
    readonlyRootfs: security.readOnlyRootFilesystem ?? false,
    noNewPrivs: !security.allowPrivilegeEscalation,
    ...(masks && { maskedPaths: MASKED_PATHS, readonlyPaths: READ_ONLY_PATHS }),
    capabilities: {
      addCapabilities: security.addCapabilities ?? [],
      dropCapabilities: security.dropCapabilities ?? [],
    },
    seccomp: profileOf(privileged ? "unconfined" : security.seccomp),
    ...(appArmorProfile !== undefined && { apparmor: profileOf(appArmorProfile) }),
    ...(security.selinuxLabel && { selinuxOptions: selinuxOf(security.selinuxLabel) }),
  };
}

function userOf({ user, group }: ContainerSecurity) {
  const [name = "", ownGroup] = user.split(":");
  const wanted = group === undefined ? ownGroup : `${group}`;
  if (name === "" && wanted === undefined) return {};
  const isNumber = /^\d*$/.test(name) && /^\d*$/.test(wanted ?? "");
  if (!isNumber) return { runAsUsername: wanted === undefined ? name : `${name}:${wanted}` };
  return {
    runAsUser: { value: Number(name) },
    ...(wanted !== undefined && { runAsGroup: { value: Number(wanted) } }),
  };
}

function profileOf(profile: string) {
  const { runtimeDefault, unconfined, localhost } = CRI.profile;
  if (profile === "runtime-default") return { profileType: runtimeDefault };
  if (profile === "unconfined") return { profileType: unconfined };
  return { profileType: localhost, localhostRef: profile };
}

/** A level may have colons of its own. */
function selinuxOf(label: string) {
  const [user, role, type, ...level] = label.split(":");
  return { user, role, type, level: level.join(":") };
}
