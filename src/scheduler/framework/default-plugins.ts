import { imageLocality } from "../plugins/image-locality.ts";
import { interPodAffinity } from "../plugins/inter-pod-affinity.ts";
import { nodeAffinity } from "../plugins/node-affinity.ts";
import { nodeName } from "../plugins/node-name.ts";
import { nodePorts } from "../plugins/node-ports.ts";
import { nodeResourcesBalancedAllocation } from "../plugins/node-resources-balanced-allocation.ts";
import { nodeResourcesFit } from "../plugins/node-resources-fit.ts";
import { nodeUnschedulable } from "../plugins/node-unschedulable.ts";
import { podTopologySpread } from "../plugins/pod-topology-spread.ts";
import { taintToleration } from "../plugins/taint-toleration.ts";
import { defaultPreemption } from "../preemption/default-preemption.ts";
import type { DisruptionBudgets } from "../preemption/disruption-budgets.ts";
import type { EnabledPlugin } from "./plan.ts";

/** The plugins of a scheduler without configuration: upstream's, in its order, with its weights. */
export function defaultPlugins(budgets: DisruptionBudgets): EnabledPlugin[] {
  const enabled = (plugin: EnabledPlugin["plugin"], scoreWeight = 1): EnabledPlugin => ({
    plugin,
    filters: true,
    scoreWeight,
  });
  return [
    enabled(nodeUnschedulable),
    enabled(nodeName),
    enabled(taintToleration, 3),
    enabled(nodeAffinity(), 2),
    enabled(nodePorts),
    enabled(nodeResourcesFit()),
    enabled(podTopologySpread(), 2),
    enabled(interPodAffinity(), 2),
    enabled(defaultPreemption(budgets)),
    enabled(nodeResourcesBalancedAllocation()),
    enabled(imageLocality),
  ];
}
