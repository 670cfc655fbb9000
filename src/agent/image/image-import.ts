import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import {
  choosePlatform,
  type Descriptor,
  type ImageConfiguration,
  type ImageManifest,
  isIndex,
  ManifestError,
  MEDIA_TYPES,
  parseConfiguration,
  parseDockerManifest,
  parseIndex,
  parseManifest,
} from "../../format/oci/image-manifest.ts";
import { formatReference, parseReference } from "../../format/oci/reference.ts";
import { TarError } from "../../format/tar/tar-header.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Random } from "../../lib/random.ts";
import { syncFileSystem } from "../../sys/file.ts";
import { type ImageConfig, ImageError } from "./contract.ts";
import { type ImageRecord, layerDirectory, temporaryName } from "./image-record.ts";
import { blobName, type ImageSource, openImageSource, readBlob } from "./image-source.ts";
import { unpackLayer } from "./layer-unpacker.ts";

/** What to import: `name` replaces the names in the archive. */
export interface ImportRequest {
  file: string;
  name?: string;
  signal?: AbortSignal;
}

/** Where to. */
export interface ImportContext {
  directory: string;
  random: Random;
  architecture: string;
  logger: Logger;
}

interface FoundImage {
  names: string[];
  digests: string[];
  configDigest: string;
  configuration: ImageConfiguration;
  /** File in the source, and the digest that its bytes must have, lowest layer first. */
  layers: { file: string; digest?: string }[];
}

const INDEX_DEPTH_MAX = 3;
const NAME_ANNOTATIONS = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];
const GUNZIP_BYTES = 256 * 1024;
const ZSTD_MAGIC = 0xfd2fb528;

/**
 * Unpacks every layer of the images in `request.file` that is not here yet; the records are the
 * caller's to write. @throws ImageError
 */
export async function importImages(
  request: ImportRequest,
  context: ImportContext,
): Promise<ImageRecord[]> {
  const fixed = request.name === undefined ? undefined : normalName(request.name);
  if (request.name !== undefined && fixed === undefined) {
    throw new ImageError("invalid-reference", `Image name "${request.name}" is malformed`);
  }
  try {
    const source = await openImageSource(request.file);
    const found = await findImages(source, context.architecture);
    if (fixed && found.length > 1) {
      const message = `Archive "${request.file}" holds ${found.length} images: name none or one`;
      throw new ImageError("invalid-archive", message);
    }
    const records: ImageRecord[] = [];
    for (const image of found) {
      const sizeBytes = await importLayers(image, { source, request, context });
      records.push({
        id: image.configDigest,
        references: fixed ? [fixed] : image.names,
        digests: image.digests,
        sizeBytes,
        config: toConfig(image.configuration),
        diffIds: image.configuration.rootfs.diff_ids,
      });
    }
    // Renames may reach the disk before the data that they are about.
    const fd = openSync(context.directory, "r");
    await syncFileSystem(fd).finally(() => closeSync(fd));
    return records;
  } catch (error) {
    throw toImageError(error, request.file);
  }
}

function normalName(name: string): string | undefined {
  const parsed = parseReference(name);
  return parsed && formatReference(parsed);
}

async function findImages(source: ImageSource, architecture: string): Promise<FoundImage[]> {
  const index = await source.document("index.json");
  const manifest = await source.document("manifest.json");
  if (index !== undefined) return findOciImages(source, { index, architecture });
  if (manifest !== undefined) return findDockerImages(source, manifest);
  throw new ImageError("invalid-archive", "Archive has neither index.json nor manifest.json");
}

async function findOciImages(
  source: ImageSource,
  { index, architecture }: { index: string; architecture: string },
): Promise<FoundImage[]> {
  const images = new Map<string, FoundImage>();
  for (const descriptor of parseIndex(index)) {
    const { manifest, digests } = await resolveManifest(source, descriptor, architecture);
    const known = images.get(manifest.config.digest);
    const image = known ?? {
      names: [],
      digests,
      configDigest: manifest.config.digest,
      configuration: parseConfiguration(await readBlob(source, manifest.config.digest)),
      layers: manifest.layers.map((layer) => {
        if (layer.mediaType.includes("zstd")) throw zstdRefused();
        return { file: blobName(layer.digest), digest: layer.digest };
      }),
    };
    image.names.push(...annotatedNames(descriptor));
    images.set(manifest.config.digest, image);
  }
  return [...images.values()].map(checkLayers);
}

/** Follows indexes to the manifest of this platform; collects the digests on the way. */
async function resolveManifest(
  source: ImageSource,
  descriptor: Descriptor,
  architecture: string,
): Promise<{ manifest: ImageManifest; digests: string[] }> {
  const digests: string[] = [];
  let current = descriptor;
  for (let depth = 0; isIndex(current); depth++) {
    if (depth >= INDEX_DEPTH_MAX) {
      throw new ImageError("invalid-archive", "Image index is nested too deeply");
    }
    digests.push(current.digest);
    const choice = choosePlatform(parseIndex(await readBlob(source, current.digest)), architecture);
    if (!choice) {
      const message = `Archive holds no image for linux/${architecture}`;
      throw new ImageError("invalid-archive", message);
    }
    current = choice;
  }
  const known: readonly string[] = [MEDIA_TYPES.manifest, MEDIA_TYPES.dockerManifest];
  if (!known.includes(current.mediaType)) {
    const message = `Cannot import ${current.digest}: media type ${current.mediaType}`;
    throw new ImageError("unsupported-media-type", message);
  }
  digests.push(current.digest);
  return { manifest: parseManifest(await readBlob(source, current.digest)), digests };
}

