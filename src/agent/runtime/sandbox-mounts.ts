import type { RuntimeContext } from "./runtime-context.ts";

/** Where the namespace and the shared memory of a sandbox are mounted. */
export function sandboxMounts(context: RuntimeContext, id: string): { ipc: string; shm: string } {
  const directory = context.paths.sandboxRun(id);
  return { ipc: `${directory}/ipc`, shm: `${directory}/shm` };
}
