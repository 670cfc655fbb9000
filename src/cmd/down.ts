import { setTimeout as delay } from "node:timers/promises";
import { openProcess } from "../sys/process.ts";
import { type DataDirectory, openDataDirectory } from "./data-directory.ts";
import { requireOwnDirectory } from "./foreign-directory.ts";
import { type InstanceProcess, isAlive, readInstance } from "./instance.ts";
import { commonFlags, parseFlags } from "./options.ts";
import { requireRoot } from "./require-root.ts";
import { HOST_SHUTDOWN } from "./signals.ts";

/** How a process is asked to end, and how long it may take. */
interface Stopping {
  signal: NodeJS.Signals;
  waitMs: number;
}

const STOP: Stopping = { signal: "SIGTERM", waitMs: 10_000 };
/** Longer than any sensible `shutdownGracePeriod`. */
const SHUTDOWN: Stopping = { signal: HOST_SHUTDOWN, waitMs: 3_600_000 };
const POLL_MS = 10;

/** `nephos down`: stops our processes; containers go on, unless `--purge` removes everything. */
export async function down(args: readonly string[]): Promise<number> {
  const { values } = parseFlags(args, {
    ...commonFlags,
    purge: { type: "boolean" },
    shutdown: { type: "boolean" },
  });
  requireRoot("stop Nephos");
  const directory = openDataDirectory(`${values["data-dir"]}`, { create: false });
  if (values["purge"]) {
    requireOwnDirectory(directory, {
      action: `Cannot purge "${directory.root}"`,
      hint: 'name the directory that "nephos up" was given with --data-dir',
    });
  }
  const how = values["shutdown"] === true ? SHUTDOWN : STOP;
  const stopped = await stopAll(directory, how);
  if (values["purge"]) {
    const { purge } = await import("./purge.ts");
    const others = await purge(directory);
    process.stdout.write(`Nephos is stopped, and nothing of it is left in ${directory.root}.\n`);
    if (others.length > 0)
      process.stdout.write(`Of others, it still holds ${others.join(", ")}.\n`);
    return 0;
  }
  const after = values["shutdown"]
    ? "its pods were given the time that the agent's configuration has for a shutdown."
    : 'its containers go on. "nephos up" finds them again.';
  const state = stopped > 0 ? "is stopped" : "was not running";
  process.stdout.write(`Nephos ${state}; ${after}\n`);
  return 0;
}

/**
 * The daemon goes first, as it starts again whatever else ends; what it started last is read after
 * its end. Returns how many ran.
 */
async function stopAll(directory: DataDirectory, how: Stopping): Promise<number> {
  const running = () => (readInstance(directory.instance)?.processes ?? []).filter(isAlive);
  const daemons = running().filter(({ role }) => role === "nephos");
  for (const daemon of daemons) await stop(daemon, how);
  const others = running();
  await Promise.all(others.map((one) => stop(one, STOP)));
  return daemons.length + others.length;
}

async function stop({ pid, startTime }: InstanceProcess, how: Stopping): Promise<void> {
  using handle = openProcess(pid, startTime);
  if (!handle?.signal(how.signal)) return;
  for (let waitedMs = 0; waitedMs < how.waitMs; waitedMs += POLL_MS) {
    await delay(POLL_MS);
    if (!isAlive({ role: "nephos", pid, startTime })) return;
  }
  handle.signal("SIGKILL");
}
