import type { Clock, Timer } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import {
  type ImageCollectionRules,
  type ImageCollector,
  ImageError,
  type ImageStore,
} from "./contract.ts";

/** What collecting needs. */
export interface ImageCollectorOptions {
  images: ImageStore;
  rules: ImageCollectionRules;
  clock: Clock;
  logger: Logger;
  /** References, or IDs, of the images that pods of this node run from or are about to. */
  wanted: () => Iterable<string>;
  /** Of the file system that the images lie on. */
  fileSystem: () => { capacityBytes: number; availableBytes: number };
  /** Told of each image that was removed: it was unused for long, or room was wanted. */
  onRemoved?: (reason: "age" | "space") => void;
  /**
   * Told of what a node's events should tell: at once why there is no room, and from the second
   * failure in a row on that there was one.
   */
  say: (reason: string, message: string) => void;
}

const ROUND_MS = 300_000;
/** A node that is short of disk does not wait for a download to go on as long as another one. */
const ABANDONED_IN_NEED_MS = 3_600_000;

/** When an image was first seen, and last seen in use; 0 for never. */
interface ImageHistory {
  foundAtMs: number;
  usedAtMs: number;
}

/** Looks every five minutes whether the disk is too full, and removes what was unused longest. */
export function startImageCollection(options: ImageCollectorOptions): ImageCollector {
  const { images, rules, clock, logger } = options;
  const known = new Map<string, ImageHistory>();
  let timer: Timer;
  let disposed = false;
  let failed = false;
  let work: Promise<unknown> = Promise.resolve();

  /** Images that nobody uses, those that were unused longest first. */
  const unused = (nowMs: number) => {
    const wanted = wantedIds(options);
    const present = images.list();
    const ids = new Set(present.map(({ id }) => id));
    for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
    for (const { id } of present) {
      const history = known.get(id) ?? { foundAtMs: nowMs, usedAtMs: 0 };
      if (wanted.has(id)) history.usedAtMs = nowMs;
      known.set(id, history);
    }
    return present
      .filter(({ id }) => !wanted.has(id))
      .map((image) => ({ image, ...(known.get(image.id) as ImageHistory) }))
      .toSorted((a, b) => a.usedAtMs - b.usedAtMs || a.foundAtMs - b.foundAtMs);
  };

  /** Removes images until `enough` says so. Returns how many bytes they said to take. */
  const remove = async (
    candidates: ReturnType<typeof unused>,
    { reason, enough }: { reason: "age" | "space"; enough: () => boolean },
  ) => {
    const nowMs = clock.now();
    const removed = { images: 0, bytes: 0 };
    for (const { image, foundAtMs } of candidates) {
      if (enough()) break;
      if (nowMs - foundAtMs < rules.minimumAgeMs) continue;
      try {
        await images.remove(image.id);
      } catch (error) {
        // Another node of this machine may run it, or a user may have removed it.
        if (error instanceof ImageError) continue;
        throw error;
      }
      options.onRemoved?.(reason);
      removed.images++;
      removed.bytes += image.sizeBytes;
      logger.info("removed an unused image", { image: image.references[0] ?? image.id });
    }
    return removed;
  };

  const removeAged = async () => {
    if (rules.maximumAgeMs === 0) return;
    const nowMs = clock.now();
    const aged = unused(nowMs).filter(
      ({ usedAtMs, foundAtMs }) => nowMs - (usedAtMs || foundAtMs) > rules.maximumAgeMs,
    );
    await remove(aged, { reason: "age", enough: () => false });
  };

  const collect = async () => {
    await removeAged();
    const { capacityBytes } = options.fileSystem();
    if (capacityBytes <= 0) {
      throw failure("InvalidDiskCapacity", "invalid capacity 0 on image filesystem");
    }
    const available = () => options.fileSystem().availableBytes;
    const used = () => capacityBytes - available();
    if (100 - Math.floor((available() * 100) / capacityBytes) < rules.highPercent) return;
    const allowed = (capacityBytes * rules.lowPercent) / 100;
    const wanted = used() - allowed;
    const enough = () => used() <= allowed;
    const { bytes } = await remove(unused(clock.now()), { reason: "space", enough });
    if (used() <= allowed) return;
    const figures = `${Math.ceil(wanted)} bytes, but only found ${bytes} bytes eligible to free.`;
    const what = "Failed to garbage collect required amount of images. Attempted to free";
    throw failure("FreeDiskSpaceFailed", `${what} ${figures}`);
  };

  const failure = (reason: string, message: string) => {
    options.say(reason, message);
    return new Error(message);
  };

  const round = async () => {
    try {
      unused(clock.now());
      await images.sweep();
      await collect();
      failed = false;
    } catch (error) {
      const { message } = error as Error;
      logger.warn("cannot collect images", { message });
      if (failed) options.say("ImageGCFailed", message);
      failed = true;
    }
  };
  const serially = <T>(task: () => Promise<T>): Promise<T> => {
    const done = work.then(task);
    work = done.catch(() => undefined);
    return done;
  };
  const again = () => {
    timer = clock.setTimer(ROUND_MS, () => {
      void serially(round).then(() => void (disposed || again()));
    });
  };
  unused(clock.now());
  again();
  return {
    collectAll: () =>
      serially(async () => {
        await images.sweep({ abandonedAfterMs: ABANDONED_IN_NEED_MS });
        return (await remove(unused(clock.now()), { reason: "space", enough: () => false })).images;
      }),
    async [Symbol.asyncDispose]() {
      disposed = true;
      timer.cancel();
      await work;
    },
  };
}

function wantedIds({ images, wanted }: ImageCollectorOptions): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const reference of wanted()) {
    const image = images.find(reference);
    if (image) ids.add(image.id);
  }
  return ids;
}
