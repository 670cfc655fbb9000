import { arch } from "node:os";
import path from "node:path";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Random } from "../../lib/random.ts";
import { createImageEngine, type ImageEngine } from "./image-engine.ts";
import { type ImageTable, openImageTable } from "./image-table.ts";
import type { ProxyEnvironment } from "./registry/proxy-rules.ts";
import { createStoreLock, type StoreLock } from "./store-lock.ts";

/** Where images are, and where they come from. */
export interface StorePlace {
  /** Holds `layers/`, `images/`, `downloads/` and `tmp/`; created. Several processes may share it. */
  directory: string;
  /** Mirrors, credentials and certificates of registries; may be absent. */
  registriesFile: string;
  /** Through which registries are asked; without it, directly. */
  proxies?: ProxyEnvironment;
}

/** The parts that every user of a store, thread or process, has of its own. */
export interface StoreParts {
  table: ImageTable;
  lock: StoreLock;
  engine: ImageEngine;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

/** Opens a store whose directories exist. */
export function openStore(
  place: StorePlace,
  sources: { clock: Clock; random: Random; logger: Logger },
): StoreParts {
  const { directory, registriesFile, proxies = {} } = place;
  const lock = createStoreLock(path.join(directory, "lock"), sources.clock);
  const table = openImageTable({ directory, ...sources });
  const architecture = ARCHITECTURES[arch()] ?? arch();
  const work = { directory, registriesFile, proxies, architecture, table, lock };
  return { table, lock, engine: createImageEngine({ ...work, ...sources }) };
}
