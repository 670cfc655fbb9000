import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";
import type { TarInput } from "../format/tar/tar-writer.ts";
import { getAttribute } from "./file.ts";

/**
 * Lists a directory tree as tar entries, sorted by name, hard links kept, times dropped: the same
 * tree gives the same archive. Sockets are left out. Reads each file when its entry is taken.
 */
export function* directoryEntries(directory: string): Generator<TarInput> {
  const seen = new Map<string, string>();
  yield* walk(directory, "", seen);
}

function* walk(root: string, folder: string, seen: Map<string, string>): Generator<TarInput> {
  for (const base of readdirSync(path.join(root, folder)).toSorted()) {
    const name = path.posix.join(folder, base);
    const location = path.join(root, name);
    const stat = lstatSync(location);
    const entry = { name, mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid };
    if (stat.isSymbolicLink()) {
      yield { ...entry, type: "symlink", linkName: readlinkSync(location) };
    } else if (stat.isDirectory()) {
      yield { ...entry, name: `${name}/`, type: "directory" };
      yield* walk(root, name, seen);
    } else if (stat.isFile()) {
      const identity = `${stat.dev}:${stat.ino}`;
      const earlier = seen.get(identity);
      if (earlier !== undefined) {
        yield { ...entry, type: "hardlink", linkName: earlier };
        continue;
      }
      if (stat.nlink > 1) seen.set(identity, name);
      const capability = getAttribute(location, "security.capability");
      const attributes = new Map(capability ? [["security.capability", capability]] : []);
      yield { ...entry, type: "file", body: readFileSync(location), attributes };
    } else if (stat.isFIFO()) {
      yield { ...entry, type: "fifo" };
    }
  }
}
