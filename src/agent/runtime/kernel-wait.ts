import { readFileSync } from "node:fs";

/** Why a process does not end although it was killed. Source: proc_pid_wchan(5). */
export function kernelWait(pid: number): string {
  const read = (name: string) => {
    try {
      return readFileSync(`/proc/${pid}/${name}`, "utf8").trim();
    } catch {
      return "";
    }
  };
  const place = read("wchan").replace(/^0?$/, "the kernel");
  return (
    `process ${pid} (${read("comm")}) waits in ${place}, most often for a file system or a device ` +
    "that does not answer"
  );
}
