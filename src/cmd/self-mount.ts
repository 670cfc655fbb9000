import { appendFileSync, mkdirSync, readFileSync, realpathSync } from "node:fs";
import path from "node:path";
import { type MountEntry, readMounts, unmount } from "../sys/mount.ts";
import { needsPrivateMounts } from "../sys/mount-namespace.ts";

/**
 * Notes in the file `note` that `enterPrivateMounts` is about to mount a directory of somebody
 * else's at itself, so that a purge can undo it. Creates the directory; call it just before.
 */
export function noteSelfMount(directory: string, note: string): void {
  if (!needsPrivateMounts()) return;
  mkdirSync(directory, { recursive: true, mode: 0o711 });
  const target = realpathSync(directory);
  if (readMounts().some((entry) => entry.target === target)) return;
  appendFileSync(note, `${JSON.stringify(target)}\n`, { mode: 0o600 });
}

/** Undoes what was noted, in the mount namespace that it was done in. Idempotent. */
export function undoSelfMounts(note: string): void {
  for (const target of new Set(noted(note))) {
    if (isNeedless(target, readMounts())) unmount(target);
  }
}

/** Whether a directory is mounted at itself, and nobody has mounted anything at or below it. */
export function isNeedless(target: string, mounts: MountEntry[]): boolean {
  const at = mounts.filter((entry) => entry.target === target);
  const isUsed = mounts.some((entry) => entry.target.startsWith(`${target}/`));
  return !isUsed && at.length === 1 && at.every((entry) => showsItself(entry, mounts));
}

/** Whether a directory is mounted at itself, for mounts in it to be shared: that hides nothing. */
export function showsItself(
  { target, root, type, source }: MountEntry,
  all: MountEntry[],
): boolean {
  const below = all
    .filter((mount) => mount.target !== target && isWithin(target, mount.target))
    .reduce<MountEntry | undefined>(
      (nearest, mount) => (mount.target.length >= (nearest?.target.length ?? 0) ? mount : nearest),
      undefined,
    );
  if (!below || below.type !== type || below.source !== source) return false;
  return root === path.join(below.root, path.relative(below.target, target));
}

function isWithin(file: string, directory: string): boolean {
  return directory === "/" || file.startsWith(`${directory}/`);
}

/** A line that was cut short by a crash says nothing: nothing was mounted after it. */
function noted(note: string): string[] {
  let text = "";
  try {
    text = readFileSync(note, "utf8");
  } catch {
    return [];
  }
  return text
    .split("\n")
    .filter((line) => /^"\/.*"$/.test(line))
    .map((line) => JSON.parse(line) as string);
}
