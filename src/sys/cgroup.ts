import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import type { DeviceRule } from "../format/oci/runtime-spec.ts";
import {
  type CgroupDetails,
  countOpenFiles,
  diskTrafficV1,
  diskTrafficV2,
  readNumber,
} from "./cgroup-details.ts";
import { type MountEntry, readMounts } from "./mount.ts";

/** Without the freezer: nothing is ever frozen, and a hierarchy costs each container two groups. */
const V1_CONTROLLERS = [
  "cpu",
  "cpuacct",
  "cpuset",
  "memory",
  "pids",
  "blkio",
  "devices",
  "hugetlb",
] as const;

/** Limits in kernel units; an absent field is left as it is. */
export interface CgroupLimits {
  /** 2 to 262144; 1024 is one full weight. */
  cpuShares?: number;
  cpuQuotaUs?: number;
  cpuPeriodUs?: number;
  memoryLimitBytes?: number;
  pidsMax?: number;
  cpusetCpus?: string;
  /** Bytes by page size ("2MB"); passed over where the kernel does not account for them. */
  hugePages?: Readonly<Record<string, number>>;
}

/** One reading of a cgroup, with everything below it. */
export interface CgroupUsage {
  cpuNanoseconds: number;
  memoryBytes: number;
  /** Memory that cannot be taken back at once: without inactive page cache. */
  workingSetBytes: number;
  /** Memory of the processes themselves, not of files. */
  residentBytes: number;
  cacheBytes: number;
  /** Files mapped into memory, and what lies in swap; absent where they are not counted. */
  mappedBytes?: number;
  swapBytes?: number;
  /** `cpuNanoseconds` by who used them: programs, and the kernel for them. */
  cpuModes?: { userNanoseconds: number; systemNanoseconds: number };
  pageFaults: number;
  majorPageFaults: number;
  /** Threads and processes. */
  tasks: number;
  /** How the group fared with its CPU quota; absent where it is not accounted for. */
  throttling?: { periods: number; throttled: number; throttledNanoseconds: number };
}

/** The control groups of the machine, whichever version; paths are absolute within a hierarchy. */
export interface Cgroups {
  readonly version: 1 | 2;
  /**
   * Directories of the hierarchies. On v1, a process of one thread that writes "0" to `tasks` of a group
   * in each enters it at once; moving another process waits 10 to 20 ms for an RCU grace period.
   */
  readonly hierarchies: readonly string[];
  /** The file of a group in them by which a process enters it. */
  readonly entry: "tasks" | "cgroup.procs";
  /** Creates the group with its parents in every hierarchy. Idempotent. @throws ENOSPC, EROFS */
  create(group: string): void;
  /**
   * Gives a group, with all below, another name in the group above; v2 cannot. What fails may be
   * done in some hierarchies: `create` makes the rest. @throws ENOENT, EEXIST
   */
  rename?(group: string, name: string): void;
  /** Sets limits of an existing group. @throws EINVAL, EBUSY when memory use is above the limit */
  limit(group: string, limits: CgroupLimits): void;
  /** Applies rules in order; on v2, where runtimes load a program for it, not supported. */
  restrictDevices(group: string, rules: readonly DeviceRule[]): void;
  /** Removes the group and all below; false when a process is still in it. Idempotent. */
  remove(group: string): boolean;
  /** Names of the groups right below. */
  names(group: string): string[];
  /** PIDs in the group and below. */
  processes(group: string): number[];
  /** Undefined when the group is gone. */
  usage(group: string): CgroupUsage | undefined;
  /** Takes several times as long as `usage`. Undefined when the group is gone. */
  details(group: string): CgroupDetails | undefined;
  /** How many processes the kernel killed there for want of memory. */
  oomKills(group: string): number;
}

/**
 * Finds the hierarchies that are mounted below `root`. On a hybrid layout the v1 controllers are
 * used. Several may share a hierarchy, as "cpu,cpuacct" do where systemd mounts them.
 */
export function openCgroups(
  mounts: readonly MountEntry[] = readMounts(),
  root = "/sys/fs/cgroup",
): Cgroups {
  const below = mounts.filter(({ target }) => path.dirname(target) === root);
  const v1 = below.filter(({ type }) => type === "cgroup");
  const targets = new Map<string, string>();
  for (const controller of V1_CONTROLLERS) {
    const mount = v1.find(({ options }) => options.split(",").includes(controller));
    if (mount) targets.set(controller, mount.target);
  }
  if (targets.size === 0) return openCgroup2(root);
  const used = new Set(targets.values());
  const others = below.map(({ target }) => target).filter((target) => !used.has(target));
  return openV1(targets, { root, others });
}

