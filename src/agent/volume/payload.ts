import type {
  ConfigMap,
  ConfigMapProjection,
  DownwardAPIProjection,
  KeyToPath,
  Pod,
  Secret,
  SecretProjection,
  Volume,
  VolumeProjection,
} from "../../api/generated/types/core-v1.ts";
import { type DownwardFacts, podField, resourceField } from "../field-reference.ts";
import type { VolumeFile } from "./atomic-directory.ts";
import { VolumeError } from "./contract.ts";

/** What the files of a volume are made from, as far as it is known now. */
export interface PayloadSources {
  pod: Pod;
  facts: DownwardFacts;
  /** Undefined while the object does not exist. */
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
  /** The current token of a projection, by its index in `sources`. */
  token(index: number): string;
}

const DEFAULT_MODE = 0o644;
const PRIVATE_MODE = 0o600;

/** Objects that a volume reads, by name. */
export interface VolumeReferences {
  configMaps: string[];
  secrets: string[];
}

/** Projections that a volume consists of; `undefined` when the agent does not write its files. */
export function projectionsOf(volume: Volume): VolumeProjection[] | undefined {
  if (volume.projected) return volume.projected.sources ?? [];
  if (volume.configMap) return [{ configMap: volume.configMap }];
  if (volume.downwardAPI) return [{ downwardAPI: volume.downwardAPI }];
  if (volume.secret) {
    const { secretName, items, optional } = volume.secret;
    const secret: SecretProjection = {
      ...(secretName === undefined ? {} : { name: secretName }),
      ...(items ? { items } : {}),
      ...(optional === undefined ? {} : { optional }),
    };
    return [{ secret }];
  }
  return undefined;
}

/** Names of the objects that the projections read. */
export function referencesOf(projections: readonly VolumeProjection[]): VolumeReferences {
  return {
    configMaps: projections.flatMap(({ configMap }) => (configMap?.name ? [configMap.name] : [])),
    secrets: projections.flatMap(({ secret }) => (secret?.name ? [secret.name] : [])),
  };
}

/** All files of a volume. @throws VolumeError "not-found" for an absent object or key */
export function payloadOf(volume: Volume, sources: PayloadSources): Map<string, VolumeFile> {
  const files = new Map<string, VolumeFile>();
  const source = volume.projected ?? volume.configMap ?? volume.secret ?? volume.downwardAPI;
  const defaultMode = source?.defaultMode ?? DEFAULT_MODE;
  (projectionsOf(volume) ?? []).forEach((projection, index) => {
    const { configMap, secret, downwardAPI, serviceAccountToken } = projection;
    if (configMap) addConfigMap(files, { projection: configMap, sources, defaultMode });
    if (secret) addSecret(files, { projection: secret, sources, defaultMode });
    if (downwardAPI) addDownward(files, { projection: downwardAPI, sources, defaultMode });
    if (serviceAccountToken) {
      const bytes = Buffer.from(sources.token(index));
      files.set(serviceAccountToken.path, { bytes, ...tokenAccess(sources.pod, defaultMode) });
    }
  });
  return files;
}

/**
 * Who may read a token: only the user that all containers run as, where there is one, and the group
 * that owns volumes.
 */
function tokenAccess({ spec }: Pod, mode: number): Pick<VolumeFile, "mode" | "userId"> {
  const all = [
    ...(spec?.initContainers ?? []),
    ...(spec?.containers ?? []),
    ...(spec?.ephemeralContainers ?? []),
  ];
  const { runAsUser, fsGroup } = spec?.securityContext ?? {};
  const users = new Set(all.map(({ securityContext }) => securityContext?.runAsUser ?? runAsUser));
  const [userId] = users;
  if (users.size === 1 && userId !== undefined) return { mode: PRIVATE_MODE, userId };
  return { mode: fsGroup === undefined ? mode : PRIVATE_MODE };
}

interface Addition<P> {
  projection: P;
  sources: PayloadSources;
  defaultMode: number;
}

function addConfigMap(
  files: Map<string, VolumeFile>,
  { projection, sources, defaultMode }: Addition<ConfigMapProjection>,
): void {
  const { name = "", items, optional = false } = projection;
  const found = sources.configMap(name);
  if (!found) {
    if (optional) return;
    throw new VolumeError("not-found", `configmap "${name}" not found`);
  }
  const contents = new Map<string, Uint8Array>();
  for (const [key, text] of Object.entries(found.data ?? {})) contents.set(key, Buffer.from(text));
  for (const [key, text] of Object.entries(found.binaryData ?? {})) {
    contents.set(key, Buffer.from(text, "base64"));
  }
  addKeys(files, {
    contents,
    items,
    optional,
    defaultMode,
    what: "configmap references non-existent config",
  });
}

function addSecret(
  files: Map<string, VolumeFile>,
  { projection, sources, defaultMode }: Addition<SecretProjection>,
): void {
  const { name = "", items, optional = false } = projection;
  const found = sources.secret(name);
  if (!found) {
    if (optional) return;
    throw new VolumeError("not-found", `secret "${name}" not found`);
  }
  const contents = new Map<string, Uint8Array>();
  for (const [key, text] of Object.entries(found.data ?? {})) {
    contents.set(key, Buffer.from(text, "base64"));
  }
  addKeys(files, {
    contents,
    items,
    optional,
    defaultMode,
    what: "references non-existent secret",
  });
}

function addKeys(
  files: Map<string, VolumeFile>,
  options: {
    contents: ReadonlyMap<string, Uint8Array>;
    items: readonly KeyToPath[] | undefined;
    optional: boolean;
    defaultMode: number;
    what: string;
  },
): void {
  const { contents, items, optional, defaultMode, what } = options;
  if (!items || items.length === 0) {
    for (const [key, bytes] of contents) files.set(key, { bytes, mode: defaultMode });
    return;
  }
  for (const { key, path, mode = defaultMode } of items) {
    const bytes = contents.get(key);
    if (bytes) files.set(path, { bytes, mode });
    else if (!optional) {
      throw new VolumeError("not-found", `${what} key: ${key}`);
    }
  }
}

function addDownward(
  files: Map<string, VolumeFile>,
  { projection, sources, defaultMode }: Addition<DownwardAPIProjection>,
): void {
  const { pod, facts } = sources;
  for (const { path, fieldRef, resourceFieldRef, mode = defaultMode } of projection.items ?? []) {
    let text = "";
    if (fieldRef) text = podField(pod, fieldRef.fieldPath, facts);
    if (resourceFieldRef) {
      const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
      const container = containers.find(({ name }) => name === resourceFieldRef.containerName);
      if (!container) {
        const name = resourceFieldRef.containerName;
        throw new VolumeError("invalid", `container "${name}" of the downward API does not exist`);
      }
      text = resourceField(container, resourceFieldRef, facts);
    }
    files.set(path, { bytes: Buffer.from(text), mode });
  }
}
