import type { Clock, Timer } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
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

/** Links that wait for pods, so that those of a burst need not be made in it. */
export interface SpareLinks extends Disposable {
  /** Pods that were there before have their addresses: the others are free to be taken. */
  begin(): void;
  /** One for a pod, whose address is free for the pod to claim; undefined when there is none. */
  take(): SpareLink | undefined;
  /** A pod asks for its network now. */
  podComes(): void;
  /** A container is being made: a moment in which to make one, unless pods come together. */
  prepareNext(isAlone: boolean): void;
}

/** Without a pod that comes or starts for so long, the thread is nobody's. */
const QUIET_MS = 500;
/** Each takes 1 to 2 ms of this thread, so others come in between. */
const PACE_MS = 15;

/** Keeps what is made ahead in this process: nothing of it outlives the descriptors. */
export function createSpareLinks(options: SpareLinksOptions): SpareLinks {
  const { pool, make, ahead, logger } = options;
  const spares: { owner: string; link: SpareLink }[] = [];
  const max = ahead?.max ?? 1;
  let made = 0;
  let timer: Timer | undefined;
  let isClosed = false;
  /** Pods since the last moment to prepare: of a burst, many come before there is another. */
  let newcomers = 0;

  /** False when there is none more: enough are there, or the node cannot make one. */
  const add = (): boolean => {
    if (isClosed || spares.length >= max) return false;
    // No UID is like it.
    const owner = `spare ${++made}`;
    try {
      spares.push({ owner, link: make(pool.allocate(owner)) });
      return true;
    } catch (error) {
      pool.release(owner);
      logger.debug("cannot make a network ahead", { error });
      return false;
    }
  };

  const fillAfter = (delayMs: number) => {
    timer?.cancel();
    timer = ahead?.clock.setTimer(delayMs, () => {
      if (add()) fillAfter(PACE_MS);
    });
  };

  return {
    begin: () => fillAfter(QUIET_MS),
    take() {
      const spare = spares.shift();
      if (spare) pool.release(spare.owner);
      return spare?.link;
    },
    podComes() {
      newcomers++;
      fillAfter(QUIET_MS);
    },
    prepareNext(isAlone) {
      const oneCame = newcomers === 1;
      newcomers = 0;
      fillAfter(QUIET_MS);
      if (isAlone && oneCame) add();
    },
    [Symbol.dispose]() {
      isClosed = true;
      timer?.cancel();
      for (const { owner, link } of spares.splice(0)) {
        link[Symbol.dispose]();
        pool.release(owner);
      }
    },
  };
}
