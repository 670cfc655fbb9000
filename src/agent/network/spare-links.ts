import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import { createSparePace, type SparePace } from "../spare-pace.ts";
import type { AddressPool } from "./address-pool.ts";
import type { SpareLink } from "./pod-link.ts";

/** How, and how many, links are made before there are pods for them. */
export interface SpareLinksOptions {
  /** The addresses of spares are taken from it. */
  pool: AddressPool;
  make: (ip: string) => SpareLink;
  /** Fills up to `max` while no pod comes; without it, there is one at most. */
  ahead?: { clock: Clock; max: number };
  logger: Logger;
}

/**
 * Links that wait for pods, so that those of a burst need not be made in it. They begin once pods
 * that were there before have their addresses: the others are free to be taken.
 */
export interface SpareLinks extends SparePace {
  /** One for a pod, whose address is free for the pod to claim; undefined when there is none. */
  take(): SpareLink | undefined;
}

/** Keeps what is made ahead in this process: nothing of it outlives the descriptors. */
export function createSpareLinks(options: SpareLinksOptions): SpareLinks {
  const { pool, ahead, logger } = options;
  const spares: { owner: string; link: SpareLink }[] = [];
  const max = ahead?.max ?? 1;
  let made = 0;

  /** False when there is none more: enough are there, or the node cannot make one. */
  const make = (): boolean => {
    if (spares.length >= max) return false;
    // No UID is like it.
    const owner = `spare ${++made}`;
    try {
      spares.push({ owner, link: options.make(pool.allocate(owner)) });
      return true;
    } catch (error) {
      pool.release(owner);
      logger.debug("cannot make a network ahead", { error });
      return false;
    }
  };

  const pace = createSparePace({ clock: ahead?.clock, make });

  return {
    ...pace,
    take() {
      const spare = spares.shift();
      if (spare) pool.release(spare.owner);
      return spare?.link;
    },
    [Symbol.dispose]() {
      pace[Symbol.dispose]();
      for (const { owner, link } of spares.splice(0)) {
        link[Symbol.dispose]();
        pool.release(owner);
      }
    },
  };
}
