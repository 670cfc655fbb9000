import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/**
 * The machine is going down: sent by `nephos down --shutdown`, and by service managers and
 * machine managers that know the convention.
 */
export const HOST_SHUTDOWN: NodeJS.Signals = "SIGPWR";

/** Resolves with the name of the first signal that asks this process to end. */
export function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT", HOST_SHUTDOWN] as const) {
      process.once(name, () => resolve(name));
    }
  });
}

/** Whether a signal means that the machine goes down, and pods cannot go on. */
export function meansShutdown(signal: NodeJS.Signals): boolean {
  return signal === HOST_SHUTDOWN || (signal === "SIGTERM" && isHostStopping());
}

/** systemd keeps a unit's processes alive while they react to its SIGTERM. */
function isHostStopping(): boolean {
  if (!existsSync("/run/systemd/system")) return false;
  const { stdout } = spawnSync("systemctl", ["is-system-running"], { encoding: "utf8" });
  return (stdout ?? "").trim() === "stopping";
}
