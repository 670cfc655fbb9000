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
import { unmountAside } from "../../sys/mount.ts";
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
export function mapMounts(
  mounts: readonly ContainerMount[],
  { directory, users }: { directory: string; users: MappedUsers },
): ContainerMount[] {
  makePassable(directory);
  return mounts.map((mount, index) => {
    if (mount.keepsOwners) return mount;
    const target = path.join(directory, String(index));
    if (statSync(mount.hostPath).isDirectory()) mkdirSync(target);
    else writeFileSync(target, "", { mode: 0o600 });
    mapOne(mount.hostPath, { target, users });
    return { ...mount, hostPath: target };
  });
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
    const why = "its file system, or one mounted below it, cannot change owners for one mount";
    const message = `Cannot show "${source}" to a pod with user ids of its own: ${why}`;
    throw new RuntimeError("runtime-failed", message, { cause });
  }
}
