import { arch } from "node:os";
import path from "node:path";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Random } from "../../lib/random.ts";
import type { ImageFailpoint } from "./failpoints.ts";
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

/** What the parts need from outside. */
export interface StoreSources {
  clock: Clock;
  random: Random;
  logger: Logger;
  /** For tests: told of each step. */
  failpoint?: ImageFailpoint;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

/** Opens a store whose directories exist. */
export function openStore(
  place: StorePlace,
  { failpoint = () => {}, ...sources }: StoreSources,
): StoreParts {
  const { directory, registriesFile, proxies = {} } = place;
  const lock = createStoreLock(path.join(directory, "lock"), sources.clock);
  const table = openImageTable({ directory, failpoint, ...sources });
  const architecture = ARCHITECTURES[arch()] ?? arch();
  const work = { directory, registriesFile, proxies, architecture, table, lock, failpoint };
  return { table, lock, engine: createImageEngine({ ...work, ...sources }) };
}
