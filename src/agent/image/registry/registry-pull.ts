import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { ManifestError } from "../../../format/oci/image-manifest.ts";
import type { ImageReference } from "../../../format/oci/reference.ts";
import {
  credentialsFor,
  type KeyringEntry,
  type RegistryCredentials,
} from "../../../format/oci/registry-credentials.ts";
import type { Clock } from "../../../lib/clock.ts";
import { createSemaphore } from "../../../lib/semaphore.ts";
import { ImageError } from "../contract.ts";
import type { ImageFailpoint } from "../failpoints.ts";
import { type FoundImage, type FoundLayer, findImages } from "../find-images.ts";
import { blobName, type ImageSource } from "../image-source.ts";
import { hasLayer } from "../layer-import.ts";
import { downloadBlob } from "./blob-download.ts";
import type { ProxyRules } from "./proxy-rules.ts";
import type { Registries, RegistryEndpoint } from "./registries-file.ts";
import { RegistryError } from "./registry-error.ts";
import { openRegistrySession, type RegistrySession } from "./registry-session.ts";
import { fetchManifest, registrySource, resolveTag } from "./registry-source.ts";

/** An image that is wanted from wherever it is to be had. */
export interface PullRequest {
  reference: ImageReference;
  keyring: readonly KeyringEntry[];
  signal?: AbortSignal | undefined;
}

/** What a pull needs of the node. */
export interface PullContext {
  registries: Registries;
  proxies: ProxyRules;
  /** Of the image store. */
  directory: string;
  architecture: string;
  /** Whether an image with this digest of a manifest or index is here. */
  isKnown: (digest: string) => boolean;
  clock: Clock;
  failpoint: ImageFailpoint;
}

/** An image that can be imported without the network. */
export interface PulledImage extends AsyncDisposable {
  /** The image that the reference names at this moment. */
  digest: string;
  /** Undefined when it is here already. */
  image: FoundImage | undefined;
  /** Holds the layers that were not here. */
  source: ImageSource;
  /** Names of these layers in `source`. */
  downloaded: ReadonlySet<string>;
}

const LAYERS_AT_ONCE = 3;

/** Where blobs lie until they are unpacked; what a crash left is taken up again. */
export function downloadDirectory(directory: string): string {
  return path.join(directory, "downloads");
}

/**
 * Asks the endpoints of the image one after another, each with all credentials for it, and
 * downloads the layers that are not here. @throws ImageError
 */
export async function pullImage(request: PullRequest, context: PullContext): Promise<PulledImage> {
  const complaints: { code: string; message: string }[] = [];
  for (const endpoint of context.registries.endpointsOf(request.reference)) {
    for (const credentials of credentialsOf(endpoint, request)) {
      request.signal?.throwIfAborted();
      try {
        return await pullFrom(endpoint, { credentials, request, context });
      } catch (error) {
        const told = complaintOf(error);
        if (!told) throw error;
        complaints.push(told);
        if (told.code === "unreached") break;
      }
    }
  }
  const messages = [...new Set(complaints.map(({ message }) => message))].join("; ");
  const [code, ...others] = new Set(complaints.map((told) => told.code));
  if (code === "unreached" && others.length === 0) {
    const hint = 'without a network, import the image with "nephos image import"';
    throw new ImageError("unreached", `${messages} (${hint})`);
  }
  const isAbsent = code === "not-found" && others.length === 0;
  throw new ImageError(isAbsent ? "not-found" : "pull-failed", messages);
}

/** A mirror sees only credentials for itself: those for the registry are not its business. */
function credentialsOf(
  endpoint: RegistryEndpoint,
  { reference, keyring }: PullRequest,
): (RegistryCredentials | undefined)[] {
  const { host, isMirror, repository } = endpoint;
  const seen = isMirror ? { registry: host, repository } : reference;
  const found = credentialsFor(keyring, seen);
  if (endpoint.credentials) found.push(endpoint.credentials);
  return found.length > 0 ? found : [undefined];
}

