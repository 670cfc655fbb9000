import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import type { ContainerSpec, ContainerStatus, SandboxSpec } from "./contract.ts";

/** A sandbox on disk. */
export interface SandboxRecord {
  spec: SandboxSpec;
  createdAtMs: number;
  /** Not all of it exists yet: an agent that finds this on disk died while making it. */
  incomplete?: true;
}

/** A container on disk: what a restarted agent must know. */
export interface ContainerRecord {
  status: ContainerStatus;
  /** What execs inherit from the container. */
  tty: boolean;
  stdin: boolean;
  cgroup: string;
  /** It holds the sandbox itself and is none of the pod's containers. */
  isHolder?: true;
  /** What it leaves behind does not end with its first process. */
  sharesProcesses?: true;
  /** `processStartTime` of the first process, and the boot in which it ran. */
  startTime?: string;
  bootId: string;
}

/** Paths of the runtime; one place, so that nothing is forgotten at removal. */
export interface RuntimePaths {
  sandbox(id: string): string;
  /** Namespace and shared-memory mounts of a sandbox. */
  sandboxRun(id: string): string;
  /** Overlay's upper directory and record of a container. */
  container(id: string): string;
  /** What a container has for the time that it runs: configuration, PID file, attach socket. */
  bundle(id: string): string;
  /** Mount point of the root file system. */
  root(id: string): string;
  roots: string;
  exits: string;
  sandboxes: string;
  containers: string;
  /** Where the OCI runtime of a handler keeps its state. */
  runtimeState(handler: string): string;
  /** The user ids of sandboxes that have their own: a file each. */
  userRanges: string;
  /** Where what a container sees of the node is mounted with other owners. */
  mapped(id: string): string;
  mappings: string;
  /** Where the programs are that Nephos itself writes. */
  programs: string;
  /** Image of the first process of sandboxes that need one. */
  holderLayer: string;
  /** Layers that hold nothing but mount points. */
  mountPoints: string;
  execs: string;
  bundles: string;
  /** Where directories go that are to be removed, on the disk and in memory. */
  stateTrash: string;
  runTrash: string;
}

/** State that outlives a reboot in `stateDirectory`, mounts and sockets in `runDirectory`. */
export function runtimePaths(stateDirectory: string, runDirectory: string): RuntimePaths {
  const inside = (base: string, folder: string) => {
    const directory = path.join(base, folder);
    // Asked for a dozen times a start, where `path.join` reads every character again.
    return (id: string) => `${directory}/${id}`;
  };
  return {
    sandbox: inside(stateDirectory, "sandboxes"),
    sandboxRun: inside(runDirectory, "sandboxes"),
    container: inside(stateDirectory, "containers"),
    bundle: inside(runDirectory, "bundles"),
    root: inside(runDirectory, "roots"),
    exits: path.join(stateDirectory, "exits"),
    sandboxes: path.join(stateDirectory, "sandboxes"),
    containers: path.join(stateDirectory, "containers"),
    runtimeState: inside(runDirectory, "oci"),
    userRanges: path.join(stateDirectory, "users"),
    mapped: inside(runDirectory, "mapped"),
    mappings: path.join(runDirectory, "mapped"),
    roots: path.join(runDirectory, "roots"),
    programs: path.join(stateDirectory, "programs"),
    holderLayer: path.join(stateDirectory, "holder"),
    mountPoints: path.join(stateDirectory, "mount-points"),
    execs: path.join(runDirectory, "execs"),
    bundles: path.join(runDirectory, "bundles"),
    stateTrash: path.join(stateDirectory, "trash"),
    runTrash: path.join(runDirectory, "trash"),
  };
}

/**
 * Writes a JSON file in place, with a single write: a crash of this process leaves the old or the
 * new text, and a new file at worst empty. Replacing it by a rename would cost a new inode, on a
 * busy ext4 half a millisecond.
 */
export function writeJson(file: string, value: object): void {
  const fd = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    // Spaces cover the end of a longer text that was there before.
    writeFileSync(fd, JSON.stringify(value).padEnd(fstatSync(fd).size));
  } finally {
    closeSync(fd);
  }
}

/** Parses a JSON file; undefined when absent or cut short. */
export function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as T;
  } catch {
    return undefined;
  }
}

/** Names in a directory; none when it is absent. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Where the OCI runtime looks for its configuration in a bundle. */
export function configFile(bundle: string): string {
  return path.join(bundle, "config.json");
}

/** ID of the container that holds a sandbox. */
export function holderIdOf(sandboxId: string): string {
  return `holder-${sandboxId}`;
}

/** Ids become file names. @throws RangeError */
export function assertId(id: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(id)) {
    throw new RangeError(`Malformed id "${id}": letters, digits, ".", "_", "-", at most 200`);
  }
}

/** Status of a container that was just made. */
export function newStatus(spec: ContainerSpec, createdAtMs: number): ContainerStatus {
  const { id, sandboxId, name, attempt, imageReference, logPath } = spec;
  const base = { id, sandboxId, name, attempt, imageReference, logPath };
  const imageDigest = spec.image.repoDigests?.[0];
  const image = { imageId: spec.image.id, ...(imageDigest && { imageDigest }) };
  return { ...base, state: "created", ...image, createdAtMs };
}
