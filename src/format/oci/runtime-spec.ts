/** Everything that decides how a container is set up; names are resolved to numbers already. */
export interface RuntimeSpecInput {
  rootPath: string;
  readOnlyRoot: boolean;
  command: readonly string[];
  /** "NAME=value"; the first of a name wins nothing: the last does. */
  environment: readonly string[];
  workingDirectory: string;
  tty: boolean;
  hostname: string;
  user: { uid: number; gid: number; additionalGids: readonly number[] };
  capabilities: readonly string[];
  privileged: boolean;
  noNewPrivileges: boolean;
  /** Leaves /proc uncovered. */
  unmaskedProc: boolean;
  /** Path, or undefined for the node's own namespace. */
  networkNamespacePath?: string;
  /** "host", a path of a namespace to join, or undefined for a new one. */
  pidNamespace?: string;
  ipcNamespace?: string;
  /** User ids that are not the node's: a namespace to join, and what it maps from 0 on. */
  users?: { namespacePath: string; firstId: number; count: number };
  mounts: readonly BindMount[];
  devices: readonly DeviceNode[];
  /** Absolute in each cgroup hierarchy. */
  cgroupPath: string;
  cgroupVersion: 1 | 2;
  /** Somebody else places the process and sets its limits. */
  placed?: boolean;
  /** The runtime mounts what holds the hierarchies of cgroup v1 writable, whatever it is told. */
  leavesGroupsWritable?: boolean;
  resources: ResourceLimits;
  sysctls?: Readonly<Record<string, string>>;
  /** A profile in the format of the specification. */
  seccomp?: object;
  appArmorProfile?: string;
  /** Of the process and of what is mounted for it. */
  selinuxLabel?: string;
  annotations?: Readonly<Record<string, string>>;
  /** Command on the node, by absolute path, that the runtime runs when the process has started. */
  startedHook?: readonly string[];
}

/** A host directory or file in the container. */
export interface BindMount {
  source: string;
  destination: string;
  readOnly: boolean;
  /** So are the mounts below it. */
  readOnlyBelow?: boolean;
  /** Neither programs nor devices on it work. */
  noExec?: boolean;
  propagation: "private" | "rslave" | "rshared";
}

/** A device of the host to be made in the container. */
export interface DeviceNode {
  path: string;
  type: "c" | "b";
  major: number;
  minor: number;
  mode: number;
  uid: number;
  gid: number;
}

/** Limits in kernel units; an absent field sets nothing. */
export interface ResourceLimits {
  cpuShares?: number;
  cpuQuotaUs?: number;
  cpuPeriodUs?: number;
  memoryLimitBytes?: number;
  pidsMax?: number;
  oomScoreAdj?: number;
  cpusetCpus?: string;
  /** Bytes in huge pages, by page size as the kernel writes it: "2MB", "1GB". */
  hugePages?: Readonly<Record<string, number>>;
}

/** Files that tell of the node or change it; nothing is to be seen there. */
export const MASKED_PATHS: readonly string[] = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];
/** Files that the processes of a container may read. */
export const READ_ONLY_PATHS: readonly string[] = [
  "/proc/bus",
  "/proc/fs",
  "/proc/irq",
  "/proc/sys",
  "/proc/sysrq-trigger",
];
/** Major and minor numbers of /dev/null, zero, full, random, urandom, tty, console, ptmx, pts. */
const USUAL_DEVICES: readonly (readonly [number, number?])[] = [
  [1, 3],
  [1, 5],
  [1, 7],
  [1, 8],
  [1, 9],
  [5, 0],
  [5, 1],
  [5, 2],
  [136],
];

/** Builds a `config.json`. Source: OCI runtime specification 1.0.2. */
export function runtimeSpec(input: RuntimeSpecInput): object {
  const { user, capabilities } = input;
  const sets = ["bounding", "effective", "permitted"]; // never inheritable: CVE-2022-27650
  const rawUser = { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids };
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: input.tty,
      user: rawUser,
      args: input.command,
      env: lastOfEachName(input.environment),
      cwd: input.workingDirectory || "/",
      capabilities: Object.fromEntries(sets.map((set) => [set, capabilities])),
      noNewPrivileges: input.noNewPrivileges,
      ...(input.appArmorProfile && { apparmorProfile: input.appArmorProfile }),
      ...(input.selinuxLabel && { selinuxLabel: input.selinuxLabel }),
      ...(input.resources.oomScoreAdj !== undefined && {
        oomScoreAdj: input.resources.oomScoreAdj,
      }),
    },
    root: { path: input.rootPath, readonly: input.readOnlyRoot },
    hostname: input.hostname,
    mounts: mounts(input),
    annotations: input.annotations ?? {},
    ...(input.startedHook && {
      hooks: { poststart: [{ path: input.startedHook[0], args: input.startedHook }] },
    }),
    linux: {
      namespaces: namespaces(input),
      ...(input.users && userMappings(input.users)),
      ...(!input.placed && { cgroupsPath: input.cgroupPath, resources: resources(input) }),
      ...(input.devices.length > 0 && { devices: input.devices.map(device) }),
      ...(input.sysctls && { sysctl: input.sysctls }),
      ...(input.seccomp && { seccomp: input.seccomp }),
      ...(input.selinuxLabel && { mountLabel: input.selinuxLabel }),
      ...(!input.privileged &&
        !input.unmaskedProc && { maskedPaths: MASKED_PATHS, readonlyPaths: READ_ONLY_PATHS }),
      rootfsPropagation: rootPropagation(input.mounts),
    },
  };
}

