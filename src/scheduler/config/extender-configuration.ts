import type { ConfigurationReader } from "../../lib/configuration-reader.ts";

/** A webhook that filters, scores or binds beside the plugins. */
export interface ExtenderConfiguration {
  urlPrefix: string;
  filterVerb: string | undefined;
  prioritizeVerb: string | undefined;
  bindVerb: string | undefined;
  preemptVerb: string | undefined;
  weight: number;
  timeoutMs: number;
  /** Node names instead of whole nodes are sent. */
  nodeCacheCapable: boolean;
  /** A failure of the extender is no reason to turn a pod down. */
  ignorable: boolean;
  /** Only pods that request one of these concern it; none at all means every pod. */
  managedResources: readonly { name: string; ignoredByScheduler: boolean }[];
}

const TIMEOUT_MS = 5000;

/** Reads `extenders`. @throws ConfigurationFileError */
export function readExtenders(root: ConfigurationReader): ExtenderConfiguration[] {
  return root.list("extenders").map((one) => {
    const prioritizeVerb = one.text("prioritizeVerb") || undefined;
    const weight = one.number("weight", { min: 0, max: 2 ** 31 - 1 }) ?? 0;
    if (prioritizeVerb && weight === 0) throw one.error("weight", "must be positive");
    return {
      urlPrefix: one.requiredText("urlPrefix"),
      filterVerb: one.text("filterVerb") || undefined,
      prioritizeVerb,
      bindVerb: one.text("bindVerb") || undefined,
      preemptVerb: one.text("preemptVerb") || undefined,
      weight,
      timeoutMs: one.durationMs("httpTimeout") || TIMEOUT_MS,
      nodeCacheCapable: one.boolean("nodeCacheCapable"),
      ignorable: one.boolean("ignorable"),
      managedResources: one.list("managedResources").map((resource) => ({
        name: resource.requiredText("name"),
        ignoredByScheduler: resource.boolean("ignoredByScheduler"),
      })),
    };
  });
}
