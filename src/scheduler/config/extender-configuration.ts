import type { Reader } from "./reader.ts";

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
const DURATION = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?$/;

/** Reads `extenders`. @throws SchedulerConfigurationError */
export function readExtenders(root: Reader): ExtenderConfiguration[] {
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
      timeoutMs: durationMs(one) ?? TIMEOUT_MS,
      nodeCacheCapable: one.boolean("nodeCacheCapable"),
      ignorable: one.boolean("ignorable"),
      managedResources: one.list("managedResources").map((resource) => ({
        name: resource.requiredText("name"),
        ignoredByScheduler: resource.boolean("ignoredByScheduler"),
      })),
    };
  });
}

function durationMs(extender: Reader): number | undefined {
  const text = extender.text("httpTimeout");
  if (!text) return undefined;
  const [, hours = 0, minutes = 0, seconds = 0, millis = 0] = DURATION.exec(text) ?? [];
  const total = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  const sum = total + Number(millis);
  if (sum > 0) return sum;
  throw extender.error("httpTimeout", 'must be a duration such as "5s"');
}