/** Names in annotations; a bare tag, as some tools write it, names no image. */
function annotatedNames(descriptor: Descriptor): string[] {
  const written = NAME_ANNOTATIONS.map((key) => descriptor.annotations?.[key]);
  const name = written.find((value) => value !== undefined && /[/:]/.test(value));
  const normal = name === undefined ? undefined : normalName(name);
  return normal ? [normal] : [];
}

async function findDockerImages(source: ImageSource, manifest: string): Promise<FoundImage[]> {
  const images: FoundImage[] = [];
  for (const { Config, RepoTags, Layers } of parseDockerManifest(manifest)) {
    const text = await source.document(Config);
    if (text === undefined) throw new ImageError("invalid-archive", `Archive lacks "${Config}"`);
    images.push({
      names: (RepoTags ?? []).flatMap((tag) => normalName(tag) ?? []),
      digests: [],
      configDigest: `sha256:${createHash("sha256").update(text).digest("hex")}`,
      configuration: parseConfiguration(text),
      layers: Layers.map((file) => ({ file })),
    });
  }
  return images.map(checkLayers);
}

function checkLayers(image: FoundImage): FoundImage {
  const { os, rootfs } = image.configuration;
  if (os !== undefined && os !== "linux") {
    throw new ImageError("unsupported-media-type", `Image is for ${os}, not linux`);
  }
  if (rootfs.diff_ids.length !== image.layers.length) {
    const message = "Image configuration and manifest differ in their number of layers";
    throw new ImageError("invalid-archive", message);
  }
  return image;
}

interface LayerJob {
  source: ImageSource;
  request: ImportRequest;
  context: ImportContext;
}

/** Returns the unpacked size of the image. */
async function importLayers(image: FoundImage, job: LayerJob): Promise<number> {
  const { directory, logger } = job.context;
  let total = 0;
  for (const [at, diffId] of image.configuration.rootfs.diff_ids.entries()) {
    const layer = image.layers[at];
    const target = path.dirname(layerDirectory(directory, diffId));
    const sizeFile = path.join(target, "size");
    if (layer && !existsSync(target)) {
      await importLayer({ ...layer, diffId, target }, job);
      logger.debug("unpacked layer", { diffId });
    }
    total += Number(await readFile(sizeFile, "utf8"));
  }
  return total;
}

async function importLayer(
  layer: { file: string; digest?: string; diffId: string; target: string },
  { source, request, context }: LayerJob,
): Promise<void> {
  const temporary = path.join(context.directory, "tmp", temporaryName(context.random));
  const root = path.join(temporary, "fs");
  await mkdir(root, { recursive: true, mode: 0o755 });
  try {
    const blobHash = createHash("sha256");
    const diffHash = createHash("sha256");
    const stored = hashed(source.stream(layer.file), blobHash, request.signal);
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
    await rename(temporary, layer.target);
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

/** Tells gzip by its first bytes, as archives of `docker save` do not say. */
async function* decompressed(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = stream[Symbol.asyncIterator]();
  try {
    const first = await iterator.next();
    if (first.done) return;
    const head = Buffer.from(first.value.subarray(0, 4));
    if (head.length === 4 && head.readUInt32LE(0) === ZSTD_MAGIC) throw zstdRefused();
    const whole = (async function* (): AsyncGenerator<Uint8Array> {
      yield first.value;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
        yield next.value;
      }
    })();
    if (head.length < 2 || head.readUInt16BE(0) !== 0x1f8b) yield* whole;
    else yield* gunzipped(whole);
  } finally {
    await iterator.return?.();
  }
}

async function* gunzipped(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = Readable.from(stream);
  const gunzip = createGunzip({ chunkSize: GUNZIP_BYTES });
  input.on("error", (error) => gunzip.destroy(error));
  try {
    yield* input.pipe(gunzip) as AsyncIterable<Uint8Array>;
  } finally {
    input.destroy();
  }
}

function zstdRefused(): ImageError {
  return new ImageError(
    "unsupported-media-type",
    "Layers compressed by zstd are not supported: write the image with gzip layers",
  );
}

function toConfig({ config = {} }: ImageConfiguration): ImageConfig {
  const volumes = Object.keys(config.Volumes ?? {});
  return {
    ...(config.Entrypoint && { entrypoint: config.Entrypoint }),
    ...(config.Cmd && { command: config.Cmd }),
    ...(config.Env && { environment: config.Env }),
    ...(config.WorkingDir && { workingDirectory: config.WorkingDir }),
    ...(config.User && { user: config.User }),
    ...(config.StopSignal && { stopSignal: config.StopSignal }),
    ...(volumes.length > 0 && { volumes }),
  };
}

function toImageError(error: unknown, file: string): unknown {
  if (error instanceof ImageError) return error;
  const cause = error as NodeJS.ErrnoException;
  if (cause.name === "AbortError") return error;
  if (cause.code === "ENOSPC" || cause.code === "EDQUOT") {
    const message = `Cannot import "${file}": no space is left for its layers`;
    return new ImageError("disk-full", message, { cause });
  }
  const malformed = error instanceof TarError || error instanceof ManifestError;
  const hostile = ["ENOTDIR", "EXDEV", "ELOOP", "EEXIST", "EISDIR", "ENOENT", "ENAMETOOLONG"];
  if (malformed || cause.code?.startsWith("Z_") || hostile.includes(cause.code ?? "")) {
    const message = `Cannot import "${file}": ${cause.message}`;
    return new ImageError("invalid-archive", message, { cause });
  }
  return error;
}
