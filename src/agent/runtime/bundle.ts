import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import { chooseCapabilities } from "../../format/oci/capabilities.ts";
import { type ResolvedUser, resolveUser } from "../../format/oci/image-user.ts";
import { type DeviceNode, runtimeSpec } from "../../format/oci/runtime-spec.ts";
import { openBelow } from "../../sys/file.ts";
import { USER_NAMESPACE_IDS } from "../../sys/user-namespace.ts";
import { type ContainerSpec, RuntimeError, type SandboxSpec } from "./contract.ts";
import type { MappedUsers } from "./mapped-mounts.ts";
import { deviceAt, nodeDevices } from "./node-devices.ts";
import type { SeccompProfiles } from "./seccomp-choice.ts";

const PASSWD_MAX_BYTES = 4 * 1024 * 1024;

/** What the node decides about a container, beside its spec. */
export interface BundleContext {
  sandbox: SandboxSpec;
  rootPath: string;
  cgroup: string;
  cgroupVersion: 1 | 2;
  /** The process is put into its cgroup by us. */
  placed: boolean;
  /** See `SandboxDriver`. */
  leavesGroupsWritable: boolean;
  /** All devices of the node are among those of the container. */
  seesNode: boolean;
  /** Capabilities that this process can give. */
  available: bigint;
  ipcNamespacePath?: string;
  userNamespace?: MappedUsers;
  /** Process namespace; see `RuntimeSpecInput.pidNamespace`. */
  pidNamespace?: string;
  /** Directory to appear as /dev/shm. */
  sharedMemoryPath?: string;
  seccomp: SeccompProfiles;
  /** Of the runtime class. */
  annotations: Readonly<Record<string, string>>;
  startedHook?: readonly string[];
  /** Lowest value of oom_score_adj that this process may set. */
  oomScoreFloor: number;
  appArmorProfile?: string;
  hasSelinux: boolean;
}

/**
 * Builds the `config.json` of a container whose root file system is mounted at `context.rootPath`.
 * @throws RuntimeError "user-not-found", "runs-as-root", "command-not-found", "permission-denied"
 */
export function containerConfig(spec: ContainerSpec, context: BundleContext): object {
  const { security } = spec;
  const { sandbox, appArmorProfile, hasSelinux } = context;
  const { selinuxLabel } = security;
  const user = containerUser(spec, context.rootPath);
  if (spec.command.length === 0) {
    throw new RuntimeError("command-not-found", `no command specified for "${spec.name}"`);
  }
  refuseHostPath(spec.workingDirectory);
  const privileged = security.privileged ?? false;
  const capabilities = chooseCapabilities({
    ...(security.addCapabilities && { add: security.addCapabilities }),
    ...(security.dropCapabilities && { drop: security.dropCapabilities }),
    privileged,
    available: context.available,
  });
  const shared = context.sharedMemoryPath;
  const chosen = privileged ? {} : context.seccomp.choose(security.seccomp, capabilities);
  const { oomScoreAdj, ...limits } = spec.resources;
  const network = sandbox.networkNamespacePath;
  const { pidNamespace } = context;
  const ipcNamespace = sandbox.hostIpc ? "host" : context.ipcNamespacePath;
  return runtimeSpec({
    rootPath: context.rootPath,
    readOnlyRoot: security.readOnlyRootFilesystem ?? false,
    command: spec.command,
    // What comes first gives way to what the pod or its image says.
    environment: [`HOME=${user.home}`, ...(spec.tty ? ["TERM=xterm"] : []), ...spec.environment],
    workingDirectory: spec.workingDirectory,
    tty: spec.tty ?? false,
    hostname: sandbox.hostname,
    user,
    capabilities,
    privileged,
    noNewPrivileges: !security.allowPrivilegeEscalation,
    unmaskedProc: security.procMount === "Unmasked",
    ...(network !== undefined && { networkNamespacePath: network }),
    ...(pidNamespace !== undefined && { pidNamespace }),
    ...(ipcNamespace !== undefined && { ipcNamespace }),
    ...(context.userNamespace && {
      users: {
        namespacePath: context.userNamespace.userNamespace,
        firstId: context.userNamespace.firstId,
        count: USER_NAMESPACE_IDS,
      },
    }),
    mounts: [
      ...(shared ? [bind(shared, "/dev/shm")] : []),
      ...spec.mounts.map((mount) => ({
        source: mount.hostPath,
        destination: path.posix.normalize(mount.containerPath),
        readOnly: mount.readOnly,
        ...(mount.readOnlyBelow && { readOnlyBelow: true }),
        noExec: mount.noExec ?? false,
        propagation: mount.propagation ?? "private",
      })),
    ],
    devices: context.seesNode ? nodeDevices() : hostDevices(spec),
    cgroupPath: context.cgroup,
    cgroupVersion: context.cgroupVersion,
    placed: context.placed,
    leavesGroupsWritable: context.leavesGroupsWritable,
    resources: {
      ...limits,
      ...(oomScoreAdj !== undefined && {
        oomScoreAdj: Math.max(oomScoreAdj, context.oomScoreFloor),
      }),
    },
    ...(sandbox.sysctls && { sysctls: sandbox.sysctls }),
    ...chosen,
    ...(appArmorProfile && { appArmorProfile }),
    ...(hasSelinux && selinuxLabel && { selinuxLabel }),
    annotations: { ...context.annotations, ...chosen.annotations },
    ...(context.startedHook && { startedHook: context.startedHook }),
  });
}

