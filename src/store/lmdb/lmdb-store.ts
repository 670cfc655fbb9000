import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, open, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Clock } from "../../lib/clock.ts";
import {
  EncryptingBackend,
  type EncryptionSource,
  storedValues,
} from "../encryption/encrypting-backend.ts";
import { withoutKeys } from "../encryption/encryption-rules.ts";
import { createEngine } from "../engine.ts";
import { StoreError, toStoreError } from "../errors.ts";
import type { Store } from "../store.ts";
import { Journal } from "./journal.ts";
import { type CommitListener, JournaledBackend } from "./journaled-backend.ts";
import { VersionTree } from "./version-tree.ts";

/** Mapped shared, with room to grow: how much of it is resident depends on what was read. */
const TREE_FILE = "data.mdb";
/** Is there once values may be encrypted. */
const ENCRYPTED_FILE = "encrypted";

/** Where a store lives. */
export interface LmdbStoreOptions {
  /** Created when absent; must be on a local file system. */
  directory: string;
  clock: Clock;
  /** Hears of each commit that is durable, and of how long it took. */
  committed?: CommitListener | undefined;
  /** Hears of every step in which the mapped tree was written. */
  moved?: (() => void) | undefined;
  /** How values are encrypted; absent: not at all. */
  encryption?: EncryptionSource | undefined;
}

/**
 * Opens the durable store of a directory and recovers what a crash left behind. One process may
 * have it open at a time. @throws StoreError "io" (in use, or unreadable), "newer-format",
 * "disk-full"
 */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<Store> {
  const { directory, clock, committed, moved } = options;
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const lock = await lockDirectory(directory);
    return await closingOnFailure(lock, async () => {
      const tree = await VersionTree.open(path.join(directory, TREE_FILE));
      return closingOnFailure(tree, async () => {
        const { journal, records } = await Journal.open(directory);
        return closingOnFailure(journal, async () => {
          const backend = new JournaledBackend({ tree, journal, lock, clock, committed, moved });
          await backend.recover(records);
          const encryption = await encryptionOf(options);
          await encryption?.prepare?.(storedValues(backend));
          return createEngine(encryption ? new EncryptingBackend(backend, encryption) : backend);
        });
      });
    });
  } catch (error) {
    throw toStoreError(error, `open store "${directory}"`);
  }
}

/** Values that were ever encrypted are never taken for plain ones. */
async function encryptionOf(of: LmdbStoreOptions): Promise<EncryptionSource | undefined> {
  const mark = path.join(of.directory, ENCRYPTED_FILE);
  if (of.encryption) await writeFile(mark, "", { mode: 0o600 });
  return of.encryption ?? (existsSync(mark) ? { rules: withoutKeys() } : undefined);
}

async function closingOnFailure<T>(opened: AsyncDisposable, next: () => Promise<T>): Promise<T> {
  try {
    return await next();
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * Takes the directory for this process until the result is closed or the process ends, however it
 * ends. The lock belongs to the open file, so it outlives the flock(1) that takes it.
 */
async function lockDirectory(directory: string): Promise<AsyncDisposable> {
  const handle = await open(path.join(directory, "lock"), "w", 0o600);
  const { status, error } = spawnSync("flock", ["--nonblock", "3"], {
    stdio: ["ignore", "ignore", "ignore", handle.fd],
  });
  if (status === 0) return { [Symbol.asyncDispose]: () => handle.close() };
  await handle.close();
  if (error) throw error;
  throw new StoreError("io", `Cannot open store "${directory}": another process has it open`);
}
