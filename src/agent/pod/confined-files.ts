import { mkdirSync, statSync } from "node:fs";
import path from "node:path";
import { MOUNT_FLAGS, mount } from "../../sys/mount.ts";

const SIZE_BYTES = 1 << 20;

/**
 * Makes a directory for files that a pod may write to although they are the node's, such as its
 * /etc/hosts: in memory, and so small that filling it hurts nobody else. Idempotent.
 */
export function confineFiles(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  if (statSync(directory).dev !== statSync(path.dirname(directory)).dev) return;
  const flags = MOUNT_FLAGS.noSuid | MOUNT_FLAGS.noDevices;
  const data = `mode=0755,size=${SIZE_BYTES},nr_inodes=64`;
  mount({ source: "tmpfs", target: directory, type: "tmpfs", flags, data });
}
