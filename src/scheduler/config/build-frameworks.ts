import type { QueueingHint } from "../framework/contract.ts";
import type { PluginDeps, PluginFactory } from "../framework/default-plugins.ts";
import { Framework } from "../framework/framework.ts";
import type { PodRecord } from "../pod/pod-profile.ts";
import type { ClusterState } from "../state/cluster-state.ts";
import { pluginsOf } from "./profile-plugins.ts";
import { DEFAULT_NAME, type SchedulerConfiguration } from "./scheduler-configuration.ts";

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
  const hints = new Map<string, Map<string, QueueingHint>>();
  for (const profile of configuration.profiles) {
    const { schedulerName } = profile;
    const plugins = pluginsOf(profile, { deps, more: of.plugins });
    const percentageOfNodesToScore =
      profile.percentageOfNodesToScore ?? configuration.percentageOfNodesToScore;
    const options = { schedulerName, plugins, percentageOfNodesToScore };
    frameworks.set(schedulerName, new Framework(state, options));
    for (const { plugin } of plugins) {
      if (!plugin.hint) continue;
      const byScheduler = hints.get(plugin.name) ?? new Map<string, QueueingHint>();
      hints.set(plugin.name, byScheduler.set(schedulerName, plugin.hint));
    }
  }
  const compare = comparisonOf(frameworks.values());
  const entries = [...hints].map(([name, byScheduler]) => [name, hintOf(byScheduler)] as const);
  return { frameworks, compare, hints: new Map(entries) };
}

/** Asks the plugin of the pod's own scheduler: others may have other arguments. */
function hintOf(byScheduler: ReadonlyMap<string, QueueingHint>): QueueingHint {
  const [only, ...others] = byScheduler.values();
  if (only && others.length === 0) return only;
  return (event, pod, state) => {
    const name = pod.pod.spec?.schedulerName || DEFAULT_NAME;
    return byScheduler.get(name)?.(event, pod, state) ?? true;
  };
}

function comparisonOf(frameworks: Iterable<Framework>): (a: PodRecord, b: PodRecord) => number {
  for (const { plugins } of frameworks) {
    const sorter = plugins.find(({ plugin }) => plugin.compare)?.plugin;
    if (sorter) return (a, b) => sorter.compare?.(a, b) ?? 0;
  }
  return () => 0;
}
