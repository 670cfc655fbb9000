import type {
  NodeAffinity,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PreferredSchedulingTerm,
  TopologySpreadConstraint,
} from "../../api/generated/types/core-v1.ts";
import type { ConfigurationReader } from "../../lib/configuration-reader.ts";
import { qualifiedNameErrors } from "../../lib/names.ts";
import type { InterPodAffinityArgs } from "../plugins/inter-pod-affinity.ts";
import type { NodeAffinityArgs } from "../plugins/node-affinity.ts";
import type { BalancedAllocationArgs } from "../plugins/node-resources-balanced-allocation.ts";
import type { NodeResourcesFitArgs } from "../plugins/node-resources-fit.ts";
import type { PodTopologySpreadArgs } from "../plugins/pod-topology-spread.ts";
import type { DefaultPreemptionArgs } from "../preemption/default-preemption.ts";
import type { VolumeBindingArgs } from "../volumes/volume-binding.ts";

const INT_MAX = 2 ** 31 - 1;
const PERCENT = { min: 0, max: 100 };
const API_VERSION = "kubescheduler.config.k8s.io/v1";

/** Readers of the arguments that built-in plugins have, by plugin name. */
const READERS: Readonly<Record<string, (args: ConfigurationReader) => object>> = {
  DefaultPreemption: preemptionArguments,
  InterPodAffinity: affinityArguments,
  NodeAffinity: nodeAffinityArguments,
  NodeResourcesBalancedAllocation: balancedArguments,
  NodeResourcesFit: fitArguments,
  PodTopologySpread: spreadArguments,
  VolumeBinding: volumeArguments,
};

/**
 * The checked `args` of one entry of `pluginConfig`. Those of other plugins are theirs to check.
 * @throws ConfigurationFileError
 */
export function readPluginArguments(name: string, entry: ConfigurationReader): unknown {
  const read = READERS[name];
  if (!read) return entry.value("args");
  const args = entry.object("args");
  requireType(args, name);
  const found = read(args);
  const unknown = args.names().find((field) => !args.used.has(field));
  if (unknown) throw args.error(unknown, "is no argument of the plugin");
  return found;
}

function requireType(args: ConfigurationReader, name: string): void {
  const [apiVersion, kind] = [args.text("apiVersion"), args.text("kind")];
  if (apiVersion !== undefined && apiVersion !== API_VERSION) {
    throw args.error("apiVersion", `must be "${API_VERSION}"`);
  }
  if (kind !== undefined && kind !== `${name}Args`) {
    throw args.error("kind", `must be "${name}Args"`);
  }
}

function preemptionArguments(args: ConfigurationReader): DefaultPreemptionArgs {
  const share = args.number("minCandidateNodesPercentage", PERCENT) ?? 10;
  const least = args.number("minCandidateNodesAbsolute", { min: 0, max: INT_MAX }) ?? 100;
  if (share === 0 && least === 0) {
    const complaint = "must not be zero at the same time as minCandidateNodesAbsolute";
    throw args.error("minCandidateNodesPercentage", complaint);
  }
  return { minCandidateNodesPercentage: share, minCandidateNodesAbsolute: least };
}

function affinityArguments(args: ConfigurationReader): InterPodAffinityArgs {
  return {
    hardPodAffinityWeight: args.number("hardPodAffinityWeight", PERCENT) ?? 1,
    ignorePreferredTermsOfExistingPods: args.boolean("ignorePreferredTermsOfExistingPods"),
  };
}

function volumeArguments(args: ConfigurationReader): VolumeBindingArgs {
  if (args.value("shape") !== undefined) {
    throw args.error("shape", "must not be set: volumes are not scored by their capacity");
  }
  const seconds = args.number("bindTimeoutSeconds", { min: 0, max: INT_MAX });
  return seconds === undefined ? {} : { bindTimeoutSeconds: seconds };
}

function balancedArguments(args: ConfigurationReader): BalancedAllocationArgs {
  const seen = new Set<string>();
  const resources = args.list("resources").map((one) => {
    const name = one.requiredText("name");
    if (seen.has(name)) throw one.error("name", `"${name}" is there already`);
    seen.add(name);
    if ((one.number("weight", PERCENT) || 1) !== 1) throw one.error("weight", "must be 1");
    return { name };
  });
  return { resources };
}

const STRATEGIES = ["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"] as const;

function fitArguments(args: ConfigurationReader): NodeResourcesFitArgs {
  const ignoredResources = args.texts("ignoredResources");
  const ignoredResourceGroups = args.texts("ignoredResourceGroups");
  for (const [at, name] of ignoredResources.entries()) {
    requireQualified(args, { field: `ignoredResources[${at}]`, name });
  }
  for (const [at, name] of ignoredResourceGroups.entries()) {
    const field = `ignoredResourceGroups[${at}]`;
    if (name.includes("/")) throw args.error(field, 'must not contain "/"');
    requireQualified(args, { field, name });
  }
  if (args.value("scoringStrategy") === undefined) {
    return { ignoredResources, ignoredResourceGroups };
  }
  const strategy = args.object("scoringStrategy");
  const type = strategy.choice("type", STRATEGIES);
  const resources = strategy.list("resources").map((one) => ({
    name: one.requiredText("name"),
    weight: one.number("weight", PERCENT) || 1,
  }));
  const isRatio = type === "RequestedToCapacityRatio";
  const isShaped = strategy.value("requestedToCapacityRatio") !== undefined;
  if (isRatio !== isShaped) {
    const complaint = isRatio ? "must be set" : "must not be set";
    throw strategy.error("requestedToCapacityRatio", `${complaint} when the type is ${type}`);
  }
  const scoringStrategy = isRatio
    ? { type, resources, requestedToCapacityRatio: { shape: readShape(strategy) } }
    : { type, resources };
  return { ignoredResources, ignoredResourceGroups, scoringStrategy };
}

