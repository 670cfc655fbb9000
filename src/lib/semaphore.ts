/** Lets at most `limit` holders in at once; the others wait in the order they came. */
export interface Semaphore {
  /**
   * Resolves to a permit that its holder gives back by disposing it. Rejects with the reason of the
   * signal when that comes first; a permit that is there at once is given all the same.
   */
  acquire(signal?: AbortSignal): Promise<Disposable>;
  /** Holders and those who wait. */
  readonly wanted: number;
}

/** The queue is as long as the number of callers that wait; it holds nothing else. */
export function createSemaphore(limit: number): Semaphore {
  let free = limit;
  const waiting: (() => void)[] = [];
  const permit = (): Disposable => {
    let held = true;
    return {
      [Symbol.dispose]() {
        if (!held) return;
        held = false;
        const next = waiting.shift();
        if (next) next();
        else free++;
      },
    };
  };
  const turn = (signal: AbortSignal | undefined) =>
    new Promise<void>((resolve, reject) => {
      const admit = () => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        waiting.splice(waiting.indexOf(admit), 1);
        reject(signal?.reason as Error);
      };
      if (signal?.aborted) return reject(signal.reason as Error);
      signal?.addEventListener("abort", leave, { once: true });
      waiting.push(admit);
    });
  return {
    async acquire(signal) {
      if (free > 0) free--;
      else await turn(signal);
      return permit();
    },
    get wanted() {
      return limit - free + waiting.length;
    },
  };
}
