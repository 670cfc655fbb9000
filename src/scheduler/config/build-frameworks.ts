import type { QueueingHint } from "../framework/contract.ts";
import type { PluginDeps, PluginFactory } from "../framework/default-plugins.ts";
import { Framework } from "../framework/framework.ts";
import type { PodRecord } from "../pod/pod-profile.ts";
import type { ClusterState } from "../state/cluster-state.ts";
import { pluginsOf } from "./profile-plugins.ts";
import type { SchedulerConfiguration } from "./scheduler-configuration.ts";

/** Frameworks by scheduler name, and what they have in common. */
export interface Frameworks {
  frameworks: ReadonlyMap<string, Framework>;
  /** The order of the one queue: that of the first plugin that has one. */
  compare: (a: PodRecord, b: PodRecord) => number;
  /** Hints by plugin name. */
  hints: ReadonlyMap<string, QueueingHint>;
}

/** A framework for each profile. @throws ConfigurationFileError */
export function buildFrameworks(
  state: ClusterState,
  of: {
    configuration: SchedulerConfiguration;
    deps: PluginDeps;
    plugins: ReadonlyMap<string, PluginFactory> | undefined;
  },
): Frameworks {
  const { configuration } = of;
  const ignoredResources = configuration.extenders.flatMap(({ managedResources }) =>
    managedResources.filter((one) => one.ignoredByScheduler).map(({ name }) => name),
  );
  const deps = { ...of.deps, ignoredResources };
  const frameworks = new Map<string, Framework>();
  const hints = new Map<string, QueueingHint>();
  for (const profile of configuration.profiles) {
    const { schedulerName } = profile;
    const plugins = pluginsOf(profile, { deps, more: of.plugins });
    const percentageOfNodesToScore =
      profile.percentageOfNodesToScore ?? configuration.percentageOfNodesToScore;
    const options = { schedulerName, plugins, percentageOfNodesToScore };
    frameworks.set(schedulerName, new Framework(state, options));
    for (const { plugin } of plugins) if (plugin.hint) hints.set(plugin.name, plugin.hint);
  }
  return { frameworks, compare: comparisonOf(frameworks.values()), hints };
}

function comparisonOf(frameworks: Iterable<Framework>): (a: PodRecord, b: PodRecord) => number {
  for (const { plugins } of frameworks) {
    const sorter = plugins.find(({ plugin }) => plugin.compare)?.plugin;
    if (sorter) return (a, b) => sorter.compare?.(a, b) ?? 0;
  }
  return () => 0;
}
