import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  statfsSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { check, libc } from "./libc.ts";
import { SysError } from "./sys-error.ts";

// SAFETY: koffi copies the strings for the duration of each synchronous call.
const mountCall = libc.func(
  "int mount(const char *source, const char *target, const char *type, ulong flags, const char *data)",
);
const umountCall = libc.func("int umount2(const char *target, int flags)");

const O_PATH = 0o10000000;
/** MNT_DETACH and UMOUNT_NOFOLLOW. */
const UNMOUNT_FLAGS = 2 | 8;
const TMPFS_MAGIC = 0x0102_1994;
const OVERLAY_OPTIONS_MAX = 4000; // mount(2) takes one page

/** Flags of mount(2). */
export const MOUNT_FLAGS = {
  readOnly: 0x1,
  noSuid: 0x2,
  noDevices: 0x4,
  noExec: 0x8,
  remount: 0x20,
  bind: 0x1000,
  recursive: 0x4000,
  private: 0x40000,
  slave: 0x80000,
  shared: 0x100000,
} as const;

/**
 * Whether something of another file system is mounted at `path`; false when it is absent. A bind
 * mount of the same file system does not show.
 */
export function isMountPoint(path: string): boolean {
  try {
    return statSync(path).dev !== statSync(dirname(path)).dev;
  } catch {
    return false;
  }
}

/** What to mount; an absent field is NULL, no flags. Source: mount(2). */
export interface MountRequest {
  source?: string;
  target: string;
  type?: string;
  flags?: number;
  data?: string;
}

/** Mounts in the calling thread's mount namespace. Blocks. @throws SysError */
export function mount({ source, target, type, flags, data }: MountRequest): void {
  const result = mountCall(source ?? null, target, type ?? null, flags ?? 0, data ?? null);
  check(result, `mount(${type ?? "bind"}) "${target}"`);
}

/** Binds `source` over `target`, both present and of one kind. @throws SysError */
export function bindMount(source: string, target: string): void {
  mount({ source, target, flags: MOUNT_FLAGS.bind });
}

/**
 * Unmounts everything at `target`, also when it is busy (then the kernel frees it later).
 * Idempotent: false when nothing was mounted there or the path is gone. @throws SysError
 */
export function unmount(target: string): boolean {
  for (let depth = 0; ; depth++) {
    if (umountCall(target, UNMOUNT_FLAGS) === 0) continue;
    const error = SysError.last(`umount "${target}"`);
    if (error.code === "EINVAL" || error.code === "ENOENT") return depth > 0;
    throw error;
  }
}

/**
 * Like `unmount`, but waits off the main thread for the kernel, which lets a grace period of RCU
 * pass: up to 20 ms on a busy machine. Several at once share one. @throws SysError
 */
export async function unmountAside(target: string): Promise<boolean> {
  const wasMounted = await new Promise<boolean>((resolve) => {
    umountCall.async(target, UNMOUNT_FLAGS, (error: Error | null, result: number) =>
      resolve(!error && result === 0),
    );
  });
  // There may be more below it; and why it failed is known to the other thread alone.
  return unmount(target) || wasMounted;
}

/**
 * Makes `directory` lie in memory, so that a reboot clears it and files in it cost no disk: mounts a
 * tmpfs there unless it lies in one already, as below most machines' /run. Creates it. Idempotent.
 * @throws SysError
 */
export function keepInMemory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o711 });
  if (statfsSync(directory).type === TMPFS_MAGIC) return;
  const flags = MOUNT_FLAGS.noSuid | MOUNT_FLAGS.noDevices;
  mount({ source: "tmpfs", target: directory, type: "tmpfs", flags, data: "mode=0711" });
}

/** Directories of an overlay; `layers` lowest first. Without `upper` nobody can write to it. */
export interface OverlayRequest {
  layers: readonly string[];
  upper?: string;
  /** Beside `upper`. */
  work?: string;
  target: string;
  flags?: number;
}

