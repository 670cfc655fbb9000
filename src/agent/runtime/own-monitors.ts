import { reapIfEnded } from "../../sys/posix-spawn.ts";

/**
 * The monitors that this process started. They are its children until it dies, when the init of the
 * machine takes them over; one that has ended stays in the process table until it is reaped.
 */
export interface OwnMonitors {
  adopt(containerId: string, pid: number): void;
  /** Its container has exited, so it will end in a moment. */
  release(containerId: string): void;
  /** Reaps those of exited containers that have ended by now. */
  reap(): void;
}

/** Knows none yet. */
export function createOwnMonitors(): OwnMonitors {
  const running = new Map<string, number>();
  const ending = new Set<number>();
  return {
    adopt: (containerId, pid) => void running.set(containerId, pid),
    release(containerId) {
      const pid = running.get(containerId);
      if (pid === undefined) return;
      running.delete(containerId);
      ending.add(pid);
    },
    reap() {
      for (const pid of ending) if (reapIfEnded(pid)) ending.delete(pid);
    },
  };
}
