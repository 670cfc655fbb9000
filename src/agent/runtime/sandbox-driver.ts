import type { Clock } from "../../lib/clock.ts";
import type { Cgroups } from "../../sys/cgroup.ts";
import type { RuntimePaths } from "./container-record.ts";
import type { SandboxSpec } from "./contract.ts";
import type { Failpoint } from "./failpoints.ts";
import type { SeccompProfiles } from "./seccomp-choice.ts";

/**
 * What tells the handlers of runtime classes apart. All of them speak the OCI command line and have
 * conmon for a monitor; a new one is a row of `HANDLERS` in
 * `sandbox-drivers.ts`.
 */
export interface SandboxDriver extends Disposable {
  /** As `handler` of a RuntimeClass names it. */
  readonly handler: string;
  /** The OCI runtime with its global arguments. */
  readonly command: readonly string[];
  /** The containers of a pod run on one kernel of their own, which the sandbox's holder starts. */
  readonly hasOwnKernel: boolean;
  /** Capabilities that it knows of; the bits of `CAPABILITIES`. */
  readonly capabilities: bigint;
  /** Its containers can have user ids of their own. */
  readonly hasUserNamespaces: boolean;
  /** It can make what is mounted below a mount read-only with it. */
  readonly hasRecursiveReadOnly: boolean;
  /** Containers are put into their cgroups by us, not by the OCI runtime. */
  readonly placesItself: boolean;
  /** What holds the hierarchies of cgroup v1 stays writable unless it is mounted once more. */
  readonly leavesGroupsWritable: boolean;
  /** To make a container it needs no mounts of the node's but its own and the container's. */
  readonly needsFewMounts: boolean;
  readonly seccomp: SeccompProfiles;
  /** With this code its `exec` ends when the command could not even be started. */
  readonly execFailureCode: number;
  /** Resolves when it knows which way its containers start; absent when there is but one. */
  readonly ready?: () => Promise<unknown>;
  /** Why it cannot run such a pod, and what to do; undefined when it can. */
  refusal(spec: SandboxSpec): string | undefined;
  /** Annotations of `config.json` by which it knows what belongs together. */
  annotations(container: DrivenContainer): Readonly<Record<string, string>>;
  /** What it is to run when the container has started. */
  startedHook(container: DrivenContainer): readonly string[] | undefined;
  /** The process namespace of `config.json`; see `RuntimeSpecInput.pidNamespace`. */
  processNamespace(wanted: ProcessNamespace): string | undefined;
  /**
   * Completes the bundle; returns what a monitor runs to create the container.
   */
  creation(container: DrivenContainer): Creation;
  /** Why no command may be run in a container of this `config.json`; undefined when it may. */
  execRefusal(config: { linux?: { seccomp?: object } }): string | undefined;
  /** What a monitor runs to execute a command; it appends the arguments of `exec`. */
  execution(more: readonly string[]): readonly string[];
  /** Arguments of `exec` by which `killExec` will find the process. */
  execFiles(exec: { directory: string }): readonly string[];
  /** Whether `killExec` finds what the exec started, as it does some time after its begin. */
  canKillExec(exec: { directory: string }): boolean;
  /** Ends what an exec started, as far as that is no process of the node. */
  killExec(exec: { id: string; directory: string }): Promise<void>;
  /** Lets the process of a created container run. @throws MonitorError in the runtime's words */
  start(container: DrivenContainer): Promise<void>;
  /** Sends a signal to the first process; false when that is up to the caller, by its PID. */
  signal(container: DrivenContainer, name: string): Promise<boolean>;
  /** Removes what it keeps of a container whose processes on the node have ended. Idempotent. */
  discard(container: Pick<DrivenContainer, "id" | "sandboxId">): Promise<void>;
}

/** How a monitor creates a container. */
export interface Creation {
  /** Command line, to which the monitor appends the arguments of `create`. */
  command: readonly string[];
  /** What the command has as descriptors from 4 on; they stay the driver's. */
  descriptors?: readonly (number | "ignore")[];
}

/** A container as drivers know it. */
export interface DrivenContainer {
  id: string;
  sandboxId: string;
  cgroup: string;
  /** Directory of `config.json`, PID file and sockets. */
  bundle: string;
  /** Holds the sandbox's namespaces, or its kernel. */
  isHolder: boolean;
  tty: boolean;
}

/** Whose processes a container is to see. */
export interface ProcessNamespace {
  id: string;
  /** One for the whole pod. */
  shared: boolean;
  hostPid: boolean;
  /** Container whose processes it joins: the pod's holder, or the target of a debug container. */
  target?: { id: string; pid: number };
}

/** What drivers are made of. */
export interface DriverContext {
  paths: RuntimePaths;
  cgroups: Cgroups;
  /** Takes a directory below the run directory away. */
  discard: (directory: string) => void;
  clock: Clock;
  failpoint: Failpoint;
  /** Absolute path of the program. */
  program: string;
  handler: string;
}