/**
 * Mounts an overlay of any number of layers; of two at least when none is writable.
 * @throws SysError ENOENT when a directory is missing, ENOSPC, EINVAL
 * Source: Documentation/filesystems/overlayfs.rst of the kernel.
 */
export function mountOverlay(request: OverlayRequest): void {
  const { layers, upper = "", work = "", target, flags = 0 } = request;
  const descriptors: number[] = [];
  try {
    let names = layers.toReversed().map(escapeOption);
    if (names.join(":").length + upper.length + work.length > OVERLAY_OPTIONS_MAX) {
      names = layers.toReversed().map((layer) => {
        const fd = openSync(layer, O_PATH | constants.O_DIRECTORY);
        descriptors.push(fd);
        return `/proc/self/fd/${fd}`;
      });
    }
    const data = [
      `lowerdir=${names.join(":")}`,
      ...(upper ? [`upperdir=${escapeOption(upper)}`, `workdir=${escapeOption(work)}`] : []),
    ].join(",");
    mount({ source: "overlay", target, type: "overlay", flags, data });
  } finally {
    for (const fd of descriptors) closeSync(fd);
  }
}

/**
 * Directories that a mounted overlay is made of, lowest first. Undefined when it is no overlay, is
 * writable, or was mounted by descriptors that are closed.
 */
export function overlayLayers({ type, options }: MountEntry): string[] | undefined {
  if (type !== "overlay" || /(^|,)upperdir=/.test(options)) return undefined;
  const [, names = ""] = /(?:^|,)lowerdir=((?:[^\\,]|\\.)*)/.exec(options) ?? [];
  const parts = names.match(/(?:[^\\:]|\\.)+/g) ?? [];
  const layers = parts.map((part) => part.replace(/\\(.)/g, "$1")).toReversed();
  const isUsable = layers.length > 0 && layers.every((layer) => !layer.startsWith("/proc/"));
  return isUsable ? layers : undefined;
}

function escapeOption(name: string): string {
  return name.replace(/[\\:,]/g, "\\$&");
}

/** A line of mountinfo, as far as this project asks. Source: proc_pid_mountinfo(5). */
export interface MountEntry {
  /** Unique among the mounts there are; one that is gone may have had the same. */
  id: number;
  target: string;
  /** Path inside the mounted file system that is the root of this mount. */
  root: string;
  type: string;
  source: string;
  shared: boolean;
  /** Options of the file system, such as "ro,lowerdir=/a:/b". */
  options: string;
}

/** Mounts that a process sees; `process` is "self", a PID, or "thread-self". */
export function readMounts(process: string | number = "thread-self"): MountEntry[] {
  return parseMounts(readFileSync(`/proc/${process}/mountinfo`, "utf8"));
}

/** Parses the text of a mountinfo file. */
export function parseMounts(text: string): MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of text.split("\n")) {
    const [left = "", right = ""] = line.split(" - ");
    const [id, , , root, target, , ...optional] = left.split(" ");
    const [type, source, options] = right.split(" ");
    if (!root || !target || !type) continue;
    const shared = optional.some((field) => field.startsWith("shared:"));
    entries.push({
      id: Number(id),
      target: unescapeOctal(target),
      root: unescapeOctal(root),
      type,
      source: unescapeOctal(source ?? ""),
      shared,
      options: unescapeOctal(options ?? ""),
    });
  }
  return entries;
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** Unmounts everything at or below `directory`, deepest first; returns how many. */
export function unmountBelow(directory: string): number {
  return mountsBelow(directory).filter((target) => unmount(target)).length;
}

/** The same off the main thread, where a file system that is written back may take its time. */
export async function unmountBelowAside(directory: string): Promise<void> {
  for (const target of mountsBelow(directory)) await unmountAside(target);
}

function mountsBelow(directory: string): string[] {
  return readMounts()
    .map((entry) => entry.target)
    .filter((target) => target === directory || target.startsWith(`${directory}/`))
    .toSorted((a, b) => b.length - a.length);
}
