import { createHash } from "node:crypto";
import {
  choosePlatform,
  type Descriptor,
  type ImageConfiguration,
  type ImageManifest,
  isIndex,
  MEDIA_TYPES,
  parseConfiguration,
  parseDockerManifest,
  parseIndex,
  parseManifest,
} from "../../format/oci/image-manifest.ts";
import { formatReference, parseReference } from "../../format/oci/reference.ts";
import { ImageError } from "./contract.ts";
import { blobName, type ImageSource, readBlob } from "./image-source.ts";

/** An image of a source, as its documents describe it. */
export interface FoundImage {
  names: string[];
  /** Of the manifest and the indexes that led to it. */
  digests: string[];
  configDigest: string;
  configuration: ImageConfiguration;
  /** Lowest first; as many as the configuration has `diff_ids`. */
  layers: FoundLayer[];
}

/** File in the source, and the digest and size that it must have, as far as they are told. */
export interface FoundLayer {
  file: string;
  digest?: string;
  sizeBytes?: number;
}

const INDEX_DEPTH_MAX = 3;
const NAME_ANNOTATIONS = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];

/** The normal form of an image name; undefined when it is malformed. */
export function normalName(name: string): string | undefined {
  const parsed = parseReference(name);
  return parsed && formatReference(parsed);
}

/** Reads what images a source holds. @throws ImageError, ManifestError */
export async function findImages(source: ImageSource, architecture: string): Promise<FoundImage[]> {
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
      configuration: parseConfiguration(await readBlob(source, manifest.config)),
      layers: manifest.layers.map(({ digest, size }) => ({
        file: blobName(digest),
        digest,
        sizeBytes: size,
      })),
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
    const choice = choosePlatform(parseIndex(await readBlob(source, current)), architecture);
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
  return { manifest: parseManifest(await readBlob(source, current)), digests };
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
