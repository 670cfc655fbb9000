import type { Clock, Timer } from "../lib/clock.ts";

/** What is made ahead of pods, and when there is time for it. */
export interface SparePaceOptions {
  /** Fills while no pod comes; without it, one is made at most for each that came alone. */
  clock?: Clock | undefined;
  /** Makes one more. False when there is none more: enough are there, or none can be made. */
  make: () => boolean;
}

/**
 * Chooses the moments in which to make what pods will need, so that those of a burst find it ready
 * and none waits while it is made, for 1 to 2 ms of this thread. None come once it is disposed of.
 */
export interface SparePace extends Disposable {
  /** Begins to fill, as soon as no pod comes. */
  begin(): void;
  /** A pod takes one now, or would have. */
  podComes(): void;
  /** A container is being made: a moment in which to make one, unless pods come together. */
  prepareNext(isAlone: boolean): void;
}

/** Without a pod that comes or starts for so long, the thread is nobody's. */
const QUIET_MS = 500;
/** Others come in between. */
const PACE_MS = 15;

/** Waits until it is told to begin, or that a pod came. */
export function createSparePace({ clock, make }: SparePaceOptions): SparePace {
  let timer: Timer | undefined;
  let isClosed = false;
  /** Pods since the last moment to prepare: of a burst, many come before there is another. */
  let newcomers = 0;

  const fillAfter = (delayMs: number) => {
    if (isClosed) return;
    timer?.cancel();
    timer = clock?.setTimer(delayMs, () => {
      if (make()) fillAfter(PACE_MS);
    });
  };

  return {
    begin: () => fillAfter(QUIET_MS),
    podComes() {
      newcomers++;
      fillAfter(QUIET_MS);
    },
    prepareNext(isAlone) {
      const oneCame = newcomers === 1;
      newcomers = 0;
      fillAfter(QUIET_MS);
      if (isAlone && oneCame && !isClosed) make();
    },
    [Symbol.dispose]() {
      isClosed = true;
      timer?.cancel();
    },
  };
}
