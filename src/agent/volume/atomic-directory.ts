import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  type Dirent,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";

/** A file of a volume that the agent writes. */
export interface VolumeFile {
  bytes: Uint8Array;
  /** Permission bits. */
  mode: number;
  /** Its owner; root when absent. */
  userId?: number;
}

/** Relative path to file. */
export type VolumeFiles = ReadonlyMap<string, VolumeFile>;

const DATA = "..data";
const STAGED = "..data_tmp";

/**
 * Makes `directory` show exactly `files`, all at once: readers see the old set or the new one. The
 * set lies in a directory named by its hash, to which the link `..data` points; each top-level name
 * is a link through it. Writing an equal set does nothing. Returns whether something changed.
 * @throws RangeError for a path that leads out of the volume
 */
export function writeAtomically(
  directory: string,
  files: VolumeFiles,
  options: { groupId?: number | undefined } = {},
): boolean {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const version = `..v${hashOf(files, options.groupId)}`;
  // One look instead of asking for each name: mostly none is there, and errors are slow.
  const entries = new Map(
    readdirSync(directory, { withFileTypes: true }).map((entry) => [entry.name, entry]),
  );
  if (entries.has(DATA) && readLink(path.join(directory, DATA)) === version) return false;
  const target = path.join(directory, version);
  if (entries.has(version)) rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { mode: 0o755 });
  for (const [name, file] of files) writeOne(target, { name, file, groupId: options.groupId });
  const staged = path.join(directory, STAGED);
  if (entries.has(STAGED)) rmSync(staged, { force: true });
  symlinkSync(version, staged);
  renameSync(staged, path.join(directory, DATA));
  linkNames(directory, { files, entries });
  for (const name of entries.keys()) {
    if (name.startsWith("..v") && name !== version) {
      rmSync(path.join(directory, name), { recursive: true, force: true });
    }
  }
  return true;
}

function writeOne(
  target: string,
  { name, file, groupId }: { name: string; file: VolumeFile; groupId: number | undefined },
): void {
  const parts = name.split("/");
  if (parts.some((part) => part === "" || part === "." || part === "..")) {
    throw new RangeError(`Cannot write "${name}": the path must stay inside the volume`);
  }
  const full = path.join(target, ...parts);
  if (parts.length > 1) mkdirSync(path.dirname(full), { recursive: true, mode: 0o755 });
  // A group that shares the volume must be able to read what others may not.
  const mode = groupId === undefined ? file.mode : file.mode | 0o440;
  writeFileSync(full, file.bytes, { mode });
  chmodSync(full, mode); // given at creation, a umask narrows it
  const { userId = 0 } = file;
  if (groupId !== undefined || userId !== 0) chownSync(full, userId, groupId ?? 0);
}

function linkNames(
  directory: string,
  { files, entries }: { files: VolumeFiles; entries: ReadonlyMap<string, Dirent> },
): void {
  const wanted = new Set([...files.keys()].map((name) => name.split("/")[0] ?? ""));
  for (const name of entries.keys()) {
    if (!name.startsWith("..") && !wanted.has(name)) unlinkSync(path.join(directory, name));
  }
  for (const name of wanted) {
    if (entries.get(name)?.isSymbolicLink()) continue;
    symlinkSync(path.join(DATA, name), path.join(directory, name));
  }
}

function readLink(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}

function hashOf(files: VolumeFiles, groupId: number | undefined): string {
  const hash = createHash("sha256").update(`${groupId ?? ""}`);
  for (const [name, { bytes, mode, userId = 0 }] of [...files].sort(([a], [b]) =>
    a < b ? -1 : 1,
  )) {
    hash.update(`\0${name}\0${mode}\0${userId}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex").slice(0, 20);
}
