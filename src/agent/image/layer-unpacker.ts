import {
  chmodSync,
  closeSync,
  constants,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { TarError } from "../../format/tar/tar-header.ts";
import { readTar, type TarEntry, tarSource } from "../../format/tar/tar-reader.ts";
import { closeBelow, makeSpecialFile, openBelow, setAttribute } from "../../sys/file.ts";

const O_PATH = 0o10000000;
const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";
const OPAQUE_ATTRIBUTE = "trusted.overlay.opaque";
const HEADER_BYTES = 512;
/** Others want their turn, who stops this too; files that lie in one piece of input are many. */
const ENTRIES_IN_A_ROW = 8;

/** What one layer came to. */
export interface UnpackedLayer {
  sizeBytes: number;
  entries: number;
}

/**
 * Unpacks a layer into an empty directory in the form that overlayfs reads: a deleted file is a
 * character device 0:0, a replaced directory carries the opaque attribute. No entry can write, link
 * or delete outside the directory: every parent is opened by openat2(2) with the directory as root.
 * Consumes the stream to its end. @throws TarError, SysError and file system errors
 */
export async function unpackLayer(
  stream: AsyncIterable<Uint8Array>,
  directory: string,
): Promise<UnpackedLayer> {
  using tree = openTree(directory);
  const total: UnpackedLayer = { sizeBytes: 0, entries: 0 };
  for await (const entry of readTar(tarSource(stream))) {
    if (++total.entries % ENTRIES_IN_A_ROW === 0) await setImmediate();
    total.sizeBytes += entry.sizeBytes + HEADER_BYTES;
    const name = insideName(entry.name);
    if (name === "") applyMetadata(directory, entry);
    else await placeEntry(tree, name, entry);
  }
  tree.finish();
  return total;
}

interface Tree extends Disposable {
  /** Path that stands for `name` whatever links lie on the way; parents are made when missing. */
  locate(name: string): string;
  /** Sets times of directories, which later entries would change. */
  finishLater(name: string, modifiedS: number): void;
  finish(): void;
}

/** "a/b" for "/a/./b/"; "" for the root itself. @throws TarError for a name that climbs */
function insideName(name: string): string {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw new TarError(`Entry "${name}" leads out of the layer`);
  return parts.join("/");
}

function openTree(directory: string): Tree {
  const flags = O_PATH | constants.O_DIRECTORY;
  const rootFd = openSync(directory, flags);
  const times = new Map<string, number>();
  // One descriptor is kept: archives list a directory's files one after another.
  let parent = { name: "", fd: rootFd };
  const open = (name: string): number => {
    try {
      return openBelow(name, { directoryFd: rootFd, flags, resolve: "root" });
    } catch (error) {
      if ((error as { code?: string }).code !== "ENOENT") throw error;
      const upper = path.posix.dirname(name);
      const upperFd = upper === "." ? rootFd : open(upper);
      try {
        mkdirSync(`/proc/self/fd/${upperFd}/${path.posix.basename(name)}`, { mode: 0o755 });
      } finally {
        if (upperFd !== rootFd) closeBelow(upperFd);
      }
      return openBelow(name, { directoryFd: rootFd, flags, resolve: "root" });
    }
  };
  const enter = (name: string): number => {
    if (name === "." || name === "") return rootFd;
    if (parent.name === name) return parent.fd;
    const fd = open(name);
    if (parent.fd !== rootFd) closeBelow(parent.fd);
    parent = { name, fd };
    return fd;
  };
  return {
    locate(name) {
      const base = path.posix.basename(name);
      return `/proc/self/fd/${enter(path.posix.dirname(name))}/${base}`;
    },
    finishLater: (name, modifiedS) => void times.set(name, modifiedS),
    finish() {
      for (const [name, modifiedS] of times) {
        const location = this.locate(name);
        if (lstatSync(location, { throwIfNoEntry: false })?.isDirectory()) {
          lutimesSync(location, modifiedS, modifiedS);
        }
      }
    },
    [Symbol.dispose]() {
      if (parent.fd !== rootFd) closeBelow(parent.fd);
      closeSync(rootFd);
    },
  };
}

async function placeEntry(tree: Tree, name: string, entry: TarEntry): Promise<void> {
  const base = path.posix.basename(name);
  if (base === OPAQUE) {
    const folder = path.posix.dirname(name);
    if (folder !== ".") setAttribute(tree.locate(folder), OPAQUE_ATTRIBUTE, Buffer.from("y"));
    return;
  }
  if (base.startsWith(WHITEOUT)) {
    const hidden = path.posix.join(path.posix.dirname(name), base.slice(WHITEOUT.length));
    if ([".", ".."].includes(base.slice(WHITEOUT.length)) || base === WHITEOUT) {
      throw new TarError(`Whiteout "${entry.name}" names no file`);
    }
    const location = tree.locate(hidden);
    // A whiteout speaks of lower layers only; a file of this layer stays.
    if (lstatSync(location, { throwIfNoEntry: false })) return;
    const file = { kind: "character", major: 0, minor: 0 } as const;
    return makeSpecialFile(location, { file, mode: 0 });
  }
  const location = tree.locate(name);
  const cleared = clear(location, entry);
  await create(tree, location, entry);
  if (cleared === "whiteout" && entry.type === "directory") {
    setAttribute(location, OPAQUE_ATTRIBUTE, Buffer.from("y"));
  }
  if (entry.type !== "hardlink") applyMetadata(location, entry);
  if (entry.type === "directory") tree.finishLater(name, entry.modifiedS);
}

/** Makes room for the entry: the last one of a name wins, a directory stays a directory. */
function clear(location: string, entry: TarEntry): "whiteout" | "other" | undefined {
  const found = lstatSync(location, { throwIfNoEntry: false });
  if (!found || (found.isDirectory() && entry.type === "directory")) return undefined;
  rmSync(location, { recursive: true, force: true });
  return found.isCharacterDevice() && found.rdev === 0 ? "whiteout" : "other";
}

async function create(tree: Tree, location: string, entry: TarEntry): Promise<void> {
  switch (entry.type) {
    case "file": {
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
      const fd = openSync(location, flags | constants.O_NOFOLLOW, 0o600);
      try {
        for await (const chunk of entry.body) writeAll(fd, chunk);
      } finally {
        closeSync(fd);
      }
      return;
    }
    case "directory":
      if (!lstatSync(location, { throwIfNoEntry: false })) mkdirSync(location, { mode: 0o755 });
      return;
    case "symlink":
      return symlinkSync(entry.linkName, location);
    case "hardlink": {
      const target = insideName(entry.linkName);
      // The target's parent takes the place of the kept descriptor, so name the new link again.
      using other = openLinkTarget(tree, target);
      return linkSync(other.path, tree.locate(insideName(entry.name)));
    }
    case "character":
    case "block":
      return makeSpecialFile(location, {
        file: { kind: entry.type, major: entry.deviceMajor, minor: entry.deviceMinor },
        mode: entry.mode,
      });
    case "fifo":
      return makeSpecialFile(location, { file: { kind: "fifo" }, mode: entry.mode });
  }
}

/** Holds the target's parent open while the link's own parent is looked up. */
function openLinkTarget(tree: Tree, target: string): Disposable & { path: string } {
  const location = tree.locate(target);
  const fd = openSync(path.posix.dirname(location), O_PATH | constants.O_DIRECTORY);
  return {
    path: `/proc/self/fd/${fd}/${path.posix.basename(target)}`,
    [Symbol.dispose]: () => closeSync(fd),
  };
}

function writeAll(fd: number, chunk: Uint8Array): void {
  for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
}

/** Owner before mode: changing the owner clears set-user-ID. */
function applyMetadata(location: string, entry: TarEntry): void {
  lchownSync(location, entry.uid, entry.gid);
  if (entry.type !== "symlink") chmodSync(location, entry.mode);
  for (const [name, value] of entry.attributes) {
    // Only what programs in a container may rely on; "trusted.overlay.*" would steer overlayfs.
    const wanted = name === "security.capability" || /^user\.(?!overlay\.)/.test(name);
    const carries = entry.type === "file" || entry.type === "directory";
    if (wanted && carries) setAttribute(location, name, value);
  }
  if (entry.type !== "directory") lutimesSync(location, entry.modifiedS, entry.modifiedS);
}
