import { readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { Random } from "../../lib/random.ts";
import type { ImageFailpoint } from "./failpoints.ts";
import { type ImageRecord, temporaryName } from "./image-record.ts";

/** A store whose lock the caller holds: what no record names belongs to nobody else then. */
export interface SweptStore {
  directory: string;
  records: Iterable<ImageRecord>;
  random: Random;
  failpoint: ImageFailpoint;
}

/**
 * Removes the layers that no record names; returns how many. Each is out of sight before its files
 * go: half of a layer is never found as a layer.
 */
export async function removeUnusedLayers(store: SweptStore): Promise<number> {
  const { directory, failpoint } = store;
  const used = new Set(
    [...store.records].flatMap(({ diffIds }) => diffIds.map((id) => id.slice(7))),
  );
  const folder = path.join(directory, "layers");
  const unused = (await readdir(folder)).filter((name) => !used.has(name));
  for (const name of unused) {
    const condemned = path.join(directory, "tmp", temporaryName(store.random));
    await rename(path.join(folder, name), condemned);
    failpoint("layer-condemned");
    await rm(condemned, { recursive: true, force: true });
    failpoint("layer-removed");
  }
  return unused.length;
}

/** Removes what processes left that died at their work. Returns how many layers went. */
export async function sweepStore(store: SweptStore): Promise<number> {
  const tmp = path.join(store.directory, "tmp");
  for (const name of await readdir(tmp)) {
    await rm(path.join(tmp, name), { recursive: true, force: true });
  }
  return await removeUnusedLayers(store);
}

/** Removes parts of downloads that nobody has gone on with since then. */
export async function removeAbandoned(folder: string, beforeMs: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name);
    const found = await stat(file).catch(() => undefined);
    if (found && found.mtimeMs < beforeMs) await rm(file, { force: true });
  }
}
