import { imageLocality } from "../plugins/image-locality.ts";
import { interPodAffinity } from "../plugins/inter-pod-affinity.ts";
import { nodeAffinity } from "../plugins/node-affinity.ts";
import { nodeName } from "../plugins/node-name.ts";
import { nodePorts } from "../plugins/node-ports.ts";
import { nodeResourcesBalancedAllocation } from "../plugins/node-resources-balanced-allocation.ts";
import { type NodeResourcesFitArgs, nodeResourcesFit } from "../plugins/node-resources-fit.ts";
import { nodeUnschedulable } from "../plugins/node-unschedulable.ts";
import { podTopologySpread } from "../plugins/pod-topology-spread.ts";
import { prioritySort } from "../plugins/priority-sort.ts";
import { schedulingGates } from "../plugins/scheduling-gates.ts";
import { taintToleration } from "../plugins/taint-toleration.ts";
import { defaultPreemption } from "../preemption/default-preemption.ts";
import type { DisruptionBudgets } from "../preemption/disruption-budgets.ts";
import { nodeVolumeLimits } from "../volumes/node-volume-limits.ts";
import { type VolumeBindingDeps, volumeBinding } from "../volumes/volume-binding.ts";
import { volumeRestrictions } from "../volumes/volume-restrictions.ts";
import { volumeZone } from "../volumes/volume-zone.ts";
import type { SchedulerPlugin } from "./contract.ts";
import type { EnabledPlugin } from "./plan.ts";

/** What plugins share. */
export interface PluginDeps {
  budgets: DisruptionBudgets;
  volumes: VolumeBindingDeps;
  /** Resources that extenders look after. */
  ignoredResources?: readonly string[];
}

/** Makes a plugin; `args` come from the configuration and are the plugin's own business. */
export type PluginFactory = (args: unknown, deps: PluginDeps) => SchedulerPlugin;

const withArgs =
  <A>(make: (args: A | undefined) => SchedulerPlugin): PluginFactory =>
  (args) =>
    make(args as A | undefined);

/** Every built-in plugin by name, in upstream's order and with its weight. */
const BUILT_IN: readonly { name: string; make: PluginFactory; weight?: number }[] = [
  { name: "SchedulingGates", make: () => schedulingGates },
  { name: "PrioritySort", make: () => prioritySort },
  { name: "NodeUnschedulable", make: () => nodeUnschedulable },
  { name: "NodeName", make: () => nodeName },
  { name: "TaintToleration", make: () => taintToleration, weight: 3 },
  { name: "NodeAffinity", make: withArgs(nodeAffinity), weight: 2 },
  { name: "NodePorts", make: () => nodePorts },
  {
    name: "NodeResourcesFit",
    make: (args, { ignoredResources = [] }) => {
      const own = (args ?? {}) as NodeResourcesFitArgs;
      const ignored = [...(own.ignoredResources ?? []), ...ignoredResources];
      return nodeResourcesFit({ ...own, ignoredResources: ignored });
    },
  },
  {
    name: "VolumeRestrictions",
    make: (_args, { volumes }) => volumeRestrictions(volumes.catalog),
  },
  { name: "NodeVolumeLimits", make: (_args, { volumes }) => nodeVolumeLimits(volumes.catalog) },
  { name: "VolumeBinding", make: (args, { volumes }) => volumeBinding(volumes, args ?? {}) },
  { name: "VolumeZone", make: (_args, { volumes }) => volumeZone(volumes.catalog) },
  { name: "PodTopologySpread", make: withArgs(podTopologySpread), weight: 2 },
  { name: "InterPodAffinity", make: withArgs(interPodAffinity), weight: 2 },
  {
    name: "DefaultPreemption",
    make: (args, { budgets }) => defaultPreemption(budgets, args ?? {}),
  },
  {
    name: "NodeResourcesBalancedAllocation",
    make: withArgs(nodeResourcesBalancedAllocation),
  },
  { name: "ImageLocality", make: () => imageLocality },
];

/** Factories of the built-in plugins. */
export const PLUGIN_FACTORIES: ReadonlyMap<string, PluginFactory> = new Map(
  BUILT_IN.map(({ name, make }) => [name, make]),
);

/** Names and weights of the plugins of a scheduler without configuration. */
export const DEFAULT_PLUGINS: readonly { name: string; weight: number }[] = BUILT_IN.map(
  ({ name, weight = 1 }) => ({ name, weight }),
);

/** The plugins of a scheduler without configuration. */
export function defaultPlugins(deps: PluginDeps): EnabledPlugin[] {
  return BUILT_IN.map(({ make, weight = 1 }) => ({
    plugin: make(undefined, deps),
    scoreWeight: weight,
  }));
}
