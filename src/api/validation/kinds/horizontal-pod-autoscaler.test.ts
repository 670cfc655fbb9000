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
      [
        { "spec.metrics": [{ type: "x" }] },
        ...Array<string>(2).fill(
          'spec.metrics[0].type: Unsupported value: "x": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
        ),
      ],
      [
        {
          "spec.metrics": [
            { type: "External", pods: {}, external: { metric: {}, target: { type: "Value" } } },
          ],
        },
        "spec.metrics[0].external.metric.name: Required value: must specify a metric name",
        "spec.metrics[0].external.target.averageValue: Required value: must set either a target value for metric or a per-pod target",
        "spec.metrics[0].pods: Forbidden: must populate the given metric source only",
      ],
      [
        { "spec.metrics": [{ type: "Pods" }] },
        "spec.metrics[0].pods: Required value: must populate information for the given metric source",
      ],
      [
        {
          "spec.behavior.scaleDown": {
            stabilizationWindowSeconds: 3601,
            selectPolicy: "x",
            policies: [],
          },
        },
        "spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600",
        'spec.behavior.scaleDown.selectPolicy: Unsupported value: "x": supported values: "Disabled", "Max", "Min"',
        "spec.behavior.scaleDown.policies: Required value: must specify at least one Policy",
      ],
    ],
  });
});
