import type { Readable, Writable } from "node:stream";
import type { MetricFamily } from "../../lib/prometheus.ts";
import type { CgroupUsage } from "../../sys/cgroup.ts";
import type { CgroupDetails } from "../../sys/cgroup-details.ts";
import type { LocalImage } from "../image/contract.ts";

/**
 * Runs containers in pod sandboxes: the plug point of runtime classes (crun, runc, runsc, ...).
 * Everything survives a restart of the agent: `recover` finds it again on disk and in the kernel.
 * Methods are idempotent towards objects that are already in, or past, the wanted state.
 */
export interface ContainerRuntime extends AsyncDisposable {
  /** Rebuilds the state after a start of the agent; called once, before anything else. */
  recover(): Promise<{ sandboxes: SandboxStatus[]; containers: ContainerStatus[] }>;
  /** What runtime classes may name on this machine now. */
  handlers(): readonly RuntimeHandler[];
  /**
   * Gives a sandbox that is to come user ids of its own, which `removeSandbox` takes back.
   * Idempotent. @throws RuntimeError when its handler or the kernel has none
   */
  prepareUsers(request: UserRequest): Promise<UserNamespace>;
  createSandbox(spec: SandboxSpec): Promise<SandboxStatus>;
  /** Kills what runs in it and gives its cgroup back; records and what was written stay. */
  stopSandbox(sandboxId: string): Promise<void>;
  /** Kills what still runs in it, then removes its containers, cgroups, mounts and directory. */
  removeSandbox(sandboxId: string): Promise<void>;
  /**
   * A container is about to be created: what takes time and needs no more than this may begin. Only
   * a hint; stopping or removing the sandbox takes it back.
   */
  expectContainer(expected: ExpectedContainer): void;
  /** See `PodNetwork.prepareNext`. */
  prepareNext(isAlone: boolean): void;
  /** Prepares rootfs, OCI bundle and monitor; the process does not run yet. */
  createContainer(spec: ContainerSpec): Promise<ContainerStatus>;
  startContainer(containerId: string): Promise<ContainerStatus>;
  /** Sends `signal`, then SIGKILL after `graceMs`; resolves with the final status. */
  stopContainer(containerId: string, options: StopOptions): Promise<ContainerStatus>;
  /** Removes an exited container with its rootfs; its log stays. */
  removeContainer(containerId: string): Promise<void>;
  status(containerId: string): ContainerStatus | undefined;
  containers(sandboxId?: string): ContainerStatus[];
  /** Called for each exit exactly once per life of the agent, also for exits before `recover`. */
  onExit(handler: (status: ContainerStatus) => void): Disposable;
  /**
   * Called before a sandbox gets a kernel of its own, which takes the addresses of the pod's
   * network namespace to itself: after the end of an earlier one, they have to be put back.
   */
  onKernel(handler: (sandboxId: string) => void): Disposable;
  /** Runs a command to its end; output is cut at 16 KiB each. For probes and hooks. */
  execSync(containerId: string, command: readonly string[], timeoutMs: number): Promise<ExecResult>;
  exec(containerId: string, options: ExecOptions): Promise<StreamSession>;
  attach(containerId: string, options: AttachOptions): Promise<StreamSession>;
  /**
   * Makes the monitor write to a new file at the container's `logPath`, whose old one was renamed.
   * Resolves when nothing will be written to the old one any more. @throws RuntimeError
   */
  reopenLog(containerId: string): Promise<void>;
  /** Changes limits of a whole sandbox. @throws EBUSY when it uses more memory, EINVAL */
  updateSandbox(sandboxId: string, resources: ContainerResources): Promise<void>;
  /** Changes limits of a running container. */
  updateResources(containerId: string, resources: ContainerResources): Promise<void>;
  /** Directory with what the container has changed of its image; it may be gone. */
  writableLayer(containerId: string): string;
  /** CPU and memory use of a sandbox and its containers, read from cgroups; more when asked for. */
  stats(sandboxId: string, asked?: StatsAsked): Promise<SandboxStats>;
  /** How long its work on cgroups took, for `/metrics`. */
  metrics(): MetricFamily[];
}

