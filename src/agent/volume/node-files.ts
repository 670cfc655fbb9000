import type { HostPathVolumeSource } from "../../api/generated/types/core-v1.ts";
import type { FarFiles } from "../far-files.ts";
import { FarJobError } from "../far-process.ts";
import { type PreparedVolume, VolumeError } from "./contract.ts";
import { prepareHostPath } from "./host-path.ts";
import { prepareLocalDirectory } from "./local-directory.ts";
import type { VolumeGroup } from "./volume-ownership.ts";

/** Opens what pods see of the node's own files; what may hang does so in a process of its own. */
export interface NodeFiles {
  /** @throws VolumeError, MountHungError */
  openHostPath(source: HostPathVolumeSource): Promise<PreparedVolume>;
  /** @throws VolumeError, MountHungError */
  openDirectory(directory: string, group: VolumeGroup | undefined): Promise<PreparedVolume>;
}

/** Those of one pod, which waits for none of them any more when it has to end. */
export function nodeFiles(far: FarFiles, signal: AbortSignal): NodeFiles {
  return {
    async openHostPath(source) {
      const farMount = far.mountOf(source.path);
      const prepared = { hostPath: source.path, readOnly: false };
      if (farMount) {
        const job = { do: "host-path", source } as const;
        await asVolumeError(far.perform(job, { mount: farMount, signal }));
        return { ...prepared, farMount };
      }
      prepareHostPath(source);
      return prepared;
    },
    async openDirectory(directory, group) {
      const farMount = far.mountOf(directory);
      const prepared = { hostPath: directory, readOnly: false };
      if (farMount) {
        const job = { do: "local-directory", directory, ...(group && { group }) } as const;
        await asVolumeError(far.perform(job, { mount: farMount, signal }));
        return { ...prepared, farMount };
      }
      prepareLocalDirectory(directory, group);
      return prepared;
    },
  };
}

/** What was thrown elsewhere is thrown here. */
async function asVolumeError(done: Promise<unknown>): Promise<void> {
  try {
    await done;
  } catch (error) {
    if (!(error instanceof FarJobError) || error.name !== "VolumeError") throw error;
    throw new VolumeError(error.code as VolumeError["code"], error.message, { cause: error });
  }
}