/**
 * `targets` tells where each controller is mounted; `others` are hierarchies that need no groups,
 * in which runtimes make some all the same.
 */
function openV1(
  targets: ReadonlyMap<string, string>,
  { root, others }: { root: string; others: readonly string[] },
): Cgroups {
  const named = [...new Set(targets.values())];
  // One that is not mounted has no files there.
  const named1 = (controller: string, group: string) =>
    `${targets.get(controller) ?? path.join(root, controller)}${group}`;
  const put = (controller: string, group: string, [file, value]: [string, string | number]) =>
    writeFileSync(path.join(named1(controller, group), file), String(value));
  const number = (file: string) => Number(readText(file) ?? 0);
  return {
    version: 1,
    hierarchies: named,
    entry: "tasks",
    restrictDevices(group, rules) {
      const open = (file: string) => openSync(path.join(named1("devices", group), file), "w");
      const any = (number: number | undefined) => number ?? "*";
      const [allowFd, denyFd] = [open("devices.allow"), open("devices.deny")];
      try {
        // The kernel takes one rule a write.
        for (const { allow, type, major, minor, access } of rules) {
          const line = type ? `${type} ${any(major)}:${any(minor)} ${access}` : "a";
          writeSync(allow ? allowFd : denyFd, line);
        }
      } finally {
        closeSync(allowFd);
        closeSync(denyFd);
      }
    },
    create(group) {
      for (const hierarchy of named) {
        if (hierarchy === targets.get("cpuset")) createCpuset(hierarchy, group);
        else mkdirSync(path.join(hierarchy, group), { recursive: true });
      }
    },
    rename(group, name) {
      const renamed = path.posix.join(path.posix.dirname(group), name);
      for (const hierarchy of named) renameSync(`${hierarchy}${group}`, `${hierarchy}${renamed}`);
    },
    limit(group, limits) {
      if (limits.cpuShares !== undefined) put("cpu", group, ["cpu.shares", limits.cpuShares]);
      if (limits.cpuPeriodUs !== undefined) {
        put("cpu", group, ["cpu.cfs_period_us", limits.cpuPeriodUs]);
      }
      if (limits.cpuQuotaUs !== undefined)
        put("cpu", group, ["cpu.cfs_quota_us", limits.cpuQuotaUs]);
      if (limits.memoryLimitBytes !== undefined) {
        put("memory", group, ["memory.limit_in_bytes", limits.memoryLimitBytes]);
      }
      if (limits.pidsMax !== undefined) put("pids", group, ["pids.max", limits.pidsMax]);
      if (limits.cpusetCpus !== undefined) put("cpuset", group, ["cpuset.cpus", limits.cpusetCpus]);
      if (!targets.has("hugetlb")) return;
      for (const [size, bytes] of Object.entries(limits.hugePages ?? {})) {
        put("hugetlb", group, [`hugetlb.${size}.limit_in_bytes`, bytes]);
      }
    },
    remove(group) {
      // Where `enterPrivateMounts` hid the v2 hierarchy, the groups are plain directories.
      for (const hierarchy of others.filter((one) => !existsSync(`${one}/cgroup.procs`))) {
        rmSync(path.join(hierarchy, group), { recursive: true, force: true });
      }
      const all = [...named, ...others];
      return all.map((hierarchy) => removeTree(path.join(hierarchy, group))).every(Boolean);
    },
    names: (group) => [
      ...new Set(named.flatMap((hierarchy) => namesBelow(`${hierarchy}${group}`))),
    ],
    processes: (group) => processesBelow(named1("pids", group)),
    usage(group) {
      const memory = named1("memory", group);
      const total = readText(`${memory}/memory.usage_in_bytes`);
      if (total === undefined) return undefined;
      const of = statisticsOf(`${memory}/memory.stat`);
      const modes = statisticsOf(`${named1("cpuacct", group)}/cpuacct.stat`);
      return {
        cpuNanoseconds: number(`${named1("cpuacct", group)}/cpuacct.usage`),
        memoryBytes: Number(total),
        workingSetBytes: Math.max(0, Number(total) - of("total_inactive_file")),
        residentBytes: of("total_rss"),
        cacheBytes: of("total_cache"),
        mappedBytes: of("total_mapped_file"),
        swapBytes: of("total_swap"),
        cpuModes: {
          userNanoseconds: modes("user") * TICK_NANOSECONDS,
          systemNanoseconds: modes("system") * TICK_NANOSECONDS,
        },
        pageFaults: of("total_pgfault"),
        majorPageFaults: of("total_pgmajfault"),
        tasks: number(`${named1("pids", group)}/pids.current`),
        throttling: throttlingOf(statisticsOf(`${named1("cpu", group)}/cpu.stat`)),
      };
    },
    details(group) {
      const memory = named1("memory", group);
      if (!existsSync(memory)) return undefined;
      const of = statisticsOf(`${memory}/memory.stat`);
      const blkio = `${named1("blkio", group)}/blkio.throttle`;
      const pids = processesBelow(named1("pids", group));
      return {
        disks: diskTrafficV1({
          bytes: readText(`${blkio}.io_service_bytes_recursive`),
          number: readText(`${blkio}.io_serviced_recursive`),
        }),
        processes: pids.length,
        openFiles: countOpenFiles(pids),
        memoryPeakBytes: readNumber(`${memory}/memory.max_usage_in_bytes`),
        memoryLimitHits: number(`${memory}/memory.failcnt`),
        kernelBytes: number(`${memory}/memory.kmem.usage_in_bytes`),
        activeFileBytes: of("total_active_file"),
        inactiveFileBytes: of("total_inactive_file"),
      };
    },
    oomKills: (group) => statistic(`${named1("memory", group)}/memory.oom_control`, "oom_kill"),
  };
}

