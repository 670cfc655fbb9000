import type {
  HorizontalPodAutoscalerSpec,
  HPAScalingPolicy,
  HPAScalingRules,
} from "../../api/generated/types/autoscaling-v2.ts";

const DOWN_WINDOW_SECONDS = 300;
const UP_FACTOR = 2;
const UP_MIN = 4;

/** A number of replicas that was wanted at some time. */
export interface PastRecommendation {
  replicas: number;
  atMs: number;
}

/** A change that was made. */
export interface ScaleEvent {
  /** Replicas added, or removed when negative. */
  change: number;
  atMs: number;
}

/** What an autoscaler remembers between two looks. */
export interface ScaleHistory {
  recommendations: readonly PastRecommendation[];
  events: readonly ScaleEvent[];
}

/** Reason and message of a condition, and whether it limits. */
export interface Verdict {
  limited: boolean;
  reason: string;
  message: string;
}

/** The number to set, and why it is not the one that was asked for. */
export interface LimitedReplicas {
  replicas: number;
  stabilized: Verdict;
  limited: Verdict;
}

/** Forgets what no window reaches any more. */
export function trimHistory(
  history: ScaleHistory,
  { spec, nowMs }: { spec: HorizontalPodAutoscalerSpec; nowMs: number },
): ScaleHistory {
  const rules = [spec.behavior?.scaleUp, spec.behavior?.scaleDown];
  const windows = rules.map((rule) => rule?.stabilizationWindowSeconds ?? DOWN_WINDOW_SECONDS);
  const periods = rules.flatMap((rule) => (rule?.policies ?? []).map((one) => one.periodSeconds));
  const since = (seconds: readonly number[]) => nowMs - Math.max(0, ...seconds) * 1000;
  return {
    recommendations: history.recommendations.filter(({ atMs }) => atMs >= since(windows)),
    events: history.events.filter(({ atMs }) => atMs >= since(periods)),
  };
}

/** Applies windows, policies and bounds to a recommendation. Pure. */
export function limitReplicas(
  spec: HorizontalPodAutoscalerSpec,
  of: { current: number; wanted: number; history: ScaleHistory; nowMs: number },
): LimitedReplicas {
  const stable = stabilize(spec, of);
  const minimum = spec.minReplicas ?? 1;
  const maximum = spec.maxReplicas;
  const bounds = { minimum, maximum };
  const { replicas, limited } = spec.behavior
    ? limitByRules(spec, { ...of, ...bounds, wanted: stable.replicas })
    : limitByDefault({ ...of, ...bounds, wanted: stable.replicas });
  return { replicas, stabilized: stable.verdict, limited };
}

function stabilize(
  spec: HorizontalPodAutoscalerSpec,
  of: { current: number; wanted: number; history: ScaleHistory; nowMs: number },
): { replicas: number; verdict: Verdict } {
  const { current, wanted, history, nowMs } = of;
  const within = (seconds: number) =>
    history.recommendations
      .filter(({ atMs }) => atMs > nowMs - seconds * 1000)
      .map((past) => past.replicas);
  const upSeconds = spec.behavior?.scaleUp?.stabilizationWindowSeconds ?? 0;
  const downSeconds = spec.behavior?.scaleDown?.stabilizationWindowSeconds ?? DOWN_WINDOW_SECONDS;
  const lowest = Math.min(wanted, ...within(upSeconds));
  const highest = Math.max(wanted, ...within(downSeconds));
  const replicas = spec.behavior ? Math.min(Math.max(current, lowest), highest) : highest;
  if (replicas === wanted) {
    const message = "recommended size matches current size";
    return { replicas, verdict: { limited: false, reason: "ReadyForNewScale", message } };
  }
  const isUp = wanted >= current && spec.behavior !== undefined;
  const message = isUp
    ? "recent recommendations were lower than current one, applying the lowest recent recommendation"
    : "recent recommendations were higher than current one, applying the highest recent recommendation";
  const reason = isUp ? "ScaleUpStabilized" : "ScaleDownStabilized";
  return { replicas, verdict: { limited: true, reason, message } };
}