function lastOfEachName(environment: readonly string[]): string[] {
  const byName = new Map<string, string>();
  for (const entry of environment) {
    const name = entry.split("=", 1)[0] ?? "";
    byName.delete(name);
    byName.set(name, entry);
  }
  return [...byName.values()];
}

/** A slave needs a root that receives; sharing back needs one that sends as well. */
function rootPropagation(binds: readonly BindMount[]): string {
  if (binds.some((bind) => bind.propagation === "rshared")) return "rshared";
  return binds.some((bind) => bind.propagation === "rslave") ? "rslave" : "private";
}

function namespaces(input: RuntimeSpecInput): object[] {
  const joined = (type: string, path: string | undefined) =>
    path === "host" ? [] : [path === undefined ? { type } : { type, path }];
  const network = input.networkNamespacePath;
  return [
    { type: "mount" },
    { type: "uts" },
    ...joined("pid", input.pidNamespace),
    ...joined("ipc", input.ipcNamespace),
    ...(input.users ? [{ type: "user", path: input.users.namespacePath }] : []),
    ...(network === undefined ? [] : [{ type: "network", path: network }]),
    ...(input.cgroupVersion === 2 && !input.privileged ? [{ type: "cgroup" }] : []),
  ];
}

function userMappings({ firstId, count }: NonNullable<RuntimeSpecInput["users"]>): object {
  const mapping = [{ containerID: 0, hostID: firstId, size: count }];
  return { uidMappings: mapping, gidMappings: mapping };
}

function mounts(input: RuntimeSpecInput): object[] {
  const own = new Set(input.mounts.map((bind) => bind.destination.replace(/\/+$/, "") || "/"));
  const access = input.privileged ? "rw" : "ro";
  const usual = [
    { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
    // Always a file system of its own, so that no image decides what /dev holds.
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
    },
    {
      destination: "/dev/shm",
      type: "tmpfs",
      source: "shm",
      options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
    },
    {
      destination: "/dev/mqueue",
      type: "mqueue",
      source: "mqueue",
      options: ["nosuid", "noexec", "nodev"],
    },
    {
      destination: "/sys",
      type: "sysfs",
      source: "sysfs",
      options: ["nosuid", "noexec", "nodev", access],
    },
    {
      destination: "/sys/fs/cgroup",
      type: "cgroup",
      source: "cgroup",
      options: ["nosuid", "noexec", "nodev", "relatime", access],
    },
    ...(input.leavesGroupsWritable && !input.privileged
      ? [
          {
            destination: "/sys/fs/cgroup",
            type: "tmpfs",
            source: "cgroup",
            options: ["remount", "nosuid", "noexec", "nodev", "ro"],
          },
        ]
      : []),
  ].filter(({ destination, type }) => {
    const pointless = type === "mqueue" && input.ipcNamespace === "host";
    return !own.has(destination) && !pointless;
  });
  const binds = input.mounts
    .toSorted((a, b) => depth(a.destination) - depth(b.destination))
    .map((bind) => ({
      destination: bind.destination,
      type: "bind",
      source: bind.source,
      options: [
        "rbind",
        bind.propagation === "private" ? "rprivate" : bind.propagation,
        bind.readOnly ? "ro" : "rw",
        ...(bind.readOnlyBelow ? ["rro"] : []),
        ...(bind.noExec ? ["noexec", "nosuid", "nodev"] : []),
      ],
    }));
  return [...usual, ...binds];
}

function depth(destination: string): number {
  return destination.split("/").filter(Boolean).length;
}

function device(node: DeviceNode): object {
  const { path, type, major, minor, mode, uid, gid } = node;
  return { path, type, major, minor, fileMode: mode, uid, gid };
}

function resources(input: RuntimeSpecInput): object {
  const { cpuShares, cpuQuotaUs, cpuPeriodUs, memoryLimitBytes, pidsMax, cpusetCpus } =
    input.resources;
  const hugePages = Object.entries(input.resources.hugePages ?? {});
  const given = (values: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
  return {
    devices: deviceRules(input),
    cpu: given({ shares: cpuShares, quota: cpuQuotaUs, period: cpuPeriodUs, cpus: cpusetCpus }),
    memory: given({ limit: memoryLimitBytes }),
    ...(pidsMax !== undefined && { pids: { limit: pidsMax } }),
    ...(hugePages.length > 0 && {
      hugepageLimits: hugePages.map(([pageSize, limit]) => ({ pageSize, limit })),
    }),
  };
}

/** What a container may do with devices, first to last; a missing number means any. */
export interface DeviceRule {
  allow: boolean;
  /** Absent means all of both types. */
  type?: "c" | "b";
  major?: number;
  minor?: number;
  /** Letters of "rwm". */
  access: string;
}

/** The usual devices and those of the container; making nodes is harmless, so all may. */
export function deviceRules(input: {
  privileged: boolean;
  devices: readonly DeviceNode[];
}): DeviceRule[] {
  if (input.privileged) return [{ allow: true, access: "rwm" }];
  return [
    { allow: false, access: "rwm" },
    { allow: true, type: "c", access: "m" },
    { allow: true, type: "b", access: "m" },
    ...USUAL_DEVICES.map(([major, minor]) => ({
      allow: true,
      type: "c" as const,
      major,
      ...(minor !== undefined && { minor }),
      access: "rwm",
    })),
    ...input.devices.map(({ type, major, minor }) => ({
      allow: true,
      type,
      major,
      minor,
      access: "rwm",
    })),
  ];
}
