import { readFileSync } from "node:fs";

/** Memory of a process in bytes; `pss` splits shared pages among their users. */
export interface ProcessMemory {
  rssBytes: number;
  pssBytes: number;
  anonymousBytes: number;
}

/** Reads /proc/PID/smaps_rollup; `undefined` when the process is gone. Source: proc(5). */
export function readProcessMemory(pid: number): ProcessMemory | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  } catch {
    return undefined;
  }
  const kib = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0);
  return {
    rssBytes: kib("Rss") * 1024,
    pssBytes: kib("Pss") * 1024,
    anonymousBytes: kib("Anonymous") * 1024,
  };
}
