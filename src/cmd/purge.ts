import { existsSync, readdirSync, rmSync, rmdirSync } from "node:fs";
import path from "node:path";
import { removeNodeHost } from "../agent/network/node-host.ts";
import { createPodNetwork, removePodNetwork } from "../agent/network/pod-network.ts";
import { removeServiceRules } from "../agent/service-proxy/service-proxy.ts";
import { silentLogger } from "../lib/logger.ts";
import { unmountBelow } from "../sys/mount.ts";
import type { DataDirectory } from "./data-directory.ts";
import { type Instance, readInstance } from "./instance.ts";

const CGROUPS = "/sys/fs/cgroup";

/** Removes everything that an instance made, containers included. Its processes have ended. */
export async function purge(directory: DataDirectory): Promise<void> {
  const instance = readInstance(directory.instance);
  for (const { index } of instance?.nodes ?? []) await purgeNode(directory, index, instance);
  removeServiceRules(directory.node(0).table);
  unmountBelow(directory.run);
  rmSync(directory.run, { recursive: true, force: true });
  unmountBelow(directory.root);
  rmSync(directory.root, { recursive: true, force: true });
  removeCgroups(`nephos-${directory.id}`);
}

async function purgeNode(
  directory: DataDirectory,
  index: number,
  instance: Instance | undefined,
): Promise<void> {
  const { run, linkPrefix } = directory.node(index);
  const node = instance?.nodes.find((candidate) => candidate.index === index);
  if (index > 0) removeNodeHost({ name: `node-${index}`, runDirectory: directory.run, linkPrefix });
  if (!node?.podCidr || !existsSync(run)) return;
  const options = {
    podCidr: node.podCidr,
    localAddresses: index === 0 ? (instance?.localAddresses ?? []) : [],
  };
  await using network = createPodNetwork({
    ...options,
    runDirectory: run,
    linkPrefix,
    logger: silentLogger,
  });
  await network.recover(new Set());
  if (index === 0) removePodNetwork(options);
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
