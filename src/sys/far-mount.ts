import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";
import { type Backing, backingOf } from "./far-device.ts";
import { type MountEntry, parseMounts } from "./mount.ts";

/**
 * File systems that this kernel answers for by itself, from memory or a disk of its own. All others
 * wait for a server or a daemon (NFS, SMB, 9P, FUSE …), and whoever asks them may wait forever.
 */
const NEAR: ReadonlySet<string> = new Set(
  (
    "bcachefs binfmt_misc bpf btrfs cgroup cgroup2 configfs debugfs devpts devtmpfs efivarfs " +
    "erofs exfat ext2 ext3 ext4 f2fs fusectl hugetlbfs iso9660 mqueue msdos nsfs ntfs3 overlay " +
    "proc pstore ramfs rootfs securityfs selinuxfs squashfs sysfs tmpfs tracefs udf vfat xfs zfs"
  ).split(" "),
);
const LINKS_MAX = 40;

/** Options of overlays that name directories of others. */
const LAYERS: readonly string[] = ["lowerdir", "lowerdir+", "datadir+", "upperdir", "workdir"];

/** A mount that is far if one of these files is. */
interface Candidate {
  line: string;
  files: readonly string[];
}

/**
 * Mounts of this thread whose files may never answer; asks none of them. So are those on block
 * devices that other machines serve, on loop devices whose files, and overlays whose directories
 * lie on such a mount. Not the root, nor what is on its device: when that hangs, nothing works
 * anyway. `lookUp` tells what is behind a block device.
 */
export function farMounts(
  mountinfo: string = readFileSync("/proc/thread-self/mountinfo", "utf8"),
  lookUp: (device: string) => Backing = backingOf,
): MountEntry[] {
  const lines = mountinfo.split("\n").filter((line) => line.includes(" - "));
  const root = lines.find((line) => line.split(" ", 5)[4] === "/");
  const far: string[] = [];
  let candidates: Candidate[] = [];
  const backings = new Map([[(root && deviceOf(root)) ?? "", NEARBY]]);
  for (const line of lines) {
    const at = line.indexOf(" - ") + 3;
    const type = line.slice(at, line.indexOf(" ", at));
    if (type === "overlay") {
      candidates.push({ line, files: [] });
    } else if (!NEAR.has(type)) {
      far.push(line);
    } else {
      const device = deviceOf(line) ?? "";
      let backing = device === "" ? NEARBY : backings.get(device);
      if (!backing) backings.set(device, (backing = lookUp(device)));
      if (backing.isFar) far.push(line);
      else if (backing.files.length > 0) candidates.push({ line, files: backing.files });
    }
  }
  const found = () => entriesOf(far);
  let mounts = found();
  if (mounts.length === 0) return mounts;
  candidates = candidates.map(({ line, files }) => {
    return { line, files: files.length > 0 ? files : layersOf(line) };
  });
  for (let known = -1; known < far.length; mounts = found()) {
    known = far.length;
    candidates = candidates.filter(({ line, files }) => {
      if (!files.some((file) => farMountOf(file, mounts))) return true;
      far.push(line);
      return false;
    });
  }
  return mounts;
}

const NEARBY: Backing = { isFar: false, files: [] };

/**
 * Numbers of a mount's block device; where the file system has made up its own, as btrfs does, the
 * file of the device. Undefined for file systems without one.
 */
function deviceOf(line: string): string | undefined {
  const device = line.split(" ", 3)[2] ?? "";
  if (!device.startsWith("0:")) return device;
  const source = line.slice(line.indexOf(" - ") + 3).split(" ", 2)[1] ?? "";
  return source.startsWith("/dev/") ? source : undefined;
}

function entriesOf(lines: readonly string[]): MountEntry[] {
  return parseMounts(lines.join("\n")).filter(({ target }) => target !== "/");
}

/**
 * Absolute directories of an overlay, but those that a descriptor named, which is closed. A colon
 * or a comma in a name follows a backslash.
 */
function layersOf(line: string): string[] {
  const [{ options } = { options: "" }] = parseMounts(line);
  return options.split(/(?<!\\),/).flatMap((option) => {
    const at = option.indexOf("=");
    if (!LAYERS.includes(option.slice(0, at))) return [];
    return option
      .slice(at + 1)
      .split(/(?<!\\):/)
      .map((name) => name.replace(/\\(.)/g, "$1"))
      .filter((name) => name.startsWith("/") && !name.startsWith("/proc/"));
  });
}

/**
 * The mount that a path leads to, links followed, if its files may never answer. What lies behind
 * one is not asked. A path that does not exist leads as far as it does.
 */
export function farMountOf(file: string, among?: readonly MountEntry[]): MountEntry | undefined {
  const mounts = among ?? farMounts();
  if (mounts.length === 0) return undefined;
  let links = 0;
  let reached = "/";
  const left = partsOf(file);
  for (let part = left.shift(); part !== undefined; part = left.shift()) {
    const next = path.posix.join(reached, part);
    const mount = mounts.findLast(({ target }) => target === next);
    if (mount) return mount;
    const link = part === ".." ? undefined : linkAt(next);
    if (link !== undefined && ++links <= LINKS_MAX) {
      if (link.startsWith("/")) reached = "/";
      left.unshift(...partsOf(link));
    } else {
      reached = next;
    }
  }
  return undefined;
}

function partsOf(file: string): string[] {
  return file.split("/").filter((part) => part !== "" && part !== ".");
}

/** Where a link leads; undefined for all else. */
function linkAt(file: string): string | undefined {
  try {
    return lstatSync(file).isSymbolicLink() ? readlinkSync(file) : undefined;
  } catch {
    return undefined;
  }
}
