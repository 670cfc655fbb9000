import { watch } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { arch } from "node:os";
import path from "node:path";
import {
  formatReference,
  type ImageReference,
  parseReference,
} from "../../format/oci/reference.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Random } from "../../lib/random.ts";
import {
  ImageError,
  type ImageStore,
  type LocalImage,
  type PullOptions,
  type PullRules,
} from "./contract.ts";
import { importImages } from "./image-import.ts";
import { createImagePuller } from "./image-puller.ts";
import { type ImageRecord, removeUnusedLayers, toLocalImage } from "./image-record.ts";
import { openImageTable, withoutNames } from "./image-table.ts";
import { createProxyRules, type ProxyEnvironment } from "./registry/proxy-rules.ts";
import { createStoreLock } from "./store-lock.ts";

/** Where images live and what the store needs. */
export interface ImageStoreOptions {
  /** Holds `layers/`, `images/`, `downloads/` and `tmp/`; created. Several processes may share it. */
  directory: string;
  /** Mirrors, credentials and certificates of registries; may be absent. */
  registriesFile: string;
  pullRules?: PullRules;
  /** Through which registries are asked; without it, directly. */
  proxies?: ProxyEnvironment;
  clock: Clock;
  random: Random;
  logger: Logger;
  /** Whether a container still runs from this image; then `remove` of its last name is refused. */
  isInUse?: (imageId: string) => boolean;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };
/** Those of a kubelet that is not told otherwise. */
const PULL_RULES: PullRules = { atOnceMax: 1, rate: { perSecond: 5, burst: 10 } };

/**
 * Opens the images of a node. Layers are directories shared between images; an import becomes
 * visible by renaming, so a crash leaves at most rubbish that the next opening removes.
 */
export async function createImageStore(options: ImageStoreOptions): Promise<ImageStore> {
  const { directory, clock, random, logger } = options;
  for (const name of ["layers", "images", "downloads", "tmp"]) {
    await mkdir(path.join(directory, name), { recursive: true, mode: 0o700 });
  }
  const lock = createStoreLock(path.join(directory, "lock"), clock);
  const table = openImageTable({ directory, clock, random });
  const context = { directory, random, architecture: ARCHITECTURES[arch()] ?? arch(), logger };
  const puller = createImagePuller({
    ...context,
    table,
    lock,
    registriesFile: options.registriesFile,
    proxies: createProxyRules(options.proxies ?? {}),
    rules: options.pullRules ?? PULL_RULES,
    clock,
  });
  await lock.tryRun(async () => {
    const tmp = path.join(directory, "tmp");
    for (const name of await readdir(tmp)) {
      await rm(path.join(tmp, name), { recursive: true, force: true });
    }
    const removed = await removeUnusedLayers(directory, table.all());
    if (removed > 0) logger.info("removed layers of no image", { removed });
    await puller.tidy();
  });

  const local = (record: ImageRecord): LocalImage => toLocalImage(directory, record);
  const find = (reference: string): ImageRecord | undefined => {
    table.load();
    return table.find(reference);
  };
  /** What satisfies every policy: an id, or a name or digest that was imported. */
  const imported = (reference: string): ImageRecord | undefined => {
    const record = find(reference);
    const parsed = record?.id === reference ? undefined : parseReference(reference);
    if (!record || !parsed) return record;
    const isPulled = parsed.digest
      ? record.repoDigests?.length
      : record.pulled?.includes(formatReference(parsed));
    return isPulled ? undefined : record;
  };
  const pull = async (reference: string, { keyring = [], signal }: PullOptions) =>
    local(await puller.pull(requireReference(reference), { keyring, signal }));
  const onChange = (handler: () => void): Disposable => {
    const watcher = watch(path.join(directory, "images"), { persistent: false }, handler);
    watcher.on("error", (error) => logger.warn("cannot watch for new images", { error }));
    return { [Symbol.dispose]: () => watcher.close() };
  };
  /** Ends the pull when `present` finds an image meanwhile. */
  const pullUnless = async (
    present: () => ImageRecord | undefined,
    { reference, options }: { reference: string; options: PullOptions },
  ): Promise<LocalImage> => {
    const arrived = new AbortController();
    using _watch = onChange(() => present() && arrived.abort());
    const signals = [arrived.signal, ...(options.signal ? [options.signal] : [])];
    try {
      return await pull(reference, { ...options, signal: AbortSignal.any(signals) });
    } catch (error) {
      const record = options.signal?.aborted ? undefined : present();
      if (record) return local(record);
      throw error;
    }
  };

  return {
    find(reference) {
      const record = find(reference);
      return record && local(record);
    },
    list() {
      table.load();
      return table.all().map(local);
    },
    onChange,

    import: (file, { name, signal } = {}) =>
      lock.run(async () => {
        table.load();
        const request = { file, ...(name && { name }), ...(signal && { signal }) };
        const found: LocalImage[] = [];
        try {
          for (const record of await importImages(request, context)) {
            found.push(local(await table.claim(record)));
          }
        } catch (error) {
          await removeUnusedLayers(directory, table.all());
          throw error;
        }
        return found;
      }),

    wouldPull(reference, policy) {
      if (policy === "Never" || !parseReference(reference)) return false;
      return (policy === "Always" ? imported(reference) : find(reference)) === undefined;
    },
    async ensure(reference, policy, pullOptions = {}) {
      const present = () => (policy === "Always" ? imported(reference) : find(reference));
      const record = present();
      if (record) return local(record);
      requireReference(reference);
      if (policy !== "Never") return pullUnless(present, { reference, options: pullOptions });
      const message = `Image "${reference}" is absent, and its pull policy is Never`;
      throw new ImageError("not-found", message);
    },
    pull: (reference, pullOptions = {}) => pull(reference, pullOptions),

    remove: (reference) =>
      lock.run(async () => {
        const record = find(reference);
        if (!record) throw new ImageError("not-found", `Image "${reference}" is absent`);
        const parsed = record.id === reference ? undefined : parseReference(reference);
        const kept = parsed ? withoutNames(record, [formatReference(parsed)]) : undefined;
        if (kept && kept.references.length > 0) return await table.replace(kept);
        if (options.isInUse?.(record.id)) {
          const message = `Cannot remove image "${reference}": a container runs from it`;
          throw new ImageError("in-use", message);
        }
        await rm(path.join(directory, "images", `${record.id.slice(7)}.json`), { force: true });
        table.forget(record.id);
        await removeUnusedLayers(directory, table.all());
      }),
  };
}

/** @throws ImageError "invalid-reference" */
function requireReference(reference: string): ImageReference {
  const parsed = parseReference(reference);
  if (parsed) return parsed;
  throw new ImageError("invalid-reference", `Image name "${reference}" is malformed`);
}
