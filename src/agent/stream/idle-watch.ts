import type { Duplex } from "node:stream";
import type { Clock, Timer } from "../../lib/clock.ts";

/** Destroys a connection over which nothing went either way for `idleMs`. */
export function destroyWhenIdle(connection: Duplex, of: { clock: Clock; idleMs: number }): void {
  const { clock, idleMs } = of;
  const counters = connection as Duplex & { bytesRead?: number; bytesWritten?: number };
  const moved = () => (counters.bytesRead ?? 0) + (counters.bytesWritten ?? 0);
  let seen = moved();
  let timer: Timer;
  const look = () => {
    const now = moved();
    if (now === seen) return void connection.destroy();
    seen = now;
    timer = clock.setTimer(idleMs, look);
  };
  timer = clock.setTimer(idleMs, look);
  connection.once("close", () => timer.cancel());
}
