// Makes the root file system of an image from Debian packages and busybox, and its archive.
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { arch } from "node:os";
import path from "node:path";
import { type OciArchiveInput, writeOciArchive } from "../src/format/oci/image-writer.ts";
import { type DebianPackage, unpackPackage } from "./debian-packages.ts";

export interface RootContents {
  packages: readonly DebianPackage[];
  /** Lines of /etc/passwd besides root's and nobody's. */
  users?: readonly string[];
  /** Adds what no package holds, before busybox links the commands that are still missing. */
  prepare?: (root: string) => void;
}

/** Fills the empty folder `root`: a merged /usr, users, the packages, busybox's commands. */
export async function assembleRoot(root: string, contents: RootContents): Promise<void> {
  for (const folder of ["bin", "sbin", "lib", "lib64"]) {
    mkdirSync(path.join(root, "usr", folder), { recursive: true });
    symlinkSync(`usr/${folder}`, path.join(root, folder));
  }
  for (const folder of ["etc", "proc", "sys", "dev", "root", "run", "tmp", "var/log"]) {
    mkdirSync(path.join(root, folder), { recursive: true });
  }
  execFileSync("chmod", ["1777", path.join(root, "tmp")]);
  const users = [
    "root:x:0:0::/root:/bin/sh",
    ...(contents.users ?? []),
    "nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin",
  ];
  for (const line of users) {
    const [user, , , gid] = line.split(":");
    appendFileSync(path.join(root, "etc/passwd"), `${line}\n`);
    appendFileSync(path.join(root, "etc/group"), `${user}:x:${gid}:\n`);
  }
  writeFileSync(
    path.join(root, "etc/nsswitch.conf"),
    "passwd: files\ngroup: files\nhosts: files dns\n",
  );
  for (const { file } of contents.packages) await unpackPackage(file, root);
  contents.prepare?.(root);
  const busybox = path.join(root, "bin/busybox");
  for (const applet of execFileSync(busybox, ["--list"], { encoding: "utf8" }).trim().split("\n")) {
    const link = path.join(root, "bin", applet);
    if (applet !== "busybox" && !existsSync(link)) symlinkSync("busybox", link);
  }
}

/** Writes the archive `file` at once: a reader never sees a part of it. */
export function writeImage(file: string, image: Omit<OciArchiveInput, "architecture">): void {
  const architecture = arch() === "x64" ? "amd64" : arch();
  const fd = openSync(`${file}.tmp`, "w");
  for (const chunk of writeOciArchive({ ...image, architecture })) writeSync(fd, chunk);
  closeSync(fd);
  renameSync(`${file}.tmp`, file);
}
