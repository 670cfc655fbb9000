import type { Stats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import path from "node:path";
import { farMounts } from "../../sys/far-mount.ts";

/** Space that a tree takes. */
export interface DiskUsage {
  bytes: number;
  inodes: number;
}

const BLOCK_BYTES = 512;

/**
 * Measures a tree as `du -x` does: hard links once, nothing of other file systems. What vanishes
 * meanwhile does not count.
 */
export async function diskUsage(
  directory: string,
  { onEntry }: { onEntry?: () => void } = {},
): Promise<DiskUsage> {
  const usage: DiskUsage = { bytes: 0, inodes: 0 };
  const linked = new Set<number>();
  // What a pod has mounted in its volume may never answer.
  const far = new Set(farMounts().map(({ target }) => target));
  far.delete(directory);
  const root = await statOf(directory);
  if (!root) return usage;
  const measure = async (file: string): Promise<void> => {
    onEntry?.();
    if (far.has(file)) return;
    const stats = await statOf(file);
    if (!stats || stats.dev !== root.dev) return;
    if (stats.nlink > 1 && !stats.isDirectory()) {
      if (linked.has(stats.ino)) return;
      linked.add(stats.ino);
    }
    usage.bytes += stats.blocks * BLOCK_BYTES;
    usage.inodes++;
    if (!stats.isDirectory()) return;
    const names = await readdir(file).catch(() => []);
    for (const name of names) await measure(path.join(file, name));
  };
  await measure(directory);
  return usage;
}

async function statOf(file: string): Promise<Stats | undefined> {
  try {
    return await lstat(file);
  } catch {
    return undefined;
  }
}
