import { statSync } from "node:fs";
import path from "node:path";
import { formatReference, parseReference } from "../../format/oci/reference.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import type { ImageFailpoint } from "./failpoints.ts";
import { type ImageRecord, readRecords, writeRecord } from "./image-record.ts";

/** The records of a store as this process knows them; changes are for the holder of its lock. */
export interface ImageTable {
  /** Reads the records again if some process may have changed one. */
  load(): void;
  all(): ImageRecord[];
  /** By id, by digest or by name, of what was loaded last. */
  find(reference: string): ImageRecord | undefined;
  /** Keeps the record and gives its names to it alone. Returns what is known of the image now. */
  claim(record: ImageRecord): Promise<ImageRecord>;
  replace(record: ImageRecord): Promise<void>;
  /** Of a record whose file is gone. */
  forget(id: string): void;
}

const TIME_TICK_MS = 50;

/** Opens the records below `directory`, and reads them. */
export function openImageTable(options: {
  directory: string;
  clock: Clock;
  random: Random;
  failpoint: ImageFailpoint;
}): ImageTable {
  const { directory, clock } = options;
  const folder = path.join(directory, "images");
  let records = new Map<string, ImageRecord>();
  let loaded = { changedMs: Number.NaN, final: false };
  const replace = async (record: ImageRecord) => {
    await writeRecord(directory, record, options);
    records.set(record.id, record);
  };
  const table: ImageTable = {
    load() {
      // Each change of a record ends with a rename.
      const changedMs = statSync(folder).mtimeMs;
      if (loaded.final && changedMs === loaded.changedMs) return;
      records = readRecords(directory);
      // A directory's time is coarse: within one tick, a later change may not show in it.
      loaded = { changedMs, final: clock.now() - changedMs > TIME_TICK_MS };
    },
    all: () => [...records.values()],
    find(reference) {
      const byId = records.get(reference);
      if (byId) return byId;
      const parsed = parseReference(reference);
      if (!parsed) return undefined;
      const { digest, ...named } = parsed;
      // With a digest, a tag beside it is a comment.
      if (digest) return table.all().find((record) => record.digests.includes(digest));
      const name = formatReference(named);
      return table.all().find((record) => record.references.includes(name));
    },
    async claim(record) {
      for (const other of records.values()) {
        if (other.id === record.id) continue;
        const changed = withoutNames(other, record.references);
        if (changed !== other) await replace(changed);
      }
      const merged = merge(records.get(record.id), record);
      await replace(merged);
      return merged;
    },
    replace,
    forget: (id) => void records.delete(id),
  };
  table.load();
  return table;
}

/** The same record when it has none of `names`. */
export function withoutNames(record: ImageRecord, names: readonly string[]): ImageRecord {
  const references = record.references.filter((name) => !names.includes(name));
  if (references.length === record.references.length) return record;
  return { ...record, references, pulled: intersection(record.pulled, references) };
}

/** Names come from where they came last: a registry, or an archive. */
function merge(known: ImageRecord | undefined, added: ImageRecord): ImageRecord {
  const named = new Set(added.references);
  const pulled = (known?.pulled ?? []).filter((name) => !named.has(name));
  return {
    ...added,
    references: union(known?.references, added.references),
    digests: union(known?.digests, added.digests),
    repoDigests: union(added.repoDigests, known?.repoDigests),
    pulled: union(pulled, added.pulled),
  };
}

function union(a: readonly string[] = [], b: readonly string[] = []): string[] {
  return [...new Set([...a, ...b])];
}

function intersection(a: readonly string[] = [], b: readonly string[]): string[] {
  return a.filter((one) => b.includes(one));
}
