import { type Dirent, lstatSync, readdirSync } from "node:fs";
import path from "node:path";
import type { DeviceNode } from "../../format/oci/runtime-spec.ts";

const DEVICES = "/dev";
/** What a container has of its own: file systems, terminals, and the devices that all have. */
const OWN: ReadonlySet<string> = new Set(
  "pts shm fd mqueue console ptmx tty null zero full random urandom".split(" "),
);

/** The device at a path; undefined for what is none. @throws ENOENT */
export function deviceAt(device: string): DeviceNode | undefined {
  const stat = lstatSync(device);
  if (!stat.isCharacterDevice() && !stat.isBlockDevice()) return undefined;
  return {
    path: device,
    type: stat.isBlockDevice() ? "b" : "c",
    major: (stat.rdev >> 8) & 0xfff,
    minor: (stat.rdev & 0xff) | ((stat.rdev >> 12) & 0xfff00),
    mode: stat.mode & 0o777,
    uid: stat.uid,
    gid: stat.gid,
  };
}

/** All devices of the node that a container has not anyway, as privileged ones see them. */
export function nodeDevices(directory: string = DEVICES): DeviceNode[] {
  const isOwn = ({ name }: Dirent) => directory === DEVICES && OWN.has(name);
  const entries = readdirSync(directory, { withFileTypes: true });
  return entries
    .filter((entry) => !isOwn(entry))
    .flatMap((entry) => {
      const file = path.join(directory, entry.name);
      if (entry.isDirectory()) return nodeDevices(file);
      if (!entry.isCharacterDevice() && !entry.isBlockDevice()) return [];
      return deviceIfThere(file);
    });
}

/** Devices come and go while they are read. */
function deviceIfThere(file: string): DeviceNode[] {
  try {
    return [deviceAt(file) ?? []].flat();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
