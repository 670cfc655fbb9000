import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import path from "node:path";
import { MOUNT_FLAGS, mount, mountOverlay, unmountAside } from "../../sys/mount.ts";
import type { LocalImage } from "../image/contract.ts";
import { RuntimeError } from "./contract.ts";
import type { Failpoint } from "./failpoints.ts";
import {
  fileSystemOf,
  giveToUsers,
  type MappedUsers,
  mapDirectories,
  unmapAll,
} from "./mapped-mounts.ts";

/** Directories of a container's root: its image below, what it writes above. */
export interface RootDirectories {
  /** Holds `upper` and `work`. */
  writable: string;
  target: string;
  /** Directory for mounts of layers whose files are to be those of `users`. */
  mapped: string;
  users?: MappedUsers;
  /** A layer below the image, for a container without `users`. */
  bottom?: string;
  failpoint: Failpoint;
}

/** Mounts the root of a container. Not idempotent. @throws RuntimeError "no-space" */
export async function mountRoot(
  image: LocalImage,
  { writable, target, mapped, users, bottom, failpoint }: RootDirectories,
): Promise<void> {
  const [upper, work] = [path.join(writable, "upper"), path.join(writable, "work")];
  const missing = image.layerPaths.find((layer) => !existsSync(layer));
  if (missing !== undefined) {
    const name = image.references[0] ?? image.id;
    const message = `Cannot use image "${name}": a layer of it is missing; import it again`;
    throw new RuntimeError("runtime-failed", message);
  }
  try {
    for (const directory of [upper, work, target]) mkdirSync(directory, { recursive: true });
    if (users) {
      const directory = path.join(mapped, "layers");
      giveToUsers(upper, users);
      const layers = mapDirectories(image.layerPaths, { directory, users });
      failpoint("container-layers");
      mountOverlay({ layers, upper, work, target });
      // It holds mounts of its own of them.
      await unmapAll(directory);
    } else {
      const layers = [...(bottom === undefined ? [] : [bottom]), ...image.layerPaths];
      mountOverlay({ layers, upper, work, target });
    }
    // Device nodes of an image, and what a container makes of MKNOD, stay without effect.
    mount({ target, flags: MOUNT_FLAGS.remount | MOUNT_FLAGS.bind | MOUNT_FLAGS.noDevices });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EINVAL" && fileSystemOf(writable) === "overlay") {
      const why = `"${writable}" is on overlay, which cannot hold what containers write`;
      const hint = "move the data directory to ext4, xfs, btrfs or tmpfs";
      const message = `Cannot prepare the root file system: ${why}; ${hint}`;
      throw new RuntimeError("runtime-failed", message, { cause });
    }
    if (code !== "ENOSPC" && code !== "EDQUOT") throw cause;
    const message = "Cannot prepare the root file system: no space left";
    throw new RuntimeError("no-space", message, { cause });
  }
}

/** Unmounts and removes the mount point. Idempotent. */
export async function unmountRoot(target: string): Promise<void> {
  await unmountAside(target);
  if (existsSync(target)) rmdirSync(target);
}
