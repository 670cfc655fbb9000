import path from "node:path";
import type { CrunRuntimeOptions } from "../agent/runtime/runtime-context.ts";
import type { NodeDirectories } from "./data-directory.ts";

/** Where the container runtime of a node keeps its things: the same for `up` and for `down`. */
export function runtimeOptionsOf(
  directories: Pick<NodeDirectories, "state" | "run" | "cgroupRoot">,
): Pick<CrunRuntimeOptions, "stateDirectory" | "runDirectory" | "cgroupRoot" | "defaultHandler"> {
  return {
    stateDirectory: path.join(directories.state, "runtime"),
    runDirectory: path.join(directories.run, "runtime"),
    cgroupRoot: directories.cgroupRoot,
    defaultHandler: "crun",
  };
}
