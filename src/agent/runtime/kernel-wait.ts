import { readFileSync } from "node:fs";

/** Why processes do not end although they were killed. Source: proc_pid_wchan(5). */
export function kernelWait(pids: readonly number[]): string {
  const found = pids.map((pid) => {
    const stat = read(`/proc/${pid}/stat`);
    const isStuck = stat.slice(stat.lastIndexOf(")") + 2).startsWith("D");
    const place = read(`/proc/${pid}/wchan`).replace(/^0?$/, "the kernel");
    const text = `process ${pid} (${read(`/proc/${pid}/comm`)}) waits in ${place}`;
    return { isStuck, text };
  });
  // The others wait for those.
  const stuck = found.filter(({ isStuck }) => isStuck);
  const told = stuck.length > 0 ? stuck : found;
  return (
    `${told.map(({ text }) => text).join(", ")}, most often for a file system or a device that ` +
    "does not answer"
  );
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "";
  }
}