interface Bounded {
  current: number;
  wanted: number;
  minimum: number;
  maximum: number;
  history: ScaleHistory;
  nowMs: number;
}

function limitByDefault(of: Bounded): { replicas: number; limited: Verdict } {
  const fastest = Math.max(of.current * UP_FACTOR, UP_MIN);
  return clamp(of.wanted, {
    low: { at: of.minimum, ...TOO_FEW },
    high: of.maximum > fastest ? { at: fastest, ...UP_LIMIT } : { at: of.maximum, ...TOO_MANY },
  });
}

function limitByRules(
  spec: HorizontalPodAutoscalerSpec,
  of: Bounded,
): { replicas: number; limited: Verdict } {
  const fastestUp = upLimit(spec.behavior?.scaleUp, of);
  const fastestDown = downLimit(spec.behavior?.scaleDown, of);
  const isUp = of.wanted > of.current;
  const isDown = of.wanted < of.current;
  return clamp(of.wanted, {
    low:
      isDown && of.minimum < fastestDown
        ? { at: fastestDown, ...DOWN_LIMIT }
        : { at: of.minimum, ...TOO_FEW },
    high:
      isUp && of.maximum > fastestUp
        ? { at: fastestUp, ...UP_LIMIT }
        : { at: of.maximum, ...TOO_MANY },
  });
}

const TOO_FEW = {
  reason: "TooFewReplicas",
  message: "the desired replica count is less than the minimum replica count",
};
const TOO_MANY = {
  reason: "TooManyReplicas",
  message: "the desired replica count is more than the maximum replica count",
};
const UP_LIMIT = {
  reason: "ScaleUpLimit",
  message: "the desired replica count is increasing faster than the maximum scale rate",
};
const DOWN_LIMIT = {
  reason: "ScaleDownLimit",
  message: "the desired replica count is decreasing faster than the maximum scale rate",
};
const WITHIN = {
  limited: false,
  reason: "DesiredWithinRange",
  message: "the desired count is within the acceptable range",
};

interface Bound {
  at: number;
  reason: string;
  message: string;
}

function clamp(
  wanted: number,
  { low, high }: { low: Bound; high: Bound },
): { replicas: number; limited: Verdict } {
  const bound = wanted < low.at ? low : wanted > high.at ? high : undefined;
  if (!bound) return { replicas: wanted, limited: WITHIN };
  const { at, reason, message } = bound;
  return { replicas: at, limited: { limited: true, reason, message } };
}

/** The number of replicas when the period of a policy began. */
function atPeriodStart(of: Bounded, { periodSeconds }: HPAScalingPolicy): number {
  const sinceMs = of.nowMs - periodSeconds * 1000;
  const changes = of.history.events.filter(({ atMs }) => atMs > sinceMs);
  return changes.reduce((replicas, { change }) => replicas - change, of.current);
}

function upLimit(rules: HPAScalingRules | undefined, of: Bounded): number {
  if (rules?.selectPolicy === "Disabled") return of.current;
  const limits = (rules?.policies ?? []).map((policy) => {
    const start = atPeriodStart(of, policy);
    if (policy.type === "Pods") return start + policy.value;
    return Math.ceil(start * (1 + policy.value / 100));
  });
  if (limits.length === 0) return Math.max(of.current * UP_FACTOR, UP_MIN);
  const pick = rules?.selectPolicy === "Min" ? Math.min : Math.max;
  return Math.max(of.current, pick(...limits));
}

function downLimit(rules: HPAScalingRules | undefined, of: Bounded): number {
  if (rules?.selectPolicy === "Disabled") return of.current;
  const limits = (rules?.policies ?? []).map((policy) => {
    const start = atPeriodStart(of, policy);
    if (policy.type === "Pods") return start - policy.value;
    return Math.floor(start * (1 - policy.value / 100));
  });
  if (limits.length === 0) return 0;
  const pick = rules?.selectPolicy === "Min" ? Math.max : Math.min;
  return Math.min(of.current, pick(...limits));
}
