import { existsSync, watch } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import {
  formatReference,
  type ImageReference,
  parseReference,
} from "../../format/oci/reference.ts";
import {
  ImageError,
  type ImageStore,
  type LocalImage,
  type PullOptions,
  type PullRules,
} from "./contract.ts";
import type { ImageEngine } from "./image-engine.ts";
import { createImagePuller } from "./image-puller.ts";
import { type ImageRecord, toLocalImage } from "./image-record.ts";
import { withoutNames } from "./image-table.ts";
import { downloadDirectory } from "./registry/registry-pull.ts";
import { openStore, type StorePlace, type StoreSources } from "./store-parts.ts";
import { removeAbandoned, removeUnusedLayers, sweepStore } from "./store-sweep.ts";

/** What the store needs. */
export interface ImageStoreOptions extends StorePlace, StoreSources {
  pullRules?: PullRules;
  /** Whether a container still runs from this image; then `remove` of its last name is refused. */
  isInUse?: (imageId: string) => boolean;
  /** Does the long work for the same place; without it, this thread does. */
  engine?: ImageEngine;
}

const ABANDONED_AFTER_MS = 24 * 3_600_000;
/** Those of a kubelet that is not told otherwise. */
const PULL_RULES: PullRules = { atOnceMax: 1, rate: { perSecond: 5, burst: 10 } };

/**
 * Opens the images of a node. Layers are directories shared between images; an import becomes
 * visible by renaming, so a crash leaves at most rubbish that the next opening removes.
 */
export async function createImageStore(options: ImageStoreOptions): Promise<ImageStore> {
  const { directory, clock, logger } = options;
  for (const name of ["layers", "images", "downloads", "tmp"]) {
    await mkdir(path.join(directory, name), { recursive: true, mode: 0o700 });
  }
  const { table, lock, engine: ownEngine } = openStore(options, options);
  const engine = options.engine ?? ownEngine;
  const ask = createImagePuller({ engine, rules: options.pullRules ?? PULL_RULES, clock });
  const { random, failpoint = () => {} } = options;
  const swept = () => ({ directory, records: table.all(), random, failpoint });
  const sweep = ({ abandonedAfterMs = ABANDONED_AFTER_MS } = {}) =>
    lock.tryRun(async () => {
      table.load();
      const removed = await sweepStore(swept());
      if (removed > 0) logger.info("removed layers of no image", { removed });
      await removeAbandoned(downloadDirectory(directory), clock.now() - abandonedAfterMs);
    });
  await sweep();

  const local = (record: ImageRecord): LocalImage => toLocalImage(directory, record);
  const find = (reference: string): ImageRecord | undefined => {
    table.load();
    return table.find(reference);
  };
  /** What satisfies every policy: an id, or a name or digest that was imported. */
  const imported = (reference: string): ImageRecord | undefined => {
    const record = find(reference);
    const parsed = record?.id === reference ? undefined : parseReference(reference);
    if (!record || !parsed) return record;
    const isPulled = parsed.digest
      ? record.repoDigests?.length
      : record.pulled?.includes(formatReference(parsed));
    return isPulled ? undefined : record;
  };
  /** Another thread may have written the record. */
  const known = (id: string): LocalImage => {
    const record = find(id);
    if (record) return local(record);
    throw new ImageError("not-found", `Image ${id} was removed as soon as it was there`);
  };
  const pull = async (text: string, { keyring = [], signal, onTurn }: PullOptions) => {
    const reference = requireReference(text);
    return known(await ask({ reference, keyring, signal, ...(onTurn && { onTurn }) }));
  };
  const onChange = (handler: () => void): Disposable => {
    const watcher = watch(path.join(directory, "images"), { persistent: false }, handler);
    watcher.on("error", (error) => logger.warn("cannot watch for new images", { error }));
    return { [Symbol.dispose]: () => watcher.close() };
  };
  /** Ends the pull when `present` finds an image meanwhile; a store that was removed has none. */
  const pullUnless = async (
    present: () => ImageRecord | undefined,
    { reference, options }: { reference: string; options: PullOptions },
  ): Promise<LocalImage> => {
    const arrived = new AbortController();
    using _watch = onChange(() => {
      if (existsSync(path.join(directory, "images")) && present()) arrived.abort();
    });
    const signals = [arrived.signal, ...(options.signal ? [options.signal] : [])];
    try {
      return await pull(reference, { ...options, signal: AbortSignal.any(signals) });
    } catch (error) {
      const record = options.signal?.aborted ? undefined : present();
      if (record) return local(record);
      throw error;
    }
  };

  return {
    find(reference) {
      const record = find(reference);
      return record && local(record);
    },
    list() {
      table.load();
      return table.all().map(local);
    },
    onChange,

    async import(file, { name, signal } = {}) {
      const request = {
        file: path.resolve(file),
        ...(name && { name }),
        ...(signal && { signal }),
      };
      return (await engine.import(request)).map(known);
    },

    wouldPull(reference, policy) {
      if (policy === "Never" || !parseReference(reference)) return false;
      return (policy === "Always" ? imported(reference) : find(reference)) === undefined;
    },
    async ensure(reference, policy, pullOptions = {}) {
      const present = () => (policy === "Always" ? imported(reference) : find(reference));
      const record = present();
      if (record) return local(record);
      requireReference(reference);
      if (policy !== "Never") return pullUnless(present, { reference, options: pullOptions });
      const message = `Image "${reference}" is absent, and its pull policy is Never`;
      throw new ImageError("not-found", message);
    },
    pull: (reference, pullOptions = {}) => pull(reference, pullOptions),

    remove: (reference) =>
      lock.run(async () => {
        const record = find(reference);
        if (!record) throw new ImageError("not-found", `Image "${reference}" is absent`);
        const parsed = record.id === reference ? undefined : parseReference(reference);
        const kept = parsed ? withoutNames(record, [formatReference(parsed)]) : undefined;
        if (kept && kept.references.length > 0) return await table.replace(kept);
        if (options.isInUse?.(record.id)) {
          const message = `Cannot remove image "${reference}": a container runs from it`;
          throw new ImageError("in-use", message);
        }
        await rm(path.join(directory, "images", `${record.id.slice(7)}.json`), { force: true });
        table.forget(record.id);
        failpoint("record-removed");
        await removeUnusedLayers(swept());
      }),
    sweep,
  };
}

/** @throws ImageError "invalid-reference" */
function requireReference(reference: string): ImageReference {
  const parsed = parseReference(reference);
  if (parsed) return parsed;
  throw new ImageError("invalid-reference", `Image name "${reference}" is malformed`);
}
