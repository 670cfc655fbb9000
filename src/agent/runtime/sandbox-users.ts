import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { isMountPoint } from "../../sys/mount.ts";
import {
  createUserNamespace,
  type OwnedNamespaces,
  removeUserNamespace,
  USER_NAMESPACE_IDS,
} from "../../sys/user-namespace.ts";
import { namesIn } from "./container-record.ts";
import { RuntimeError, type UserNamespace, type UserRequest } from "./contract.ts";
import type { RuntimeContext } from "./runtime-context.ts";

/** No user, container manager or service manager gives these to others (systemd's UIDS-GIDS). */
const FIRST_ID = 0x7000_0000;
const RANGES = 4_094;

/** Where the namespaces of a sandbox with user ids of its own are mounted. */
export function ownedNamespaces({ paths }: RuntimeContext, id: string): OwnedNamespaces {
  const directory = paths.sandboxRun(id);
  const [user, network] = ["user", "network"].map((name) => path.join(directory, name));
  return { user: user ?? "", network: network ?? "", ipc: path.join(directory, "ipc") };
}

/**
 * Gives a sandbox that is to come user ids of its own. Idempotent, also over a reboot, after which
 * what the pod has written is still its own. @throws RuntimeError when this cannot be had here
 */
export async function prepareUsers(
  context: RuntimeContext,
  { id, handler, firstId: asked }: UserRequest,
): Promise<UserNamespace> {
  const driver = context.drivers.of(handler);
  if (!driver.hasUserNamespaces) {
    const message = `"${driver.handler}" has no user namespaces: leave hostUsers out, or use crun`;
    throw new RuntimeError("runtime-failed", `Cannot give the pod user ids of its own: ${message}`);
  }
  const files = ownedNamespaces(context, id);
  const firstId = claimRange(context.paths.userRanges, { id, asked });
  mkdirSync(path.dirname(files.user), { recursive: true, mode: 0o711 });
  if (!isMountPoint(files.user)) {
    removeUserNamespace(files);
    try {
      await createUserNamespace(files, firstId);
    } catch (cause) {
      releaseUsers(context, id);
      const message = `Cannot give the pod user ids of its own: ${(cause as Error).message}`;
      throw new RuntimeError("runtime-failed", message, { cause });
    }
    context.failpoint("sandbox-users");
  }
  return { firstId, networkNamespacePath: files.network };
}

/** Takes it all back. Idempotent. */
export function releaseUsers(context: RuntimeContext, id: string): void {
  const range = path.join(context.paths.userRanges, id);
  if (!existsSync(range)) return;
  removeUserNamespace(ownedNamespaces(context, id));
  rmSync(range, { force: true });
}

/** A range that no other sandbox has; nodes that share a machine seldom choose the same. */
function claimRange(
  directory: string,
  { id, asked }: { id: string; asked: number | undefined },
): number {
  const file = path.join(directory, id);
  const held = readRange(file);
  if (held !== undefined) return held;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (asked !== undefined) {
    writeFileSync(file, String(asked), { mode: 0o600 });
    return asked;
  }
  const taken = new Set(namesIn(directory).map((name) => readRange(path.join(directory, name))));
  const first = createHash("sha256").update(id).digest().readUInt32LE(0);
  for (let attempt = 0; attempt < RANGES; attempt++) {
    const firstId = FIRST_ID + ((first + attempt) % RANGES) * USER_NAMESPACE_IDS;
    if (taken.has(firstId)) continue;
    writeFileSync(file, String(firstId), { mode: 0o600 });
    return firstId;
  }
  throw new RuntimeError("no-space", `All ${RANGES} ranges of user ids are taken on this node`);
}

/** Undefined when absent, or cut short by a crash. */
function readRange(file: string): number | undefined {
  try {
    const firstId = Number(readFileSync(file, "utf8"));
    return firstId > 0 && firstId % USER_NAMESPACE_IDS === 0 ? firstId : undefined;
  } catch {
    return undefined;
  }
}
