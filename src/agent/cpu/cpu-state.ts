import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { formatCpuList, parseCpuList } from "./cpu-list.ts";

/** Containers' own CPUs by pod UID and container name. */
export type OwnCpus = Map<string, Map<string, number[]>>;

interface StateFile {
  policyName: string;
  defaultCpuSet: string;
  entries?: Record<string, Record<string, string>>;
}

/** What an earlier agent left; empty for another policy, or a file that is broken. */
export function readCpuState(file: string): OwnCpus {
  const own: OwnCpus = new Map();
  if (!existsSync(file)) return own;
  try {
    const state = JSON.parse(readFileSync(file, "utf8")) as StateFile;
    if (state.policyName !== "static") return own;
    for (const [uid, containers] of Object.entries(state.entries ?? {})) {
      const lists = Object.entries(containers).map(([name, list]): [string, number[]] => [
        name,
        parseCpuList(list),
      ]);
      own.set(uid, new Map(lists));
    }
    return own;
  } catch {
    return new Map();
  }
}

/** Replaces the file, in the form that a kubelet keeps its own in. */
export function writeCpuState(file: string, of: { own: OwnCpus; shared: Iterable<number> }): void {
  const entries = Array.from(of.own, ([uid, containers]) => [
    uid,
    Object.fromEntries(Array.from(containers, ([name, cpus]) => [name, formatCpuList(cpus)])),
  ]);
  const state: StateFile = {
    policyName: "static",
    defaultCpuSet: formatCpuList(of.shared),
    entries: Object.fromEntries(entries) as Record<string, Record<string, string>>,
  };
  const temporary = `${file}.tmp`;
  writeFileSync(temporary, JSON.stringify(state), { mode: 0o600 });
  renameSync(temporary, file);
}