function bind(source: string, destination: string) {
  return { source, destination, readOnly: false, noExec: false, propagation: "private" as const };
}

/** Below /proc, a directory could name a descriptor that the runtime holds (CVE-2024-21626). */
export function refuseHostPath(workingDirectory: string): void {
  const normal = path.posix.normalize(workingDirectory || "/");
  if (!normal.startsWith("/") || /^\/proc(\/|$)/.test(normal)) {
    const message = `Cannot use "${workingDirectory}" as the working directory of a container`;
    throw new RuntimeError("permission-denied", message);
  }
}

function containerUser(spec: ContainerSpec, rootPath: string): ResolvedUser {
  const { security } = spec;
  const found = resolveUser(security.user, {
    passwd: readInRoot(rootPath, "/etc/passwd"),
    group: readInRoot(rootPath, "/etc/group"),
  });
  if (typeof found === "string") throw new RuntimeError("user-not-found", found);
  if (security.runAsNonRoot && found.uid === 0) {
    const message = `container "${spec.name}" has runAsNonRoot and image will run as root`;
    throw new RuntimeError("runs-as-root", message);
  }
  const gid = security.group ?? found.gid;
  // The primary group too: without it, setgid(2) to another group would shed its denials.
  const inImage = security.supplementalGroupsPolicy === "Strict" ? [] : found.additionalGids;
  const additional = [gid, ...inImage, ...(security.supplementalGroups ?? [])];
  return { ...found, gid, additionalGids: [...new Set(additional)] };
}

/** Reads a file of the image as a process in it would, wherever its links lead; "" when absent. */
function readInRoot(rootPath: string, name: string): string {
  const directoryFd = openSync(rootPath, constants.O_DIRECTORY);
  try {
    // Non-blocking: an image may put a FIFO there.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK;
    const fd = openBelow(name, { directoryFd, resolve: "root", flags });
    try {
      return fstatSync(fd).size > PASSWD_MAX_BYTES ? "" : readFileSync(fd, "utf8");
    } finally {
      closeSync(fd);
    }
  } catch {
    return "";
  } finally {
    closeSync(directoryFd);
  }
}

/** The devices of the host that a container asks for. @throws RuntimeError for what is none */
export function hostDevices(spec: ContainerSpec): DeviceNode[] {
  return (spec.devices ?? []).map(hostDevice);
}

function hostDevice(device: string): DeviceNode {
  const found = deviceAt(device);
  if (!found) throw new RuntimeError("runtime-failed", `"${device}" is not a device`);
  return found;
}
