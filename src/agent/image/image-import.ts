import { closeSync, openSync } from "node:fs";
import path from "node:path";
import type { ImageConfiguration } from "../../format/oci/image-manifest.ts";
import { ManifestError } from "../../format/oci/image-manifest.ts";
import { TarError } from "../../format/tar/tar-header.ts";
import { syncFileSystem } from "../../sys/file.ts";
import { ZstdError } from "../../sys/zstd.ts";
import { type ImageConfig, ImageError } from "./contract.ts";
import { type FoundImage, findImages, normalName } from "./find-images.ts";
import { type ImageRecord, temporaryName } from "./image-record.ts";
import { openImageSource } from "./image-source.ts";
import { type ImportContext, importLayers, type LayerJob } from "./layer-import.ts";

/** What to import: `name` replaces the names in the archive. */
export interface ImportRequest {
  file: string;
  name?: string;
  signal?: AbortSignal;
}

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
    await using source = await openImageSource(request.file, {
      temporary: () => path.join(context.directory, "tmp", temporaryName(context.random)),
      signal: request.signal,
    });
    context.failpoint("archive-decompressed");
    const found = await findImages(source, context.architecture);
    if (fixed && found.length > 1) {
      const message = `Archive "${request.file}" holds ${found.length} images: name none or one`;
      throw new ImageError("invalid-archive", message);
    }
    const named = fixed ? found.map((image) => ({ ...image, names: [fixed] })) : found;
    return await importFound(named, { source, context, signal: request.signal });
  } catch (error) {
    throw toImageError(error, request.file);
  }
}

/** Unpacks the missing layers of images that were found in `job.source`, durably. */
export async function importFound(
  images: readonly FoundImage[],
  job: LayerJob,
): Promise<ImageRecord[]> {
  const records: ImageRecord[] = [];
  for (const image of images) {
    const sizeBytes = await importLayers(image, job);
    records.push({
      id: image.configDigest,
      references: image.names,
      digests: image.digests,
      sizeBytes,
      config: toConfig(image.configuration),
      diffIds: image.configuration.rootfs.diff_ids,
    });
  }
  // Renames may reach the disk before the data that they are about.
  const fd = openSync(job.context.directory, "r");
  await syncFileSystem(fd).finally(() => closeSync(fd));
  job.context.failpoint("layers-durable");
  return records;
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

/** What was thrown, as the refusal of an import where it is one. */
export function toImageError(error: unknown, file: string): unknown {
  if (error instanceof ImageError) return error;
  const cause = error as NodeJS.ErrnoException;
  if (cause.name === "AbortError") return error;
  if (cause.code === "ENOSPC" || cause.code === "EDQUOT") {
    const message = `Cannot import "${file}": no space is left for its layers`;
    return new ImageError("disk-full", message, { cause });
  }
  const malformed =
    error instanceof TarError || error instanceof ManifestError || error instanceof ZstdError;
  const hostile = ["ENOTDIR", "EXDEV", "ELOOP", "EEXIST", "EISDIR", "ENOENT", "ENAMETOOLONG"];
  if (malformed || cause.code?.startsWith("Z_") || hostile.includes(cause.code ?? "")) {
    const message = `Cannot import "${file}": ${cause.message}`;
    return new ImageError("invalid-archive", message, { cause });
  }
  return error;
}
