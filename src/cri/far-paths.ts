import { type FarFiles, MountHungError } from "../agent/far-files.ts";
import type * as cri from "../format/cri/generated.ts";
import { farMountOf, farMounts } from "../sys/far-mount.ts";
import type { MountEntry } from "../sys/mount.ts";
import { GrpcError } from "../format/grpc/grpc-status.ts";

/**
 * Looks at those host paths of mounts that lie on file systems which may never answer, in processes
 * of their own, and makes directories of what is missing there. Returns them: nobody else is to
 * touch them here. @throws GrpcError "unavailable" when one does not answer, "invalid-argument"
 */
export async function prepareFarPaths(
  far: Pick<FarFiles, "perform">,
  mounts: readonly Pick<cri.Mount, "hostPath" | "containerPath">[],
  among: readonly MountEntry[] = farMounts(),
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const { hostPath, containerPath } of mounts) {
    const mount = hostPath.startsWith("/") ? farMountOf(hostPath, among) : undefined;
    if (!mount || found.has(hostPath)) continue;
    try {
      await far.perform({ do: "host-path", source: { path: hostPath } }, { mount });
    } catch (cause) {
      const message = `Cannot mount "${containerPath}": ${(cause as Error).message}`;
      const code = cause instanceof MountHungError ? "unavailable" : "invalid-argument";
      throw new GrpcError(code, message, { cause });
    }
    found.add(hostPath);
  }
  return found;
}