/**
 * A cpuset takes no process until its files are filled. Each level is filled before the next one
 * is made, so what lies above the deepest that exists is complete; and what is made below a filled
 * one comes filled by its `cgroup.clone_children`.
 */
function createCpuset(hierarchy: string, group: string): void {
  const parts = group.split("/").filter(Boolean);
  const level = (depth: number) => path.join(hierarchy, ...parts.slice(0, depth));
  const isFilled = (directory: string) =>
    (readText(path.join(directory, "cpuset.cpus")) ?? "").trim() !== "";
  // Mostly only the deepest is missing, and comes filled.
  if (makeGroup(level(parts.length)) && isFilled(level(parts.length))) return;
  let existing = parts.length;
  while (existing > 0 && !existsSync(level(existing))) existing--;
  for (let depth = 1; depth <= parts.length; depth++) {
    const directory = level(depth);
    if (depth > existing) mkdirSync(directory);
    if (isFilled(directory)) continue;
    writeFileSync(path.join(directory, "cgroup.clone_children"), "1");
    // By the last one is known that all are there, whenever this process ends.
    for (const file of ["cpuset.mems", "cpuset.cpus"]) {
      writeFileSync(path.join(directory, file), readText(path.join(level(depth - 1), file)) ?? "");
    }
  }
}

/** False when the group above is missing. */
function makeGroup(directory: string): boolean {
  try {
    mkdirSync(directory);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return true;
    if (code === "ENOENT") return false;
    throw error;
  }
}

