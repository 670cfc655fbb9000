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

/** Reads everything about eviction. @throws ConfigurationFileError */
export function readEvictionRules(root: ConfigurationReader): EvictionRules {
  const hard = readThresholds(root, "evictionHard");
  const seconds = root.number("evictionMaxPodGracePeriod", { min: 0, max: 2 ** 31 - 1 }) ?? 0;
  return {
    // As with a kubelet, a list of one's own takes the place of the whole default.
    hard: root.value("evictionHard") === undefined ? DEFAULT_RULES.hard : hard,
    soft: readSoft(root),
    minimumReclaim: readThresholds(root, "evictionMinimumReclaim"),
    softGraceMaxMs: seconds * 1000,
    transitionMs: root.durationMs("evictionPressureTransitionPeriod") || DEFAULT_RULES.transitionMs,
  };
}

function readThresholds(root: ConfigurationReader, field: string): EvictionThresholds {
  const map = root.object(field);
  const result: Partial<Record<EvictionSignal, Threshold>> = {};
  for (const name of map.names()) {
    const threshold = readThreshold(map, signalOf(map, name));
    if (threshold) result[name as EvictionSignal] = threshold;
  }
  return result;
}

function readSoft(root: ConfigurationReader): EvictionRules["soft"] {
  const graces = root.object("evictionSoftGracePeriod");
  const thresholds = root.object("evictionSoft");
  const result: Partial<Record<EvictionSignal, SoftThreshold>> = {};
  for (const name of graces.names()) {
    const signal = signalOf(graces, name);
    if (thresholds.value(signal) === undefined) {
      throw graces.error(name, "has no threshold in evictionSoft");
    }
  }
  for (const name of thresholds.names()) {
    const signal = signalOf(thresholds, name);
    const below = readThreshold(thresholds, signal);
    const graceMs = graces.durationMs(signal);
    if (!graceMs) throw graces.error(name, 'must be a positive duration, such as "1m30s"');
    if (below) result[signal] = { below, graceMs };
  }
  return result;
}

function signalOf(map: ConfigurationReader, name: string): EvictionSignal {
  const signal = EVICTION_SIGNALS.find((known) => known === name);
  if (signal) return signal;
  throw map.error(name, `is no eviction signal: known are ${EVICTION_SIGNALS.join(", ")}`);
}

/** Undefined for "0%" and "100%", which switch a threshold off. */
function readThreshold(map: ConfigurationReader, signal: EvictionSignal): Threshold | undefined {
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
