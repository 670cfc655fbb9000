import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import path from "node:path";

/** What is told of a cgroup, with everything below it, to who asks for more than its usage. */
export interface CgroupDetails {
  /** By block device. Pages that are written back later count for nobody on v1. */
  disks: DiskTraffic[];
  processes: number;
  openFiles: number;
  /** The most memory at any time; undefined where the kernel does not keep it. */
  memoryPeakBytes: number | undefined;
  /** How often memory met its limit. */
  memoryLimitHits: number;
  /** Memory of the kernel for the group; part of all of it. */
  kernelBytes: number;
  activeFileBytes: number;
  inactiveFileBytes: number;
}

/** What went from and to one device since the group was made. */
export interface DiskTraffic {
  /** As "/dev/sda"; empty where the device is gone. */
  device: string;
  major: number;
  minor: number;
  reads: number;
  writes: number;
  readBytes: number;
  writtenBytes: number;
}

type Count = "reads" | "writes" | "readBytes" | "writtenBytes";

const OPERATIONS_V1: Readonly<Record<string, { bytes: Count; number: Count }>> = {
  Read: { bytes: "readBytes", number: "reads" },
  Write: { bytes: "writtenBytes", number: "writes" },
};

/** Of v1's controller blkio: files of lines "8:0 Read 4096", with a total at the end. */
export function diskTrafficV1(
  files: Record<"bytes" | "number", string | undefined>,
): DiskTraffic[] {
  const disks = new Map<string, DiskTraffic>();
  for (const what of ["bytes", "number"] as const) {
    for (const line of (files[what] ?? "").split("\n")) {
      const [numbers = "", operation = "", value] = line.split(" ");
      const count = OPERATIONS_V1[operation]?.[what];
      if (count) diskOf(disks, numbers)[count] = Number(value);
    }
  }
  return [...disks.values()];
}

const COUNTS_V2: Readonly<Record<string, Count>> = {
  rbytes: "readBytes",
  wbytes: "writtenBytes",
  rios: "reads",
  wios: "writes",
};

/** Of v2's `io.stat`: lines "8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0". */
export function diskTrafficV2(text: string): DiskTraffic[] {
  const disks = new Map<string, DiskTraffic>();
  for (const line of text.split("\n")) {
    const [numbers = "", ...values] = line.split(" ");
    for (const [name = "", value] of values.map((one) => one.split("="))) {
      const count = COUNTS_V2[name];
      if (count) diskOf(disks, numbers)[count] = Number(value);
    }
  }
  return [...disks.values()];
}

function diskOf(disks: Map<string, DiskTraffic>, numbers: string): DiskTraffic {
  const known = disks.get(numbers);
  if (known) return known;
  const [major = 0, minor = 0] = numbers.split(":").map(Number);
  const none = { reads: 0, writes: 0, readBytes: 0, writtenBytes: 0 };
  const disk = { device: deviceName(numbers), major, minor, ...none };
  disks.set(numbers, disk);
  return disk;
}

function deviceName(numbers: string): string {
  try {
    return `/dev/${path.basename(readlinkSync(`/sys/dev/block/${numbers}`))}`;
  } catch {
    return "";
  }
}

/** Of processes that may end meanwhile. */
export function countOpenFiles(pids: readonly number[]): number {
  let count = 0;
  for (const pid of pids) count += openFilesOf(`/proc/${pid}/fd`);
  return count;
}

/** Linux tells the number as the size since 6.2, and 0 before. */
function openFilesOf(directory: string): number {
  try {
    return statSync(directory).size || readdirSync(directory).length;
  } catch {
    return 0;
  }
}

/** One reading of a file of one number; undefined where it is not there. */
export function readNumber(file: string): number | undefined {
  try {
    return Number(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}
