import { ConfigurationFileError } from "../../lib/configuration-reader.ts";
import type { SchedulerPlugin } from "../framework/contract.ts";
import {
  DEFAULT_PLUGINS,
  PLUGIN_FACTORIES,
  type PluginDeps,
  type PluginFactory,
} from "../framework/default-plugins.ts";
import type { EnabledPlugin } from "../framework/plan.ts";
import type { Point, SchedulerProfile } from "./scheduler-configuration.ts";

/** Which methods of a plugin a point of the configuration is about. */
const METHODS: Readonly<Record<Exclude<Point, "multiPoint">, readonly (keyof SchedulerPlugin)[]>> =
  {
    preEnqueue: ["preEnqueue"],
    queueSort: ["compare"],
    preFilter: [],
    filter: ["filter"],
    postFilter: ["postFilter"],
    preScore: [],
    score: ["score"],
    reserve: ["reserve", "unreserve"],
    permit: ["permit"],
    preBind: ["preBind"],
    bind: ["bind"],
    postBind: ["postBind"],
  };
/** Part of the scheduler itself; the configuration may name it, and leaves it alone. */
const NAMES_WITHOUT_PLUGIN: ReadonlySet<string> = new Set(["DefaultBinder", "DynamicResources"]);

/**
 * The plugins of a profile: the defaults, changed as it says. A point that is named for itself
 * outweighs `multiPoint`. @throws ConfigurationFileError for a plugin that nobody knows
 */
export function pluginsOf(
  profile: SchedulerProfile,
  of: { deps: PluginDeps; more?: ReadonlyMap<string, PluginFactory> | undefined },
): EnabledPlugin[] {
  const weights = multiPoint(profile);
  const isEverywhere = new Set(weights.keys());
  /** Named at a point besides `multiPoint`: there they go first. */
  const first: { name: string; methods: readonly (keyof SchedulerPlugin)[] }[] = [];
  const only = new Map<string, Set<keyof SchedulerPlugin>>();
  const without = new Map<string, Set<keyof SchedulerPlugin>>();
  for (const [point, { enabled, disabled }] of profile.plugins) {
    if (point === "multiPoint") continue;
    const methods = METHODS[point];
    const names = disabled.includes("*") ? [...weights.keys()] : disabled;
    for (const name of names) add(without, { name, methods });
    for (const { name, weight } of enabled) {
      // As upstream: a plugin that is named anew has no weight left over.
      if (!weights.has(name) || point === "score") weights.set(name, weight ?? 1);
      if (isEverywhere.has(name)) first.push({ name, methods });
      else add(only, { name, methods });
    }
  }
  for (const one of first) add(without, one);
  const make = makerOf(profile, of);
  const entries = [
    ...first.map(({ name, methods }) => ({ name, only: new Set(methods), without: undefined })),
    ...[...weights.keys()].map((name) => {
      return { name, only: only.get(name), without: without.get(name) };
    }),
  ];
  return entries.flatMap(({ name, ...points }) => {
    const plugin = make(name);
    const kept = plugin && restricted(plugin, points);
    return kept ? [{ plugin: kept, scoreWeight: weights.get(name) ?? 1 }] : [];
  });
}

/** Makes each plugin once; nothing for what is part of the scheduler itself. */
function makerOf(
  profile: SchedulerProfile,
  of: { deps: PluginDeps; more?: ReadonlyMap<string, PluginFactory> | undefined },
): (name: string) => SchedulerPlugin | undefined {
  const made = new Map<string, SchedulerPlugin>();
  return (name) => {
    if (NAMES_WITHOUT_PLUGIN.has(name)) return undefined;
    const factory = of.more?.get(name) ?? PLUGIN_FACTORIES.get(name);
    if (!factory) {
      const known = [...PLUGIN_FACTORIES.keys(), ...(of.more?.keys() ?? [])].join(", ");
      throw new ConfigurationFileError(
        `Cannot use the scheduler plugin "${name}": known are ${known}`,
      );
    }
    const plugin = made.get(name) ?? factory(profile.pluginConfig.get(name), of.deps);
    made.set(name, plugin);
    return plugin;
  };
}

/** Names with weights after `multiPoint` was applied. */
function multiPoint({ plugins }: SchedulerProfile): Map<string, number> {
  const { enabled = [], disabled = [] } = plugins.get("multiPoint") ?? {};
  const weights = new Map<string, number>();
  for (const { name, weight } of DEFAULT_PLUGINS) {
    if (!disabled.includes("*") && !disabled.includes(name)) weights.set(name, weight);
  }
  for (const { name, weight } of enabled) weights.set(name, weight ?? 1);
  return weights;
}

function add(
  sets: Map<string, Set<keyof SchedulerPlugin>>,
  { name, methods }: { name: string; methods: readonly (keyof SchedulerPlugin)[] },
): void {
  const set = sets.get(name) ?? new Set();
  for (const method of methods) set.add(method);
  sets.set(name, set);
}

/** The plugin without the methods of the points where it is switched off, if any are left. */
function restricted(
  plugin: SchedulerPlugin,
  of: {
    only: ReadonlySet<keyof SchedulerPlugin> | undefined;
    without: ReadonlySet<keyof SchedulerPlugin> | undefined;
  },
): SchedulerPlugin | undefined {
  const { only, without } = of;
  if (!only && !without) return plugin;
  const pointMethods = new Set(Object.values(METHODS).flat());
  const kept = Object.entries(plugin).filter(([key]) => {
    const method = key as keyof SchedulerPlugin;
    if (!pointMethods.has(method)) return true;
    return !without?.has(method) && (!only || only.has(method));
  });
  if (!kept.some(([key]) => pointMethods.has(key as keyof SchedulerPlugin))) return undefined;
  return Object.fromEntries(kept) as unknown as SchedulerPlugin;
}