/** A way to run pods whose programs are installed. */
export interface RuntimeHandler {
  name: string;
  isDefault: boolean;
  /** The network of its pods is inside a kernel of theirs, which asks for its neighbours itself. */
  hasOwnKernel: boolean;
  /** Its pods can have user ids of their own. */
  hasUserNamespaces: boolean;
  /** It can make what is mounted below a mount read-only with it. */
  hasRecursiveReadOnly: boolean;
}

/** For whom user ids are wanted. */
export interface UserRequest {
  id: string;
  handler?: string;
  /** Chosen by somebody else, a kubelet, who keeps pods apart; the runtime's choice when absent. */
  firstId?: number;
}

/** User ids of a pod that are not the node's. */
export interface UserNamespace {
  /** The node's id of the pod's user 0; 65536 follow each other. */
  firstId: number;
  /** A network namespace that belongs to these users. */
  networkNamespacePath: string;
}

/** The environment that a pod's containers share. */
export interface SandboxSpec {
  /** The pod's UID. */
  id: string;
  podName: string;
  podNamespace: string;
  hostname: string;
  /** Path of the bind-mounted network namespace; absent means the node's own network. */
  networkNamespacePath?: string;
  /** Its address there, for runtimes that tell it to others. */
  podIp?: string;
  /** One of its containers is to be privileged. */
  privileged?: boolean;
  /** QoS class decides the parent cgroup. */
  qosClass: "Guaranteed" | "Burstable" | "BestEffort";
  /** Group of somebody else, a kubelet, in which the sandbox gets its own; instead of the above. */
  cgroupParent?: string;
  /** As a RuntimeClass names it; the node's default one when absent. */
  handler?: string;
  /** As `prepareUsers` gave it; the node's users are the pod's when absent. */
  users?: UserNamespace;
  /** Limits of the whole pod; absent fields are unlimited. */
  resources: ContainerResources;
  sysctls?: Readonly<Record<string, string>>;
  shareProcessNamespace?: boolean;
  hostPid?: boolean;
  hostIpc?: boolean;
}

/** State of a sandbox; `spec` is what it was created with. */
export interface SandboxStatus {
  id: string;
  spec: SandboxSpec;
  /** Epoch milliseconds. */
  createdAtMs: number;
}

/** One container, complete: nothing is looked up in the API any more. */
export interface ContainerSpec {
  /** Unique on the node; "<pod uid>-<name>-<attempt>" hashed or as is. */
  id: string;
  sandboxId: string;
  /** Name in the pod. */
  name: string;
  /** Restart count, from 0. */
  attempt: number;
  image: LocalImage;
  /** The reference as the pod spells it. */
  imageReference: string;
  command: readonly string[];
  /** "NAME=value". */
  environment: readonly string[];
  workingDirectory: string;
  mounts: readonly ContainerMount[];
  devices?: readonly string[];
  /** File in CRI log format that the monitor writes; "" keeps none. */
  logPath: string;
  stdin?: boolean;
  stdinOnce?: boolean;
  tty?: boolean;
  resources: ContainerResources;
  security: ContainerSecurity;
  /** ID of a running container of the sandbox whose processes this one is to see and be seen by. */
  sharesProcessesOf?: string;
}

/** What is known of a container before the rest, for the default handler; without stdin or tty. */
export interface ExpectedContainer
  extends Pick<ContainerSpec, "id" | "sandboxId" | "logPath">,
    Pick<SandboxSpec, "qosClass"> {}

/** A bind mount; `hostPath` exists already. */
export interface ContainerMount {
  hostPath: string;
  containerPath: string;
  readOnly: boolean;
  /** So is what is mounted below it; only for handlers with `hasRecursiveReadOnly`. */
  readOnlyBelow?: boolean;
  /** Neither programs nor devices on it work. */
  noExec?: boolean;
  propagation?: "private" | "rslave" | "rshared";
  /** A pod with user ids of its own sees the owners that the node sees, too. */
  keepsOwners?: boolean;
}

