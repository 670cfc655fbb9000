import type { HorizontalPodAutoscaler as HorizontalPodAutoscalerV1 } from "../generated/types/autoscaling-v1.ts";
import type {
  HorizontalPodAutoscaler,
  HPAScalingRules,
} from "../generated/types/autoscaling-v2.ts";
import type { ObjectMeta } from "../generated/types/meta-v1.ts";
import { type Defaulters, defaulter } from "./defaulter.ts";

/** What versions could not say stood in annotations, and does so no longer. */
const ALPHA = "autoscaling.alpha.kubernetes.io/";
const FORMER: readonly string[] = ["behavior", "conditions", "current-metrics", "metrics"];
const CPU_PERCENT = 80;

/** Defaults of autoscaling/v1. */
export const AUTOSCALING_V1_DEFAULTS: Defaulters = {
  HorizontalPodAutoscaler: defaulter<HorizontalPodAutoscalerV1>(({ metadata, spec }) => {
    dropFormer(metadata, (text) => !lists(text));
    if (!spec) return;
    spec.minReplicas ??= 1;
    const others = metadata?.annotations?.[`${ALPHA}metrics`];
    if (others === undefined) spec.targetCPUUtilizationPercentage ??= CPU_PERCENT;
  }),
};

function dropFormer(metadata: ObjectMeta | undefined, isDropped: (text: string) => boolean): void {
  const annotations = metadata?.annotations;
  if (!annotations) return;
  for (const name of FORMER) {
    const text = annotations[`${ALPHA}${name}`];
    if (text !== undefined && isDropped(text)) delete annotations[`${ALPHA}${name}`];
  }
  if (Object.keys(annotations).length === 0) delete metadata.annotations;
}

/** Whether it can be read, and has something in it. */
function lists(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && Object.keys(value).length > 0;
  } catch {
    return false;
  }
}

/** Defaults of autoscaling/v2. */
export const AUTOSCALING_V2_DEFAULTS: Defaulters = {
  HorizontalPodAutoscaler: defaulter<HorizontalPodAutoscaler>(({ metadata, spec }) => {
    dropFormer(metadata, () => true);
    if (!spec) return;
    spec.minReplicas ??= 1;
    if (!spec.metrics?.length) {
      const target = { type: "Utilization", averageUtilization: CPU_PERCENT };
      spec.metrics = [{ type: "Resource", resource: { name: "cpu", target } }];
    }
    if (!spec.behavior) return;
    defaultScaleUp((spec.behavior.scaleUp ??= {}));
    defaultScaleDown((spec.behavior.scaleDown ??= {}));
  }),
};

function defaultScaleUp(rules: HPAScalingRules): void {
  rules.stabilizationWindowSeconds ??= 0;
  rules.selectPolicy ??= "Max";
  rules.policies ??= [
    { type: "Pods", value: 4, periodSeconds: 15 },
    { type: "Percent", value: 100, periodSeconds: 15 },
  ];
}

function defaultScaleDown(rules: HPAScalingRules): void {
  rules.selectPolicy ??= "Max";
  rules.policies ??= [{ type: "Percent", value: 100, periodSeconds: 15 }];
}
