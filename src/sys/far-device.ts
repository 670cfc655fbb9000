import { readdirSync, readFileSync, realpathSync } from "node:fs";
import path from "node:path";

/** What a block device gets its blocks from. */
export interface Backing {
  /** Another machine, over a network. */
  isFar: boolean;
  /** Files behind loop devices, by their paths when these were made. */
  files: readonly string[];
}

const LOCAL: Backing = { isFar: false, files: [] };
/** Sessions of iSCSI, ports of Fibre Channel, controllers of NVMe over fabrics. */
const FAR_PATH = /\/(?:session\d+|rport-[^/]+|nvme-fabrics)\//;
/** Network and Ceph block devices, ATA over Ethernet. */
const FAR_NAME = /^(?:nbd|rbd|etherd!)/;
const FABRICS: readonly string[] = ["tcp", "rdma", "fc"];
/** Devices are made of devices: device mapper, RAID. */
const DEPTH_MAX = 8;

/**
 * Looks a block device up: `device` is its numbers ("8:1") or its file below /dev. Reads sysfs only,
 * which answers from memory; what is not found there is local. `sys` is where sysfs is mounted.
 */
export function backingOf(device: string, sys = "/sys"): Backing {
  try {
    const found = device.startsWith("/")
      ? `${sys}/class/block/${path.basename(realpathSync(device))}`
      : `${sys}/dev/block/${device}`;
    return examine(realpathSync(found), { sys, depth: 0 });
  } catch {
    return LOCAL;
  }
}

function examine(directory: string, { sys, depth }: { sys: string; depth: number }): Backing {
  if (read(`${directory}/partition`) !== undefined) {
    return examine(path.dirname(directory), { sys, depth });
  }
  const name = path.basename(directory);
  if (FAR_PATH.test(`${directory}/`) || FAR_NAME.test(name) || isOverFabrics(directory)) {
    return { isFar: true, files: [] };
  }
  const file = read(`${directory}/loop/backing_file`);
  if (file !== undefined) return { isFar: false, files: [file.replace(/ \(deleted\)$/, "")] };
  if (depth === DEPTH_MAX) return LOCAL;
  const below = namesIn(`${directory}/slaves`).map((slave) => {
    return examine(realpathSync(`${sys}/class/block/${slave}`), { sys, depth: depth + 1 });
  });
  return {
    isFar: below.some(({ isFar }) => isFar),
    files: below.flatMap(({ files }) => files),
  };
}

/** NVMe with several paths: its controllers stand beside the device that unites them. */
function isOverFabrics(directory: string): boolean {
  if (!directory.includes("/nvme-subsystem/")) return false;
  const subsystem = path.dirname(directory);
  return namesIn(subsystem).some((name) =>
    FABRICS.includes(read(`${subsystem}/${name}/transport`) ?? ""),
  );
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trimEnd();
  } catch {
    return undefined;
  }
}
