import type * as cri from "../../format/cri/generated.ts";
import { GrpcError } from "../../format/grpc/grpc-status.ts";
import { formatReference, parseReference } from "../../format/oci/reference.ts";
import { credentialsFor, type RegistryCredentials } from "../../format/oci/registry-credentials.ts";
import type { Clock, Timer } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { CriClient } from "../cri-client.ts";
import {
  type ImageConfig,
  ImageError,
  type ImageStore,
  type LocalImage,
  type PullOptions,
} from "./contract.ts";

/** Images of somebody else's container runtime. */
export interface CriImageStore extends ImageStore, Disposable {
  /** On the file system that they lie on; undefined when the runtime does not tell. */
  directory(): Promise<string | undefined>;
}

/** What such a store needs. */
export interface CriImageOptions {
  client: CriClient;
  /** Not offered for removal: every sandbox is made of it. */
  sandboxImage: string | undefined;
  clock: Clock;
  logger: Logger;
}

/** How soon it is seen that others have added or removed images. */
const REFRESH_MS = 10_000;
/** As a kubelet's `runtimeRequestTimeout` does not bound pulls, only what hangs is cut off. */
const PULL_MS = 3_600_000;
const OURS = 'images that "nephos image import" brought are not there';

/** The images of the runtime that a client speaks to; what it has is known when this resolves. */
export async function createCriImageStore(options: CriImageOptions): Promise<CriImageStore> {
  const { client, clock, logger, sandboxImage = "" } = options;
  const handlers = new Set<() => void>();
  const configs = new Map<string, ImageConfig>();
  let images = new Map<string, LocalImage>();

  const localImage = async (found: cri.Image): Promise<LocalImage> => {
    const { id, repoTags, repoDigests, size } = found;
    const config = configs.get(id) ?? (await readConfig(client, id));
    configs.set(id, config);
    return {
      id,
      references: repoTags,
      sizeBytes: size,
      config,
      layerPaths: [],
      ...(repoDigests.length > 0 && { repoDigests }),
    };
  };
  const refresh = async () => {
    const answer = await client.call("ImageService/ListImages", {});
    const found = await Promise.all(answer.images.map(localImage));
    const text = (of: Map<string, LocalImage>) => JSON.stringify([...of.values()]);
    const before = text(images);
    images = new Map(found.map((image) => [image.id, image]));
    for (const id of configs.keys()) if (!images.has(id)) configs.delete(id);
    if (text(images) !== before) for (const handler of handlers) handler();
  };
  const ask = async (reference: string): Promise<LocalImage | undefined> => {
    const { image } = await client.call("ImageService/ImageStatus", {
      image: { image: normal(reference) },
    });
    return image && (await localImage(image));
  };
  const pull = async (reference: string, pullOptions: PullOptions = {}): Promise<LocalImage> => {
    await pullBy(client, reference, pullOptions);
    const image = await ask(reference);
    if (!image) throw new ImageError("not-found", `Image "${reference}" is gone after its pull`);
    await refresh();
    return image;
  };
  const find = (reference: string): LocalImage | undefined => {
    const name = normalOrId(reference);
    if (name === undefined) return undefined;
    const named = ({ references, repoDigests = [] }: LocalImage) =>
      references.includes(name) || repoDigests.includes(name);
    return images.get(name) ?? [...images.values()].find(named);
  };
  let timer: Timer;
  const again = () => {
    const next = () => (timer = clock.setTimer(REFRESH_MS, again));
    refresh()
      .catch((error: unknown) => logger.debug("cannot list the images", { error: String(error) }))
      .then(next, next);
  };
  await refresh();
  timer = clock.setTimer(REFRESH_MS, again);
  return {
    find,
    list: () => [...images.values()].filter(({ id }) => id !== find(sandboxImage)?.id),
    onChange(handler) {
      handlers.add(handler);
      return { [Symbol.dispose]: () => void handlers.delete(handler) };
    },
    import(file) {
      const hint = `ctr --namespace k8s.io images import ${file}`;
      const message = `The images of this node are those of its container runtime: "${hint}"`;
      return Promise.reject(new ImageError("invalid-archive", message));
    },
    wouldPull(reference, policy) {
      if (policy === "Never") return false;
      return policy === "Always" || !find(reference);
    },
    async ensure(reference, policy, pullOptions = {}) {
      const found = policy === "Always" ? undefined : await ask(reference);
      if (found) return found;
      if (policy !== "Never") return await pull(reference, pullOptions);
      throw new ImageError("not-found", `Image "${reference}" is not present: ${OURS}`);
    },
    pull,
    async remove(reference) {
      await client.call("ImageService/RemoveImage", { image: { image: normal(reference) } });
      await refresh();
    },
    // What the runtime left is the runtime's.
    sweep: () => Promise.resolve(),
    async directory() {
      const { imageFilesystems } = await client.call("ImageService/ImageFsInfo", {});
      return imageFilesystems[0]?.fsId?.mountpoint;
    },
    [Symbol.dispose]: () => timer.cancel(),
  };
}

