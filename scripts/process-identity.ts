import { readFileSync, readlinkSync } from "node:fs";
import { processStartTime } from "../src/sys/process.ts";

const IDENTITY = /-([\da-f]{8})-(\d+)-(\d+)-(\d+)(?:-|$)/;

/**
 * Tells this process from all others, in characters of a DNS label: boot, PID namespace, PID, and
 * start in ticks.
 */
export function processIdentity(): string {
  return [...place(), process.pid, processStartTime(process.pid)].join("-");
}

/**
 * Whether `name`, "<prefix>-<identity>" with whatever after it, is of a process that is gone.
 * False also where that cannot be known: another boot, another PID namespace, another form.
 */
export function isOfDeadProcess(name: string): boolean {
  const [, boot, pidNamespace, pid, start] = IDENTITY.exec(name) ?? [];
  const [ownBoot, ownPidNamespace] = place();
  if (boot !== ownBoot || pidNamespace !== ownPidNamespace) return false;
  return processStartTime(Number(pid)) !== start;
}

function place(): [boot: string, pidNamespace: string] {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").slice(0, 8);
  return [boot, readlinkSync("/proc/self/ns/pid").replace(/\D/g, "")];
}
