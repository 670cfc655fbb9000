import { statSync, watch } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { arch } from "node:os";
import path from "node:path";
import { formatReference, parseReference } from "../../format/oci/reference.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Random } from "../../lib/random.ts";
import { ImageError, type ImageStore, type LocalImage } from "./contract.ts";
import { importImages } from "./image-import.ts";
import {
  type ImageRecord,
  readRecords,
  removeUnusedLayers,
  toLocalImage,
  writeRecord,
} from "./image-record.ts";
import { createStoreLock } from "./store-lock.ts";

/** Where images live and what the store needs. */
export interface ImageStoreOptions {
  /** Holds `layers/`, `images/` and `tmp/`; created. May be shared by several processes. */
  directory: string;
  clock: Clock;
  random: Random;
  logger: Logger;
  /** Whether a container still runs from this image; then `remove` of its last name is refused. */
  isInUse?: (imageId: string) => boolean;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };
const TIME_TICK_MS = 50;

/**
 * Opens the images of a node. Layers are directories shared between images; an import becomes
 * visible by renaming, so a crash leaves at most rubbish that the next opening removes.
 */
export async function createImageStore(options: ImageStoreOptions): Promise<ImageStore> {
  const { directory, clock, random, logger } = options;
  for (const name of ["layers", "images", "tmp"]) {
    await mkdir(path.join(directory, name), { recursive: true, mode: 0o700 });
  }
  const lock = createStoreLock(path.join(directory, "lock"), clock);
  const folder = path.join(directory, "images");
  let records = new Map<string, ImageRecord>();
  let loaded = { changedMs: Number.NaN, final: false };
  /** Reads the records again if some process may have changed one: each does so by a rename. */
  const load = () => {
    const changedMs = statSync(folder).mtimeMs;
    if (loaded.final && changedMs === loaded.changedMs) return;
    records = readRecords(directory);
    // A directory's time is coarse: within one tick, a later change may not show in it.
    loaded = { changedMs, final: clock.now() - changedMs > TIME_TICK_MS };
  };

  load();
  await lock.tryRun(async () => {
    const tmp = path.join(directory, "tmp");
    for (const name of await readdir(tmp)) {
      await rm(path.join(tmp, name), { recursive: true, force: true });
    }
    const removed = await removeUnusedLayers(directory, records.values());
    if (removed > 0) logger.info("removed layers of no image", { removed });
  });

  const local = (record: ImageRecord): LocalImage => toLocalImage(directory, record);
  const find = (reference: string): ImageRecord | undefined => {
    if (records.has(reference)) return records.get(reference);
    const parsed = parseReference(reference);
    if (!parsed) return undefined;
    const { digest, ...named } = parsed;
    // With a digest, a tag beside it is a comment.
    if (digest) return [...records.values()].find((record) => record.digests.includes(digest));
    const name = formatReference(named);
    return [...records.values()].find((record) => record.references.includes(name));
  };

  /** Gives `references` to this image alone. */
  const claim = async (record: ImageRecord) => {
    for (const other of records.values()) {
      const kept = other.references.filter((name) => !record.references.includes(name));
      if (other.id === record.id || kept.length === other.references.length) continue;
      const changed = { ...other, references: kept };
      await writeRecord(directory, changed, random);
      records.set(other.id, changed);
    }
    const known = records.get(record.id);
    const union = (a: readonly string[] = [], b: readonly string[]) => [...new Set([...a, ...b])];
    const merged = {
      ...record,
      references: union(known?.references, record.references),
      digests: union(known?.digests, record.digests),
    };
    await writeRecord(directory, merged, random);
    records.set(merged.id, merged);
    return merged;
  };

  const present = (reference: string, policy: string): LocalImage => {
    load();
    if (!records.has(reference) && !parseReference(reference)) {
      throw new ImageError("invalid-reference", `Image name "${reference}" is malformed`);
    }
    // Without a registry, "Always" is satisfied by what is here.
    const record = find(reference);
    if (record) return local(record);
    if (policy === "Never") {
      const message = `Image "${reference}" is absent, and its pull policy is Never`;
      throw new ImageError("not-found", message);
    }
    throw new ImageError(
      "pull-failed",
      `Cannot pull image "${reference}": this node has no registry; ` +
        `import it with "nephos image import FILE"`,
    );
  };

  return {
    find(reference) {
      load();
      const record = find(reference);
      return record && local(record);
    },
    list() {
      load();
      return [...records.values()].map(local);
    },
    onChange(handler) {
      const watcher = watch(folder, { persistent: false }, handler);
      watcher.on("error", (error) => logger.warn("cannot watch for new images", { error }));
      return { [Symbol.dispose]: () => watcher.close() };
    },

    import: (file, { name, signal } = {}) =>
      lock.run(async () => {
        load();
        const architecture = ARCHITECTURES[arch()] ?? arch();
        const context = { directory, random, architecture, logger };
        const request = { file, ...(name && { name }), ...(signal && { signal }) };
        const imported: LocalImage[] = [];
        try {
          for (const record of await importImages(request, context)) {
            imported.push(local(await claim(record)));
          }
        } catch (error) {
          await removeUnusedLayers(directory, records.values());
          throw error;
        }
        return imported;
      }),

    ensure: async (reference, policy) => await Promise.resolve(present(reference, policy)),

    remove: (reference) =>
      lock.run(async () => {
        load();
        const record = find(reference);
        if (!record) throw new ImageError("not-found", `Image "${reference}" is absent`);
        const parsed = records.has(reference) ? undefined : parseReference(reference);
        const name = parsed && formatReference(parsed);
        const kept = name ? record.references.filter((other) => other !== name) : [];
        if (kept.length > 0) {
          const changed = { ...record, references: kept };
          await writeRecord(directory, changed, random);
          records.set(record.id, changed);
          return;
        }
        if (options.isInUse?.(record.id)) {
          const message = `Cannot remove image "${reference}": a container runs from it`;
          throw new ImageError("in-use", message);
        }
        await rm(path.join(directory, "images", `${record.id.slice(7)}.json`), { force: true });
        records.delete(record.id);
        await removeUnusedLayers(directory, records.values());
      }),
  };
}
