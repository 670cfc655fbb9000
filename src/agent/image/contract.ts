import type { KeyringEntry } from "../../format/oci/registry-credentials.ts";

/** An image that is complete on this node. */
export interface LocalImage {
  /** Digest of the image configuration: "sha256:...". */
  id: string;
  /** Names such as "docker.io/library/redis:7"; empty for a dangling image. */
  references: readonly string[];
  /** "localhost:5000/app@sha256:...", the one that was pulled last first; absent when imported. */
  repoDigests?: readonly string[];
  sizeBytes: number;
  config: ImageConfig;
  /** Unpacked layers on the host, lowest first; read-only. */
  layerPaths: readonly string[];
}

/** What an image says about how to run it (OCI image spec, config). */
export interface ImageConfig {
  entrypoint?: readonly string[];
  command?: readonly string[];
  /** "NAME=value". */
  environment?: readonly string[];
  workingDirectory?: string;
  /** "user", "uid", "user:group", as in the image. */
  user?: string;
  stopSignal?: string;
  volumes?: readonly string[];
}

/** `imagePullPolicy` of a container. */
export type PullPolicy = "Always" | "IfNotPresent" | "Never";

/** On whose behalf an image is pulled. */
export interface PullOptions {
  /** Credentials of registries; those that are for the image are tried. */
  keyring?: readonly KeyringEntry[];
  signal?: AbortSignal;
  /** Called when its turn has come, after those that were asked for before. */
  onTurn?: () => void;
}

/** How a node spares its registries. */
export interface PullRules {
  /** Further pulls wait. */
  atOnceMax: number;
  /** Pulls beyond it fail, to be tried again later. */
  rate: { perSecond: number; burst: number };
}

/** The images of this node. */
export interface ImageStore {
  /**
   * Finds by id or by reference; "redis" means "docker.io/library/redis:latest", as in Docker. Sees
   * at once what another process imported or removed.
   */
  find(reference: string): LocalImage | undefined;
  list(): LocalImage[];
  /** Called when images may have come or gone, by whichever process. */
  onChange(handler: () => void): Disposable;
  /**
   * Imports an OCI image layout or `docker save` archive (a tar file, or an OCI layout directory).
   * Idempotent; a broken or interrupted import leaves nothing.
   * @throws ImageError "invalid-archive", "digest-mismatch", "unsupported-media-type", "disk-full"
   */
  import(file: string, options?: { name?: string; signal?: AbortSignal }): Promise<LocalImage[]>;
  /** Whether `ensure` would ask a registry; an imported name satisfies every policy. */
  wouldPull(reference: string, policy: PullPolicy): boolean;
  /**
   * Makes the image present by the pull policy. "Always" asks the registry what the name stands for
   * now, but for a name that was imported here: it stays until it is removed or pulled. An import
   * of the name ends a pull of it that still goes on.
   * @throws ImageError "not-found", "pull-failed", "unreached", "digest-mismatch", ...
   */
  ensure(reference: string, policy: PullPolicy, options?: PullOptions): Promise<LocalImage>;
  /** Asks the registry, whatever is here. @throws ImageError as `ensure` does */
  pull(reference: string, options?: PullOptions): Promise<LocalImage>;
  /** Removes a reference, and the layers that nobody else uses. @throws ImageError "in-use" */
  remove(reference: string): Promise<void>;
  /**
   * Takes back the disk of what processes left that died at their work, and of downloads that
   * nobody has gone on with for so long (a day). Leaves it for later while the store is changed.
   */
  sweep(options?: { abandonedAfterMs?: number }): Promise<void>;
}

/** Removes images that no container needs, until disposed. */
export interface ImageCollector extends AsyncDisposable {
  /** All that are old enough, for a node that is short of disk. Returns how many went. */
  collectAll(): Promise<number>;
}

/** When unused images are removed. */
export interface ImageCollectionRules {
  /** Share of the disk, 0 to 100, from which on images are removed, ... */
  highPercent: number;
  /** ... and down to which. */
  lowPercent: number;
  /** A younger image stays. */
  minimumAgeMs: number;
  /** One that was unused for so long goes whatever the disk has left; 0 is never. */
  maximumAgeMs: number;
}

/** A refusal of the image store, worded for the pod's status. */
export class ImageError extends Error {
  readonly code: ImageErrorCode;

  constructor(code: ImageErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "ImageError";
    this.code = code;
  }
}

/**
 * "invalid-reference" is the pod's `InvalidImageName`; "not-found", "pull-failed" and "unreached",
 * where no connection came about, are pulls.
 */
export type ImageErrorCode =
  | "invalid-archive"
  | "invalid-reference"
  | "digest-mismatch"
  | "unsupported-media-type"
  | "disk-full"
  | "not-found"
  | "pull-failed"
  | "unreached"
  | "in-use";
