import { ConfigurationReader } from "../../lib/configuration-reader.ts";
import { deepEqual } from "../../lib/deep-equal.ts";
import { type ExtenderConfiguration, readExtenders } from "./extender-configuration.ts";
import { readPluginArguments } from "./plugin-arguments.ts";

/** Extension points that a profile may name, as the configuration spells them. */
export const POINTS = [
  "preEnqueue",
  "queueSort",
  "preFilter",
  "filter",
  "postFilter",
  "preScore",
  "score",
  "reserve",
  "permit",
  "preBind",
  "bind",
  "postBind",
  "multiPoint",
] as const;

/** One of `POINTS`. */
export type Point = (typeof POINTS)[number];

/** What is switched on and off at one point; the name "*" means all. */
export interface PluginSet {
  enabled: readonly { name: string; weight: number | undefined }[];
  disabled: readonly string[];
}

/** One scheduler name and what it schedules with. */
export interface SchedulerProfile {
  schedulerName: string;
  percentageOfNodesToScore: number | undefined;
  plugins: ReadonlyMap<Point, PluginSet>;
  /** Arguments by plugin name. */
  pluginConfig: ReadonlyMap<string, unknown>;
}

/** A checked `KubeSchedulerConfiguration`; zero or absent values have their defaults. */
export interface SchedulerConfiguration {
  podInitialBackoffMs: number;
  podMaxBackoffMs: number;
  percentageOfNodesToScore: number;
  profiles: readonly SchedulerProfile[];
  extenders: readonly ExtenderConfiguration[];
}

const SUBJECT = "the scheduler configuration";
const API_VERSION = "kubescheduler.config.k8s.io/v1";
const PERCENTAGE = { min: 0, max: 100 };
/** The scheduler of pods that name none. */
export const DEFAULT_NAME = "default-scheduler";

/** What holds without a configuration. */
export const DEFAULT_CONFIGURATION: SchedulerConfiguration = readSchedulerConfiguration({
  apiVersion: API_VERSION,
  kind: "KubeSchedulerConfiguration",
});

/**
 * Checks a decoded configuration file. Fields that have no meaning here, such as those about
 * leader election, are accepted. @throws ConfigurationFileError, which names the field
 */
export function readSchedulerConfiguration(document: unknown): SchedulerConfiguration {
  const root = new ConfigurationReader(document, { subject: SUBJECT });
  root.requireKind({ apiVersion: API_VERSION, kind: "KubeSchedulerConfiguration" });
  root.number("parallelism", { min: 1, max: 2 ** 31 - 1 });
  const initial = root.number("podInitialBackoffSeconds", { min: 1, max: 3600 }) ?? 1;
  const most = root.number("podMaxBackoffSeconds", { min: 0, max: 3600 }) ?? 10;
  if (most < initial) throw root.error("podMaxBackoffSeconds", "must not be below the initial one");
  const profiles = readProfiles(root);
  return {
    podInitialBackoffMs: initial * 1000,
    podMaxBackoffMs: most * 1000,
    percentageOfNodesToScore: root.number("percentageOfNodesToScore", PERCENTAGE) ?? 0,
    profiles:
      profiles.length > 0
        ? profiles
        : [readProfile(new ConfigurationReader({}, { subject: SUBJECT }))],
    extenders: readExtenders(root),
  };
}

function readProfiles(root: ConfigurationReader): SchedulerProfile[] {
  const list = root.list("profiles");
  const profiles = list.map(readProfile);
  const seen = new Set<string>();
  for (const [at, { schedulerName, plugins }] of profiles.entries()) {
    // Only a profile that is alone has a name without saying it.
    if (list.length > 1) list[at]?.requiredText("schedulerName");
    if (seen.has(schedulerName)) {
      throw root.error(`profiles[${at}].schedulerName`, `"${schedulerName}" is there already`);
    }
    seen.add(schedulerName);
    // All pods wait in one queue, which has one order.
    if (!deepEqual(plugins.get("queueSort"), profiles[0]?.plugins.get("queueSort"))) {
      throw root.error(`profiles[${at}].plugins.queueSort`, "must be the same in all profiles");
    }
  }
  return profiles;
}

function readProfile(profile: ConfigurationReader): SchedulerProfile {
  const plugins = new Map<Point, PluginSet>();
  const sets = profile.object("plugins");
  for (const name of sets.names()) {
    const point = POINTS.find((known) => known === name);
    if (!point) throw sets.error(name, `is no extension point: known are ${POINTS.join(", ")}`);
    const set = readPluginSet(sets.object(name));
    if (point === "queueSort" && set.enabled.length > 1) {
      throw sets.error("queueSort.enabled", "must name one plugin: there is one queue");
    }
    plugins.set(point, set);
  }
  const pluginConfig = new Map<string, unknown>();
  for (const one of profile.list("pluginConfig")) {
    const name = one.requiredText("name");
    if (pluginConfig.has(name)) throw one.error("name", `"${name}" is there already`);
    pluginConfig.set(name, readPluginArguments(name, one));
  }
  return {
    schedulerName: profile.text("schedulerName") ?? DEFAULT_NAME,
    percentageOfNodesToScore: profile.number("percentageOfNodesToScore", PERCENTAGE),
    plugins,
    pluginConfig,
  };
}

function readPluginSet(set: ConfigurationReader): PluginSet {
  const seen = new Set<string>();
  return {
    enabled: set.list("enabled").map((one) => {
      const name = one.requiredText("name");
      if (seen.has(name)) throw one.error("name", `"${name}" is there already`);
      seen.add(name);
      return { name, weight: one.number("weight", { min: 0, max: 2 ** 31 - 1 }) || undefined };
    }),
    disabled: set.list("disabled").map((one) => one.requiredText("name")),
  };
}
