import type { ImageReference } from "../../format/oci/reference.ts";
import { formatReference } from "../../format/oci/reference.ts";
import type { KeyringEntry } from "../../format/oci/registry-credentials.ts";
import type { Clock } from "../../lib/clock.ts";
import { ConfigurationFileError } from "../../lib/configuration-reader.ts";
import { ImageError } from "./contract.ts";
import { type ImportRequest, importFound, importImages, toImageError } from "./image-import.ts";
import type { ImageRecord } from "./image-record.ts";
import type { ImageTable } from "./image-table.ts";
import { hasLayer, type ImportContext } from "./layer-import.ts";
import { createProxyRules, type ProxyEnvironment } from "./registry/proxy-rules.ts";
import { readRegistriesFile } from "./registry/registries-file.ts";
import { type PulledImage, pullImage } from "./registry/registry-pull.ts";
import type { StoreLock } from "./store-lock.ts";
import { removeUnusedLayers } from "./store-sweep.ts";

/** An image to ask its registry for. */
export interface EnginePull {
  reference: ImageReference;
  keyring: readonly KeyringEntry[];
  signal?: AbortSignal | undefined;
}

/** The long work of a store, which takes a thread for seconds: its results are in the records. */
export interface ImageEngine {
  /** Returns the id of what the reference names at this moment. @throws ImageError */
  pull(request: EnginePull): Promise<string>;
  /** Returns the ids of what the archive holds. @throws ImageError */
  import(request: ImportRequest): Promise<string[]>;
}

/** What the work needs. */
export interface ImageEngineOptions extends ImportContext {
  table: ImageTable;
  lock: StoreLock;
  /** Read anew for every pull; may be absent. */
  registriesFile: string;
  proxies: ProxyEnvironment;
  clock: Clock;
}

/** An image may be removed while its missing layers are downloaded. */
const ROUNDS_MAX = 3;

/** Works on this thread. */
export function createImageEngine(options: ImageEngineOptions): ImageEngine {
  const { directory, table, lock, clock } = options;
  const proxies = createProxyRules(options.proxies);

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

  const pull = async (request: EnginePull): Promise<string> => {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const registries = readRegistriesFile(options.registriesFile);
      const isKnown = (digest: string) => table.find(`any@${digest}`) !== undefined;
      table.load();
      const { architecture, failpoint } = options;
      const context = { registries, proxies, directory, architecture, isKnown, clock, failpoint };
      await using pulled = await pullImage(request, context);
      const record = await lock.run(() => keep(request.reference, pulled));
      if (record) return record.id;
    }
    throw new ImageError("pull-failed", "the image was removed again while it was pulled");
  };

  return {
    async pull(request) {
      try {
        return await pull(request);
      } catch (error) {
        if (error instanceof ConfigurationFileError) {
          throw new ImageError("pull-failed", error.message, { cause: error });
        }
        throw toImageError(error, formatReference(request.reference));
      }
    },
    import: (request) =>
      lock.run(async () => {
        table.load();
        try {
          const ids: string[] = [];
          for (const record of await importImages(request, options)) {
            ids.push((await table.claim(record)).id);
          }
          return ids;
        } catch (error) {
          await removeUnusedLayers({ ...options, records: table.all() });
          throw error;
        }
      }),
  };
}
