import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { CAPABILITIES } from "../../format/oci/capabilities.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Random } from "../../lib/random.ts";
import { openCgroups } from "../../sys/cgroup.ts";
import { bootId, effectiveCapabilities } from "../../sys/process.ts";
import { createSpread, type Spread } from "../../sys/spread.ts";
import { openTrash, type Trash } from "../trash.ts";
import { type AppArmor, openAppArmor } from "./app-armor.ts";
import { type ContainerRecord, type RuntimePaths, runtimePaths } from "./container-record.ts";
import type { DiscardedContainer } from "./container-removal.ts";
import { type ContainerTable, createContainerTable } from "./container-table.ts";
import { RuntimeError, type SandboxSpec } from "./contract.ts";
import type { ExpectedMonitor } from "./expected-monitor.ts";
import type { Failpoint } from "./failpoints.ts";
import { createLeanMounts, type LeanMounts } from "./lean-mounts.ts";
import { type MeasuredCgroups, measuredCgroups } from "./measured-cgroups.ts";
import { type MountPoints, openMountPoints } from "./mount-points.ts";
import { createOwnMonitors, type OwnMonitors } from "./own-monitors.ts";
import type { DrivenContainer, SandboxDriver } from "./sandbox-driver.ts";
import { createDrivers, findProgram, type SandboxDrivers } from "./sandbox-drivers.ts";
import { createSpareGroups, type SpareGroups } from "./spare-groups.ts";
import { createStandIns, type StandIns } from "./stand-ins.ts";

/** What a runtime needs; directories are created. */
export interface CrunRuntimeOptions {
  /** Records, writable layers and exit codes; survives a reboot. */
  stateDirectory: string;
  /**
   * Mounts and sockets. When the process is in a mount namespace of its own, it must be below a
   * directory given to `enterPrivateMounts`, or containers are lost with the agent.
   */
  runDirectory: string;
  /**
   * What lies there below a directory named like a sandbox, is mounted by its containers alone, on
   * private mounts of the caller's.
   */
  podDirectories?: readonly string[];
  /** Group that holds all pods, such as "/nephos". */
  cgroupRoot: string;
  /** Runs pods that name no runtime class: "crun", "runc" or "runsc". */
  defaultHandler: string;
  conmonBinary?: string;
  /** How many groups of pods of one QoS class are made ahead; none when absent. */
  groupsAhead?: number;
  /** For tests: how long an OCI runtime may take to make a container. */
  creationMs?: number;
  /** For tests: told of each step. */
  failpoint?: Failpoint;
  clock: Clock;
  random: Random;
  logger: Logger;
}

/** What the parts of a runtime share. */
export interface RuntimeContext {
  readonly options: CrunRuntimeOptions;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly failpoint: Failpoint;
  readonly paths: RuntimePaths;
  readonly conmon: string;
  readonly drivers: SandboxDrivers;
  readonly cgroups: MeasuredCgroups;
  readonly groups: SpareGroups;
  readonly table: ContainerTable;
  readonly bootId: string;
  readonly available: bigint;
  readonly oomScoreFloor: number;
  readonly appArmor: AppArmor;
  readonly hasSelinux: boolean;
  /** Holders that are being made, by sandbox. */
  readonly holding: Map<string, Promise<void>>;
  /** What could not be removed of containers that came to nothing, by their ID. */
  readonly halfRemoved: Map<string, DiscardedContainer>;
  /** Told of sandboxes whose kernels are about to start. */
  readonly kernelHandlers: Set<(sandboxId: string) => void>;
  /** Monitors that run already, by the ID of the container that is to come. */
  readonly expectations: Map<string, ExpectedMonitor>;
  readonly monitors: OwnMonitors;
  readonly standIns: StandIns;
  readonly leanMounts: LeanMounts;
  readonly mountPoints: MountPoints;
  /** Paths of the programs that enter control groups and mount namespaces, by their names. */
  readonly placers: Map<string, string>;
  /** Makes directories of sandboxes and containers. */
  readonly spread: Spread;
  /** For directories below the state and below the run directory. */
  readonly trash: { state: Trash; run: Trash };
}

