import type { ConfigurationReader } from "../../lib/configuration-reader.ts";
import { quantityToNumber } from "../../lib/quantity.ts";
import {
  DEFAULT_RULES,
  EVICTION_SIGNALS,
  type EvictionRules,
  type EvictionSignal,
  type EvictionThresholds,
  type SoftThreshold,
  type Threshold,
} from "../eviction/contract.ts";

/**
 * Known, and without effect: containers write where volumes and logs are, and as on a kubelet
 * the thresholds of `nodefs` then hold for them.
 */
const CONTAINER_SIGNALS: readonly string[] = ["containerfs.available", "containerfs.inodesFree"];

/**
 * Reads everything about eviction; `enforced` says that pods are held to what is allocatable, of
 * which then as much has to be left as of the whole. @throws ConfigurationFileError
 */
export function readEvictionRules(
  root: ConfigurationReader,
  { enforced }: { enforced: boolean },
): EvictionRules {
  const given = readThresholds(root, "evictionHard");
  // As with a kubelet, a list of one's own takes the place of the whole default.
  const chosen = root.value("evictionHard") === undefined ? DEFAULT_RULES.hard : given;
  const minimumReclaim = readThresholds(root, "evictionMinimumReclaim");
  const seconds = root.number("evictionMaxPodGracePeriod", { min: 0, max: 2 ** 31 - 1 }) ?? 0;
  return {
    hard: enforced ? alsoOfPods(chosen) : chosen,
    soft: readSoft(root),
    minimumReclaim: enforced ? alsoOfPods(minimumReclaim) : minimumReclaim,
    softGraceMaxMs: seconds * 1000,
    transitionMs: root.durationMs("evictionPressureTransitionPeriod") || DEFAULT_RULES.transitionMs,
  };
}

function alsoOfPods(thresholds: EvictionThresholds): EvictionThresholds {
  const memory = thresholds["memory.available"];
  return memory ? { ...thresholds, "allocatableMemory.available": memory } : thresholds;
}

function readThresholds(root: ConfigurationReader, field: string): EvictionThresholds {
  const map = root.object(field);
  const result: Partial<Record<EvictionSignal, Threshold>> = {};
  for (const name of map.names()) {
    const signal = signalOf(map, name);
    const threshold = readThreshold(map, name);
    if (threshold && signal) result[signal] = threshold;
  }
  return result;
}

function readSoft(root: ConfigurationReader): EvictionRules["soft"] {
  const graces = root.object("evictionSoftGracePeriod");
  const thresholds = root.object("evictionSoft");
  const result: Partial<Record<EvictionSignal, SoftThreshold>> = {};
  for (const name of graces.names()) {
    const signal = signalOf(graces, name);
    if (thresholds.value(signal ?? name) === undefined) {
      throw graces.error(name, "has no threshold in evictionSoft");
    }
  }
  for (const name of thresholds.names()) {
    const signal = signalOf(thresholds, name);
    const below = readThreshold(thresholds, name);
    const graceMs = graces.durationMs(name);
    if (!graceMs) throw graces.error(name, 'must be a positive duration, such as "1m30s"');
    if (below && signal) result[signal] = { below, graceMs };
  }
  return result;
}

/** Undefined for one that has no effect. */
function signalOf(map: ConfigurationReader, name: string): EvictionSignal | undefined {
  const signal = EVICTION_SIGNALS.find((known) => known === name);
  if (signal || CONTAINER_SIGNALS.includes(name)) return signal;
  throw map.error(name, `is no eviction signal: known are ${EVICTION_SIGNALS.join(", ")}`);
}

/** Undefined for "0%" and "100%", which switch a threshold off. */
function readThreshold(map: ConfigurationReader, signal: string): Threshold | undefined {
  const text = map.requiredText(signal);
  const percent = /^(.*)%$/.exec(text)?.[1];
  if (percent !== undefined) {
    const share = Number(percent) / 100;
    if (percent !== "" && share >= 0 && share <= 1) {
      return share === 0 || share === 1 ? undefined : { share };
    }
    throw map.error(signal, `must be from "0%" to "100%", not "${text}"`);
  }
  const amount = amountOf(text);
  if (amount !== undefined && amount >= 0) return { amount };
  throw map.error(signal, `must be a quantity such as "100Mi" or a share such as "10%"`);
}

function amountOf(text: string): number | undefined {
  try {
    return quantityToNumber(text);
  } catch {
    return undefined;
  }
}