/** What another endpoint may do better; undefined for what none can help. */
function complaintOf(error: unknown): { code: string; message: string } | undefined {
  const isTold = error instanceof RegistryError || error instanceof ManifestError;
  if (isTold) return { code: "code" in error ? error.code : "malformed", message: error.message };
  const isWrong = error instanceof ImageError && error.code !== "disk-full";
  return isWrong ? { code: error.code, message: error.message } : undefined;
}

interface Attempt {
  credentials: RegistryCredentials | undefined;
  request: PullRequest;
  context: PullContext;
}

async function pullFrom(endpoint: RegistryEndpoint, attempt: Attempt): Promise<PulledImage> {
  const { request, context } = attempt;
  const { reference, signal } = request;
  using session = openRegistrySession(endpoint, {
    credentials: attempt.credentials,
    proxies: context.proxies,
  });
  const name = reference.digest ?? reference.tag ?? "latest";
  const digest = reference.digest ?? (await resolveTag(session, name, signal));
  if (digest && context.isKnown(digest)) {
    if (reference.digest) await resolveTag(session, name, signal);
    return {
      digest,
      image: undefined,
      source: downloadedSource(context.directory),
      downloaded: new Set(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const root = await fetchManifest(session, name, signal);
  const source = registrySource(session, root, signal);
  const [image] = await findImages(source, context.architecture);
  if (!image) {
    throw new RegistryError("malformed", `registry ${session.host} has an empty index for it`);
  }
  const layers = missingLayers(image, context.directory);
  await downloadLayers(layers, { session, request, context });
  context.failpoint("layers-downloaded");
  return {
    digest: root.descriptor.digest,
    image,
    source: downloadedSource(context.directory),
    downloaded: new Set(layers.map(({ file }) => file)),
    async [Symbol.asyncDispose]() {
      for (const layer of layers) await rm(downloadFile(context.directory, layer), { force: true });
    },
  };
}

/** Each blob once, even if the image stacks it twice. */
function missingLayers(image: FoundImage, directory: string): FoundLayer[] {
  const layers = new Map<string, FoundLayer>();
  for (const [at, diffId] of image.configuration.rootfs.diff_ids.entries()) {
    const layer = image.layers[at];
    if (layer && !hasLayer(directory, diffId)) layers.set(layer.file, layer);
  }
  return [...layers.values()];
}

async function downloadLayers(
  layers: readonly FoundLayer[],
  from: { session: RegistrySession; request: PullRequest; context: PullContext },
): Promise<void> {
  const { session, request, context } = from;
  const slots = createSemaphore(LAYERS_AT_ONCE);
  const failed = new AbortController();
  const signals = [failed.signal, ...(request.signal ? [request.signal] : [])];
  const signal = AbortSignal.any(signals);
  const outcomes = await Promise.allSettled(
    layers.map(async (layer) => {
      using _slot = await slots.acquire();
      signal.throwIfAborted();
      const { digest = "", sizeBytes = 0 } = layer;
      const file = downloadFile(context.directory, layer);
      try {
        const { clock, failpoint } = context;
        await downloadBlob({ digest, sizeBytes, file, signal }, { session, clock, failpoint });
      } catch (error) {
        failed.abort();
        if (isDiskFull(error)) await rm(file, { force: true });
        throw error;
      }
    }),
  );
  request.signal?.throwIfAborted();
  const errors = outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  // Those that were only told to stop say nothing.
  const cause = errors.find((error) => (error as Error).name !== "AbortError") ?? errors[0];
  if (isDiskFull(cause)) {
    throw new ImageError("disk-full", "no space is left for its layers", { cause });
  }
  if (cause !== undefined) throw cause;
}

function isDiskFull(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException | undefined)?.code ?? "");
}

function downloadFile(directory: string, { digest = "" }: FoundLayer): string {
  return path.join(downloadDirectory(directory), digest.replace("sha256:", ""));
}

function downloadedSource(directory: string): ImageSource {
  return {
    document: () => Promise.resolve(undefined),
    stream(name) {
      const digest = name.slice(blobName("sha256:").length);
      return createReadStream(path.join(downloadDirectory(directory), digest));
    },
  };
}
