import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { openBelow } from "../../sys/file.ts";
import { bindMount, unmount } from "../../sys/mount.ts";
import { SysError } from "../../sys/sys-error.ts";
import { ConfigurationError } from "./environment.ts";

/** Directory in that of an attempt with what is bound for it. */
export const SUB_PATHS = "sub-paths";

const O_PATH = 0o10000000;
/** Permissions and the bits that make files inherit a group. */
const MODE_MASK = 0o7777;

/**
 * Binds a path inside a volume at `target`, where no container can change it any more. The volume
 * may hold hostile symbolic links: none leads out of it. Missing directories are made with the
 * permissions of the volume: whoever may write there may write to them.
 * @throws ConfigurationError when the path leaves the volume
 */
export function bindSubPath(volume: string, options: { subPath: string; target: string }): void {
  const { subPath, target } = options;
  if (path.isAbsolute(subPath) || subPath.split("/").includes("..")) {
    throw new ConfigurationError(`subPath "${subPath}" must stay inside the volume`);
  }
  const fd = openInVolume(volume, subPath);
  try {
    mkdirSync(path.dirname(target), { recursive: true });
    unmount(target);
    if (fstatSync(fd).isDirectory()) mkdirSync(target, { recursive: true });
    else writeFileSync(target, "");
    bindMount(`/proc/self/fd/${fd}`, target);
  } finally {
    closeSync(fd);
  }
}

/** Walks down by descriptor, so that a link swapped in meanwhile changes nothing. */
function openInVolume(volume: string, subPath: string): number {
  let fd = openSync(volume, O_PATH | constants.O_DIRECTORY);
  const mode = fstatSync(fd).mode & MODE_MASK;
  for (const name of subPath.split("/").filter((part) => part !== "" && part !== ".")) {
    const parent = fd;
    try {
      fd = openOrMake(parent, { name, mode });
    } catch (error) {
      if (error instanceof SysError && (error.code === "EXDEV" || error.code === "ELOOP")) {
        throw new ConfigurationError(`subPath "${subPath}" leads out of its volume`);
      }
      throw error;
    } finally {
      closeSync(parent);
    }
  }
  return fd;
}

function openOrMake(directoryFd: number, { name, mode }: { name: string; mode: number }): number {
  const open = () => openBelow(name, { directoryFd, flags: O_PATH, resolve: "beneath" });
  try {
    return open();
  } catch (error) {
    if (!(error instanceof SysError) || error.code !== "ENOENT") throw error;
    mkdirSync(`/proc/self/fd/${directoryFd}/${name}`, { mode });
    const fd = open();
    // Given at creation, a umask narrows it.
    chmodSync(`/proc/self/fd/${fd}`, mode);
    return fd;
  }
}
