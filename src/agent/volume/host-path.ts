import { mkdirSync, type Stats, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { HostPathVolumeSource } from "../../api/generated/types/core-v1.ts";
import { VolumeError } from "./contract.ts";

type TypeCheck = { is: (stats: Stats) => boolean; what: string };

const CHECKS: Readonly<Record<string, TypeCheck>> = {
  Directory: { is: (stats) => stats.isDirectory(), what: "a directory" },
  DirectoryOrCreate: { is: (stats) => stats.isDirectory(), what: "a directory" },
  File: { is: (stats) => stats.isFile(), what: "a file" },
  FileOrCreate: { is: (stats) => stats.isFile(), what: "a file" },
  Socket: { is: (stats) => stats.isSocket(), what: "a socket file" },
  CharDevice: { is: (stats) => stats.isCharacterDevice(), what: "a character device" },
  BlockDevice: { is: (stats) => stats.isBlockDevice(), what: "a block device" },
};

/** Checks, or creates, what a hostPath names. @throws VolumeError "invalid" */
export function prepareHostPath({ path: file, type = "" }: HostPathVolumeSource): void {
  let stats = statSync(file, { throwIfNoEntry: false });
  if (!stats && type === "DirectoryOrCreate") mkdirSync(file, { recursive: true, mode: 0o755 });
  if (
    !stats &&
    type === "FileOrCreate" &&
    statSync(path.dirname(file), { throwIfNoEntry: false })
  ) {
    writeFileSync(file, "", { flag: "wx", mode: 0o644 });
  }
  stats ??= statSync(file, { throwIfNoEntry: false });
  const check = CHECKS[type];
  if (!check) {
    // An untyped path may be absent: upstream leaves that to the runtime, which makes a directory.
    if (!stats) mkdirSync(file, { recursive: true, mode: 0o755 });
    return;
  }
  if (!stats || !check.is(stats)) {
    throw new VolumeError("invalid", `hostPath type check failed: ${file} is not ${check.what}`);
  }
}