/** Limits in kernel units; an absent field sets nothing. */
export interface ContainerResources {
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

/** Who the process is and what it may do; names are resolved against the image by the runtime. */
export interface ContainerSecurity {
  /** "uid", "name", "uid:gid": from securityContext, else from the image. */
  user: string;
  group?: number;
  supplementalGroups?: readonly number[];
  /** "Strict" leaves out what groups the image has its user in. */
  supplementalGroupsPolicy?: "Merge" | "Strict";
  privileged?: boolean;
  /** Sets no_new_privs when false. */
  allowPrivilegeEscalation: boolean;
  addCapabilities?: readonly string[];
  dropCapabilities?: readonly string[];
  readOnlyRootFilesystem?: boolean;
  runAsNonRoot?: boolean;
  /** "runtime-default", "unconfined" or the absolute path of a JSON profile. */
  seccomp: string;
  procMount?: "Default" | "Unmasked";
  /**
   * "runtime-default", "unconfined" or a profile that is loaded. Without effect on a host without
   * AppArmor; absent, it is the node's own profile where that can be loaded.
   */
  appArmorProfile?: string;
  /** "user:role:type:level"; without effect on a host without SELinux. */
  selinuxLabel?: string;
}

/** State of a container; times are epoch milliseconds. */
export interface ContainerStatus {
  id: string;
  sandboxId: string;
  name: string;
  attempt: number;
  state: "created" | "running" | "exited";
  imageReference: string;
  imageId: string;
  /** "registry/repository@sha256:..." that the image was pulled as, if it was. */
  imageDigest?: string;
  logPath: string;
  createdAtMs: number;
  startedAtMs?: number;
  finishedAtMs?: number;
  exitCode?: number;
  /** Signal number that ended it, when one did. */
  signal?: number;
  oomKilled?: boolean;
  /** Why nobody knows how it ended. */
  lost?: string;
  /** Host PID of the first process while running. */
  pid?: number;
}

/** How to stop a container. */
export interface StopOptions {
  /** "SIGTERM" unless the image says otherwise. */
  signal?: string;
  graceMs: number;
}

/** Outcome of a finished command. */
export interface ExecResult {
  exitCode: number;
  stdout: string;
  stderr: string;
  timedOut: boolean;
}

/** A command with live streams. */
export interface ExecOptions {
  command: readonly string[];
  tty: boolean;
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
}

/** Which streams of the running process to join. */
export interface AttachOptions {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
}

/** Live streams of a process in a container. With a terminal, everything arrives on `stdout`. */
export interface StreamSession extends AsyncDisposable {
  stdin?: Writable;
  stdout?: Readable;
  stderr?: Readable;
  /** Only with a terminal. */
  resize(size: { columns: number; rows: number }): void;
  /** Resolves when the process ended and its output was read. */
  readonly exit: Promise<{ exitCode: number }>;
}

/** What of a sandbox's cgroups is to be read besides their use. */
export interface StatsAsked {
  details?: boolean;
}

/** One reading of a cgroup; details only if they were asked for. */
export interface GroupStats extends CgroupUsage {
  details?: CgroupDetails & { oomKills: number };
}

/** One reading of a sandbox's cgroups. */
export interface SandboxStats extends GroupStats {
  atMs: number;
  /** Those that run. */
  containers: readonly ContainerStats[];
}

/** One reading of a container's cgroup. */
export interface ContainerStats extends GroupStats {
  id: string;
  name: string;
  startedAtMs: number;
}

/** A refusal of the runtime, worded for the pod's status. */
export class RuntimeError extends Error {
  readonly code: RuntimeErrorCode;

  constructor(code: RuntimeErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "RuntimeError";
    this.code = code;
  }
}

/** Codes map to reasons of waiting containers: "command-not-found" is `RunContainerError`. */
export type RuntimeErrorCode =
  | "command-not-found"
  | "permission-denied"
  | "user-not-found"
  | "runs-as-root"
  | "handler-missing"
  | "no-space"
  | "not-found"
  | "not-running"
  | "runtime-failed";
