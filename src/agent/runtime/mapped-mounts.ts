import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import {
  bindMount,
  MOUNT_FLAGS,
  mountOverlay,
  overlayLayers,
  readMounts,
  unmountAside,
} from "../../sys/mount.ts";
import { SysError } from "../../sys/sys-error.ts";
import { mountMapped } from "../../sys/user-namespace.ts";
import { namesIn } from "./container-record.ts";
import { type ContainerMount, RuntimeError } from "./contract.ts";

/** Whose files those of a container are to be. */
export interface MappedUsers {
  /** Path of the user namespace. */
  userNamespace: string;
  /** Its user 0. */
  firstId: number;
}

/**
 * Mounts directories below `directory` so that their files belong to other users; returns where, in
 * the same order.
 */
export function mapDirectories(
  sources: readonly string[],
  { directory, users }: { directory: string; users: MappedUsers },
): string[] {
  makePassable(directory);
  return sources.map((source, index) => {
    const target = path.join(directory, String(index));
    mkdirSync(target);
    mapOne(source, { target, users });
    return target;
  });
}

/** The same for what a container is to see of the node, files too. */
export async function mapMounts(
  mounts: readonly ContainerMount[],
  { directory, users }: { directory: string; users: MappedUsers },
): Promise<ContainerMount[]> {
  makePassable(directory);
  const overlays: { source: string; target: string; cause: unknown }[] = [];
  const mapped = mounts.map((mount, index) => {
    if (mount.keepsOwners) return mount;
    const target = path.join(directory, String(index));
    if (statSync(mount.hostPath).isDirectory()) mkdirSync(target);
    else writeFileSync(target, "", { mode: 0o600 });
    try {
      mapOne(mount.hostPath, { target, users });
    } catch (cause) {
      overlays.push({ source: mount.hostPath, target, cause });
    }
    return { ...mount, hostPath: target };
  });
  const made = path.join(path.dirname(directory), "layers");
  for (const { source, target, cause } of overlays) {
    if (!(await remakeOverlay(source, { target, directory: made, users }))) throw cause;
  }
  return mapped;
}

/** No overlay can be mapped, but what the files of an image are made of can: it is made again. */
async function remakeOverlay(
  source: string,
  to: { target: string; directory: string; users: MappedUsers },
): Promise<boolean> {
  const mounted = readMounts().findLast(({ target }) => target === source);
  const layers = mounted && overlayLayers(mounted);
  if (!layers) return false;
  const { target, directory, users } = to;
  const whole = path.join(directory, "whole");
  const { readOnly, noExec, noSuid, noDevices } = MOUNT_FLAGS;
  try {
    const parts = mapDirectories(layers, { directory, users });
    mkdirSync(whole);
    const flags = readOnly | noExec | noSuid | noDevices;
    mountOverlay({ layers: parts, target: whole, flags });
    bindMount(path.join(whole, mounted.root), target);
  } finally {
    // The mount at the target holds all of it.
    await unmapAll(directory);
  }
  return true;
}

/** For users that are not the node's too, whatever umask there is. */
function makePassable(directory: string): void {
  mkdirSync(directory, { recursive: true });
  for (const each of [path.dirname(directory), directory]) chmodSync(each, 0o711);
}

/** The root of a container's own layer, which its user 0 is to own. */
export function giveToUsers(upper: string, { firstId }: MappedUsers): void {
  chownSync(upper, firstId, firstId);
}

/** Takes them all away, but nothing of what they show. Idempotent. */
export async function unmapAll(directory: string): Promise<void> {
  if (!existsSync(directory)) return;
  const targets = namesIn(directory).map((name) => path.join(directory, name));
  await Promise.all(targets.map((target) => unmountAside(target)));
  for (const target of targets) {
    if (statSync(target).isDirectory()) rmdirSync(target);
    else unlinkSync(target);
  }
  rmdirSync(directory);
}

function mapOne(source: string, { target, users }: { target: string; users: MappedUsers }): void {
  const { userNamespace } = users;
  try {
    mountMapped({ source, target, userNamespace });
  } catch (cause) {
    if (!(cause instanceof SysError) || !["EINVAL", "ENOSYS", "EPERM"].includes(cause.code)) {
      throw cause;
    }
    const message = `Cannot show "${source}" to a pod with user ids of its own`;
    const why = whyUnmapped(cause.code, fileSystemOf(source));
    throw new RuntimeError("runtime-failed", `${message}: ${why}`, { cause });
  }
}

/** Why a mount cannot have other owners, and what to do; `type` is its file system. */
export function whyUnmapped(code: string, type: string | undefined): string {
  if (code === "ENOSYS") {
    return "the kernel cannot change owners for one mount: use Linux 5.12, or leave hostUsers out";
  }
  const why = "its file system, or one mounted below it, cannot change owners for one mount";
  return `${why} (${type ? `it is on ${type}; ` : ""}ext4, xfs, btrfs and tmpfs can, overlay cannot)`;
}

/** Name of the file system that a file is on, such as "ext4", for messages. */
export function fileSystemOf(file: string): string | undefined {
  const around = readMounts().filter(
    ({ target }) => target === "/" || file === target || file.startsWith(`${target}/`),
  );
  return around.toSorted((a, b) => a.target.length - b.target.length).at(-1)?.type;
}
