import type { HorizontalPodAutoscaler as HorizontalPodAutoscalerV1 } from "../generated/types/autoscaling-v1.ts";
import type {
  HorizontalPodAutoscaler,
  HPAScalingRules,
} from "../generated/types/autoscaling-v2.ts";
import { type Defaulters, defaulter } from "./defaulter.ts";

const METRICS = "autoscaling.alpha.kubernetes.io/metrics";
const CPU_PERCENT = 80;

/** Defaults of autoscaling/v1. */
export const AUTOSCALING_V1_DEFAULTS: Defaulters = {
  HorizontalPodAutoscaler: defaulter<HorizontalPodAutoscalerV1>(({ metadata, spec }) => {
    if (!spec) return;
    spec.minReplicas ??= 1;
    // What the first version cannot say stands in an annotation.
    const others = metadata?.annotations?.[METRICS];
    if (others === undefined) spec.targetCPUUtilizationPercentage ??= CPU_PERCENT;
  }),
};

/** Defaults of autoscaling/v2. */
export const AUTOSCALING_V2_DEFAULTS: Defaulters = {
  HorizontalPodAutoscaler: defaulter<HorizontalPodAutoscaler>(({ spec }) => {
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
