import type { Toleration } from "../../api/generated/types/core-v1.ts";
import type { AdmissionPlugin } from "../contract.ts";
import { isPodWrite, podOf } from "./admitted-pod.ts";

const TAINTS = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
const SECONDS = 300;

function tolerates({ key, effect }: Toleration, taint: string): boolean {
  return (!key || key === taint) && (!effect || effect === "NoExecute");
}

/** A pod stays on a node that is lost for five minutes, unless it says otherwise. */
export function defaultTolerationSecondsPlugin(): AdmissionPlugin {
  return {
    name: "DefaultTolerationSeconds",
    handles: isPodWrite,
    mutate: (request) => {
      const { spec } = podOf(request);
      const present = spec.tolerations ?? [];
      const missing = TAINTS.filter((taint) => !present.some((one) => tolerates(one, taint)));
      if (missing.length === 0) return;
      const added = missing.map(
        (key): Toleration => ({
          key,
          operator: "Exists",
          effect: "NoExecute",
          tolerationSeconds: SECONDS,
        }),
      );
      spec.tolerations = [...present, ...added];
    },
  };
}
