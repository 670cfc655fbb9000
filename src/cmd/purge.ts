import { existsSync, readdirSync, rmSync, rmdirSync } from "node:fs";
import path from "node:path";
import { removeNodeHost } from "../agent/network/node-host.ts";
import { purgeNetwork } from "../agent/network/node-link.ts";
import { connectCri } from "../agent/cri-client.ts";
import { socketOf } from "../agent/runtime/cri/cri-endpoint.ts";
import { createCriRuntime } from "../agent/runtime/cri/cri-runtime.ts";
import { OWN_LOGS, purgeLogs } from "../agent/pod/pod-logs.ts";
import { createCrunRuntime } from "../agent/runtime/crun-runtime.ts";
import { removeServiceRules } from "../agent/service-proxy/service-proxy.ts";
import { silentLogger } from "../lib/logger.ts";
import { systemClock } from "../sys/clock.ts";
import { readMounts, unmountBelow } from "../sys/mount.ts";
import { enterPrivateMounts } from "../sys/mount-namespace.ts";
import { systemRandom } from "../sys/random.ts";
import { CommandError } from "./command-error.ts";
import type { DataDirectory, NodeDirectories } from "./data-directory.ts";
import { OWN_NAMES } from "./foreign-directory.ts";
import { readInstance } from "./instance.ts";
import { runtimeOptionsOf } from "./runtime-options.ts";
import { showsItself, undoSelfMounts } from "./self-mount.ts";

const CGROUPS = "/sys/fs/cgroup";

/**
 * Removes everything that an instance made, containers included, even after a start that failed
 * half way: it needs the path alone. Its processes have ended. Idempotent. Returns the names of
 * what others keep in the data directory, which stays.
 */
export async function purge(directory: DataDirectory): Promise<string[]> {
  const nodes = path.join(directory.root, "nodes");
  // Where it was mounted: what a copy of these mounts unmounts, others may keep.
  undoSelfMounts(directory.cri.selfMounts);
  const endpoint = readInstance(directory.instance)?.settings?.["container-runtime-endpoint"];
  if (existsSync(directory.run) && !endpoint) {
    enterPrivateMounts({ sharedDirectories: [directory.run, nodes, directory.cri.state] });
  }
  for (const name of existsSync(nodes) ? readdirSync(nodes) : []) {
    await removeContainers(directory.node(Number(name)));
    if (endpoint) await removeForeignContainers(endpoint, directory.node(Number(name)));
    purgeLogs(path.join(nodes, name, OWN_LOGS), directory.node(Number(name)).podLogs);
  }
  await removeContainers(directory.cri);
  const { table, linkPrefix } = directory.node(0);
  const hosts = path.join(directory.run, "nodes");
  for (const name of existsSync(hosts) ? readdirSync(hosts) : []) {
    removeNodeHost({ name, runDirectory: directory.run, linkPrefix });
  }
  removeServiceRules(table);
  removeServiceRules(directory.cri.table);
  purgeNetwork(linkPrefix);
  purgeNetwork(directory.cri.linkPrefix);
  unmountBelow(directory.run);
  rmSync(directory.run, { recursive: true, force: true });
  const left = removeRoot(directory.root);
  removeCgroups(`nephos-${directory.id}`);
  return left;
}

/**
 * Only what has one of Nephos's own names goes; what else lies there stays, and the directory with
 * it. A file system that somebody has mounted at the data directory, or at one right in it, stays,
 * but empty: to unmount it would hide what it holds, not remove it. Returns the names of what
 * others keep there.
 */
export function removeRoot(root: string): string[] {
  const mounts = readMounts();
  const given = new Set(
    mounts
      .filter(({ target }) => target === root || path.dirname(target) === root)
      .filter((mount) => !showsItself(mount, mounts))
      .map(({ target }) => target),
  );
  for (const name of existsSync(root) ? readdirSync(root) : []) {
    if (!OWN_NAMES.has(name)) continue;
    const entry = path.join(root, name);
    if (given.has(entry)) {
      for (const below of readdirSync(entry)) remove(path.join(entry, below));
    } else {
      remove(entry);
    }
  }
  const left = existsSync(root) ? readdirSync(root) : [];
  // Never with what is in it.
  if (existsSync(root) && left.length === 0 && !given.has(root)) rmdirSync(root);
  return left.filter((name) => !OWN_NAMES.has(name));
}

function remove(entry: string): void {
  unmountBelow(entry);
  rmSync(entry, { recursive: true, force: true });
}

async function removeContainers(
  directories: Omit<DataDirectory["cri"], "selfMounts">,
): Promise<void> {
  if (!existsSync(path.join(directories.state, "runtime"))) return;
  await using runtime = await createCrunRuntime({
    ...runtimeOptionsOf(directories),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
  });
  const { sandboxes } = await runtime.recover();
  await Promise.all(sandboxes.map(({ id }) => runtime.removeSandbox(id)));
}

/** @throws CommandError when the runtime does not answer: it would keep them for good */
async function removeForeignContainers(
  endpoint: string,
  { cgroupRoot }: Pick<NodeDirectories, "cgroupRoot">,
): Promise<void> {
  await using client = connectCri(socketOf(endpoint));
  try {
    const options = { client, cgroupRoot, clock: systemClock, logger: silentLogger };
    await using runtime = await createCriRuntime(options);
    await runtime.purge();
  } catch (cause) {
    const { message } = cause as Error;
    const hint = "start the container runtime, then try again";
    throw new CommandError(`Cannot remove the containers of ${endpoint}: ${message}; ${hint}`, {
      cause,
    });
  }
}

/** Removes our cgroups, deepest first, from every hierarchy. */
function removeCgroups(name: string): void {
  const roots = [CGROUPS, ...readdirSync(CGROUPS).map((entry) => path.join(CGROUPS, entry))];
  for (const root of roots) {
    const folder = path.join(root, name);
    if (existsSync(folder)) removeCgroup(folder);
  }
}

function removeCgroup(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroup(path.join(folder, entry.name));
  }
  rmdirSync(folder);
}
