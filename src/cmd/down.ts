import { setTimeout as delay } from "node:timers/promises";
import { openProcess } from "../sys/process.ts";
import { type DataDirectory, openDataDirectory } from "./data-directory.ts";
import { type InstanceProcess, isAlive, readInstance } from "./instance.ts";
import { requireRoot } from "./require-root.ts";
import { commonFlags, parseFlags } from "./options.ts";

const STOP_MS = 10_000;
const POLL_MS = 10;

/** `nephos down`: stops our processes; containers go on, unless `--purge` removes everything. */
export async function down(args: readonly string[]): Promise<number> {
  const { values } = parseFlags(args, { ...commonFlags, purge: { type: "boolean" } });
  requireRoot("stop Nephos");
  const directory = openDataDirectory(`${values["data-dir"]}`, { create: false });
  const stopped = await stopAll(directory);
  if (values["purge"]) {
    const { purge } = await import("./purge.ts");
    await purge(directory);
    process.stdout.write(`Nephos is stopped, and nothing of it is left in ${directory.root}.\n`);
    return 0;
  }
  const state = stopped > 0 ? "is stopped" : "was not running";
  process.stdout.write(`Nephos ${state}; its containers go on. "nephos up" finds them again.\n`);
  return 0;
}

/**
 * The daemon goes first, as it starts again whatever else ends; what it started last is read after
 * its end. Returns how many ran.
 */
async function stopAll(directory: DataDirectory): Promise<number> {
  const running = () => (readInstance(directory.instance)?.processes ?? []).filter(isAlive);
  const daemons = running().filter(({ role }) => role === "nephos");
  for (const daemon of daemons) await stop(daemon);
  const others = running();
  await Promise.all(others.map(stop));
  return daemons.length + others.length;
}

async function stop({ pid, startTime }: InstanceProcess): Promise<void> {
  using handle = openProcess(pid, startTime);
  if (!handle?.signal("SIGTERM")) return;
  for (let waitedMs = 0; waitedMs < STOP_MS; waitedMs += POLL_MS) {
    await delay(POLL_MS);
    if (!isAlive({ role: "nephos", pid, startTime })) return;
  }
  handle.signal("SIGKILL");
}