/** Probes the machine and fixes the paths. */
export function createContext(options: CrunRuntimeOptions): RuntimeContext {
  const paths = runtimePaths(options.stateDirectory, options.runDirectory);
  const cgroups = measuredCgroups(openCgroups(), () => options.clock.monotonicMs());
  const available = effectiveCapabilities();
  const mayLower = (available >> BigInt(CAPABILITIES.indexOf("CAP_SYS_RESOURCE"))) & 1n;
  const trash = {
    state: openTrash(paths.stateTrash, options),
    run: openTrash(paths.runTrash, options),
  };
  const failpoint = options.failpoint ?? (() => {});
  const driven = { paths, cgroups, discard: trash.run.discard, clock: options.clock, failpoint };
  const own = Number(readFileSync("/proc/self/oom_score_adj", "utf8"));
  const conmon = findProgram(options.conmonBinary ?? "conmon", "conmon");
  const directory = path.join(paths.programs, "libraries");
  return {
    options,
    clock: options.clock,
    logger: options.logger,
    failpoint,
    paths,
    conmon,
    drivers: createDrivers(driven, options.defaultHandler),
    cgroups,
    groups: createSpareGroups({
      cgroups,
      clock: options.clock,
      logger: options.logger,
      max: options.groupsAhead ?? 0,
      failpoint,
      parents: (["BestEffort", "Burstable", "Guaranteed"] as const).map((qosClass) =>
        qosCgroup(options.cgroupRoot, qosClass),
      ),
    }),
    table: createContainerTable(paths),
    bootId: bootId(),
    available,
    oomScoreFloor: mayLower ? -1000 : own,
    appArmor: openAppArmor(options.logger),
    hasSelinux: existsSync("/sys/fs/selinux/enforce"),
    holding: new Map(),
    halfRemoved: new Map(),
    kernelHandlers: new Set(),
    expectations: new Map(),
    monitors: createOwnMonitors(),
    standIns: createStandIns(conmon, { directory, logger: options.logger }),
    mountPoints: openMountPoints(paths.mountPoints),
    leanMounts: createLeanMounts(
      [options.runDirectory, options.stateDirectory, ...(options.podDirectories ?? [])],
      { programs: paths.programs, logger: options.logger, failpoint },
    ),
    placers: new Map(),
    spread: createSpread(),
    trash,
  };
}

/** What runs the containers of a sandbox. @throws RuntimeError "handler-missing" */
export function driverOf({ drivers, table }: RuntimeContext, sandboxId: string): SandboxDriver {
  return drivers.of(table.sandboxes.get(sandboxId)?.spec.handler);
}

/** The same for cleaning up, which has to work without the program too. */
export function presentDriverOf(
  context: RuntimeContext,
  sandboxId: string,
): SandboxDriver | undefined {
  try {
    return driverOf(context, sandboxId);
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "handler-missing") return undefined;
    throw error;
  }
}

/** How drivers see a container of the table. @throws RuntimeError "not-found" */
export function drivenContainer({ paths }: RuntimeContext, record: DrivenRecord): DrivenContainer {
  const { id, sandboxId } = record.status;
  const { isHolder = false, tty, cgroup } = record;
  return { id, sandboxId, cgroup, bundle: paths.bundle(id), isHolder, tty };
}

type DrivenRecord = Pick<ContainerRecord, "isHolder" | "tty" | "cgroup"> & {
  status: Pick<ContainerRecord["status"], "id" | "sandboxId">;
};

/** The cgroup of a pod: below a parent for its QoS class, as kubelet lays them out. */
export function podCgroup(
  cgroupRoot: string,
  sandbox: Pick<SandboxSpec, "id" | "qosClass" | "cgroupParent">,
): string {
  if (sandbox.cgroupParent) return path.posix.join("/", sandbox.cgroupParent, sandbox.id);
  return path.posix.join(qosCgroup(cgroupRoot, sandbox.qosClass), `pod${sandbox.id}`);
}

/** The group of all pods of a QoS class. */
export function qosCgroup(cgroupRoot: string, qosClass: SandboxSpec["qosClass"]): string {
  const name = qosClass === "Guaranteed" ? "" : qosClass.toLowerCase();
  return path.posix.join("/", cgroupRoot, "kubepods", name);
}
