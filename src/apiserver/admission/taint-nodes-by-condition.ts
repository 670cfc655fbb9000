import type { Node } from "../../api/generated/types/core-v1.ts";
import type { AdmissionPlugin } from "../contract.ts";

const NOT_READY = "node.kubernetes.io/not-ready";

/** A new node takes no pods before it was seen to be ready. */
export function taintNodesByConditionPlugin(): AdmissionPlugin {
  return {
    name: "TaintNodesByCondition",
    handles: ({ operation, resource, subresource }) =>
      operation === "CREATE" &&
      resource.group === "" &&
      resource.plural === "nodes" &&
      !subresource,
    mutate: (request) => {
      const node = request.object as unknown as Node;
      node.spec ??= {};
      const taints = node.spec.taints ?? [];
      if (taints.some(({ key, effect }) => key === NOT_READY && effect === "NoSchedule")) return;
      node.spec.taints = [...taints, { key: NOT_READY, effect: "NoSchedule" }];
    },
  };
}
