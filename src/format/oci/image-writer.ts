import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { type TarInput, writeTar } from "../tar/tar-writer.ts";
import { type Descriptor, type ImageConfiguration, MEDIA_TYPES } from "./image-manifest.ts";

/** An image to write: layers are whole tar archives, lowest first. */
export interface OciArchiveInput {
  layers: readonly Uint8Array[];
  config: ImageConfiguration["config"];
  architecture: string;
  /** Names of the image, such as "docker.io/library/nginx:1.22". */
  references: readonly string[];
  /** Compresses the layers; without it the archive is larger and imports faster. */
  gzip?: boolean;
}

/** An image as a registry keeps it: its manifest, and all blobs, that one included, by digest. */
export interface ImageBlobs {
  manifest: Descriptor;
  blobs: ReadonlyMap<string, Uint8Array>;
}

/** Encodes the documents of an image. The same input gives the same bytes. */
export function encodeImage(input: OciArchiveInput): ImageBlobs {
  const blobs = new Map<string, Uint8Array>();
  const blob = (mediaType: string, bytes: Uint8Array) => {
    const digest = sha256(bytes);
    blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const layers = input.layers.map((layer) =>
    input.gzip
      ? blob(MEDIA_TYPES.layerGzip, gzipSync(layer, { level: 6 }))
      : blob(MEDIA_TYPES.layer, layer),
  );
  const configuration: ImageConfiguration = {
    architecture: input.architecture,
    os: "linux",
    created: "1970-01-01T00:00:00Z",
    config: input.config ?? {},
    rootfs: { type: "layers", diff_ids: input.layers.map(sha256) },
    history: input.layers.map(() => ({ created: "1970-01-01T00:00:00Z" })),
  };
  const manifest = blob(
    MEDIA_TYPES.manifest,
    json({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.manifest,
      config: blob(MEDIA_TYPES.config, json(configuration)),
      layers,
    }),
  );
  return { manifest, blobs };
}

/** Encodes an OCI image layout as a tar archive. The same input gives the same bytes. */
export function writeOciArchive(input: OciArchiveInput): Generator<Uint8Array> {
  const { manifest, blobs } = encodeImage(input);
  const names = input.references.length > 0 ? input.references : [undefined];
  const manifests = names.map((name) => ({
    ...manifest,
    ...(name !== undefined && { annotations: { "org.opencontainers.image.ref.name": name } }),
  }));
  const entries: TarInput[] = [
    file("oci-layout", json({ imageLayoutVersion: "1.0.0" })),
    file("index.json", json({ schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests })),
  ];
  for (const name of ["blobs", "blobs/sha256"])
    entries.push({ name: `${name}/`, type: "directory" });
  for (const [digest, bytes] of [...blobs].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    entries.push(file(`blobs/${digest.replace(":", "/")}`, bytes));
  }
  return writeTar(entries);
}

function json(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function file(name: string, body: Uint8Array): TarInput {
  return { name, type: "file", body };
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
