// Sum of the proportional set sizes of processes: node build/bench/idle-memory.js PID...
import { readFileSync } from "node:fs";

/** Memory of one process or of several together, in MiB. */
export interface MemoryFigures {
  /** Shared pages are divided among those who map them, so that sums make sense. */
  pssMiB: number;
  pssAnonymousMiB: number;
  rssMiB: number;
}

/** Reads proc_pid_smaps_rollup(5). @throws Error when a process is gone or another user's */
export function memoryOf(pids: readonly number[]): MemoryFigures {
  const sum = { Pss: 0, Pss_Anon: 0, Rss: 0 };
  for (const pid of pids) {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    for (const name of ["Pss", "Pss_Anon", "Rss"] as const) {
      sum[name] += Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1] ?? 0);
    }
  }
  const toMiB = (kilobytes: number) => Math.round((kilobytes / 1_024) * 10) / 10;
  return { pssMiB: toMiB(sum.Pss), pssAnonymousMiB: toMiB(sum.Pss_Anon), rssMiB: toMiB(sum.Rss) };
}

if (process.argv[1] === import.meta.filename) {
  const pids = process.argv.slice(2).map(Number);
  if (pids.length === 0 || pids.some(Number.isNaN)) {
    throw new Error("Cannot measure memory: give process ids");
  }
  console.log(JSON.stringify({ processes: pids.length, ...memoryOf(pids) }, null, 2));
}
