import {
  CRON_JOBS,
  ENDPOINT_SLICES,
  HORIZONTAL_POD_AUTOSCALERS,
  POD_DISRUPTION_BUDGETS,
} from "./generated/resources.ts";
import { apiVersionOf, type Resource } from "./resource.ts";

/** A version that Kubernetes has removed, under which older clients still ask for a kind. */
export interface LegacyVersion {
  /** As it is served today, which is also how it is stored. */
  current: Resource;
  version: string;
  /** Minor releases of Kubernetes 1: the first that warns, the first without it. */
  deprecated: number;
  removed: number;
}

/**
 * What kubectl 1.20 asks for without a look at discovery, and what has another name today.
 * Source: the deprecation guide of Kubernetes.
 */
export const LEGACY_VERSIONS: readonly LegacyVersion[] = [
  { current: HORIZONTAL_POD_AUTOSCALERS, version: "v2beta2", deprecated: 23, removed: 26 },
  { current: CRON_JOBS, version: "v1beta1", deprecated: 21, removed: 25 },
  { current: POD_DISRUPTION_BUDGETS, version: "v1beta1", deprecated: 21, removed: 25 },
  { current: ENDPOINT_SLICES, version: "v1beta1", deprecated: 21, removed: 25 },
];

/** The resource as older clients know it. */
export function legacyResourceOf({ current, version }: LegacyVersion): Resource {
  return { ...current, version };
}

/** What clients are told with every answer. */
export function deprecationOf(legacy: LegacyVersion): string {
  const { current, deprecated, removed } = legacy;
  const { kind } = current;
  const since = `deprecated in v1.${deprecated}+, unavailable in v1.${removed}+`;
  const old = apiVersionOf(legacyResourceOf(legacy));
  return `${old} ${kind} is ${since}; use ${apiVersionOf(current)} ${kind}`;
}

/** The version that describes the kinds of an older one of the same shape. */
export function currentVersionOf(group: string, version: string): string | undefined {
  return LEGACY_VERSIONS.find((legacy) => {
    return legacy.current.group === group && legacy.version === version;
  })?.current.version;
}
