import { readFileSync, realpathSync, statSync } from "node:fs";
import { libc } from "./libc.ts";

// JUSTIFICATION: the pages of a mapped file count as memory of the process as long as it has them
// mapped, and nothing else unmaps them.
// SAFETY: the range is a shared mapping of a file, of which this call loses nothing: pages that are
// touched again come back from the page cache. It must not be another mapping by now: see below.
const madvise = libc.func("madvise", "int", ["uintptr_t", "size_t", "int"]);

const MADV_DONTNEED = 4;
const ADDRESSES = /^([0-9a-f]+)-([0-9a-f]+) /;

/**
 * Lets go of the pages that this process has mapped of a file; the system's page cache keeps them.
 * The file must be mapped shared, and its owner must not move the mapping before the file has grown
 * to the end of it: from the half of it on nothing is done. A file that is not mapped is no error.
 * Source: madvise(2), proc_pid_maps(5).
 */
export function releaseMappedPages(file: string): void {
  const sizeBytes = statSync(file, { throwIfNoEntry: false })?.size;
  if (sizeBytes === undefined) return;
  // The kernel's list says where a file is without links.
  const real = realpathSync(file);
  for (const line of readFileSync("/proc/self/maps", "utf8").split("\n")) {
    if (!line.endsWith(` ${real}`) || line.split(" ")[1]?.[3] !== "s") continue;
    const [, start = "", end = ""] = ADDRESSES.exec(line) ?? [];
    const address = Number.parseInt(start, 16);
    const length = Number.parseInt(end, 16) - address;
    // A kernel that refuses leaves things as they are.
    if (sizeBytes < length / 2) madvise(address, length, MADV_DONTNEED);
  }
}