function readShape(strategy: ConfigurationReader): { utilization: number; score: number }[] {
  const ratio = strategy.object("requestedToCapacityRatio");
  const points = ratio.list("shape");
  if (points.length === 0) throw ratio.error("shape", "must have at least one point");
  let before = -1;
  return points.map((point) => {
    const utilization = point.number("utilization", PERCENT) ?? 0;
    const score = point.number("score", { min: 0, max: 10 }) ?? 0;
    if (utilization <= before) throw point.error("utilization", "must be more than the one before");
    before = utilization;
    return { utilization, score };
  });
}

function spreadArguments(args: ConfigurationReader): PodTopologySpreadArgs {
  const defaultingType = args.choice("defaultingType", ["System", "List"]);
  const list = args.list("defaultConstraints");
  if (defaultingType === "System" && list.length > 0) {
    throw args.error("defaultingType", "must be List beside defaultConstraints");
  }
  const seen = new Set<string>();
  const defaultConstraints = list.map((one): TopologySpreadConstraint => {
    const maxSkew = one.number("maxSkew", { min: 1, max: INT_MAX });
    if (maxSkew === undefined) throw one.error("maxSkew", "must be set");
    const topologyKey = one.requiredText("topologyKey");
    requireQualified(one, { field: "topologyKey", name: topologyKey });
    one.requiredText("whenUnsatisfiable");
    const whenUnsatisfiable = one.choice("whenUnsatisfiable", ["DoNotSchedule", "ScheduleAnyway"]);
    if (one.value("labelSelector") !== undefined) {
      throw one.error("labelSelector", "must not be set: each pod has its own");
    }
    const key = `${topologyKey}, ${whenUnsatisfiable}`;
    if (seen.has(key)) throw one.error("topologyKey", `with ${whenUnsatisfiable} is there already`);
    seen.add(key);
    return { maxSkew, topologyKey, whenUnsatisfiable };
  });
  return { defaultingType, defaultConstraints };
}

function nodeAffinityArguments(args: ConfigurationReader): NodeAffinityArgs {
  if (args.value("addedAffinity") === undefined) return {};
  const added = args.object("addedAffinity");
  const affinity: NodeAffinity = {};
  const hard = "requiredDuringSchedulingIgnoredDuringExecution";
  if (added.value(hard) !== undefined) {
    const terms = added.object(hard).list("nodeSelectorTerms");
    if (terms.length === 0) throw added.error(`${hard}.nodeSelectorTerms`, "must have a term");
    affinity[hard] = { nodeSelectorTerms: terms.map(readTerm) };
  }
  const wishes = added.list("preferredDuringSchedulingIgnoredDuringExecution");
  if (wishes.length > 0) {
    affinity.preferredDuringSchedulingIgnoredDuringExecution = wishes.map(
      (one): PreferredSchedulingTerm => ({
        weight: one.number("weight", { min: 1, max: 100 }) ?? 1,
        preference: readTerm(one.object("preference")),
      }),
    );
  }
  return { addedAffinity: affinity };
}

function readTerm(term: ConfigurationReader): NodeSelectorTerm {
  const read = (one: ConfigurationReader): NodeSelectorRequirement => {
    const key = one.requiredText("key");
    requireQualified(one, { field: "key", name: key });
    one.requiredText("operator");
    const operator = one.choice("operator", OPERATORS);
    const values = one.texts("values");
    const complaint = complaintAboutValues(operator, values);
    if (complaint) throw one.error("values", complaint);
    return { key, operator, values };
  };
  const matchFields = term.list("matchFields").map((one) => {
    if (one.text("key") !== "metadata.name") throw one.error("key", 'must be "metadata.name"');
    return read(one);
  });
  return { matchExpressions: term.list("matchExpressions").map(read), matchFields };
}

const OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"] as const;

function complaintAboutValues(
  operator: (typeof OPERATORS)[number],
  values: readonly string[],
): string | undefined {
  switch (operator) {
    case "In":
    case "NotIn":
      return values.length > 0 ? undefined : `must not be empty for ${operator}`;
    case "Exists":
    case "DoesNotExist":
      return values.length === 0 ? undefined : `must be empty for ${operator}`;
    case "Gt":
    case "Lt":
      return values.length === 1 && /^[-+]?\d+$/.test(values[0] ?? "")
        ? undefined
        : `must be one whole number for ${operator}`;
  }
}

function requireQualified(
  at: ConfigurationReader,
  { field, name }: { field: string; name: string },
): void {
  const [complaint] = qualifiedNameErrors(name);
  if (complaint) throw at.error(field, complaint);
}
