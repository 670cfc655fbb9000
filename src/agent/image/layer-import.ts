import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Logger } from "../../lib/logger.ts";
import type { Random } from "../../lib/random.ts";
import { ImageError } from "./contract.ts";
import { decompressed } from "./decompress.ts";
import type { ImageFailpoint } from "./failpoints.ts";
import type { FoundImage, FoundLayer } from "./find-images.ts";
import { layerDirectory, temporaryName } from "./image-record.ts";
import type { ImageSource } from "./image-source.ts";
import { unpackLayer } from "./layer-unpacker.ts";

/** Where layers go. */
export interface ImportContext {
  directory: string;
  random: Random;
  architecture: string;
  logger: Logger;
  failpoint: ImageFailpoint;
}

/** Where they come from, and where they go. */
export interface LayerJob {
  source: ImageSource;
  context: ImportContext;
  signal?: AbortSignal | undefined;
}

/** Whether the layer is here already, unpacked. */
export function hasLayer(directory: string, diffId: string): boolean {
  return existsSync(path.dirname(layerDirectory(directory, diffId)));
}

/** Unpacks the layers that are not here yet. Returns the unpacked size of the image. */
export async function importLayers(image: FoundImage, job: LayerJob): Promise<number> {
  const { directory, logger } = job.context;
  let total = 0;
  for (const [at, diffId] of image.configuration.rootfs.diff_ids.entries()) {
    const layer = image.layers[at];
    const target = path.dirname(layerDirectory(directory, diffId));
    const sizeFile = path.join(target, "size");
    if (layer && !hasLayer(directory, diffId)) {
      await importLayer({ ...layer, diffId, target }, job);
      logger.debug("unpacked layer", { diffId });
    }
    total += Number(await readFile(sizeFile, "utf8"));
  }
  return total;
}

async function importLayer(
  layer: FoundLayer & { diffId: string; target: string },
  { source, context, signal }: LayerJob,
): Promise<void> {
  const temporary = path.join(context.directory, "tmp", temporaryName(context.random));
  const root = path.join(temporary, "fs");
  await mkdir(root, { recursive: true, mode: 0o755 });
  context.failpoint("layer-begun");
  try {
    const blobHash = createHash("sha256");
    const diffHash = createHash("sha256");
    const stored = hashed(source.stream(layer.file), blobHash, signal);
    const { sizeBytes } = await unpackLayer(hashed(decompressed(stored), diffHash), root);
    const blobDigest = `sha256:${blobHash.digest("hex")}`;
    if (layer.digest !== undefined && blobDigest !== layer.digest) {
      const message = `Layer ${layer.digest} has the digest ${blobDigest}`;
      throw new ImageError("digest-mismatch", message);
    }
    const diffId = `sha256:${diffHash.digest("hex")}`;
    if (diffId !== layer.diffId) {
      const message = `Layer unpacks to ${diffId}, its configuration says ${layer.diffId}`;
      throw new ImageError("digest-mismatch", message);
    }
    await writeFile(path.join(temporary, "size"), String(sizeBytes));
    context.failpoint("layer-unpacked");
    await rename(temporary, layer.target);
    context.failpoint("layer-kept");
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

async function* hashed(
  stream: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) {
    signal?.throwIfAborted();
    hash.update(chunk);
    yield chunk;
  }
}
