import { readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { formatReference, type ImageReference } from "../../format/oci/reference.ts";
import type { KeyringEntry } from "../../format/oci/registry-credentials.ts";
import type { Clock } from "../../lib/clock.ts";
import { ConfigurationFileError } from "../../lib/configuration-reader.ts";
import { createSemaphore } from "../../lib/semaphore.ts";
import { createTokenBucket } from "../../lib/token-bucket.ts";
import { ImageError, type PullRules } from "./contract.ts";
import { importFound, toImageError } from "./image-import.ts";
import type { ImageRecord } from "./image-record.ts";
import type { ImageTable } from "./image-table.ts";
import { hasLayer, type ImportContext } from "./layer-import.ts";
import type { ProxyRules } from "./registry/proxy-rules.ts";
import { readRegistriesFile } from "./registry/registries-file.ts";
import { downloadDirectory, type PulledImage, pullImage } from "./registry/registry-pull.ts";
import type { StoreLock } from "./store-lock.ts";

/** What pulling needs of its store. */
export interface ImagePullerOptions extends ImportContext {
  table: ImageTable;
  lock: StoreLock;
  /** Read anew for every pull; may be absent. */
  registriesFile: string;
  proxies: ProxyRules;
  rules: PullRules;
  clock: Clock;
}

/** Gets images from registries. */
export interface ImagePuller {
  /** Asks the registry which image the reference names at this moment, and makes it present. */
  pull(
    reference: ImageReference,
    options: { keyring: readonly KeyringEntry[]; signal?: AbortSignal | undefined },
  ): Promise<ImageRecord>;
  /** Removes what broken downloads left long ago. */
  tidy(): Promise<void>;
}

/** An image may be removed while its missing layers are downloaded. */
const ROUNDS_MAX = 3;
/** Registries that are remembered as such; those who wait for more of them find out themselves. */
const UNREACHED_MAX = 64;
const ABANDONED_AFTER_MS = 24 * 3_600_000;

/** Pulls wait for each other in the order they came, as far as the rules want it. */
export function createImagePuller(options: ImagePullerOptions): ImagePuller {
  const { directory, table, lock, rules, clock, proxies } = options;
  const slots = createSemaphore(rules.atOnceMax);
  const bucket = createTokenBucket({ ...rules.rate, clock });
  const unreached = new Map<string, { atMs: number; error: ImageError }>();

  /** Undefined when something of it went away meanwhile. */
  const keep = async (
    reference: ImageReference,
    pulled: PulledImage,
  ): Promise<ImageRecord | undefined> => {
    table.load();
    const { digest, image, source } = pulled;
    const { registry, repository, tag } = reference;
    const names = tag ? [formatReference({ registry, repository, tag })] : [];
    const repoDigests = [formatReference({ registry, repository, digest })];
    if (!image) {
      const record = table.all().find(({ digests }) => digests.includes(digest));
      return record && table.claim({ ...record, references: names, repoDigests, pulled: names });
    }
    const diffIds = image.configuration.rootfs.diff_ids;
    const isComplete = diffIds.every(
      (diffId, at) =>
        hasLayer(directory, diffId) || pulled.downloaded.has(image.layers[at]?.file ?? ""),
    );
    if (!isComplete) return undefined;
    const [record] = await importFound([image], { source, context: options });
    return record && table.claim({ ...record, references: names, repoDigests, pulled: names });
  };

  const pullOnce: ImagePuller["pull"] = async (reference, { keyring, signal }) => {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const registries = readRegistriesFile(options.registriesFile);
      const isKnown = (digest: string) => table.find(`any@${digest}`) !== undefined;
      table.load();
      await using pulled = await pullImage(
        { reference, keyring, signal },
        { registries, proxies, directory, architecture: options.architecture, isKnown, clock },
      );
      const record = await lock.run(() => keep(reference, pulled));
      if (record) return record;
    }
    throw new ImageError("pull-failed", "the image was removed again while it was pulled");
  };

  return {
    async pull(reference, request) {
      const { registry } = reference;
      const askedMs = clock.monotonicMs();
      using _slot = await slots.acquire(request.signal);
      // Who waited while it was found out need not find it out again, one after another.
      const known = unreached.get(registry);
      if (known && known.atMs > askedMs) throw known.error;
      unreached.delete(registry);
      if (!bucket.tryTake()) throw new ImageError("pull-failed", "pull QPS exceeded");
      try {
        return await pullOnce(reference, request);
      } catch (error) {
        if (error instanceof ImageError && error.code === "unreached") {
          if (unreached.size >= UNREACHED_MAX) unreached.clear();
          unreached.set(registry, { atMs: clock.monotonicMs(), error });
        }
        if (error instanceof ConfigurationFileError) {
          throw new ImageError("pull-failed", error.message, { cause: error });
        }
        throw toImageError(error, formatReference(reference));
      }
    },
    async tidy() {
      const folder = downloadDirectory(directory);
      for (const name of await readdir(folder)) {
        const file = path.join(folder, name);
        const ageMs = clock.now() - (await stat(file)).mtimeMs;
        if (ageMs > ABANDONED_AFTER_MS) await rm(file, { force: true });
      }
    },
  };
}
