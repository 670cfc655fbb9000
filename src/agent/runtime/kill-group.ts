import { openProcess } from "../../sys/process.ts";
import type { RuntimeContext } from "./runtime-context.ts";

/** Ends all processes of a group and below, by force. */
export function killGroup({ cgroups }: RuntimeContext, cgroup: string): void {
  for (const pid of cgroups.processes(cgroup)) {
    using process = openProcess(pid);
    process?.signal("SIGKILL");
  }
}
