import { existsSync, readdirSync, rmSync, rmdirSync } from "node:fs";
import path from "node:path";
import { removeNodeHost } from "../agent/network/node-host.ts";
import { purgeNetwork } from "../agent/network/node-link.ts";
import { createCrunRuntime } from "../agent/runtime/crun-runtime.ts";
import { removeServiceRules } from "../agent/service-proxy/service-proxy.ts";
import { silentLogger } from "../lib/logger.ts";
import { systemClock } from "../sys/clock.ts";
import { unmountBelow } from "../sys/mount.ts";
import { enterPrivateMounts } from "../sys/mount-namespace.ts";
import { systemRandom } from "../sys/random.ts";
import type { DataDirectory } from "./data-directory.ts";
import { runtimeOptionsOf } from "./runtime-options.ts";

const CGROUPS = "/sys/fs/cgroup";

/**
 * Removes everything that an instance made, containers included, even after a start that failed
 * half way: it needs the path alone. Its processes have ended. Idempotent.
 */
export async function purge(directory: DataDirectory): Promise<void> {
  const nodes = path.join(directory.root, "nodes");
  if (existsSync(directory.run)) {
    enterPrivateMounts({ sharedDirectories: [directory.run, nodes, directory.cri.state] });
  }
  for (const name of existsSync(nodes) ? readdirSync(nodes) : []) {
    await removeContainers(directory.node(Number(name)));
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
  for (const folder of [directory.run, directory.root]) {
    unmountBelow(folder);
    rmSync(folder, { recursive: true, force: true });
  }
  removeCgroups(`nephos-${directory.id}`);
}

async function removeContainers(directories: DataDirectory["cri"]): Promise<void> {
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
