/** Lets at most `limit` holders in at once; the others wait in the order they came. */
export interface Semaphore {
  /** Resolves to a permit that its holder gives back by disposing it. */
  acquire(): Promise<Disposable>;
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
  return {
    async acquire() {
      if (free > 0) free--;
      else await new Promise<void>((admit) => waiting.push(admit));
      return permit();
    },
  };
}
