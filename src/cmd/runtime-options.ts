import path from "node:path";
import type { CrunRuntimeOptions } from "../agent/runtime/runtime-context.ts";
import type { NodeDirectories } from "./data-directory.ts";

/** Where the container runtime of a node keeps its things: the same for `up` and for `down`. */
export function runtimeOptionsOf(
  directories: Pick<NodeDirectories, "state" | "run" | "cgroupRoot">,
): Pick<
  CrunRuntimeOptions,
  "stateDirectory" | "runDirectory" | "podDirectories" | "cgroupRoot" | "defaultHandler"
> {
  return {
    stateDirectory: path.join(directories.state, "runtime"),
    runDirectory: path.join(directories.run, "runtime"),
    // Where the agent has the volumes of pods, and files of its own for them.
    podDirectories: [directories.state, directories.run].map((one) => path.join(one, "pods")),
    cgroupRoot: directories.cgroupRoot,
    defaultHandler: "crun",
  };
}
