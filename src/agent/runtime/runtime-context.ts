import { execFile } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import path from "node:path";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Random } from "../../lib/random.ts";
import { type Cgroups, openCgroups } from "../../sys/cgroup.ts";
import { bootId, effectiveCapabilities } from "../../sys/process.ts";
import { CAPABILITIES } from "../../format/oci/capabilities.ts";
import type { MonitorTools } from "./conmon.ts";
import { type RuntimePaths, runtimePaths } from "./container-record.ts";
import { RuntimeError, type SandboxSpec } from "./contract.ts";
import { createContainerTable, type ContainerTable } from "./container-table.ts";
import type { Failpoint } from "./failpoints.ts";
import { createSeccompProfiles, type SeccompProfiles } from "./seccomp-choice.ts";

/** What a runtime needs; directories are created. */
export interface CrunRuntimeOptions {
  /** Records, writable layers and exit codes; survives a reboot. */
  stateDirectory: string;
  /**
   * Mounts and sockets. When the process is in a mount namespace of its own, it must be below a
   * directory given to `enterPrivateMounts`, or containers are lost with the agent.
   */
  runDirectory: string;
  /** Group that holds all pods, such as "/nephos". */
  cgroupRoot: string;
  /** "crun" or "runc", or a path that ends so. */
  runtimeBinary: string;
  conmonBinary?: string;
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
  readonly tools: MonitorTools;
  readonly cgroups: Cgroups;
  readonly table: ContainerTable;
  readonly seccomp: SeccompProfiles;
  readonly bootId: string;
  readonly available: bigint;
  readonly oomScoreFloor: number;
  /** Containers are put into their cgroups by us, not by the OCI runtime. */
  readonly placesItself: boolean;
}

/** Probes the machine and fixes the paths. */
export function createContext(options: CrunRuntimeOptions): RuntimeContext {
  const paths = runtimePaths(options.stateDirectory, options.runDirectory);
  const isCrun = path.basename(options.runtimeBinary) !== "runc";
  const cgroups = openCgroups();
  const placesItself = isCrun && cgroups.version === 1;
  const manager = isCrun ? [`--cgroup-manager=${placesItself ? "disabled" : "cgroupfs"}`] : [];
  const available = effectiveCapabilities();
  const mayLower = (available >> BigInt(CAPABILITIES.indexOf("CAP_SYS_RESOURCE"))) & 1n;
  const own = Number(readFileSync("/proc/self/oom_score_adj", "utf8"));
  return {
    options,
    clock: options.clock,
    logger: options.logger,
    failpoint: options.failpoint ?? (() => {}),
    paths,
    tools: {
      conmon: findProgram(options.conmonBinary ?? "conmon"),
      runtime: findProgram(options.runtimeBinary),
      runtimeArguments: ["--root", paths.runtimeState, ...manager],
    },
    cgroups,
    table: createContainerTable(paths),
    seccomp: createSeccompProfiles({ takesCompiled: isCrun }),
    bootId: bootId(),
    available,
    oomScoreFloor: mayLower ? -1000 : own,
    placesItself,
  };
}

/** conmon wants absolute paths. @throws RuntimeError when the program is not installed */
function findProgram(name: string): string {
  if (name.startsWith("/")) return name;
  for (const directory of (process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin").split(":")) {
    const file = path.join(directory, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      continue;
    }
  }
  throw new RuntimeError("runtime-failed", `Cannot run containers: "${name}" is not installed`);
}

/**
 * The command line of the OCI runtime with which a process starts in `cgroup`: through a shell that
 * moves itself there first, when that is ours to do.
 */
export function placedTools(context: RuntimeContext, cgroup: string): MonitorTools {
  const { tools, cgroups, placesItself } = context;
  if (!placesItself) return tools;
  const moves = cgroups.hierarchies.map((hierarchy) => `echo 0 > ${hierarchy}"$0"/tasks`);
  const script = `${moves.join(" && ")} && exec "$@"`;
  const runtimeArguments = ["-c", script, cgroup, tools.runtime, ...tools.runtimeArguments];
  return { ...tools, runtime: SHELL, runtimeArguments };
}

const SHELL = "/bin/sh";

/** The cgroup of a pod: below a parent for its QoS class, as kubelet lays them out. */
export function podCgroup(cgroupRoot: string, sandbox: SandboxSpec): string {
  if (sandbox.cgroupParent) return path.posix.join("/", sandbox.cgroupParent, sandbox.id);
  return path.posix.join(qosCgroup(cgroupRoot, sandbox.qosClass), `pod${sandbox.id}`);
}

/** The group of all pods of a QoS class. */
export function qosCgroup(cgroupRoot: string, qosClass: SandboxSpec["qosClass"]): string {
  const name = qosClass === "Guaranteed" ? "" : qosClass.toLowerCase();
  return path.posix.join("/", cgroupRoot, "kubepods", name);
}

/** Runs the OCI runtime to its end. @throws RuntimeError with the runtime's words */
export function runRuntime(context: RuntimeContext, command: readonly string[]): Promise<string> {
  const { runtime, runtimeArguments } = context.tools;
  return new Promise((resolve, reject) => {
    execFile(runtime, [...runtimeArguments, ...command], { cwd: "/" }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const words = stderr.trim() || error.message;
      reject(new RuntimeError("runtime-failed", `${command[0]}: ${words}`, { cause: error }));
    });
  });
}
