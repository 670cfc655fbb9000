import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";
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

/**
 * Mounts of this thread whose files may never answer; asks none of them. Not the root: when that
 * hangs, nothing works anyway.
 */
export function farMounts(): MountEntry[] {
  const lines = readFileSync("/proc/thread-self/mountinfo", "utf8").split("\n");
  const far = lines.filter((line) => {
    const at = line.indexOf(" - ") + 3;
    return at > 2 && !NEAR.has(line.slice(at, line.indexOf(" ", at)));
  });
  return parseMounts(far.join("\n")).filter(({ target }) => target !== "/");
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
