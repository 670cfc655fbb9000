import path from "node:path";
import type { ContainerSpec, SandboxSpec } from "./contract.ts";
import { isWithin } from "./lean-mounts.ts";
import type { RuntimeContext } from "./runtime-context.ts";
import { sandboxMounts } from "./sandbox-mounts.ts";

/**
 * Where all lies that the OCI runtime needs for a container and that is the pod's alone, for
 * `PlacedCommand.mounts`. Undefined when the container sees more of the node than that, or as the
 * node sees it: volumes that lie elsewhere, mounts that propagate, devices, users of its own.
 */
export function ownMounts(
  context: RuntimeContext,
  { spec, sandbox }: { spec: ContainerSpec; sandbox: SandboxSpec },
): string[] | undefined {
  const { runDirectory, podDirectories = [] } = context.options;
  const { networkNamespacePath: network, hostIpc, users, id } = sandbox;
  if (users || (spec.devices ?? []).length > 0) return undefined;
  const own = podDirectories.map((directory) => path.join(directory, id));
  const used = new Set<string>();
  for (const { hostPath, propagation = "private" } of spec.mounts) {
    const directory = own.find((one) => isWithin(hostPath, one));
    if (directory === undefined || propagation !== "private") return undefined;
    used.add(directory);
  }
  // Elsewhere, what it is mounted on might not be there.
  if (network !== undefined && !isWithin(network, path.dirname(runDirectory))) return undefined;
  const { ipc, shm } = sandboxMounts(context, id);
  return [
    context.paths.root(spec.id),
    ...(hostIpc ? [] : [ipc, shm]),
    ...(network === undefined ? [] : [network]),
    ...used,
  ];
}
