/** Points to a blob. Source: OCI image spec, "Content Descriptors". */
export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  annotations?: Readonly<Record<string, string>>;
  platform?: { architecture: string; os: string; variant?: string };
}

/** An image for one platform. */
export interface ImageManifest {
  config: Descriptor;
  layers: Descriptor[];
}

/** How to run the image, with the field names of the specification. */
export interface ImageConfiguration {
  architecture: string;
  os: string;
  created?: string;
  config?: {
    User?: string;
    Env?: string[];
    Entrypoint?: string[];
    Cmd?: string[];
    WorkingDir?: string;
    Volumes?: Record<string, object>;
    ExposedPorts?: Record<string, object>;
    StopSignal?: string;
    Labels?: Record<string, string>;
  };
  rootfs: { type: "layers"; diff_ids: string[] };
  history?: object[];
}

/** An entry of the `manifest.json` of `docker save`. */
export interface DockerManifest {
  Config: string;
  RepoTags: string[] | null;
  Layers: string[];
}

/** A document that is not what it should be; the message names it and the field. */
export class ManifestError extends Error {
  override readonly name = "ManifestError";
}

/** Media types, those of OCI and the older ones of Docker that mean the same. */
export const MEDIA_TYPES = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
  layerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  dockerIndex: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
} as const;

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const INDEXES: readonly string[] = [MEDIA_TYPES.index, MEDIA_TYPES.dockerIndex];

/** Whether the descriptor points to a list of manifests. */
export function isIndex(descriptor: Descriptor): boolean {
  return INDEXES.includes(descriptor.mediaType);
}

/** Media types of what a registry keeps under `/manifests/`. */
export const MANIFEST_MEDIA_TYPES: readonly string[] = [
  MEDIA_TYPES.index,
  MEDIA_TYPES.manifest,
  MEDIA_TYPES.dockerIndex,
  MEDIA_TYPES.dockerManifest,
];

/** Whether the descriptor points to a manifest or an index. */
export function isManifest(descriptor: Descriptor): boolean {
  return MANIFEST_MEDIA_TYPES.includes(descriptor.mediaType);
}

/** Parses an index or manifest list into its descriptors. @throws ManifestError */
export function parseIndex(text: string): Descriptor[] {
  const manifests = field(parseObject("image index", text), "manifests");
  if (!Array.isArray(manifests)) throw new ManifestError("Image index lacks manifests");
  return manifests.map((value) => parseDescriptor("image index", value));
}

/** Parses a manifest. @throws ManifestError */
export function parseManifest(text: string): ImageManifest {
  const object = parseObject("image manifest", text);
  const layers = field(object, "layers");
  if (!Array.isArray(layers)) throw new ManifestError("Image manifest lacks layers");
  return {
    config: parseDescriptor("image manifest", field(object, "config")),
    layers: layers.map((value) => parseDescriptor("image manifest", value)),
  };
}

/** Parses an image configuration. @throws ManifestError */
export function parseConfiguration(text: string): ImageConfiguration {
  const object = parseObject("image configuration", text);
  const rootfs = field(object, "rootfs");
  const ids = isObject(rootfs) ? field(rootfs, "diff_ids") : undefined;
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === "string" && DIGEST.test(id))) {
    throw new ManifestError("Image configuration lacks rootfs.diff_ids");
  }
  const config = field(object, "config") ?? {};
  if (!isObject(config)) throw new ManifestError("Image configuration has a malformed config");
  for (const name of ["Env", "Entrypoint", "Cmd"]) {
    const list = field(config, name) ?? [];
    if (!Array.isArray(list) || !list.every((item) => typeof item === "string")) {
      throw new ManifestError(`Image configuration has a malformed config.${name}`);
    }
  }
  for (const name of ["User", "WorkingDir", "StopSignal"]) {
    if (!["string", "undefined"].includes(typeof (field(config, name) ?? undefined))) {
      throw new ManifestError(`Image configuration has a malformed config.${name}`);
    }
  }
  return object as unknown as ImageConfiguration;
}

/** Parses the `manifest.json` of `docker save`. @throws ManifestError */
export function parseDockerManifest(text: string): DockerManifest[] {
  const value = parseJson("manifest.json", text);
  if (!Array.isArray(value)) throw new ManifestError("manifest.json is not a list");
  for (const item of value as unknown[]) {
    const layers = isObject(item) ? field(item, "Layers") : undefined;
    const tags = isObject(item) ? (field(item, "RepoTags") ?? []) : undefined;
    const sound =
      isObject(item) &&
      typeof field(item, "Config") === "string" &&
      isStrings(layers) &&
      isStrings(tags);
    if (!sound) throw new ManifestError("manifest.json has a malformed entry");
  }
  return value as DockerManifest[];
}

/** The descriptor for this platform: the exact one, else one that names none. */
export function choosePlatform(
  descriptors: readonly Descriptor[],
  architecture: string,
): Descriptor | undefined {
  const exact = descriptors.find(
    ({ platform }) => platform?.os === "linux" && platform.architecture === architecture,
  );
  return exact ?? descriptors.find(({ platform }) => platform === undefined);
}

function parseDescriptor(what: string, value: unknown): Descriptor {
  if (!isObject(value)) throw new ManifestError(`${what} has a malformed descriptor`);
  const digest = field(value, "digest");
  if (typeof digest !== "string" || !DIGEST.test(digest)) {
    throw new ManifestError(`${what} has a digest that is not sha256: ${String(digest)}`);
  }
  if (typeof field(value, "mediaType") !== "string") {
    throw new ManifestError(`${what} has a descriptor without mediaType`);
  }
  if (!Number.isSafeInteger(field(value, "size"))) {
    throw new ManifestError(`${what} has a descriptor without size`);
  }
  return value as unknown as Descriptor;
}

function parseObject(what: string, text: string): Record<string, unknown> {
  const value = parseJson(what, text);
  if (!isObject(value)) throw new ManifestError(`${what} is not an object`);
  return value;
}

function parseJson(what: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new ManifestError(`${what} is not JSON`, { cause });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function field(object: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