/** Control groups of version 2, mounted at `root`: normally what `openCgroups` finds. */
export function openCgroup2(root: string): Cgroups {
  const directory = (group: string) => path.join(root, group);
  const put = (group: string, file: string, value: string | number) => {
    try {
      writeFileSync(path.join(root, group, file), String(value));
    } catch (cause) {
      // That is what the kernel says to who would make a file.
      if ((cause as NodeJS.ErrnoException).code !== "EACCES") throw cause;
      throw new Error(withoutController(group, file), { cause });
    }
  };
  return {
    version: 2,
    hierarchies: [root],
    entry: "cgroup.procs",
    restrictDevices: () => {
      throw new Error("Cannot restrict devices by a file on cgroup v2");
    },
    create(group) {
      let current = root;
      for (const part of group.split("/").filter(Boolean)) {
        const wanted = ["cpu", "memory", "pids", "cpuset", "io", "hugetlb"];
        const offered = (readText(`${current}/cgroup.controllers`) ?? "").trim().split(" ");
        const enabled = wanted.filter((name) => offered.includes(name)).map((name) => `+${name}`);
        writeFileSync(`${current}/cgroup.subtree_control`, enabled.join(" "));
        current = path.join(current, part);
        mkdirSync(current, { recursive: true });
      }
    },
    limit(group, limits) {
      const { cpuShares, cpuQuotaUs, cpuPeriodUs } = limits;
      if (cpuShares !== undefined) put(group, "cpu.weight", cpuWeight(cpuShares));
      if (cpuQuotaUs !== undefined) {
        const quota = cpuQuotaUs <= 0 ? "max" : cpuQuotaUs;
        put(group, "cpu.max", `${quota} ${cpuPeriodUs ?? 100_000}`);
      }
      const memory = limits.memoryLimitBytes;
      if (memory !== undefined) put(group, "memory.max", memory <= 0 ? "max" : memory);
      if (limits.pidsMax !== undefined) put(group, "pids.max", limits.pidsMax);
      if (limits.cpusetCpus !== undefined) put(group, "cpuset.cpus", limits.cpusetCpus);
      for (const [size, bytes] of Object.entries(limits.hugePages ?? {})) {
        const file = `hugetlb.${size}.max`;
        if (existsSync(path.join(directory(group), file))) put(group, file, bytes);
      }
    },
    remove: (group) => removeTree(directory(group)),
    names: (group) => namesBelow(directory(group)),
    processes: (group) => processesBelow(directory(group)),
    usage(group) {
      const total = readText(`${directory(group)}/memory.current`);
      if (total === undefined) return undefined;
      const of = statisticsOf(`${directory(group)}/memory.stat`);
      const cpu = statisticsOf(`${directory(group)}/cpu.stat`);
      return {
        cpuNanoseconds: cpu("usage_usec") * 1000,
        memoryBytes: Number(total),
        workingSetBytes: Math.max(0, Number(total) - of("inactive_file")),
        residentBytes: of("anon"),
        cacheBytes: of("file"),
        mappedBytes: of("file_mapped"),
        swapBytes: Number(readText(`${directory(group)}/memory.swap.current`) ?? 0),
        cpuModes: {
          userNanoseconds: cpu("user_usec") * 1000,
          systemNanoseconds: cpu("system_usec") * 1000,
        },
        pageFaults: of("pgfault"),
        majorPageFaults: of("pgmajfault"),
        tasks: Number(readText(`${directory(group)}/pids.current`) ?? 0),
        throttling: throttlingOf(cpu),
      };
    },
    details(group) {
      if (!existsSync(directory(group))) return undefined;
      const of = statisticsOf(`${directory(group)}/memory.stat`);
      const pids = processesBelow(directory(group));
      return {
        disks: diskTrafficV2(readText(`${directory(group)}/io.stat`) ?? ""),
        processes: pids.length,
        openFiles: countOpenFiles(pids),
        memoryPeakBytes: readNumber(`${directory(group)}/memory.peak`),
        memoryLimitHits: statistic(`${directory(group)}/memory.events`, "max"),
        kernelBytes: of("kernel"),
        activeFileBytes: of("active_file"),
        inactiveFileBytes: of("inactive_file"),
      };
    },
    oomKills: (group) => statistic(`${directory(group)}/memory.events`, "oom_kill"),
  };
}

/** Of what v1 counts by mode; 100 a second on every Linux that Node.js runs on. */
const TICK_NANOSECONDS = 1e7;

/** v1 counts nanoseconds, v2 microseconds. */
function throttlingOf(of: (name: string) => number): NonNullable<CgroupUsage["throttling"]> {
  return {
    periods: of("nr_periods"),
    throttled: of("nr_throttled"),
    throttledNanoseconds: of("throttled_time") + of("throttled_usec") * 1000,
  };
}

function withoutController(group: string, file: string): string {
  const [controller = ""] = file.split(".");
  return (
    `Cannot write ${file} of control group "${group}": it has no controller "${controller}"; ` +
    "let the kernel have it on cgroup v2, and whoever made the groups above hand it down"
  );
}

/** Shares 2..262144 on the scale of weights 1..10000, as crun and runc map them. */
export function cpuWeight(shares: number): number {
  return shares <= 0 ? 100 : Math.max(1, Math.floor(1 + ((shares - 2) * 9999) / 262_142));
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENODEV") return undefined;
    throw error;
  }
}

/** Values of lines "name value"; 0 for a name that is absent. */
function statisticsOf(file: string): (name: string) => number {
  const pairs = (readText(file) ?? "").split("\n").map((line): [string, number] => {
    const at = line.indexOf(" ");
    return [line.slice(0, at), Number(line.slice(at + 1))];
  });
  const values = new Map(pairs);
  return (name) => values.get(name) ?? 0;
}

function statistic(file: string, name: string): number {
  return statisticsOf(file)(name);
}

function folders(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => path.join(directory, entry.name));
}

function namesBelow(directory: string): string[] {
  return folders(directory).map((folder) => path.basename(folder));
}

/** From the bottom up, but most groups have none below. */
function removeTree(directory: string): boolean {
  if (removeGroup(directory)) return true;
  return folders(directory).map(removeTree).every(Boolean) && removeGroup(directory);
}

function removeGroup(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return true;
    if (code === "EBUSY" || code === "ENOTEMPTY") return false;
    throw error;
  }
}

function processesBelow(directory: string): number[] {
  const own = (readText(`${directory}/cgroup.procs`) ?? "").split("\n").filter(Boolean).map(Number);
  return [...own, ...folders(directory).flatMap(processesBelow)];
}
