import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { processStartTime } from "../sys/process.ts";
import { CommandError } from "./command-error.ts";

/** What `up` started, as `status` and `down` need it. Written first when the start begins, and again when all of it runs. */
export interface Instance {
  version: string;
  /** "https://127.0.0.1:6443". */
  server: string;
  startedAtMs: number;
  processes: readonly InstanceProcess[];
  nodes: readonly InstanceNode[];
  /** Flags of `up` that the next `up` falls back on, by name. */
  settings?: Readonly<Record<string, string>>;
}

/** A process of ours; PIDs are reused, so the start time is part of its identity. */
export interface InstanceProcess {
  role: "nephos" | "agent" | "proxy";
  pid: number;
  /** Clock ticks since boot, as `processStartTime` reads them. */
  startTime: string;
  node?: string;
}

/** A node of this machine. */
export interface InstanceNode {
  name: string;
  index: number;
  ip: string;
}

/**
 * The recorded instance; `undefined` when none was started or it was purged. @throws CommandError
 * when only root may read it
 */
export function readInstance(file: string): Instance | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Instance;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EACCES") return undefined;
    throw new CommandError(`Cannot read "${file}": run it as root`, { cause });
  }
}

/** Replaces the record as a whole. */
export function writeInstance(file: string, instance: Instance): void {
  writeFileSync(`${file}.tmp`, `${JSON.stringify(instance, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.tmp`, file);
}

/** Whether this very process, not a later one with its PID, is alive. */
export function isAlive({ pid, startTime }: InstanceProcess): boolean {
  return processStartTime(pid) === startTime;
}

/** Identity of a running process of ours. @throws Error when it is gone */
export function identify(
  role: InstanceProcess["role"],
  pid: number,
  node?: string,
): InstanceProcess {
  const startTime = processStartTime(pid);
  if (startTime === undefined)
    throw new Error(`Cannot record process ${pid} (${role}): it is gone`);
  return { role, pid, startTime, ...(node ? { node } : {}) };
}