function normalOrId(reference: string): string | undefined {
  if (/^sha256:[0-9a-f]{64}$/.test(reference)) return reference;
  const parsed = parseReference(reference);
  return parsed && formatReference(parsed);
}

/** @throws ImageError "invalid-reference" */
function normal(reference: string): string {
  const name = normalOrId(reference);
  if (name !== undefined) return name;
  throw new ImageError("invalid-reference", `"${reference}" is no name of an image`);
}

/** Tries what is known of the registry, the best first. @throws ImageError */
async function pullBy(
  client: CriClient,
  reference: string,
  { keyring = [], signal }: PullOptions,
): Promise<void> {
  const image = { image: normal(reference) };
  const parsed = parseReference(reference);
  const credentials = parsed ? credentialsFor(keyring, parsed) : [];
  const attempts = credentials.length > 0 ? credentials.map(authOf) : [undefined];
  let failure: unknown;
  for (const auth of attempts) {
    try {
      const call = { timeoutMs: PULL_MS, ...(signal && { signal }) };
      await client.call("ImageService/PullImage", { image, ...(auth && { auth }) }, call);
      return;
    } catch (error) {
      failure = error;
    }
  }
  throw pullError(failure);
}

function pullError(cause: unknown): ImageError {
  const words = cause instanceof Error ? cause.message : String(cause);
  const isMissing = cause instanceof GrpcError && cause.code === "not-found";
  return new ImageError(isMissing ? "not-found" : "pull-failed", `${words} (${OURS})`, { cause });
}

function authOf(credentials: RegistryCredentials) {
  const { username, password, identityToken, registryToken } = credentials;
  return { username, password, identityToken, registryToken };
}

/** As the image specification spells it. */
interface Configuration {
  Entrypoint?: string[];
  Cmd?: string[];
  Env?: string[];
  WorkingDir?: string;
  User?: string;
  StopSignal?: string;
  Volumes?: Record<string, unknown>;
}

/** What the image says about how to run it; the interface has it among what is verbose. */
async function readConfig(client: CriClient, id: string): Promise<ImageConfig> {
  const request = { image: { image: id }, verbose: true };
  const { info } = await client.call("ImageService/ImageStatus", request);
  const { imageSpec } = JSON.parse(info["info"] ?? "{}") as {
    imageSpec?: { config?: Configuration };
  };
  const { Entrypoint, Cmd, Env, WorkingDir, User, StopSignal, Volumes } = imageSpec?.config ?? {};
  return {
    ...(Entrypoint && { entrypoint: Entrypoint }),
    ...(Cmd && { command: Cmd }),
    ...(Env && { environment: Env }),
    ...(WorkingDir && { workingDirectory: WorkingDir }),
    ...(User && { user: User }),
    ...(StopSignal && { stopSignal: StopSignal }),
    ...(Volumes && { volumes: Object.keys(Volumes) }),
  };
}
