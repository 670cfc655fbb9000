import { test } from "node:test";
import { HORIZONTAL_POD_AUTOSCALERS } from "../../generated/resources.ts";
import { checkRuleCases } from "../rule-cases.ts";

const AUTOSCALER = {
  spec: {
    minReplicas: 1,
    maxReplicas: 3,
    scaleTargetRef: { kind: "Deployment", name: "web", apiVersion: "apps/v1" },
    metrics: [
      {
        type: "Resource",
        resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } },
      },
    ],
  },
};

test("rules of autoscalers: nothing is scaled to zero, a gate of 1.32 that is off", () => {
  checkRuleCases(HORIZONTAL_POD_AUTOSCALERS, {
    base: AUTOSCALER,
    create: [
      [
        { "spec.minReplicas": 0 },
        "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1",
        "spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas",
      ],
      [
        { "spec.minReplicas": 4 },
        "spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`",
      ],
      [
        { "spec.metrics[0].resource.target": { averageUtilization: 80 } },
        "spec.metrics[0].resource.target.type: Required value: must specify a metric target type",
        'spec.metrics[0].resource.target.type: Invalid value: "": must be either Utilization, Value, or AverageValue',
      ],
      [
        { "spec.behavior.scaleUp.policies": [{ type: "Pods" }] },
        "spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero",
        "spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 0: must be greater than zero",
      ],
      [{ "spec.scaleTargetRef.name": undefined }, "spec.scaleTargetRef.name: Required value"],
    ],
  });
});
